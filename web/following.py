"""The process beside a worker that follows live recordings: `python -m web.following DATA`.

A process of its own: following takes a share of a processor as long as anybody meets, and neither texts nor exports
should wait for it or it for them (in one process they would share one interpreter). It runs at low priority, needs no
database, and is told on its standard input which recordings are open, one id a line. The input's end is its own: a
worker that dies, however it dies, takes its follower with it.

The journal must lie on a file system that shows here what is appended there: the same machine, or a shared folder that
does. Where it doesn't, or nobody follows, a recording is made playable after its end, as it always could be.
"""

import os
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.settings import Settings
from core.sweeping import read_first
from recordings.archive import service as archive
from recordings.archive.states import UNFINISHED
from recordings.follow import FOLDER, Follower, Taken, discard
from recordings.keys import KeyRing
from web.keys import key_ring

log = structlog.get_logger()
LOOK_EVERY_S = 0.5
ASK_AGAIN_S = 5.0  # for a recording that another worker's follower has
START_AGAIN_S = 10.0  # after one that died
NICENESS = 5  # it gives way, yet has to be through within seconds when a meeting ends on a busy machine


class Followers:
    """All live recordings of one process, a slice of each in turn."""

    def __init__(self, recordings_dir: Path, keyring: KeyRing) -> None:
        self._dir, self._keyring = recordings_dir, keyring
        self._followers: dict[str, Follower] = {}
        self._waiting: dict[str, float] = {}  # recording → when to try (again)

    def __len__(self) -> int:
        return len(self._followers)

    def watch(self, recording_id: str) -> None:
        """Harmless for one that is being followed."""
        if recording_id not in self._followers:
            self._waiting.setdefault(recording_id, 0.0)

    def turn(self, now: float) -> bool:
        """One slice of each; False where there was nothing to do."""
        for recording_id in [recording_id for recording_id, at in self._waiting.items() if at <= now]:
            self._start(recording_id, now)
        busy = False
        for recording_id, follower in list(self._followers.items()):
            with self._guarded(recording_id):
                if follower.step():
                    busy = True
                elif follower.due:
                    del self._followers[recording_id]
                    busy = True
                    follower.finish()
        return busy

    def _start(self, recording_id: str, now: float) -> None:
        try:
            self._followers[recording_id] = Follower(self._dir / recording_id, self._keyring)
            del self._waiting[recording_id]
        except Taken:
            if (self._dir / recording_id / FOLDER).exists():
                self._waiting[recording_id] = now + ASK_AGAIN_S
            else:
                del self._waiting[recording_id]
        except Exception as error:
            del self._waiting[recording_id]
            log.warning("recording not followed", recording_id=recording_id, error=f"{type(error).__name__}: {error}")

    @contextmanager
    def _guarded(self, recording_id: str) -> Iterator[None]:
        """What can't be followed is left to the job that finishes recordings, which says what is wrong with it."""
        try:
            yield
        except Exception as error:
            log.warning("recording not followed", recording_id=recording_id, error=f"{type(error).__name__}: {error}")
            follower = self._followers.pop(recording_id, None)
            if follower is not None:
                follower.let_go()


class Beside:
    """The worker's end of the pipe: starts the process when there is something to follow, and again if it dies."""

    def __init__(self, command: list[str], *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._command, self._monotonic = command, monotonic
        self._process: subprocess.Popen[bytes] | None = None
        self._told: set[str] = set()
        self._start_at = 0.0

    @classmethod
    def of(cls, settings: Settings) -> "Beside":
        return cls([sys.executable, "-m", "web.following", str(settings.data_dir.resolve())])

    def tell(self, open_ones: set[str]) -> None:
        """Which recordings are open now. Never waits; never raises but by a fault of ours."""
        if self._process is not None and self._process.poll() is not None:
            log.warning("the follower has ended", status=self._process.returncode)
            self._process, self._told = None, set()
            self._start_at = self._monotonic() + START_AGAIN_S
        self._told &= open_ones
        new = open_ones - self._told
        if not new or (self._process is None and self._monotonic() < self._start_at):
            return
        if self._process is None:
            self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, start_new_session=True)
            assert self._process.stdin is not None
            os.set_blocking(self._process.stdin.fileno(), False)
        assert self._process.stdin is not None
        try:
            os.write(self._process.stdin.fileno(), "".join(f"{one}\n" for one in sorted(new)).encode())
        except (BlockingIOError, BrokenPipeError):
            return  # it hangs or has just died; it is told again in a second
        self._told |= new

    def end(self, wait: float = 5.0) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            try:
                self._process.wait(wait)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


def follow_open(settings: Settings, beside: Beside) -> Callable[[Session, datetime], None]:
    """The worker's part: about once a second, what is open is told; once an hour, what nobody took is removed."""
    tidied: list[datetime] = []

    def sweep(session: Session, now: datetime) -> None:
        beside.tell({recording.id for recording in archive.open_ones(session)})
        if not tidied or now - tidied[-1] > timedelta(hours=1):
            tidied[:] = [now]
            tidy(settings, session)

    return read_first(sweep)


def tidy(settings: Settings, session: Session) -> None:
    """What followers have left in recordings that need none any more."""
    for place in settings.recordings_dir.glob(f"*/{FOLDER}"):
        try:
            over = archive.get(session, place.parent.name).state not in UNFINISHED
        except NotFound:
            continue
        if over:
            discard(place.parent)


def main() -> None:
    """Until the end of standard input."""
    from web.processes import configure_logging

    configure_logging()
    os.nice(NICENESS)
    settings = Settings(data_dir=Path(sys.argv[1]))
    followers = Followers(settings.recordings_dir, key_ring(settings))
    told: deque[str] = deque()

    def listen() -> None:
        for line in sys.stdin:
            told.append(line.strip())
        os._exit(0)  # drafts stay as they are: nobody opens them, and the next follower or job removes them

    threading.Thread(target=listen, name="told", daemon=True).start()
    while True:
        while told:
            followers.watch(told.popleft())
        if not followers.turn(time.monotonic()):
            time.sleep(LOOK_EVERY_S)


if __name__ == "__main__":
    main()
