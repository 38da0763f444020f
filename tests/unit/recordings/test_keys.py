from __future__ import annotations

import stat
from pathlib import Path

import pytest

from recordings import container
from recordings.keys import FileKeyRing, KeyLost, KeyRefused, UnsafeKeyFile, new_data_key
from recordings.sealed import SealedReader, SealedWriter


def test_a_wrapped_key_opens_again_for_its_owner(ring: FileKeyRing) -> None:
    key = new_data_key()
    assert ring.unwrap(ring.wrap(key, owner="r1"), owner="r1") == key


def test_a_wrapped_key_does_not_open_for_another_owner(ring: FileKeyRing) -> None:
    blob = ring.wrap(new_data_key(), owner="r1")
    with pytest.raises(KeyRefused):
        ring.unwrap(blob, owner="r2")


def test_every_flipped_byte_of_a_wrapped_key_is_refused(ring: FileKeyRing) -> None:
    blob = ring.wrap(new_data_key(), owner="r1")
    for place in range(len(blob)):
        broken = blob[:place] + bytes([blob[place] ^ 1]) + blob[place + 1 :]
        with pytest.raises(KeyRefused):
            ring.unwrap(broken, owner="r1")


def test_the_key_file_is_created_for_its_owner_alone(tmp_path: Path) -> None:
    FileKeyRing(tmp_path / "ring")
    assert stat.S_IMODE((tmp_path / "ring").stat().st_mode) == 0o600


def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    FileKeyRing(tmp_path / "ring")
    (tmp_path / "ring").chmod(0o640)
    with pytest.raises(UnsafeKeyFile):
        FileKeyRing(tmp_path / "ring")


def test_two_rings_of_one_file_share_its_keys_and_a_stranger_does_not(tmp_path: Path) -> None:
    ring, twin, stranger = (FileKeyRing(tmp_path / name) for name in ("ring", "ring", "other"))
    blob = ring.wrap(new_data_key(), owner="r1")
    assert twin.unwrap(blob, owner="r1") == ring.unwrap(blob, owner="r1")
    with pytest.raises(KeyRefused):
        stranger.unwrap(blob, owner="r1")


def test_after_rotation_old_blobs_open_and_are_known_as_old(tmp_path: Path) -> None:
    ring, running_process = FileKeyRing(tmp_path / "ring"), FileKeyRing(tmp_path / "ring")
    old = ring.wrap(new_data_key(), owner="r1")
    ring.rotate()
    new = ring.wrap(ring.unwrap(old, owner="r1"), owner="r1")
    assert not ring.is_current(old)
    assert ring.is_current(new)
    assert running_process.unwrap(new, owner="r1") == ring.unwrap(old, owner="r1")


def test_a_file_is_rewrapped_without_touching_its_content_or_digest(ring: FileKeyRing, tmp_path: Path) -> None:
    path = tmp_path / "file"
    with SealedWriter(path, ring, owner="r1") as file:
        file.write(b"evidence" * 20_000)
    before = container.digest(path)
    ring.rotate()
    container.rewrap(path, ring, ring)
    assert ring.is_current(container.read_header(path).wrapped_key)
    assert container.digest(path) == before
    with SealedReader(path, ring) as file:
        assert file.read() == b"evidence" * 20_000


def test_a_file_whose_key_was_destroyed_keeps_its_digest_and_never_opens(ring: FileKeyRing, tmp_path: Path) -> None:
    path = tmp_path / "file"
    with SealedWriter(path, ring, owner="r1") as file:
        file.write(b"evidence")
    before = container.digest(path)
    container.destroy_key(path)
    assert container.digest(path) == before
    with pytest.raises(container.KeyDestroyed):
        SealedReader(path, ring)


def test_where_something_needs_the_key_that_is_gone_none_is_made_and_it_is_used_again_once_back(tmp_path: Path) -> None:
    path = tmp_path / "archive.key"
    blob = FileKeyRing(path).wrap(new_data_key(), owner="r1")
    path.rename(tmp_path / "safe")
    ring = FileKeyRing(path, may_make=lambda: False)
    assert ring.lost and not path.exists()
    for use in (
        lambda: ring.wrap(new_data_key(), owner="r2"),
        lambda: ring.unwrap(blob, owner="r1"),
        ring.rotate,
        ring.drop_older,
    ):
        with pytest.raises(KeyLost):
            use()
    assert not path.exists()
    (tmp_path / "safe").rename(path)
    assert len(ring.unwrap(blob, owner="r1")) == 32 and not ring.lost
    assert ring.is_current(ring.wrap(new_data_key(), owner="r2"))


def test_a_running_process_opens_but_seals_nothing_by_a_key_that_is_gone(ring: FileKeyRing, tmp_path: Path) -> None:
    """What it sealed would be lost when it ends."""
    blob = ring.wrap(new_data_key(), owner="r1")
    for path in tmp_path.rglob("*"):
        if path.is_file():
            path.unlink()
    assert len(ring.unwrap(blob, owner="r1")) == 32
    with pytest.raises(KeyLost):
        ring.wrap(new_data_key(), owner="r2")
