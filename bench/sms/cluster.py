"""A PostgreSQL of one's own for a bench: on a Unix socket, as durable as one in production, gone afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def cluster(folder: str | None = None) -> Iterator[str]:
    """Its address. `folder`: on the disk that is meant."""
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not binaries:
        raise SystemExit("PostgreSQL is not installed: bash requirements/system.sh test")
    home = Path(tempfile.mkdtemp(prefix="majlis-pg-", dir=folder)).resolve()
    run: list[str | Path] = []
    if os.getuid() == 0:  # PostgreSQL refuses to run as root
        run = ["runuser", "-u", "postgres", "--"]
        shutil.chown(home, "postgres")

    def do(*command: str | Path) -> None:
        subprocess.run([*run, *command], check=True, stdout=subprocess.DEVNULL, cwd="/", timeout=120)

    data = home / "data"
    do(binaries[-1] / "initdb", "-D", data, "-U", "majlis", "-A", "trust")
    do(binaries[-1] / "pg_ctl", "-D", data, "-l", home / "log", "-w", "-o", f"-k {home} -h ''", "start")
    try:
        yield f"postgresql://majlis@/postgres?host={home}"
    finally:
        do(binaries[-1] / "pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(home, ignore_errors=True)
