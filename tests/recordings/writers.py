"""`python -m tests.recordings.writers FOLDER RING COUNT`: so many processes that write a journal each until killed.

One process loads everything and forks, so that two hundred of them cost seconds. Each tells in `<folder>/<n>.written`
what it handed over, in `<n>.head` what a witness was told; the process ids are printed.
"""

from __future__ import annotations

import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from recordings.journal import open_journal
from recordings.keys import FileKeyRing

WITNESS_S = 0.3


def write_for_ever(folder: Path, ring: Path, number: int) -> None:
    name = str(number)
    (folder / name).mkdir()
    journal = open_journal(
        folder / name / "journal", FileKeyRing(ring), recording_id=name, meeting_id="m", started_at=datetime.now(UTC)
    )
    journal.track("a", "visitor", "audio", "opus", 48_000, 0.0)
    written = os.open(folder / f"{name}.written", os.O_WRONLY | os.O_CREAT)
    begin = time.monotonic()
    told = -1.0
    while True:
        at = time.monotonic() - begin
        text = b"%.6f\n" % at
        journal.write("a", at, text + b"x" * 900)
        os.write(written, text)
        if at - told > WITNESS_S:
            told, head = at, journal.head
            draft = folder / f"{name}.draft"
            draft.write_text(f"{head.frames} {head.size} {head.chain.hex()}")
            draft.replace(folder / f"{name}.head")
        time.sleep(0.01)


def main() -> None:
    folder, ring, count = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    for number in range(count):
        child = os.fork()
        if child == 0:
            write_for_ever(folder, ring, number)
        print(child, flush=True)
    for _ in range(count):
        os.wait()


if __name__ == "__main__":
    main()
