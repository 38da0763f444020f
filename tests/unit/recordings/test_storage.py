"""Room on the disk, and the course of a file between disk and bucket."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.jobs import Job
from recordings.archive import service as archive
from recordings.storage import service
from recordings.storage.models import StoredFile
from recordings.storage.rules import (
    BYTES_PER_HOUR,
    LONGEST_RETRY,
    RESERVE,
    SHORTEST,
    Span,
    backoff,
    low,
    may_free,
    needed,
    part_size,
)
from recordings.storage.service import Found, Sent
from recordings.storage.states import BOTH, FAILED, LOCAL, LOST, MACHINE, REMOTE, UPLOADING

NOW = datetime(2026, 10, 27, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_what_is_needed_is_summed_over_the_meetings_of_the_same_time() -> None:
    one = Span(NOW + HOUR)
    assert needed([], now=NOW) == RESERVE
    assert needed([one], now=NOW) == RESERVE + 2 * BYTES_PER_HOUR, "a journal, and its renditions"
    assert needed([one] * 7, now=NOW) == RESERVE + 14 * BYTES_PER_HOUR


def test_one_that_goes_on_needs_the_rest_of_its_slot_and_renditions_of_what_is_there() -> None:
    half_way = Span(NOW + HOUR, live_at=NOW - HOUR)
    assert needed([half_way], now=NOW) == RESERVE + 3 * BYTES_PER_HOUR


def test_one_that_lasts_longer_than_its_slot_still_needs_room() -> None:
    over = Span(NOW - HOUR, live_at=NOW)
    assert needed([over], now=NOW) == RESERVE + int(2 * BYTES_PER_HOUR * (SHORTEST / HOUR))


def test_staff_are_told_before_it_is_too_late() -> None:
    need = needed([Span(NOW + HOUR)], now=NOW)
    assert low(need, need) and low(need * 2, need) and not low(need * 3, need)


def test_a_store_that_is_gone_is_asked_ever_more_seldom_and_for_ever() -> None:
    waits = [backoff(tries) for tries in range(1, 40)]
    assert waits == sorted(waits) and waits[0] == timedelta(seconds=15) and waits[-1] == LONGEST_RETRY


def test_a_local_copy_stays_for_its_time_unless_room_is_short() -> None:
    assert not may_free(NOW, keep=HOUR, cramped=False, now=NOW + HOUR / 2)
    assert may_free(NOW, keep=HOUR, cramped=False, now=NOW + HOUR)
    assert may_free(NOW, keep=HOUR, cramped=True, now=NOW)


@pytest.mark.parametrize("size", [0, 1, 2**30, 2**40, 5 * 2**40])
def test_no_file_has_more_parts_than_a_store_takes(size: int) -> None:
    assert -(-size // part_size(size, 16 * 2**20)) <= 10_000


def test_every_state_has_a_way_on() -> None:
    assert not MACHINE.final


@pytest.fixture
def row(session: Session) -> StoredFile:
    archive.start(session, recording_id="r", meeting_id="m", petition_id="p", now=NOW)
    assert service.plan(session, "r", [Found("journal", 10, "a" * 64)], now=NOW) == 1
    return service.of_recording(session, "r")[0]


def jobs(session: Session) -> int:
    return len(session.scalars(select(Job).where(Job.kind == service.SEND)).all())


def test_what_is_planned_is_asked_for_once(session: Session, row: StoredFile) -> None:
    assert (row.state, jobs(session)) == (LOCAL, 1)
    assert service.plan(session, "r", [Found("journal", 10, "a" * 64)], now=NOW) == 0 and jobs(session) == 1


def test_a_failure_is_named_and_has_its_next_try(session: Session, row: StoredFile) -> None:
    assert service.sending(session, row.id, now=NOW) and row.state == UPLOADING
    service.sent(session, row.id, Sent(problem="the store does not answer"), now=NOW)
    assert (row.state, row.problem, row.due_at) == (FAILED, "the store does not answer", NOW + backoff(1))
    assert jobs(session) == 2


def test_a_worker_that_died_leaves_it_to_the_next(session: Session, row: StoredFile) -> None:
    service.sending(session, row.id, now=NOW)
    assert service.sending(session, row.id, now=NOW) and row.tries == 2


def test_what_was_written_anew_while_it_was_sent_is_sent_again(session: Session, row: StoredFile) -> None:
    service.sending(session, row.id, now=NOW)
    service.plan(session, "r", [Found("journal", 11, "b" * 64)], now=NOW)
    service.sent(session, row.id, Sent(size=10, sha256="a" * 64, version="1"), now=NOW)
    assert (row.state, row.sha256, row.version) == (LOCAL, "b" * 64, "") and jobs(session) == 2


def test_nothing_leaves_the_disk_that_was_not_read_back(session: Session, row: StoredFile) -> None:
    service.freed(session, row.id, now=NOW)
    assert row.state == LOCAL
    service.sending(session, row.id, now=NOW)
    service.sent(session, row.id, Sent(size=10, sha256="a" * 64, version="1"), now=NOW)
    assert row.state == BOTH
    service.freed(session, row.id, now=NOW)
    assert row.state == REMOTE
    assert service.sending(session, row.id, now=NOW) is None, "what lies there alone is not sent from here"


def test_what_the_store_lost_is_sent_again_or_lost_until_it_is_found(session: Session, row: StoredFile) -> None:
    service.sending(session, row.id, now=NOW)
    service.sent(session, row.id, Sent(size=10, sha256="a" * 64, version="1"), now=NOW)
    service.missed(session, row.id, "no such object", now=NOW)
    assert row.state == FAILED and jobs(session) == 2
    service.sending(session, row.id, now=NOW)
    service.sent(session, row.id, Sent(size=10, sha256="a" * 64, version="2"), now=NOW)
    service.freed(session, row.id, now=NOW)
    service.missed(session, row.id, "no such object", now=NOW)
    assert row.state == LOST
    service.found_again(session, row.id)
    assert row.state == REMOTE
