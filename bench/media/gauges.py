"""What the kernel says of a process and of the machine."""

from __future__ import annotations

import contextlib
import os
import platform
from pathlib import Path
from typing import Any

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """CPU seconds of a process with all its threads and those children that it has waited for; with its living ones."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = sum(int(field) for field in fields[11:15])
    return ticks / _TICKS + sum(cpu_s(child) for child in _children(pid))


def resident_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024 + sum(resident_mb(child) for child in _children(pid))
    return 0.0


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            found += [int(child) for child in (task / "children").read_text().split()]
        except OSError:  # the thread has ended, or the kernel doesn't tell
            continue
    return found


def pin(pid: int, core: int) -> bool:
    """Keeps a process on one core; False where there is only one, or it isn't ours to use."""
    cores = os.sched_getaffinity(0)
    if len(cores) < 2 or core not in cores:
        return False
    os.sched_setaffinity(pid, {core})
    return True


def favour(pid: int) -> None:
    """Gives the group of a process (Linux shares the processor among sessions first) the bench's own niceness."""
    niceness = os.getpriority(os.PRIO_PROCESS, 0)
    if niceness:
        with contextlib.suppress(OSError):
            Path(f"/proc/{pid}/autogroup").write_text(str(niceness))


def cores() -> tuple[int, int]:
    """(for the server, for the load)"""
    usable = sorted(os.sched_getaffinity(0))
    return usable[0], usable[-1]


def busy_and_all() -> tuple[float, float]:
    """CPU seconds that the whole machine spent working, and those that passed."""
    fields = [int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / _TICKS, sum(fields) / _TICKS


def machine() -> dict[str, Any]:
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return {
        "cpu": model,
        "cores": len(os.sched_getaffinity(0)),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load_1m_before": round(os.getloadavg()[0], 2),
    }
