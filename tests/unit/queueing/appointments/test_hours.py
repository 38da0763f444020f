"""Other working hours: what lay within the old ones and not the new is offered no longer, and nobody is lost by it."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.workdays import rules as work_rules
from core.workdays import service as workdays
from core.workdays.service import MINISTRY
from core.workdays.week import Hours
from queueing.appointments import calendar, holidays, hours, rearranging, service
from queueing.appointments.models import Appointment, Slot
from queueing.appointments.series import rules
from queueing.appointments.series import service as series
from queueing.appointments.series.models import Series
from queueing.appointments.series.rules import Pattern
from queueing.appointments.states import BOOKED, EXPIRED, HOURS

ZONE = "Asia/Riyadh"
NOW = datetime(2026, 10, 27, 9, 0, tzinfo=UTC)  # a Tuesday
WEDNESDAY, NEXT = date(2026, 10, 28), date(2026, 11, 4)
MORNING = Pattern(
    weekdays=frozenset({2}), every_weeks=1, times=(600, 720), ramadan=None, minutes=30, pause=0, capacity=1,
    reserved_urgent=0, first_day=WEDNESDAY, last_day=None, zone=ZONE,
)  # fmt: skip
SHORT: Hours = {day: [[8 * 60, 11 * 60]] for day in ("6", "0", "1", "2", "3")}


def begin(session: Session, pattern: Pattern = MORNING) -> Series:
    return series.begin(
        session, pattern, official_id="minister", kind="audience", centre_id=None, place_ar="م", place_en="P",
        by="aide", now=NOW,
    )  # fmt: skip


def work(session: Session, week: Hours) -> None:
    """As the service of the business does it, for the ministry."""
    before = {MINISTRY: workdays.calendar_for(session, zone=ZONE)}
    workdays.set_hours(session, week, now=NOW)
    hours.follow(session, before, {MINISTRY: workdays.calendar_for(session, zone=ZONE)}, now=NOW)
    series.refill(session, WEDNESDAY, WEDNESDAY + timedelta(weeks=9), now=NOW)


def clocks(session: Session, day: date = WEDNESDAY, state: str = "open") -> list[str]:
    rows = session.scalars(select(Slot).where(Slot.state == state).order_by(Slot.starts_at))
    return [row.wall_start[11:] for row in rows if row.wall_start.startswith(day.isoformat())]


def book(session: Session, clock: str, n: int = 1, *, held: bool = False) -> Appointment:
    slot = session.scalars(select(Slot).where(Slot.wall_start == f"{WEDNESDAY}T{clock}")).one()
    verb = service.hold if held else service.book
    return verb(session, slot_id=slot.id, visitor_id=f"v{n}", petition_id=f"p{n}", by="aide", now=NOW)


def test_free_times_outside_go_and_those_booked_are_named_and_moved(session: Session) -> None:
    begin(session)
    late, early, asked = book(session, "11:30", 1), book(session, "10:00", 2), book(session, "11:00", 3, held=True)
    work(session, SHORT)
    assert clocks(session) == ["10:00", "10:30"] and clocks(session, state="closed") == ["11:00", "11:30"]
    work_now = workdays.calendar_for(session, zone=ZONE)
    assert rules.lasts(MORNING, WEDNESDAY, {}, work_now) == (600, 660)
    assert rules.lasts(MORNING, WEDNESDAY, {WEDNESDAY: None}, work_now) is None
    assert hours.hit(session, now=NOW) == [late] and late.state == BOOKED and early.slot.state == "open"
    assert asked.state == EXPIRED, "a hold is no promise"
    plan = rearranging.plan(session, [late], now=NOW)
    assert [move.to.starts_at for move in plan.moves] == [datetime(2026, 11, 4, 7, tzinfo=UTC)], "a week later at 10"
    rearranging.carry_out(
        session, [late.id], mark=plan.mark, by="aide", reason="h", moved_for=rearranging.HOURS, now=NOW
    )
    assert hours.hit(session, now=NOW) == []


def test_days_that_come_into_sight_follow_the_new_hours(session: Session) -> None:
    begin(session)
    work(session, SHORT)
    assert series.extend_all(session, now=NOW + timedelta(weeks=1)) == 2
    assert clocks(session, WEDNESDAY + timedelta(weeks=8)) == ["10:00", "10:30"]


def test_longer_hours_give_the_times_back(session: Session) -> None:
    begin(session)
    late = book(session, "11:30")
    work(session, SHORT)
    series.extend_all(session, now=NOW + timedelta(weeks=1))
    work(session, work_rules.DEFAULT_WEEK)
    for day in (WEDNESDAY, WEDNESDAY + timedelta(weeks=8)):
        assert clocks(session, day) == ["10:00", "10:30", "11:00", "11:30"]
    assert late.state == BOOKED and late.slot.closed_for is None and hours.hit(session, now=NOW) == []


def test_what_was_set_outside_the_hours_on_purpose_stays(session: Session) -> None:
    evening = begin(session, replace(MORNING, times=(1080, 1200)))
    assert evening.own_hours and len(clocks(session)) == 4
    work(session, SHORT)
    assert len(clocks(session)) == 4 and series.extend_all(session, now=NOW + timedelta(weeks=1)) == 4


def test_a_day_that_is_worked_no_more_has_no_session(session: Session) -> None:
    begin(session)
    work(session, {day: SHORT[day] for day in ("6", "0", "1", "3")})
    assert clocks(session) == [] and series.extend_all(session, now=NOW + timedelta(weeks=1)) == 0


def test_a_session_changed_after_the_hours_leaves_the_booked_ones_to_be_moved(session: Session) -> None:
    row = begin(session)
    late = book(session, "11:30")
    work(session, SHORT)
    wider = replace(series.pattern_of(row), times=(540, 660))
    series.change(session, row.id, wider, place_ar="م", place_en="P", by="aide", now=NOW)
    assert clocks(session) == ["09:00", "09:30", "10:00", "10:30"]
    assert late.state == BOOKED and hours.hit(session, now=NOW) == [late]


def test_a_holiday_keeps_what_the_hours_would_open_and_the_other_way_round(session: Session) -> None:
    begin(session)
    holiday = workdays.declare_holiday(
        session, first_day=WEDNESDAY, last_day=WEDNESDAY, name_ar="ع", name_en="H", kind="other", zone=ZONE, now=NOW
    )
    holidays.close(session, holiday, zone=ZONE, now=NOW)
    work(session, SHORT)
    workdays.withdraw_holiday(session, holiday.id, zone=ZONE, now=NOW)
    holidays.reopen(session, holiday, zone=ZONE, now=NOW)
    assert clocks(session) == ["10:00", "10:30"]
    again = workdays.declare_holiday(
        session, first_day=WEDNESDAY, last_day=WEDNESDAY, name_ar="ع", name_en="H", kind="other", zone=ZONE, now=NOW
    )
    holidays.close(session, again, zone=ZONE, now=NOW)
    work(session, work_rules.DEFAULT_WEEK)
    assert clocks(session) == []
    assert {row.closed_for for row in session.scalars(select(Slot)) if row.state == "closed"} == {again.id}


def test_what_a_session_has_given_up_is_not_offered_when_the_hours_grow_or_a_holiday_goes(session: Session) -> None:
    row = begin(session)
    late = book(session, "11:30")
    holiday = workdays.declare_holiday(
        session, first_day=NEXT, last_day=NEXT, name_ar="ع", name_en="H", kind="other", zone=ZONE, now=NOW
    )
    holidays.close(session, holiday, zone=ZONE, now=NOW)
    work(session, SHORT)
    changed = replace(MORNING, times=(600, 660), capacity=2)
    series.change(session, row.id, changed, place_ar="ق", place_en="Q", by="aide", now=NOW)
    work(session, work_rules.DEFAULT_WEEK)
    workdays.withdraw_holiday(session, holiday.id, zone=ZONE, now=NOW)
    holidays.reopen(session, holiday, zone=ZONE, now=NOW)
    series.refill(session, NEXT, NEXT, now=NOW)
    for day in (WEDNESDAY, NEXT):
        assert clocks(session, day) == ["10:00", "10:30"]
    assert {(one.capacity, one.place_en) for one in session.scalars(select(Slot).where(Slot.state == "open"))} == {
        (2, "Q")
    }
    assert (late.state, late.slot.state) == (BOOKED, "closed"), "who is expected there is, until somebody moves them"


def test_a_time_closed_by_hand_and_one_of_another_centre_stay_as_they_are(session: Session) -> None:
    begin(session)
    by_hand = session.scalars(select(Slot).where(Slot.wall_start == f"{WEDNESDAY}T11:00")).one()
    calendar.close_slot(session, by_hand.id, now=NOW)
    calendar.add_session(
        session, official_id="minister", kind="video", centre_id="coast", place_ar="م", place_en="P", day=WEDNESDAY,
        start=time(13), end=time(14), minutes=30, zone=ZONE, now=NOW,
    )  # fmt: skip
    work(session, SHORT)
    assert by_hand.closed_for is None
    assert clocks(session) == ["10:00", "10:30", "13:00", "13:30"]
    assert {row.closed_for for row in session.scalars(select(Slot).where(Slot.wall_start == f"{WEDNESDAY}T11:30"))} == {
        HOURS
    }


def test_the_rule_says_whether_a_session_has_hours_of_its_own() -> None:
    calendar_ = work_rules.WorkCalendar(ZONE, work_rules.DEFAULT_WEEK, work_rules.DEFAULT_RAMADAN, {})
    assert not rules.has_own_hours(MORNING, calendar_)
    assert rules.has_own_hours(replace(MORNING, times=(840, 960)), calendar_)
    assert rules.has_own_hours(replace(MORNING, weekdays=frozenset({4})), calendar_), "a Friday"
    assert rules.has_own_hours(replace(MORNING, ramadan=(1200, 1320)), calendar_)
