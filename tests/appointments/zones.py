"""Zone files of our own, so that a test can change a country's rules."""

import struct
import zoneinfo
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write(path: Path, rule: str, offset_hours: int = 3) -> None:
    """A zone file (RFC 8536, version 2) that follows one POSIX `rule` for ever: `<+03>-3`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    name = f"+{offset_hours:02d}".encode() + b"\0"
    head = b"TZif2" + bytes(15) + struct.pack(">6L", 0, 0, 0, 0, 1, len(name))
    kind = struct.pack(">lBB", offset_hours * 3600, 0, 0) + name
    path.write_bytes(head + kind + head + kind + b"\n" + rule.encode() + b"\n")


@contextmanager
def zones_from(folder: Path) -> Iterator[None]:
    """Zones are looked up in `folder` first, and read anew."""
    before = zoneinfo.TZPATH
    zoneinfo.reset_tzpath(to=[str(folder), *before])
    zoneinfo.ZoneInfo.clear_cache()
    try:
        yield
    finally:
        zoneinfo.reset_tzpath(to=before)
        zoneinfo.ZoneInfo.clear_cache()
