"""The follower as a process beside a live journal: how soon a recording is whole, and what a kill leaves of it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.settings import Settings
from recordings.follow import FOLDER, RESULT, take
from recordings.journal import JournalWriter
from recordings.keys import FileKeyRing
from tests.recordings.calls import Sender, Sent
from tests.recordings.conftest import start
from tests.unit.recordings.lives import Film, face, voice
from web import recording
from web.following import Beside
from web.keys import key_ring
from web.recording import make_playable

pytestmark = pytest.mark.real
NAME = "rec-7"
LENGTH_S = 90.0
MEDIA_S = 89.5


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, secret_hex="11" * 32)


@pytest.fixture
def journal(settings: Settings) -> Iterator[JournalWriter]:
    folder = settings.recordings_dir / NAME
    folder.mkdir(parents=True)
    ring = key_ring(settings)
    assert isinstance(ring, FileKeyRing)
    writer = start(folder, ring)
    yield writer
    writer.close(LENGTH_S)


@pytest.fixture
def beside(settings: Settings) -> Iterator[Beside]:
    process = Beside.of(settings)
    yield process
    process.end()


def sent() -> list[Sent]:
    media = voice(Sender(1, 111, 48_000), "a", 0, MEDIA_S) + face(Sender(2, 96, 90_000), "b", 0, MEDIA_S)
    return sorted(media, key=lambda entry: entry[0])


def play(journal: JournalWriter, folder: Path) -> None:
    """A call at fifteen times its pace, followed."""
    journal.track("a", "sara", "audio", "opus", 48_000, 0.0)
    journal.track("b", "sara", "video", "vp8", 90_000, 0.0)
    begun = time.monotonic()
    for at, leg, packet in sent():
        while time.monotonic() - begun < at / 15:
            time.sleep(0.01)
        journal.write(leg, at, packet)
    deadline = time.monotonic() + 30
    draft = folder / FOLDER / "01-sara.webm.sealed.unfinished"
    while not draft.exists() or draft.stat().st_size < 200_000:
        assert time.monotonic() < deadline, "it is followed while it goes on"
        time.sleep(0.05)


def whole(settings: Settings) -> None:
    folder = settings.recordings_dir / NAME
    assert sorted(path.name for path in folder.iterdir()) == ["01-sara.webm.sealed", "journal"]
    film = Film.of(folder / "01-sara.webm.sealed", key_ring(settings))  # type: ignore[arg-type]
    assert film.duration == pytest.approx(LENGTH_S, abs=0.1)
    assert len(film.pictures) == MEDIA_S * 10
    assert len(film.sounds) == MEDIA_S * 50


def test_it_is_whole_within_seconds_of_the_end(
    settings: Settings, journal: JournalWriter, beside: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside.tell({NAME})
    play(journal, settings.recordings_dir / NAME)
    journal.close(LENGTH_S)
    monkeypatch.setattr(recording, "remux", None)
    begun = time.monotonic()
    result = make_playable(settings, NAME)
    assert time.monotonic() - begun < 5.0
    assert result.finished
    whole(settings)


def test_a_follower_that_is_killed_costs_time_and_nothing_else(
    settings: Settings, journal: JournalWriter, beside: Beside
) -> None:
    beside.tell({NAME})
    play(journal, settings.recordings_dir / NAME)
    assert beside._process is not None
    os.kill(beside._process.pid, signal.SIGKILL)
    beside._process.wait()
    journal.close(LENGTH_S)
    assert (settings.recordings_dir / NAME / FOLDER).exists()
    assert make_playable(settings, NAME).finished
    whole(settings)


def test_the_next_one_begins_anew_and_catches_up(settings: Settings, journal: JournalWriter, beside: Beside) -> None:
    beside.tell({NAME})
    folder = settings.recordings_dir / NAME
    play(journal, folder)
    assert beside._process is not None
    os.kill(beside._process.pid, signal.SIGKILL)
    beside._process.wait()
    after = Beside.of(settings)
    try:
        after.tell({NAME})
        journal.close(LENGTH_S)
        deadline = time.monotonic() + 30
        while not (folder / FOLDER / RESULT).exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert take(folder, key_ring(settings)) is not None
        whole(settings)
    finally:
        after.end()


def test_it_ends_with_its_worker_however_that_dies(settings: Settings, journal: JournalWriter) -> None:
    read, write = os.pipe()
    worker = os.fork()
    if worker == 0:
        beside = Beside.of(settings)
        beside.tell({NAME})
        os.write(write, f"{beside._process.pid}\n".encode())  # type: ignore[union-attr]
        time.sleep(60)
        os._exit(1)
    follower = int(os.read(read, 100))
    while not (settings.recordings_dir / NAME / FOLDER).exists():
        time.sleep(0.05)
    os.kill(worker, signal.SIGKILL)
    os.waitpid(worker, 0)
    deadline = time.monotonic() + 10
    while Path(f"/proc/{follower}/cmdline").exists() and b"following" in Path(f"/proc/{follower}/cmdline").read_bytes():
        assert time.monotonic() < deadline
        time.sleep(0.05)
