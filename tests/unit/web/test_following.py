"""Followers of several recordings in one process, and the finishing job that takes what they made."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from core import clock
from core.db import Database
from core.settings import Settings
from recordings.archive import service as archive
from recordings.follow import FOLDER
from recordings.keys import FileKeyRing
from tests.unit.recordings.lives import Live, person
from web import recording
from web.following import ASK_AGAIN_S, Beside, Followers, follow_open
from web.keys import key_ring
from web.recording import make_playable


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, secret_hex="11" * 32)


@pytest.fixture
def ring(settings: Settings) -> FileKeyRing:
    settings.recordings_dir.mkdir()
    return key_ring(settings)  # type: ignore[return-value]


def live(settings: Settings, ring: FileKeyRing, name: str, end: float = 50.0) -> Live:
    return Live(settings.recordings_dir, ring, person("sara", 0.0, end), recording=name)


def no_remux(*_: object, **__: object) -> None:
    raise AssertionError("the journal was gone through again")


def work(followers: Followers, now: float = 0.0) -> None:
    while followers.turn(now):
        pass


def test_the_finishing_job_takes_what_was_followed(
    settings: Settings, ring: FileKeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = [live(settings, ring, name) for name in ("one", "two")]
    followers = Followers(settings.recordings_dir, ring)
    for call in calls:
        followers.watch(call.folder.name)
    for t in range(1, 50, 3):
        for call in calls:
            call.write(t)
        work(followers)
    assert len(followers) == 2
    for call in calls:
        call.close()
    work(followers)
    assert len(followers) == 0
    monkeypatch.setattr(recording, "remux", no_remux)
    for call in calls:
        result = make_playable(settings, call.folder.name)
        assert result.finished and result.duration_s == pytest.approx(call.end)
        assert sorted(path.name for path in call.folder.iterdir()) == ["01-sara.webm.sealed", "journal"]


def test_without_a_follower_the_job_does_it_all(settings: Settings, ring: FileKeyRing) -> None:
    call = live(settings, ring, "one", 8.0)
    call.close()
    result = make_playable(settings, "one")
    assert [r.path.name for r in result.renditions] == ["01-sara.webm.sealed"]


def test_a_job_that_comes_twice_leaves_signed_films_alone_and_makes_unsigned_ones_anew(
    settings: Settings, ring: FileKeyRing
) -> None:
    call = live(settings, ring, "one", 8.0)
    call.close()
    make_playable(settings, "one")
    film = call.folder / "01-sara.webm.sealed"
    manifest = call.folder / "manifest"
    manifest.write_text('{"files":[{"name":"journal"}]}')
    before = film.read_bytes()
    make_playable(settings, "one")
    assert film.read_bytes() != before, "sealed anew: of a recording that failed only the journal is vouched for"
    manifest.write_text('{"files":[{"name":"01-sara.webm.sealed"}]}')
    before = film.read_bytes()
    with pytest.raises(FileExistsError):
        make_playable(settings, "one")
    assert film.read_bytes() == before


def test_a_recording_that_another_follower_has_is_asked_for_again(settings: Settings, ring: FileKeyRing) -> None:
    call = live(settings, ring, "one", 8.0)
    first, second = (Followers(settings.recordings_dir, ring) for _ in range(2))
    for followers in (first, second):
        followers.watch("one")
        work(followers)
    assert (len(first), len(second)) == (1, 0)
    call.close()
    first._followers["one"].let_go()
    work(second, ASK_AGAIN_S - 1)
    assert len(second) == 0
    assert second.turn(ASK_AGAIN_S + 1)
    work(second, ASK_AGAIN_S + 1)
    assert (call.folder / FOLDER / "result.sealed").exists()


def test_a_broken_journal_disturbs_no_other(settings: Settings, ring: FileKeyRing) -> None:
    good, bad = live(settings, ring, "good", 30.0), live(settings, ring, "bad", 30.0)
    followers = Followers(settings.recordings_dir, ring)
    for name in ("good", "bad", "no such recording"):
        followers.watch(name)
    for call in (good, bad):
        call.write(10.0)
    work(followers)
    bad.write(20.0)
    data = bytearray(bad.path.read_bytes())
    data[-20_000] ^= 1
    bad.path.write_bytes(data)
    good.close()
    work(followers)
    assert len(followers) == 0
    assert [path.name for path in bad.folder.iterdir()] == ["journal"]
    assert (good.folder / FOLDER / "result.sealed").exists()


def test_the_process_is_told_once_and_started_again_when_it_dies(tmp_path: Path) -> None:
    heard, clock = tmp_path / "heard", [0.0]
    listener = f"import sys\nfor line in sys.stdin:\n  open({str(heard)!r}, 'a').write(line)\n  'x' in line and 1 / 0"
    beside = Beside([sys.executable, "-S", "-c", listener], monotonic=lambda: clock[0])
    beside.tell(set())
    assert beside._process is None, "nobody meets, nothing runs"

    def hears(lines: list[str], *open_ones: str) -> None:
        until = time.monotonic() + 60
        while not heard.exists() or heard.read_text().split() != lines:
            assert time.monotonic() < until
            beside.tell(set(open_ones))
            time.sleep(0.02)

    hears(["a"], "a")
    hears(["a", "b"], "a", "b")
    hears(["a", "b", "x"], "a", "b", "x")
    assert beside._process is not None
    beside._process.wait(60)
    for _ in range(3):
        beside.tell({"b"})
    assert beside._process is None, "not at once"
    clock[0] = 11.0
    hears(["a", "b", "x", "b"], "b")
    process = beside._process
    assert process is not None
    beside.end()
    assert process.returncode == 0


def test_the_worker_tells_what_is_open_and_removes_what_nobody_took(settings: Settings, db: Database) -> None:
    told: list[set[str]] = []

    class Ear(Beside):
        def tell(self, open_ones: set[str]) -> None:
            told.append(open_ones)

    now = clock.now()
    with db.write() as session:
        for name in ("open", "done"):
            archive.start(session, recording_id=name, meeting_id=name, petition_id="p", now=now)
        archive.close(session, "done", now=now)
        archive.finish(session, "done", [], [], now=now)
    for name in ("open", "done", "unknown"):
        (settings.recordings_dir / name / FOLDER).mkdir(parents=True)
        (settings.recordings_dir / name / FOLDER / "01-sara.webm.sealed").write_bytes(b"half of it")
    sweep = follow_open(settings, Ear([]))
    for _ in range(2):
        with db.write() as session:
            sweep(session, now)
    assert told == [{"open"}, {"open"}]
    assert sorted(place.parent.name for place in settings.recordings_dir.glob(f"*/{FOLDER}")) == ["open", "unknown"]
