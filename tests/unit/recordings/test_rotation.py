"""Rotation: every key under the new key-encryption key, whatever happens on the way."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from recordings import container, rotation
from recordings.keys import FileKeyRing
from recordings.rotation import rewrap_all, rewrap_below, sealed_below, waiting
from recordings.sealed import SealedWriter, open_bytes, seal_bytes
from recordings.storage import away
from recordings.storage.away import Away


@pytest.fixture
def ring(tmp_path: Path) -> FileKeyRing:
    return FileKeyRing(tmp_path / "archive.key")


@pytest.fixture
def archive(tmp_path: Path, ring: FileKeyRing) -> Path:
    for number in range(6):
        place = tmp_path / "archive" / f"rec-{number}"
        place.mkdir(parents=True)
        (place / "film.sealed").write_bytes(seal_bytes(b"film", ring, owner=f"rec-{number}"))
        (place / "manifest").write_text("no sealed file")
    return tmp_path / "archive"


def current(path: Path, ring: FileKeyRing) -> bool:
    return ring.is_current(container.read_header(path).wrapped_key)


def test_every_key_is_wrapped_anew_and_then_the_older_one_is_needed_no_more(archive: Path, ring: FileKeyRing) -> None:
    paths = list(sealed_below(archive))
    assert len(paths) == 6 and not waiting(paths, ring)
    ring.rotate()
    assert waiting(paths, ring)
    outcome = rewrap_all(paths, ring)
    assert (outcome.done, outcome.current, outcome.problems) == (6, 0, []) and not waiting(paths, ring)
    assert ring.drop_older() == 1
    assert all(open_bytes(path.read_bytes(), ring) == b"film" for path in paths)


def test_stopped_half_way_everything_opens_and_the_rest_follows(archive: Path, ring: FileKeyRing) -> None:
    paths = list(sealed_below(archive))
    ring.rotate()

    def stop_after_three(path: Path) -> None:
        if path == paths[2]:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rewrap_all(paths, ring, stop_after_three)
    assert [current(path, ring) for path in paths] == [True] * 3 + [False] * 3
    assert all(open_bytes(path.read_bytes(), ring) == b"film" for path in paths)
    again = rewrap_all(paths, ring)
    assert (again.done, again.current) == (3, 3)


def test_a_destroyed_key_stays_destroyed(archive: Path, ring: FileKeyRing) -> None:
    paths = list(sealed_below(archive))
    container.destroy_key(paths[0])
    ring.rotate()
    outcome = rewrap_all(paths, ring)
    assert (outcome.done, outcome.destroyed) == (5, 1) and container.read_header(paths[0]).wrapped_key == b""


def test_one_that_can_not_be_wrapped_keeps_none_waiting(archive: Path, ring: FileKeyRing, tmp_path: Path) -> None:
    stranger = FileKeyRing(tmp_path / "stranger.key")
    paths = list(sealed_below(archive))
    paths[1].write_bytes(seal_bytes(b"film", stranger, owner="rec-1"))
    data = bytearray(paths[2].read_bytes())
    data[30] ^= 0xFF
    paths[2].write_bytes(data)
    ring.rotate()
    outcome = rewrap_all(list(sealed_below(archive)), ring)
    assert outcome.done == 4 and [path for path, _ in outcome.problems] == paths[1:3]


def test_a_process_that_runs_on_wraps_by_the_new_key_at_once(tmp_path: Path, ring: FileKeyRing) -> None:
    elsewhere = FileKeyRing(tmp_path / "archive.key")
    ring.rotate()
    (tmp_path / "late.sealed").write_bytes(seal_bytes(b"x", elsewhere, owner="r"))
    assert current(tmp_path / "late.sealed", ring)


def test_a_file_that_is_being_written_keeps_its_new_slot(tmp_path: Path, ring: FileKeyRing) -> None:
    with SealedWriter(tmp_path / "film.sealed", ring, owner="r") as film:
        film.write(b"one")
        ring.rotate()
        assert rewrap_all(sealed_below(tmp_path), ring).done == 1
        film.write(b" two")
    ring.drop_older()
    assert open_bytes((tmp_path / "film.sealed").read_bytes(), ring) == b"one two"


def test_what_the_key_ring_can_not_open_is_never_written(archive: Path, ring: FileKeyRing) -> None:
    """A key-encryption key in hardware that answers nonsense must cost nobody the recording."""

    class Faulty:
        def wrap(self, data_key: bytes, *, owner: str) -> bytes:
            return b"nonsense"

        def unwrap(self, blob: bytes, *, owner: str) -> bytes:
            return b"another key"

    path = next(rotation.sealed_below(archive))
    before = path.read_bytes()
    with pytest.raises(container.KeyRefused):
        container.rewrap(path, ring, Faulty())
    assert path.read_bytes() == before


def test_a_key_is_needed_until_the_last_file_that_it_wraps_was_destroyed(archive: Path, tmp_path: Path) -> None:
    assert rotation.needed(tmp_path / "nothing", archive) and not rotation.needed(tmp_path / "nothing")
    for path in sealed_below(archive):
        container.destroy_key(path)
    assert not rotation.needed(archive)


def test_a_file_that_changes_its_name_meanwhile_is_wrapped_anew_all_the_same(archive: Path, ring: FileKeyRing) -> None:
    """The last one leaves the disk while the first is wrapped anew: under its older name it is nowhere any more."""
    last = archive / "rec-5" / "film.sealed"
    ring.rotate()

    def leaves(_path: Path) -> None:
        if last.exists():
            away.leave(last, Away("key", "version", last.stat().st_size, "-"))

    outcome, settled = rewrap_below([archive], ring, leaves)
    assert settled and (outcome.done, outcome.current, outcome.problems) == (6, 0, [])
    assert current(away.stub_of(last), ring) and ring.drop_older() == 1
    assert rotation.unopenable(archive, ring) == []


def test_while_files_come_and_go_no_older_key_is_said_to_be_free(
    archive: Path, ring: FileKeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    everywhere = rotation.sealed_below

    def listed(*folders: Path) -> list[Path]:
        return [*everywhere(*folders), archive / "rec-0" / "another name.sealed"]

    monkeypatch.setattr(rotation, "sealed_below", listed)
    ring.rotate()
    outcome, settled = rewrap_below([archive], ring)
    assert not settled and (outcome.done, outcome.problems) == (6, [])


def test_a_file_that_vanishes_behind_the_listing_is_missed_and_not_passed_over(
    archive: Path, ring: FileKeyRing
) -> None:
    second = archive / "rec-0" / "second.sealed"
    second.write_bytes(seal_bytes(b"film", ring, owner="rec-0"))
    (archive / "rec-0" / "leads nowhere").symlink_to("nothing")

    def moves(_path: Path) -> None:
        if second.exists():
            second.rename(second.with_name("another name"))

    outcome = rewrap_all(sealed_below(archive), ring, moves)
    assert (outcome.current, outcome.gone) == (6, 1)
    outcome = rewrap_all(sealed_below(archive), ring, moves)
    assert (outcome.current, outcome.gone) == (7, 0)


def test_one_that_can_not_be_read_or_opened_keeps_the_older_keys(
    archive: Path, ring: FileKeyRing, tmp_path: Path
) -> None:
    (archive / "rec-1" / "film.sealed").write_bytes(
        seal_bytes(b"film", FileKeyRing(tmp_path / "stranger.key"), owner="rec-1")
    )
    ring.rotate()
    outcome, settled = rewrap_below([archive], ring)
    assert not settled and outcome.done == 5 and len(outcome.problems) == 1


def test_a_slot_is_not_written_while_its_file_leaves_or_comes_back(archive: Path, ring: FileKeyRing) -> None:
    ring.rotate()
    done: list[int] = []
    rotating = threading.Thread(target=lambda: done.append(rewrap_below([archive], ring)[0].done))
    following = archive / "rec-5" / "following"
    following.mkdir()
    (following / "film.sealed").write_bytes(seal_bytes(b"film", ring, owner="rec-5"))
    with away.alone(archive / "rec-3"), away.alone(following):  # a follower has its folder while a meeting runs
        rotating.start()
        rotating.join(0.1)
        assert rotating.is_alive() and not current(archive / "rec-3" / "film.sealed", ring)
    rotating.join()
    assert done == [6]
