"""Midnight, summer time and a clock that is put right, while people wait."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import clock
from core.errors import Refused
from core.language import LANGUAGES, catalogue, say
from queueing.opening import service as opening
from queueing.tickets import queries, service
from queueing.tickets.models import Ticket, TicketPeriod
from tests.unit.queueing.tickets.hall import CENTRE, NOON, Hall, build, minutes
from web.render import HERE


@pytest.fixture
def hall(session: Session) -> Hall:
    return build(session)


def take(session: Session, hall: Hall, zone: str, at: datetime) -> Ticket:
    return service.issue(
        session, centre_id=CENTRE, service_point_id=hall.new.id, section="men", language="ar", zone=zone, now=at
    )


@pytest.mark.parametrize(
    ("zone", "midnight"),
    [
        ("Asia/Riyadh", datetime(2026, 10, 27, 21, 0, tzinfo=UTC)),
        ("Pacific/Auckland", datetime(2026, 10, 27, 11, 0, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 10, 27, 4, 0, tzinfo=UTC)),
        ("Asia/Kathmandu", datetime(2026, 10, 26, 18, 15, tzinfo=UTC)),
    ],
)
def test_a_ticket_of_the_last_second_belongs_to_the_day_that_ended(
    session: Session, hall: Hall, zone: str, midnight: datetime
) -> None:
    """Issued at 23:59:59, called for at 00:00:10: nobody is called, the numbers begin anew, the day is put away."""
    late = take(session, hall, zone, midnight - timedelta(seconds=1))
    shortly = midnight + timedelta(seconds=10)
    assert hall.next(session, now=shortly) is None
    early = take(session, hall, zone, shortly)
    assert (late.label, early.label) == ("A1", "A1") and early.day - late.day == timedelta(days=1)
    assert hall.next(session, now=shortly + timedelta(seconds=1)) is early
    assert service.close_day(session, now=shortly) == 1 and late.state == "cancelled"
    assert queries.day(session, CENTRE, now=shortly).issued == 1


def test_who_is_at_the_counter_at_midnight_is_served_to_the_end(session: Session, hall: Hall) -> None:
    midnight = datetime(2026, 10, 27, 21, 0, tzinfo=UTC)
    ticket = take(session, hall, "Asia/Riyadh", midnight - minutes(5))
    hall.next(session, now=midnight - minutes(1))
    service.start(session, ticket.id, now=midnight - timedelta(seconds=2))
    service.finish(session, ticket.id, now=midnight + timedelta(seconds=10))
    assert ticket.state == "finished"
    assert hall.next(session, now=midnight + timedelta(seconds=20)) is None, "and the counter is free"


@pytest.mark.parametrize(
    ("zone", "change"),
    [
        ("Europe/Berlin", datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),  # 2:00 becomes 3:00
        ("Europe/Berlin", datetime(2026, 10, 25, 1, 0, tzinfo=UTC)),  # 3:00 becomes 2:00
        ("Africa/Cairo", datetime(2024, 10, 31, 20, 59, tzinfo=UTC)),  # into the hour that comes twice
    ],
)
def test_a_wait_is_the_time_that_passed_whatever_the_clocks_do(
    session: Session, hall: Hall, zone: str, change: datetime
) -> None:
    first = take(session, hall, zone, change - minutes(10))
    second = take(session, hall, zone, change + minutes(10))
    third = take(session, hall, zone, change + minutes(20))
    assert [first.label, second.label, third.label] == ["A1", "A2", "A3"], "no number twice"
    now = change + minutes(30)
    assert queries.day(session, CENTRE, now=now).longest_waiting == pytest.approx(40)
    called = [hall.next(session, now=now), hall.next(session, hall.second, now=now)]
    assert called == [first, second]
    assert queries.day(session, CENTRE, now=now).median_wait == pytest.approx(30, abs=0.001)


@pytest.mark.parametrize(
    ("day", "opens", "closes"),
    [
        (datetime(2026, 3, 28, tzinfo=UTC), 7, 14),  # 8 to 15 in Berlin, before summer time
        (datetime(2026, 3, 29, tzinfo=UTC), 6, 13),  # on the day of the change
        (datetime(2026, 10, 24, tzinfo=UTC), 6, 13),
        (datetime(2026, 10, 25, tzinfo=UTC), 7, 14),
    ],
)
def test_doors_close_by_the_clock_on_the_wall_and_say_so_in_both_languages(
    session: Session, hall: Hall, day: datetime, opens: int, closes: int
) -> None:
    opening.set_hours(session, CENTRE, {key: [[480, 900]] for key in "0123456"}, now=NOON)
    assert take(session, hall, "Europe/Berlin", day + timedelta(hours=opens)).label == "A1"
    assert take(session, hall, "Europe/Berlin", day + timedelta(hours=closes, seconds=-1)).label == "A2"
    with pytest.raises(Refused) as refused:
        take(session, hall, "Europe/Berlin", day + timedelta(hours=closes))
    arabic, english = (say(refused.value, catalogue(lang, HERE / "locale"), lang) for lang in LANGUAGES)
    assert "8:00 am" in english and "٨:٠٠ صباحًا" in arabic


def test_a_clock_put_back_five_minutes_keeps_the_order_and_makes_no_wait_negative(
    session: Session, hall: Hall, wall: "Wall"
) -> None:
    first, second = (hall.take(session, now=wall.after(60)) for _ in range(2))
    called = hall.next(session, now=wall.after(60))
    wall.wrong -= minutes(5)
    third = hall.take(session, now=wall.after(20))
    assert called is first
    service.start(session, first.id, now=wall.after(5))
    service.finish(session, first.id, now=wall.after(60))
    assert hall.next(session, now=wall.after(1)) is second, "who came first, though by the wall it was later"
    assert hall.next(session, hall.second, now=wall.after(1)) is third
    now = wall.after(1)
    assert [call.label for call in service.board(session, CENTRE, now=now)] == ["A3", "A2", "A1"], "the newest first"
    periods = session.scalars(select(TicketPeriod).where(TicketPeriod.to_at.is_not(None))).all()
    assert periods and all(period.to_at and period.to_at >= period.from_at for period in periods)
    numbers = queries.day(session, CENTRE, now=now)
    assert numbers.median_wait is not None and numbers.median_wait >= 0


class Wall:
    def __init__(self) -> None:
        self.passed, self.wrong = 0.0, timedelta()
        told: Callable[[], datetime] = lambda: NOON + timedelta(seconds=self.passed) + self.wrong  # noqa: E731
        self.steady = clock.Steady(told, lambda: self.passed)

    def after(self, seconds: float) -> datetime:
        self.passed += seconds
        return self.steady.now()


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Wall:
    """Identifiers are made by this clock too."""
    made = Wall()
    monkeypatch.setattr(clock, "_STEADY", made.steady)
    return made
