from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recordings import journal_records as records
from recordings.container import HEADER_BYTES, SealBroken
from recordings.journal import JournalReader, JournalWriter, open_journal
from recordings.journal_records import Mark, TrackDeclared
from recordings.keys import FileKeyRing, KeyRefused
from recordings.sealed_log import Head, walk_chain

NOON = datetime(2026, 11, 21, 15, 0, tzinfo=timezone(timedelta(hours=3)))


def opened(path: Path, ring: FileKeyRing) -> JournalWriter:
    path.unlink(missing_ok=True)
    return open_journal(path, ring, recording_id="r1", meeting_id="m1", started_at=NOON)


packets = st.lists(st.tuples(st.sampled_from(["a", "v"]), st.integers(0, 10**9), st.binary(max_size=1500)), max_size=60)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(packets=packets)
def test_what_was_written_is_read_back_in_order(ring: FileKeyRing, tmp_path: Path, packets) -> None:
    journal = opened(tmp_path / "j", ring)
    journal.track("a", "visitor", "audio", "opus", 48000, 0.0)
    journal.track("v", "visitor", "video", "VP8", 90000, 0.5)
    for leg, micros, packet in packets:
        journal.write(leg, micros / 1e6, packet)
    journal.close(1000.5)
    assert journal.healthy()
    with JournalReader(tmp_path / "j", ring) as reader:
        numbers = {"a": 0, "v": 1}
        assert [(n, round(at * 1e6), packet) for n, at, packet in reader.packets()] == [
            (numbers[leg], micros, packet) for leg, micros, packet in packets
        ]
        assert reader.finished
        assert reader.duration == 1000.5
        assert reader.legs[1] == [TrackDeclared("v", "visitor", "video", "vp8", 90000, 1, 0.5)]


def test_the_first_record_tells_which_recording_it_is(ring: FileKeyRing, tmp_path: Path) -> None:
    journal = opened(tmp_path / "j", ring)
    with JournalReader(tmp_path / "j", ring) as reader:  # while it is still being written
        assert (reader.meta.recording_id, reader.meta.meeting_id) == ("r1", "m1")
        assert datetime.fromisoformat(reader.meta.started_at) == NOON
        assert reader.meta.started_at == "2026-11-21T12:00:00+00:00"
    journal.close(0.0)


def test_a_start_without_a_time_zone_is_refused(ring: FileKeyRing, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="zone"):
        open_journal(tmp_path / "j", ring, recording_id="r", meeting_id="m", started_at=datetime(2026, 1, 1))


def test_marks_keep_their_arabic(ring: FileKeyRing, tmp_path: Path) -> None:
    journal = opened(tmp_path / "j", ring)
    journal.mark(3.25, "directive", {"text": "يُنقل الملف", "number": 7})
    journal.close(5.0)
    with JournalReader(tmp_path / "j", ring) as reader:
        assert next(iter(reader)) == Mark(3.25, "directive", {"text": "يُنقل الملف", "number": 7})


def test_a_mark_that_does_not_fit_is_refused_and_the_journal_lives_on(ring: FileKeyRing, tmp_path: Path) -> None:
    journal = opened(tmp_path / "j", ring)
    with pytest.raises(ValueError, match="longer"):
        journal.mark(1.0, "caption", {"text": "x" * 70_000})
    journal.mark(2.0, "caption", {"text": "y"})
    journal.close(3.0)
    with JournalReader(tmp_path / "j", ring) as reader:
        assert [mark.at for mark in list(reader) if isinstance(mark, Mark)] == [2.0]


@pytest.mark.parametrize("lost", [1, 40, 2000])
def test_an_unfinished_tail_is_left_out_and_told(ring: FileKeyRing, tmp_path: Path, lost: int) -> None:
    journal = opened(tmp_path / "j", ring)
    journal.track("a", "visitor", "audio", "opus", 48000, 0.0)
    for number in range(200):
        journal.write("a", number * 0.02, bytes([number]) * 1000)
    journal.close(4.0)
    data = (tmp_path / "j").read_bytes()
    (tmp_path / "j").write_bytes(data[:-lost])
    with JournalReader(tmp_path / "j", ring) as reader:
        read = list(reader.packets())
        assert not reader.finished
        assert [packet[0] for _, _, packet in read] == list(range(len(read)))
        assert reader.duration == (read[-1][1] if reader.closed_at is None else 4.0)


def test_a_live_journal_can_be_followed(ring: FileKeyRing, tmp_path: Path) -> None:
    journal = opened(tmp_path / "j", ring)
    journal.track("a", "visitor", "audio", "opus", 48000, 0.0)
    with JournalReader(tmp_path / "j", ring) as reader:
        for number in range(3):
            journal.write("a", float(number + 1), b"%d" % number)
            wait_for(lambda number=number: journal.last_durable_at >= number + 1)
            assert [packet for _, _, packet in reader.packets()] == [b"%d" % number]
    journal.close(4.0)


def test_an_altered_journal_is_refused(ring: FileKeyRing, tmp_path: Path) -> None:
    journal = opened(tmp_path / "j", ring)
    journal.mark(1.0, "x", {})
    journal.close(2.0)
    data = bytearray((tmp_path / "j").read_bytes())
    data[HEADER_BYTES + 30] ^= 1
    (tmp_path / "j").write_bytes(data)
    with pytest.raises(SealBroken):
        JournalReader(tmp_path / "j", ring)


def test_a_stranger_cannot_read_it(ring: FileKeyRing, tmp_path: Path) -> None:
    opened(tmp_path / "j", ring).close(1.0)
    with pytest.raises(KeyRefused):
        JournalReader(tmp_path / "j", FileKeyRing(tmp_path / "other"))


def test_a_chunk_reaches_the_disk_within_a_second_of_its_packet(ring: FileKeyRing, tmp_path: Path) -> None:
    journal = opened(tmp_path / "j", ring)
    journal.track("a", "visitor", "audio", "opus", 48000, 0.0)
    time.sleep(0.3)
    before = sum(1 for _ in walk_chain(tmp_path / "j"))
    start = time.monotonic()
    journal.write("a", 7.0, b"one packet")
    wait_for(lambda: journal.last_durable_at == 7.0)
    assert time.monotonic() - start < 1.0
    assert sum(1 for _ in walk_chain(tmp_path / "j")) > before
    journal.close(8.0)


def test_a_packet_of_an_undeclared_leg_raises_nothing_but_shows(ring: FileKeyRing, tmp_path: Path) -> None:
    journal = opened(tmp_path / "j", ring)
    journal.write("ghost", 1.0, b"packet")
    assert not journal.healthy()
    assert "ghost" in journal.reason
    journal.close(2.0)


def test_a_buffer_that_its_owner_reuses_is_copied(ring: FileKeyRing, tmp_path: Path) -> None:
    journal = opened(tmp_path / "j", ring)
    journal.track("a", "visitor", "audio", "opus", 48000, 0.0)
    buffer = bytearray(b"first")
    journal.write("a", 1.0, buffer)
    buffer[:] = b"later"
    journal.close(2.0)
    with JournalReader(tmp_path / "j", ring) as reader:
        assert [packet for _, _, packet in reader.packets()] == [b"first"]


class Disk:
    """A log that fails or hangs when told to."""

    def __init__(self) -> None:
        self.error: OSError | None = None
        self.answers = threading.Event()
        self.answers.set()
        self.appended: list[bytes] = []
        self.ended = ""

    @property
    def head(self) -> Head:
        return Head(0, 0, b"")

    def append(self, data: bytes) -> None:
        self.appended.append(data)

    def flush(self) -> None:
        self.answers.wait(10)
        if self.error:
            raise self.error

    def close(self) -> None:
        self.ended = "closed"

    def abandon(self) -> None:
        self.ended = "abandoned"


def on_disk(disk: Disk, **options) -> JournalWriter:
    journal = JournalWriter(disk, flush_every=0.01, **options)
    journal.track("a", "visitor", "audio", "opus", 48000, 0.0)
    return journal


def wait_for(condition) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_full_disk_shows_in_health_and_never_in_the_call() -> None:
    disk = Disk()
    journal = on_disk(disk)
    journal.write("a", 1.0, b"kept")
    wait_for(lambda: journal.last_durable_at == 1.0)
    disk.error = OSError(28, "No space left on device")
    journal.write("a", 2.0, b"lost")
    wait_for(lambda: not journal.healthy())
    assert "No space left" in journal.reason
    for number in range(1000):
        journal.write("a", 3.0 + number, b"more")
    assert journal.last_durable_at == 1.0
    assert disk.ended == "abandoned"
    journal.close(2000.0)
    assert "No space left" in journal.reason


def test_a_stalled_disk_shows_while_it_lasts_and_loses_nothing() -> None:
    disk = Disk()
    journal = on_disk(disk, stalled_after=0.1)
    disk.answers.clear()
    journal.write("a", 1.0, b"late")
    wait_for(lambda: not journal.healthy())
    assert "not answered" in journal.reason
    start = time.monotonic()
    for number in range(10_000):
        journal.write("a", 2.0 + number / 1000, b"x" * 100)
    assert time.monotonic() - start < 5.0, "half of what the disk takes to answer"
    disk.answers.set()
    wait_for(journal.healthy)
    journal.close(20.0)
    assert journal.healthy()
    assert sum(raw.body == b"x" * 100 for piece in disk.appended for raw in records.split(piece)) == 10_000


def test_a_queue_that_overflows_is_a_failure_for_good_and_the_journal_says_what_is_missing() -> None:
    disk = Disk()
    journal = on_disk(disk, queue_limit=10_000)
    disk.answers.clear()
    time.sleep(0.05)
    for number in range(30):
        journal.write("a", number / 100, b"x" * 1000)
    assert not journal.healthy()
    disk.answers.set()
    journal.close(1.0)
    assert "lost" in journal.reason
    kept = sum(raw.body == b"x" * 1000 for piece in disk.appended for raw in records.split(piece))
    assert kept < 30
    assert any(b'"journal.lost"' in record and b"%d" % (30 - kept) in record for record in disk.appended)
