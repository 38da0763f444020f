"""The strip along a recording's line of time: its sizes, and its two sealed files."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from recordings.container import SealBroken
from recordings.journal import open_journal
from recordings.journal_records import Mark
from recordings.keys import FileKeyRing
from recordings.sealed import SealedReader
from recordings.strip import files, rules
from recordings.strip.files import Strip
from recordings.strip.making import read_marks


@pytest.mark.parametrize(
    ("duration", "count", "step"),
    [
        (0, 0, 2.0),
        (1, 1, 2.0),
        (24, 12, 2.0),
        (600, 24, 25.0),
        (3600, 120, 30.0),
        (7200, 240, 30.0),
        (28_800, 240, 120.0),
    ],
)
def test_stills_are_thirty_seconds_apart_closer_in_short_ones_and_never_too_many(
    duration: float, count: int, step: float
) -> None:
    assert rules.every(duration) == step
    assert len(rules.moments(duration)) == count
    assert all(0 <= at < max(duration, 0.1) for at in rules.moments(duration))


@pytest.mark.parametrize(("duration", "points"), [(0, 100), (60, 300), (7200, 1500)])
def test_the_curve_is_as_fine_as_a_screen_can_show(duration: float, points: int) -> None:
    assert rules.points(duration) == points


def test_a_tile_has_the_pictures_shape_within_bounds() -> None:
    assert rules.tile(640, 480) == (96, 72)
    assert rules.tile(1280, 720) == (128, 72)
    assert rules.tile(10_000, 10) == (160, 72)
    assert rules.tile(0, 0) == (72, 72)


def test_a_gap_is_dark_from_its_start_to_before_its_end() -> None:
    gaps = [["video", 3.0, 5.0], ["audio", 0.0, 9.0]]
    assert [rules.missing(gaps, "video", at) for at in (2.9, 3.0, 4.9, 5.0)] == [False, True, True, False]


def _journal(folder: Path, ring: FileKeyRing) -> Path:
    started = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    journal = open_journal(folder / "journal", ring, recording_id="rec", meeting_id="m", started_at=started)
    journal.mark(1.5, "text", {"participant": "p", "text": "السلام عليكم"})
    journal.close(3.0)
    return folder / "journal"


def test_marks_go_from_the_journal_into_a_small_sealed_file_and_come_back(tmp_path: Path, ring: FileKeyRing) -> None:
    marks = read_marks(_journal(tmp_path, ring), "rec", ring)
    files.write_marks(tmp_path, marks, ring)
    path = tmp_path / files.MARKS
    assert "السلام".encode() not in path.read_bytes() and b"participant" not in path.read_bytes()
    with SealedReader(path, ring) as sealed:
        assert sealed.header.owner == "rec"
        assert files.marks_of(sealed) == [Mark(1.5, "text", {"participant": "p", "text": "السلام عليكم"})]


def test_the_journal_of_another_recording_is_not_read(tmp_path: Path, ring: FileKeyRing) -> None:
    with pytest.raises(SealBroken):
        read_marks(_journal(tmp_path, ring), "other", ring)


def test_a_strip_is_sealed_and_its_parts_come_back(tmp_path: Path, ring: FileKeyRing) -> None:
    _journal(tmp_path, ring)
    strip = Strip({"a": bytes([0, 255, 7])}, (1.0, 3.0), (1,), 12, (96, 72), b"RIFF....WEBP" * 9)
    files.write_strip(tmp_path, strip, ring)
    assert b"WEBP" not in (tmp_path / files.STRIP).read_bytes()
    with SealedReader(tmp_path / files.STRIP, ring) as sealed:
        head = files.head_of(sealed)
        assert (head["peaks"], head["moments"], head["blank"]) == ({"a": "AP8H"}, [1.0, 3.0], [1])
        assert files.stills_of(sealed) == strip.stills
