"""Notes at moments of a recording: whose they are, where they stand, how a deletion is taken back."""

from datetime import UTC, datetime, timedelta

import pytest

from core.errors import Mistake, Refused
from recordings.notes import rules
from recordings.notes.states import DELETED, KEPT, MACHINE

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def test_a_note_stands_within_the_recording() -> None:
    assert rules.place(12.345, 60) == 12.3
    assert rules.place(-4, 60) == 0.0
    assert rules.place(99, 60) == 60


@pytest.mark.parametrize("at", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_moment_is_refused(at: float) -> None:
    with pytest.raises(Mistake):
        rules.place(at, 60)


def test_words_are_cleaned_and_neither_nothing_nor_too_much() -> None:
    assert rules.words("  يراجع\u202e هذا \r\n غدًا ") == "يراجع هذا \n غدًا"
    for text in ("", " \n ", "x" * (rules.LONGEST + 1)):
        with pytest.raises(Mistake):
            rules.words(text)


def test_only_its_writer_changes_a_note() -> None:
    rules.check_own("a", "a")
    with pytest.raises(Refused):
        rules.check_own("a", "b")


def test_a_deletion_is_taken_back_within_the_hour_and_not_after() -> None:
    rules.check_restorable(NOON, now=NOON + rules.RESTORABLE)
    for deleted, now in ((NOON, NOON + rules.RESTORABLE + timedelta(seconds=1)), (None, NOON)):
        with pytest.raises(Refused):
            rules.check_restorable(deleted, now=now)


def test_a_deleted_note_can_only_be_brought_back() -> None:
    assert MACHINE.next(KEPT, "delete") == DELETED
    assert MACHINE.next(DELETED, "restore") == KEPT
    with pytest.raises(Refused):
        MACHINE.next(DELETED, "change")
