"""What is seen of the node from outside, every few seconds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    """One look at a process; memory in MB."""

    rss_mb: float
    pss_mb: float
    own_mb: float
    """Anonymous memory: heap and stacks, without the files of the libraries."""
    fds: int
    udp_sockets: int
    threads: int


def look(pid: int) -> Process:
    """Raises OSError where it has ended."""
    proc = Path(f"/proc/{pid}")
    memory = _fields((proc / "smaps_rollup").read_text())
    opened = []
    for fd in (proc / "fd").iterdir():
        try:
            opened.append(str(fd.readlink()))
        except OSError:  # closed in between
            continue
    udp = _inodes(proc / "net" / "udp") | _inodes(proc / "net" / "udp6")
    return Process(
        rss_mb=memory["Rss"] / 1024,
        pss_mb=memory["Pss"] / 1024,
        own_mb=memory["Anonymous"] / 1024,
        fds=len(opened),
        udp_sockets=sum(1 for name in opened if name.startswith("socket:[") and name[8:-1] in udp),
        threads=_fields((proc / "status").read_text())["Threads"],
    )


def _fields(text: str) -> dict[str, int]:
    """Lines like `Rss:  1234 kB`; what isn't a number is left out."""
    found = {}
    for line in text.splitlines():
        name, _, rest = line.partition(":")
        value = rest.split()
        if value and value[0].isdigit():
            found[name] = int(value[0])
    return found


def _inodes(table: Path) -> set[str]:
    try:
        return {line.split()[9] for line in table.read_text().splitlines()[1:]}
    except OSError:
        return set()
