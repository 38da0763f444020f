"""A booking made before a change of zone rules keeps its wall-clock time; midnight, and hours that clocks skip."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.calendar import at_wall_clock, clock, day_bounds, local_day, moment, wall_clock
from core.db import Database
from core.errors import Refused
from core.events import OutboxEvent
from queueing.appointments import calendar, rules, service, wall
from queueing.appointments.models import Appointment, Claim, Slot
from tests.appointments.invariants import check
from tests.appointments.zones import write, zones_from
from tests.conftest import attendant

HOME, OTHER = "Test/Home", "Test/Other"
HOUR = timedelta(hours=1)
THREE, FOUR = "<+03>-3", "<+04>-4"
SUMMER = "<+03>-3<+04>,M3.5.0/2,M10.5.0/3"  # an hour forward on the last Sunday of March, back on that of October


@pytest.fixture
def zones(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "zones"
    write(folder / HOME, THREE)
    write(folder / OTHER, THREE)
    with zones_from(folder):
        yield folder


def change(zones: Path, zone: str, rule: str) -> None:
    """New rules are installed, and the worker reads them."""
    write(zones / zone, rule)
    wall.read_zones_anew()


def offer(session: Session, now: datetime, zone: str = HOME, **more: object) -> list[Slot]:
    centre = str(more.pop("centre_id", "riyadh"))
    wishes = {"day": date(2026, 10, 28), "start": time(10), "end": time(13), "minutes": 60, "kind": "video", **more}
    return calendar.add_session(
        session, official_id=str(wishes.pop("official_id", "minister")), centre_id=centre, place_ar="م", place_en="P",
        zone=zone, now=now, **wishes,  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.fixture
def filled(any_db: Database) -> Database:
    with any_db.write() as session:
        session.add_all([attendant("riyadh"), attendant("jeddah")])
    return any_db


def book(session: Session, slot: Slot, now: datetime, n: int = 1) -> Appointment:
    return service.book(session, slot_id=slot.id, visitor_id=f"v{n}", petition_id=f"p{n}", by="aide", now=now)


def told(session: Session) -> list[str]:
    rows = session.scalars(select(OutboxEvent).where(OutboxEvent.name.endswith("AppointmentShifted")))
    return [row.payload["appointment_id"] for row in rows]


def test_a_booking_keeps_what_its_clock_was_to_show(filled: Database, zones: Path, now: datetime) -> None:
    with filled.write() as session:
        slots = offer(session, now)
        appointment = book(session, slots[0], now)
        book(session, slots[1], now, 2)
        before, said = slots[0].starts_at, moment(slots[0].starts_at, "ar", HOME)
    change(zones, HOME, FOUR)
    with filled.write() as session:
        assert clock(before, "en", HOME) == "11:00 am", "the instant on record is another hour on the wall now"
        followed = wall.follow_zones(session, now=now)
        assert set(followed.shifted) == {slot.id for slot in slots} and not followed.blocked
    with filled.read() as session:
        slot = session.get_one(Slot, slots[0].id)
        assert slot.starts_at == before - HOUR and slot.minutes == 60
        assert moment(slot.starts_at, "ar", HOME) == said
        assert len(check(session)) == 2, "claims moved along, each over its neighbour's old place"
        assert appointment.id in told(session) and len(told(session)) == 2
    with filled.write() as session:
        assert wall.follow_zones(session, now=now) == wall.Followed([], [])


def test_who_was_never_booked_is_told_nothing_and_the_past_stays(filled: Database, zones: Path, now: datetime) -> None:
    with filled.write() as session:
        past, _, coming = offer(session, now)
        past_id = book(session, past, now).slot_id
        held = service.hold(session, slot_id=coming.id, visitor_id="h", petition_id="h", by="a", now=now, minutes=9999)
    change(zones, HOME, FOUR)
    at = past.starts_at + timedelta(minutes=5)
    with filled.write() as session:
        assert past_id not in wall.follow_zones(session, now=at).shifted
        assert told(session) == []
        assert session.get_one(Appointment, held.id).slot.starts_at == coming.starts_at - HOUR
        check(session)


def test_two_zones_that_part_don_t_bring_one_official_into_two_meetings(
    filled: Database, zones: Path, now: datetime
) -> None:
    """The minister at 10 by the home clock and at 11 by the other one: after the change both would be the same hour."""
    with filled.write() as session:
        home = offer(session, now, HOME, start=time(10), end=time(11))[0]
        away = offer(session, now, OTHER, start=time(9), end=time(10), centre_id="jeddah")[0]
        book(session, home, now, 1)
        book(session, away, now, 2)
    change(zones, HOME, FOUR)
    with filled.write() as session:
        assert wall.follow_zones(session, now=now) == wall.Followed([], [home.id])
        assert told(session) == []
        check(session)
        service.cancel(session, calendar.current(session, "p2").id, reason="r", by="aide", now=now)  # type: ignore[union-attr]
        assert wall.follow_zones(session, now=now).shifted == [home.id], "as soon as the way is free"
        check(session)


def test_with_summer_time_only_the_slots_of_summer_move(filled: Database, zones: Path, now: datetime) -> None:
    with filled.write() as session:
        winter, summer = (
            offer(session, now, day=day, start=time(10), end=time(11))[0]
            for day in (date(2027, 1, 10), date(2027, 6, 10))
        )
        book(session, winter, now, 1)
        book(session, summer, now, 2)
    change(zones, HOME, SUMMER)
    with filled.write() as session:
        assert wall.follow_zones(session, now=now).shifted == [summer.id]
    with filled.read() as session:
        starts = {row.petition_id: row.slot.starts_at for row in check(session)}
        assert {clock(at, "en", HOME) for at in starts.values()} == {"10:00 am"}


def test_the_hour_that_is_left_out_and_the_one_that_comes_twice(zones: Path) -> None:
    change(zones, HOME, SUMMER)
    far = datetime(2020, 1, 1, tzinfo=UTC)
    skipped = at_wall_clock("2027-03-28T02:30", HOME, near=far)
    assert wall_clock(skipped, HOME) == "2027-03-28T03:30"
    first = at_wall_clock("2027-10-31T02:30", HOME, near=far)
    assert wall_clock(first, HOME) == wall_clock(first + HOUR, HOME) == "2027-10-31T02:30"
    assert at_wall_clock("2027-10-31T02:30", HOME, near=first + HOUR) == first + HOUR, "whichever was meant stays"


def test_slots_on_the_night_the_clocks_change_stay_as_planned(filled: Database, zones: Path, now: datetime) -> None:
    change(zones, HOME, SUMMER)
    with filled.write() as session:
        slots = offer(session, now, day=date(2027, 10, 31), start=time(1), end=time(5))
        assert len(slots) == 5, "four hours on the wall are five on this night"
        for n, slot in enumerate(slots):
            book(session, slot, now, n)
        assert wall.follow_zones(session, now=now) == wall.Followed([], [])
        check(session)


def test_over_midnight_of_the_zone_and_of_utc(filled: Database, zones: Path, now: datetime) -> None:
    """The day of a slot is the zone's day; a slot over midnight UTC is locked on both days."""
    with filled.write() as session:
        late = offer(session, now, day=date(2026, 10, 28), start=time(23), end=time(23, 55), minutes=55)[0]
        early = offer(session, now, day=date(2026, 10, 29), start=time(0), end=time(1))[0]
        over_utc = offer(session, now, day=date(2026, 10, 29), start=time(2, 30), end=time(3, 30))[0]
        assert [local_day(slot.starts_at, HOME).day for slot in (late, early, over_utc)] == [28, 29, 29]
        assert [len(rules.days(slot.starts_at, slot.ends_at)) for slot in (late, early, over_utc)] == [1, 1, 2]
        for n, slot in enumerate((late, early, over_utc)):
            book(session, slot, now, n)
        bounds = day_bounds(date(2026, 10, 29), HOME)
        assert [row.slot_id for row in calendar.between(session, *bounds)] == [early.id, over_utc.id]
    change(zones, HOME, FOUR)
    with filled.write() as session:
        wall.follow_zones(session, now=now)
        check(session)
        bounds = day_bounds(date(2026, 10, 29), HOME)
        assert [row.slot_id for row in calendar.between(session, *bounds)] == [early.id, over_utc.id]
        times = set(session.scalars(select(Claim.at).where(Claim.owner_id == early.id)))
        assert min(times) == bounds[0], "midnight is the first instant of its day, still"


def test_a_slot_that_moved_is_booked_where_it_is_now(filled: Database, zones: Path, now: datetime) -> None:
    with filled.write() as session:
        slot, nxt, _ = offer(session, now)
        book(session, nxt, now, 1)
    change(zones, HOME, FOUR)
    with filled.write() as session:
        wall.follow_zones(session, now=now)
        rival = offer(session, now, OTHER, start=time(10), end=time(11), centre_id="jeddah")[
            0
        ]  # 10:00 there: 11:00 here
        with pytest.raises(Refused, match="official"):
            book(session, rival, now, 2)
        book(session, session.get_one(Slot, slot.id), now, 3)
        check(session)
