"""The list that a viewer jumps by, and what was written, from marks, orders and gaps."""

from recordings.journal_records import Mark
from web.library.chapters import CAME, GAP, LEFT, LOST, MARK, ORDER, SideFacts, chapters, spoken

NAMES = {"v": "زائر", "o": "مسؤول"}


def _list(marks: list[Mark], orders: tuple = (), gaps: tuple = ()) -> list[tuple[str, float, float]]:
    sides = [SideFacts("v", "زائر", True, gaps)]
    return [(c.kind, c.at, c.start) for c in chapters(sides, marks, NAMES, orders, 60.0, str)]


def test_an_order_opens_fifteen_seconds_before_its_mark_and_never_before_the_start() -> None:
    assert _list([], ((40.0, "x", ""), (4.0, "y", ""))) == [(ORDER, 4.0, 0.0), (ORDER, 40.0, 25.0)]


def test_somebody_comes_once_however_often_the_line_broke_and_again_after_leaving() -> None:
    marks = [
        Mark(1, "connected", {"participant": "v"}),
        Mark(9, "disconnected", {"participant": "v"}),
        Mark(11, "connected", {"participant": "v"}),
        Mark(20, "left", {"participant": "v"}),
        Mark(30, "connected", {"participant": "v"}),
        Mark(31, "connected", {"participant": "stranger"}),
    ]
    assert [(kind, at) for kind, at, _ in _list(marks)] == [(CAME, 1), (LEFT, 20), (CAME, 30)]


def test_gaps_worth_a_line_are_listed_and_what_was_before_the_coming_is_not() -> None:
    gaps = [
        ["video", 0.0, 5.0],
        ["video", 10.0, 12.0],
        ["video", 20.0, 30.0],
        ["audio", 20.5, 29.5],
        ["audio", 40.0, 50.0],
    ]
    assert [(kind, at) for kind, at, _ in _list([], gaps=gaps)] == [(GAP, 20.0), (GAP, 40.0)]


def test_a_camera_switched_off_is_called_so_and_no_broken_line() -> None:
    gaps = [["video", 20.0, 30.0]]
    sides = [SideFacts("v", "زائر", True, gaps)]
    off = [Mark(19.9, "media", {"participant": "v", "video": False})]
    told = [chapters(sides, marks, NAMES, [], 60.0, str)[0].text for marks in ([], off)]
    assert told[0] != told[1] and "camera" in told[1].lower()


def test_marks_of_the_people_and_losses_are_listed_and_housekeeping_is_not() -> None:
    marks = [
        Mark(0, "started", {}),
        Mark(2, "media", {"participant": "v", "audio": False}),
        Mark(5, "important", {"text": "هنا"}),
        Mark(6, "journal.lost", {"records": 3}),
        Mark(7, "text", {"participant": "v", "text": "كلام"}),
    ]
    assert [(kind, at) for kind, at, _ in _list(marks)] == [(MARK, 5), (LOST, 6)]


def test_a_part_that_was_never_marked_has_no_chapters() -> None:
    assert _list([]) == []


def test_written_lines_stay_long_enough_to_be_read_and_can_be_found_in_any_spelling() -> None:
    marks = [
        Mark(3, "text", {"participant": "v", "text": "إلى اللجنة"}),
        Mark(5, "text", {"participant": "v", "text": "   "}),
        Mark(9, "text", {"participant": "?", "text": "كلام " * 100}),
        Mark(9, "text", {"participant": "v", "text": 7}),
    ]
    short, long = spoken(marks, NAMES)
    assert (short.name, long.name) == ("زائر", "—")
    assert short.end - short.at == 3.0 and long.end - long.at == 9.0
    assert "الي اللجنه" in short.key
