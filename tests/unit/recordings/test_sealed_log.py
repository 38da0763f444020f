from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recordings import container
from recordings.container import CHUNK_BYTES, HEADER_BYTES, NotSealed, SealBroken
from recordings.keys import FileKeyRing, KeyRefused
from recordings.sealed_log import SealedLogReader, SealedLogWriter, walk_chain

REFUSALS = (SealBroken, NotSealed, KeyRefused, container.KeyDestroyed)
relaxed = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
FLUSH = None


def new_log(folder: Path, ring: FileKeyRing, parts: list[bytes | None], *, close: bool = True) -> Path:
    """`None` among the parts is a flush."""
    path = folder / "log"
    path.unlink(missing_ok=True)
    log = SealedLogWriter(path, ring, owner="r1")
    for part in parts:
        log.flush() if part is None else log.append(part)
    log.close() if close else log.abandon()
    return path


def read(path: Path, ring: FileKeyRing) -> tuple[bytes, bool]:
    with SealedLogReader(path, ring) as log:
        return b"".join(log), log.finished


def frames(path: Path) -> list[bytes]:
    data, ends = path.read_bytes(), [HEADER_BYTES, *(link.end for link in walk_chain(path))]
    return [data[start:end] for start, end in itertools.pairwise(ends)]


parts = st.lists(st.one_of(st.none(), st.binary(max_size=300), st.integers(0, CHUNK_BYTES).map(bytes)), max_size=12)


@relaxed
@given(parts=parts)
def test_what_was_appended_is_read_back_and_finished(ring: FileKeyRing, tmp_path: Path, parts) -> None:
    path = new_log(tmp_path, ring, parts)
    assert read(path, ring) == (b"".join(part for part in parts if part), True)


@relaxed
@given(parts=parts, data=st.data())
def test_cut_anywhere_it_gives_a_prefix_of_whole_chunks_and_says_unfinished(ring, tmp_path, parts, data) -> None:
    path = new_log(tmp_path, ring, parts)
    whole = path.read_bytes()
    path.write_bytes(whole[: data.draw(st.integers(HEADER_BYTES, len(whole) - 1))])
    text, finished = read(path, ring)
    assert b"".join(part for part in parts if part).startswith(text)
    assert not finished


def test_a_part_is_never_split_between_chunks(ring: FileKeyRing, tmp_path: Path) -> None:
    path = new_log(tmp_path, ring, [b"a" * 40_000, b"b" * 40_000, b"c" * 10])
    with SealedLogReader(path, ring) as log:
        assert [len(chunk) for chunk in log] == [40_000, 40_010]
    with pytest.raises(ValueError, match="do not fit"):
        new_log(tmp_path, ring, [bytes(CHUNK_BYTES + 1)])


def test_every_flipped_byte_is_found_or_shows_as_unfinished(ring: FileKeyRing, tmp_path: Path) -> None:
    path = new_log(tmp_path, ring, [b"first", FLUSH, b"second", FLUSH, b"third"])
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x01]) + whole[place + 1 :])
        try:
            text, finished = read(path, ring)
        except REFUSALS:
            continue
        assert not finished
        assert text in (b"", b"first", b"firstsecond")


@pytest.mark.parametrize("change", ["swap", "drop", "repeat", "reverse"])
def test_chunks_moved_dropped_or_repeated_are_found(ring: FileKeyRing, tmp_path: Path, change: str) -> None:
    path = new_log(tmp_path, ring, [b"one!", FLUSH, b"two!", FLUSH, b"tri!", FLUSH, b"end!"])
    head, (a, b, c, d) = path.read_bytes()[:HEADER_BYTES], frames(path)
    order = {"swap": [b, a, c, d], "drop": [a, c, d], "repeat": [a, a, b, c, d], "reverse": [d, c, b, a]}[change]
    path.write_bytes(head + b"".join(order))
    with pytest.raises(SealBroken):
        read(path, ring)


def test_a_chunk_of_another_log_under_the_same_key_is_found(ring: FileKeyRing, tmp_path: Path) -> None:
    key, contents = bytes(range(32)), []
    for name in ("one", "other"):
        log = SealedLogWriter(tmp_path / name, ring, owner="r1", data_key=key)
        log.append(b"same")
        log.close()
        contents.append((tmp_path / name).read_bytes())
    (tmp_path / "mixed").write_bytes(contents[0][:HEADER_BYTES] + contents[1][HEADER_BYTES:])
    with pytest.raises(SealBroken):
        read(tmp_path / "mixed", ring)


def test_anything_after_the_final_chunk_is_found(ring: FileKeyRing, tmp_path: Path) -> None:
    path = new_log(tmp_path, ring, [b"one"])
    path.write_bytes(path.read_bytes() + b"\x00\x00\x00")
    with pytest.raises(SealBroken):
        read(path, ring)


def test_zeros_left_by_a_power_cut_end_an_unfinished_log(ring: FileKeyRing, tmp_path: Path) -> None:
    path = new_log(tmp_path, ring, [b"one", FLUSH], close=False)
    path.write_bytes(path.read_bytes() + bytes(5000))
    assert read(path, ring) == (b"one", False)


def test_a_live_log_can_be_followed(ring: FileKeyRing, tmp_path: Path) -> None:
    log = SealedLogWriter(tmp_path / "log", ring, owner="r1")
    with SealedLogReader(tmp_path / "log", ring) as reader:
        seen = []
        for part in (b"one", b"two", b"three"):
            log.append(part)
            log.flush()
            seen += list(reader)
            assert not reader.finished
        log.close()
        assert [*seen, *reader] == [b"one", b"two", b"three", b""]
        assert reader.finished


def test_the_chain_is_the_writers_and_needs_no_key(ring: FileKeyRing, tmp_path: Path) -> None:
    log = SealedLogWriter(tmp_path / "log", ring, owner="r1")
    chains = []
    for part in (b"one", b"two"):
        log.append(part)
        log.flush()
        chains.append(log.chain)
    log.close()
    container.destroy_key(tmp_path / "log")
    links = list(walk_chain(tmp_path / "log"))
    assert [link.chain for link in links] == [*chains, log.chain]
    assert [link.final for link in links] == [False, False, True]


def test_an_existing_log_is_never_overwritten(ring: FileKeyRing, tmp_path: Path) -> None:
    new_log(tmp_path, ring, [b"one"])
    with pytest.raises(FileExistsError):
        SealedLogWriter(tmp_path / "log", ring, owner="r1")


def test_a_log_cut_at_a_frame_cannot_be_made_to_look_finished(ring: FileKeyRing, tmp_path: Path) -> None:
    path = new_log(tmp_path, ring, [b"one!", FLUSH, b"two!", FLUSH, b"tri!"])
    head, (first, second, _) = path.read_bytes()[:HEADER_BYTES], frames(path)
    path.write_bytes(head + first + second)
    assert read(path, ring) == (b"one!two!", False)
    path.write_bytes(head + first + bytes([second[0] | 0x80]) + second[1:])
    with pytest.raises(SealBroken):
        read(path, ring)


def test_logs_of_one_recording_do_not_share_a_key_stream(ring: FileKeyRing, tmp_path: Path) -> None:
    """Their nonces are equal: only a key of its own for each file keeps that safe."""
    sealed = []
    for name in ("one", "other"):
        log = SealedLogWriter(tmp_path / name, ring, owner="r1", data_key=bytes(32))
        log.append(b"same")
        log.close()
        sealed.append(frames(tmp_path / name)[0][4:8])
    assert sealed[0] != sealed[1]
