from __future__ import annotations

import io
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recordings import container
from recordings.container import CHUNK_BYTES, HEADER_BYTES, NotSealed, SealBroken, Unfinished
from recordings.keys import FileKeyRing, KeyRefused
from recordings.sealed import SealedReader, SealedWriter, open_bytes, seal_bytes

SLOT = 12 + CHUNK_BYTES + 16
REFUSALS = (SealBroken, Unfinished, NotSealed, KeyRefused, container.KeyDestroyed)

near_chunk_ends = st.one_of(
    st.integers(0, 3 * CHUNK_BYTES),
    st.sampled_from([CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES]),
)
writes = st.lists(st.tuples(near_chunk_ends, near_chunk_ends, st.integers(0, 255)), max_size=8)
reads = st.lists(st.tuples(near_chunk_ends, near_chunk_ends), max_size=8)


def pattern(length: int, seed: int) -> bytes:
    return bytes((seed + i * 7) % 256 for i in range(256)) * (length // 256) + bytes([seed]) * (length % 256)


def written(path: Path, ring: FileKeyRing, data: bytes, *, owner: str = "r1") -> Path:
    with SealedWriter(path, ring, owner=owner) as file:
        file.write(data)
    return path


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(writes=writes, reads=reads)
def test_any_writing_and_seeking_equals_a_plain_file(ring: FileKeyRing, tmp_path: Path, writes, reads) -> None:
    plain, path = io.BytesIO(), tmp_path / "file"
    with SealedWriter(path, ring, owner="r1") as sealed:
        for place, length, seed in writes:
            assert sealed.seek(place) == plain.seek(place)
            data = pattern(length, seed)
            assert sealed.write(data) == plain.write(data)
            assert sealed.tell() == plain.tell()
    with SealedReader(path, ring) as sealed:
        assert sealed.size == len(plain.getvalue())
        assert sealed.read() == plain.getvalue()
        for place, length in reads:
            assert sealed.read_at(place, length) == plain.getvalue()[place : place + length]
            sealed.seek(place)
            plain.seek(place)
            assert sealed.read(length) == plain.read(length)
            assert sealed.tell() == plain.tell()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(length=near_chunk_ends, seed=st.integers(0, 255))
def test_bytes_sealed_in_memory_open_again_and_also_as_a_file(ring, tmp_path: Path, length: int, seed: int) -> None:
    data = pattern(length, seed)
    sealed = seal_bytes(data, ring, owner="r1")
    assert open_bytes(sealed, ring) == data
    (tmp_path / "attachment").write_bytes(sealed)
    with SealedReader(tmp_path / "attachment", ring) as file:
        assert file.read() == data


def test_every_flipped_byte_of_a_small_file_is_found(ring: FileKeyRing) -> None:
    sealed = seal_bytes(b"the minister ordered it", ring, owner="r1")
    for place in range(len(sealed)):
        broken = sealed[:place] + bytes([sealed[place] ^ 0x01]) + sealed[place + 1 :]
        with pytest.raises(REFUSALS):
            open_bytes(broken, ring)


def test_every_truncation_is_found(ring: FileKeyRing) -> None:
    sealed = seal_bytes(pattern(CHUNK_BYTES + 100, 3), ring, owner="r1")
    ends = [*range(HEADER_BYTES - 5, HEADER_BYTES + 50), *range(len(sealed) - 300, len(sealed))]
    for end in ends:
        with pytest.raises(REFUSALS):
            open_bytes(sealed[:end], ring)
    with pytest.raises(SealBroken):
        open_bytes(sealed + b"\0", ring)


def test_chunks_exchanged_within_a_file_are_found(ring: FileKeyRing) -> None:
    sealed = bytearray(seal_bytes(pattern(2 * CHUNK_BYTES, 1), ring, owner="r1"))
    first, second = slice(HEADER_BYTES, HEADER_BYTES + SLOT), slice(HEADER_BYTES + SLOT, HEADER_BYTES + 2 * SLOT)
    sealed[first], sealed[second] = sealed[second], sealed[first]
    with pytest.raises(SealBroken):
        open_bytes(bytes(sealed), ring)


def test_a_chunk_from_another_file_under_the_same_key_is_found(ring: FileKeyRing) -> None:
    key = bytes(range(32))
    one, other = (bytearray(seal_bytes(b"x" * 1000, ring, owner="r1", data_key=key)) for _ in range(2))
    one[HEADER_BYTES:] = other[HEADER_BYTES:]
    with pytest.raises(SealBroken):
        open_bytes(bytes(one), ring)


def test_an_older_version_of_a_chunk_is_found(ring: FileKeyRing, tmp_path: Path) -> None:
    path = tmp_path / "file"
    writer = SealedWriter(path, ring, owner="r1")
    writer.write(b"a" * CHUNK_BYTES + b"rest")  # chunk 0 is on the disk now
    older = (tmp_path / "file.unfinished").read_bytes()[HEADER_BYTES : HEADER_BYTES + SLOT]
    writer.seek(0)
    writer.write(b"b" * CHUNK_BYTES)
    writer.close()
    sealed = bytearray(path.read_bytes())
    sealed[HEADER_BYTES : HEADER_BYTES + SLOT] = older
    with pytest.raises(SealBroken):
        open_bytes(bytes(sealed), ring)


def test_a_file_that_was_not_closed_does_not_open(ring: FileKeyRing, tmp_path: Path) -> None:
    writer = SealedWriter(tmp_path / "file", ring, owner="r1")
    writer.write(b"x" * 3 * CHUNK_BYTES)
    assert not (tmp_path / "file").exists()
    shutil.copy(tmp_path / "file.unfinished", tmp_path / "copy")
    with pytest.raises(Unfinished):
        SealedReader(tmp_path / "copy", ring)
    writer.close()
    with SealedReader(tmp_path / "file", ring) as file:
        assert file.size == 3 * CHUNK_BYTES


def test_an_exception_while_writing_leaves_nothing_behind(ring: FileKeyRing, tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), SealedWriter(tmp_path / "out", ring, owner="r1") as writer:
        writer.write(b"half")
        raise ZeroDivisionError
    assert not list(tmp_path.glob("out*"))


def test_no_plaintext_reaches_the_disk_and_a_rewritten_chunk_gets_a_new_nonce(ring, tmp_path: Path) -> None:
    path, secret = tmp_path / "file", b"PLAINTEXT-OF-A-PRIVATE-MEETING"
    writer = SealedWriter(path, ring, owner="r1")
    nonces = set()
    for _ in range(3):
        writer.seek(0)
        writer.write(secret * 5000)
        nonces.add((tmp_path / "file.unfinished").read_bytes()[HEADER_BYTES : HEADER_BYTES + 12])
    assert secret not in (tmp_path / "file.unfinished").read_bytes()
    writer.close()
    assert secret not in path.read_bytes()
    assert len(nonces) == 3


def test_the_same_content_is_never_sealed_to_the_same_bytes(ring: FileKeyRing) -> None:
    key = bytes(32)
    one, other = (seal_bytes(b"same", ring, owner="r1", data_key=key) for _ in range(2))
    assert one[HEADER_BYTES:] != other[HEADER_BYTES:]


def test_two_writers_never_work_on_one_file(ring: FileKeyRing, tmp_path: Path) -> None:
    with SealedWriter(tmp_path / "file", ring, owner="r1") as first:
        with pytest.raises(BlockingIOError):
            SealedWriter(tmp_path / "file", ring, owner="r1")
        first.write(b"first")
    with SealedReader(tmp_path / "file", ring) as file:
        assert file.read() == b"first"


def test_what_a_killed_writer_left_behind_is_taken_over(ring: FileKeyRing, tmp_path: Path) -> None:
    (tmp_path / "file.unfinished").write_bytes(b"x" * 100_000)
    written(tmp_path / "file", ring, b"new")
    with SealedReader(tmp_path / "file", ring) as file:
        assert file.read() == b"new"
    assert not (tmp_path / "file.unfinished").exists()


def test_a_disk_that_takes_little_at_a_time_gets_all_of_it(
    ring: FileKeyRing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So it is where a disk is nearly full: a file that was closed must open, or closing must fail."""
    takes = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda fd, data, at: takes(fd, bytes(data[:7000]), at))
    data = pattern(CHUNK_BYTES * 450, 3)
    with SealedReader(written(tmp_path / "film", ring, data), ring) as file:
        assert file.read_at(CHUNK_BYTES * 449, CHUNK_BYTES) == data[CHUNK_BYTES * 449 :]
