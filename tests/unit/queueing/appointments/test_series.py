"""Sessions that recur: which days, which times, and nobody booked is ever left behind by a change."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.calendar import LAST_DAY, gregorian_of, local_day
from core.errors import Mistake, NotFound, Refused
from core.events import OutboxEvent
from core.workdays import rules as work_rules
from core.workdays import service as workdays
from core.workdays.rules import WorkCalendar
from queueing.appointments import calendar, service
from queueing.appointments.models import Appointment, Slot
from queueing.appointments.series import rules
from queueing.appointments.series import service as series
from queueing.appointments.series.models import Series
from queueing.appointments.series.rules import Pattern
from queueing.appointments.states import BOOKED, EXPIRED, HELD
from tests.conftest import attendant

ZONE = "Asia/Riyadh"
NOW = datetime(2026, 10, 27, 9, 0, tzinfo=UTC)  # a Tuesday
WEDNESDAY = date(2026, 10, 28)
WORK = WorkCalendar(ZONE, work_rules.DEFAULT_WEEK, work_rules.DEFAULT_RAMADAN, {})
AUDIENCE = Pattern(
    weekdays=frozenset({2}), every_weeks=1, times=(600, 720), ramadan=None, minutes=20, pause=0, capacity=1,
    reserved_urgent=0, first_day=WEDNESDAY, last_day=None, zone=ZONE,
)  # fmt: skip


def begin(session: Session, pattern: Pattern = AUDIENCE, **more: object) -> Series:
    given = {"official_id": "minister", "kind": "audience", "centre_id": None, "place_ar": "م", "place_en": "P"}
    return series.begin(session, pattern, **given | more, by="aide", now=NOW)  # type: ignore[arg-type]


def slots(session: Session, day: date | None = None, state: str = "open") -> list[Slot]:
    rows = session.scalars(select(Slot).where(Slot.state == state).order_by(Slot.starts_at))
    return [row for row in rows if day is None or local_day(row.starts_at, ZONE) == day]


def clock(rows: list[Slot]) -> list[str]:
    return [row.wall_start[11:] for row in rows]


def book(session: Session, slot: Slot, n: int) -> Appointment:
    return service.book(session, slot_id=slot.id, visitor_id=f"v{n}", petition_id=f"p{n}", by="aide", now=NOW)


def test_eight_weeks_are_offered_at_once_and_the_sweep_goes_on(session: Session) -> None:
    begin(session)
    days = sorted({local_day(row.starts_at, ZONE) for row in slots(session)})
    assert days == [WEDNESDAY + timedelta(weeks=n) for n in range(8)]
    assert clock(slots(session, WEDNESDAY)) == ["10:00", "10:20", "10:40", "11:00", "11:20", "11:40"]
    assert series.extend_all(session, now=NOW) == 0
    assert series.extend_all(session, now=NOW + timedelta(weeks=1)) == 6
    assert series.extend_all(session, now=NOW + timedelta(weeks=1)) == 0
    assert len(slots(session)) == 54


def test_every_other_week_counts_from_its_first_week() -> None:
    pattern = replace(AUDIENCE, every_weeks=2, weekdays=frozenset({6, 2}))
    found = [WEDNESDAY + timedelta(days=n) for n in range(30) if rules.occurs(pattern, WEDNESDAY + timedelta(days=n))]
    assert [day.isoformat() for day in found] == ["2026-10-28", "2026-11-08", "2026-11-11", "2026-11-22", "2026-11-25"]


@given(
    weekdays=st.frozensets(st.integers(0, 6), min_size=1),
    every=st.sampled_from(rules.EVERY),
    first=st.dates(date(2026, 1, 1), date(2076, 1, 1)),
)
def test_a_weekday_recurs_every_so_many_weeks_and_never_between(
    weekdays: frozenset[int], every: int, first: date
) -> None:
    pattern = replace(AUDIENCE, weekdays=weekdays, every_weeks=every, first_day=first)
    days = [first + timedelta(days=n) for n in range(7 * 9)]
    for weekday in weekdays:
        found = [day for day in days if day.weekday() == weekday and rules.occurs(pattern, day)]
        assert all((b - a).days == 7 * every for a, b in pairwise(found))
        assert found and (found[0] - first).days < 7 * every
    assert all(day.weekday() in weekdays for day in days if rules.occurs(pattern, day))
    assert not rules.occurs(pattern, first - timedelta(days=7 * every))


def test_in_ramadan_a_session_has_its_own_times_or_is_cut_to_the_working_hours() -> None:
    fasting = next(day for n in range(7) if (day := gregorian_of(1448, 9, 8) + timedelta(days=n)).weekday() == 2)
    early = replace(AUDIENCE, times=(540, 660), first_day=WEDNESDAY)
    assert rules.times_on(early, fasting, {}, WORK) == (600, 660)
    assert rules.times_on(replace(early, ramadan=(780, 840)), fasting, {}, WORK) == (780, 840)
    assert rules.times_on(replace(early, times=(480, 600)), fasting, {}, WORK) is None
    friday = replace(early, weekdays=frozenset({4}))
    assert rules.times_on(friday, fasting + timedelta(days=2), {}, WORK) == (540, 660)
    assert rules.times_on(early, fasting, {fasting: (900, 960)}, WORK) == (900, 960)


def test_a_holiday_has_no_session_and_when_it_is_withdrawn_its_day_is_offered(session: Session) -> None:
    holiday = workdays.declare_holiday(
        session, first_day=WEDNESDAY, last_day=WEDNESDAY, name_ar="ع", name_en="H", kind="other", zone=ZONE, now=NOW
    )
    begin(session)
    assert slots(session, WEDNESDAY) == [] and len(slots(session)) == 42
    with pytest.raises(Refused, match="This day is a holiday: H"):
        calendar.add_session(
            session, official_id="minister", kind="audience", centre_id=None, place_ar="م", place_en="P",
            day=WEDNESDAY, start=datetime(2026, 1, 1, 10).time(), end=datetime(2026, 1, 1, 11).time(), minutes=20,
            zone=ZONE, now=NOW,
        )  # fmt: skip
    workdays.withdraw_holiday(session, holiday.id, zone=ZONE, now=NOW)
    assert series.refill(session, WEDNESDAY, WEDNESDAY, now=NOW) == 6
    assert series.refill(session, WEDNESDAY, WEDNESDAY, now=NOW) == 0


def test_shortening_below_the_bookings_is_refused_and_the_old_state_stands(session: Session) -> None:
    row = begin(session)
    last = slots(session, WEDNESDAY)[-1]
    booked = book(session, last, 1)
    before = [(slot.id, slot.state, slot.capacity) for slot in slots(session)]
    shorter = replace(AUDIENCE, times=(600, 660))
    with pytest.raises(Refused, match="booked at times that would go"):
        series.change(session, row.id, shorter, place_ar="م", place_en="P", by="aide", now=NOW)
    assert [(slot.id, slot.state, slot.capacity) for slot in slots(session)] == before
    assert (row.end, booked.state) == (720, "booked")
    hit = series.propose(session, row.id, shorter, now=NOW)
    assert [one.id for one in hit.hit] == [booked.id]
    (move,) = hit.plan.moves
    assert local_day(move.to.starts_at, ZONE) == WEDNESDAY and move.to.starts_at < last.starts_at


def test_with_the_plan_that_was_shown_those_booked_move_along(session: Session) -> None:
    row = begin(session)
    rows = slots(session, WEDNESDAY)
    booked = [book(session, rows[n], n) for n in (0, 5)]
    later = replace(AUDIENCE, times=(780, 840), capacity=1)
    plan = series.propose(session, row.id, later, now=NOW).plan
    assert len(plan.moves) == 2 and not plan.unplaced
    changed = series.change(
        session, row.id, later, place_ar="م", place_en="P", by="aide", mark=plan.mark, reason="سفر", now=NOW
    )
    assert (changed.start, changed.end) == (780, 840)
    assert clock(slots(session, WEDNESDAY)) == ["13:00", "13:20", "13:40"]
    now_at = [calendar.current(session, one.petition_id) for one in booked]
    assert [one.slot.wall_start[11:] for one in now_at if one] == ["13:00", "13:20"]
    assert {one.moved_for for one in now_at if one} == {"session"}
    assert [one.reason for one in booked] == ["سفر"] * 2
    names = list(session.scalars(select(OutboxEvent.name)))
    assert sum(name.endswith("AppointmentRescheduled") for name in names) == 2


def test_a_plan_that_is_no_longer_true_moves_nobody(session: Session) -> None:
    row = begin(session)
    rows = slots(session, WEDNESDAY)
    booked = book(session, rows[5], 1)
    shorter = replace(AUDIENCE, times=(600, 660))
    mark = series.propose(session, row.id, shorter, now=NOW).plan.mark
    book(session, rows[0], 2)
    with pytest.raises(Refused, match="has changed since"):
        series.change(session, row.id, shorter, place_ar="م", place_en="P", by="aide", mark=mark, now=NOW)
    assert booked.state == "booked" and row.end == 720


def test_nothing_changes_when_somebody_would_have_no_place(session: Session) -> None:
    row = begin(session, replace(AUDIENCE, last_day=WEDNESDAY))
    booked = [book(session, slot, n) for n, slot in enumerate(slots(session, WEDNESDAY))]
    shorter = replace(AUDIENCE, last_day=WEDNESDAY, times=(600, 660))
    plan = series.propose(session, row.id, shorter, now=NOW).plan
    assert not plan.moves and [one.id for one in plan.unplaced] == [one.id for one in booked[3:]]
    with pytest.raises(Refused, match="Not everybody"):
        series.change(session, row.id, shorter, place_ar="م", place_en="P", by="aide", mark=plan.mark, now=NOW)
    assert {one.state for one in booked} == {"booked"} and row.end == 720


def test_fewer_places_at_a_time_send_the_latest_booked_elsewhere(session: Session) -> None:
    row = begin(session, replace(AUDIENCE, capacity=2))
    first = slots(session, WEDNESDAY)[0]
    stays, goes = (book(session, first, n) for n in (1, 2))
    single = replace(AUDIENCE, capacity=1)
    proposal = series.propose(session, row.id, single, now=NOW)
    assert [one.id for one in proposal.hit] == [goes.id]
    series.change(session, row.id, single, place_ar="م", place_en="P", by="a", mark=proposal.plan.mark, now=NOW)
    assert (first.capacity, first.taken, stays.state, goes.state) == (1, 1, "booked", "moved")


def test_what_nobody_is_booked_in_simply_follows_the_rule(session: Session) -> None:
    row = begin(session)
    series.change(
        session, row.id, replace(AUDIENCE, minutes=30, reserved_urgent=1, capacity=3), place_ar="ق", place_en="Q",
        by="aide", now=NOW,
    )  # fmt: skip
    rows = slots(session, WEDNESDAY)
    assert clock(rows) == ["10:00", "10:30", "11:00", "11:30"] and {slot.place_en for slot in rows} == {"Q"}
    assert [slot.reserved_urgent for slot in rows] == [True, False, False, False]
    assert session.scalar(select(func.count()).select_from(Slot)) == 4 * 8, "what nobody ever had is not kept"


def test_a_day_off_and_a_day_at_another_time_and_back(session: Session) -> None:
    row = begin(session)
    series.except_on(session, row.id, WEDNESDAY, None, reason="سفر الوزير", by="aide", now=NOW)
    assert slots(session, WEDNESDAY) == []
    thursday = WEDNESDAY + timedelta(days=1)
    series.except_on(session, row.id, thursday, (780, 820), reason="بدلًا من الأربعاء", by="aide", now=NOW)
    assert clock(slots(session, thursday)) == ["13:00", "13:20"]
    assert [one.day for one in series.exceptions_of(session, row.id)] == [WEDNESDAY, thursday]
    series.undo_exception(session, row.id, WEDNESDAY, by="aide", now=NOW)
    assert len(slots(session, WEDNESDAY)) == 6
    with pytest.raises(NotFound):
        series.undo_exception(session, row.id, WEDNESDAY, by="aide", now=NOW)


@pytest.mark.parametrize(
    ("day", "times", "field"),
    [
        (date(2026, 10, 26), None, "day"),
        (date(2026, 10, 29), None, "day"),
        (WEDNESDAY, (600, 610), "end"),
        (WEDNESDAY, (601, 700), "start"),
    ],
)
def test_a_day_that_can_be_no_exception_says_why(
    session: Session, day: date, times: tuple[int, int] | None, field: str
) -> None:
    row = begin(session)
    with pytest.raises(Mistake) as mistake:
        series.except_on(session, row.id, day, times, reason="-", by="aide", now=NOW)
    assert mistake.value.field == field and len(slots(session, WEDNESDAY)) == 6


def test_the_end_of_a_session_takes_its_empty_times_and_nobody_with_it(session: Session) -> None:
    row = begin(session)
    booked = book(session, slots(session, WEDNESDAY + timedelta(weeks=2))[0], 1)
    with pytest.raises(Refused, match="booked"):
        series.end(session, row.id, WEDNESDAY, by="aide", now=NOW)
    plan = series.propose_end(session, row.id, WEDNESDAY + timedelta(weeks=2), now=NOW).plan
    assert not plan.moves and not plan.unplaced
    series.end(session, row.id, WEDNESDAY + timedelta(weeks=2), by="aide", now=NOW)
    assert len(slots(session)) == 18 and booked.state == "booked"
    assert series.extend_all(session, now=NOW + timedelta(weeks=3)) == 0
    with pytest.raises(Refused, match="has ended"):
        series.change(session, row.id, AUDIENCE, place_ar="-", place_en="-", by="aide", now=NOW)
    assert series.listed(session) == [] and len(series.listed(session, ended=True)) == 1


def test_a_session_that_ends_beyond_what_is_in_sight_is_offered_until_then(session: Session) -> None:
    row = begin(session)
    offered = len(slots(session))
    far = row.made_until + timedelta(weeks=2)
    series.end(session, row.id, far, by="aide", now=NOW)
    assert row.ended_at is None and row.last_day == far and len(slots(session)) == offered
    assert series.extend_all(session, now=NOW + timedelta(weeks=3)) > 0
    assert max(local_day(slot.starts_at, ZONE) for slot in slots(session)) <= far
    for late, said in ((date(2099, 1, 1), "published"), (far + timedelta(days=1), "ends before")):
        with pytest.raises(Mistake, match=said) as mistake:
            series.end(session, row.id, late, by="aide", now=NOW)
        assert mistake.value.field == "last_day" and row.last_day == far


def test_times_that_are_offered_already_are_left_and_all_of_them_refused(session: Session) -> None:
    begin(session)
    with pytest.raises(Refused, match="has slots at this time"):
        begin(session)
    other = begin(session, replace(AUDIENCE, weekdays=frozenset({2, 3})))
    assert {local_day(row.starts_at, ZONE).weekday() for row in slots(session) if row.series_id == other.id} == {3}


def test_what_the_office_closed_by_hand_stays_closed(session: Session) -> None:
    row = begin(session)
    by_hand = slots(session, WEDNESDAY)[2]
    calendar.close_slot(session, by_hand.id, now=NOW)
    series.change(session, row.id, replace(AUDIENCE, times=(600, 840)), place_ar="-", place_en="-", by="a", now=NOW)
    assert by_hand.state == "closed" and len(slots(session, WEDNESDAY)) == 11


def test_a_video_session_needs_its_hall_and_takes_the_plan_through_all_resources(session: Session) -> None:
    session.add(attendant("riyadh"))
    with pytest.raises(Mistake, match="needs a centre"):
        begin(session, kind="video")
    row = begin(session, kind="video", centre_id="riyadh")
    rows = slots(session, WEDNESDAY)
    booked = book(session, rows[0], 1)
    plan = series.propose(session, row.id, replace(AUDIENCE, times=(660, 720)), now=NOW).plan
    assert plan.moves[0].to.starts_at == rows[3].starts_at
    series.change(
        session,
        row.id,
        replace(AUDIENCE, times=(660, 720)),
        place_ar="-",
        place_en="-",
        by="a",
        mark=plan.mark,
        now=NOW,
    )
    again = calendar.current(session, booked.petition_id)
    assert again and again.slot_id == rows[3].id and again.attendant_id == "attendant.riyadh"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"weekdays": frozenset()}, "weekdays"),
        ({"weekdays": frozenset({9})}, "weekdays"),
        ({"every_weeks": 3}, "every_weeks"),
        ({"minutes": 7}, "minutes"),
        ({"pause": 3}, "pause"),
        ({"capacity": 21}, "capacity"),
        ({"times": (720, 600)}, "end"),
        ({"times": (602, 720)}, "start"),
        ({"times": (0, 1435), "minutes": 5}, "minutes"),
        ({"ramadan": (600, 605)}, "ramadan_end"),
        ({"last_day": date(2026, 10, 1)}, "last_day"),
        ({"first_day": LAST_DAY + timedelta(days=1)}, "first_day"),
        ({"first_day": date(2026, 10, 1)}, "first_day"),
    ],
)
def test_a_rule_that_can_not_be_names_its_field(session: Session, change: dict[str, object], field: str) -> None:
    with pytest.raises(Mistake) as mistake:
        begin(session, replace(AUDIENCE, **change))
    assert mistake.value.field == field
    assert series.listed(session) == []


def test_fewer_places_let_the_youngest_holds_go_and_leave_the_booked_ones(session: Session) -> None:
    row = begin(session, replace(AUDIENCE, capacity=3))
    first, second, *_ = slots(session, WEDNESDAY)
    booked = book(session, first, 1)
    elder, younger, beside = (
        service.hold(session, slot_id=slot.id, visitor_id=f"v{n}", petition_id=f"p{n}", by="aide", now=NOW + at)
        for n, slot, at in ((2, first, timedelta()), (3, first, timedelta(minutes=1)), (4, second, timedelta()))
    )
    for capacity, left in ((2, HELD), (1, EXPIRED)):
        pattern = replace(AUDIENCE, capacity=capacity)
        series.change(session, row.id, pattern, place_ar="م", place_en="P", by="aide", now=NOW + timedelta(minutes=2))
        assert (booked.state, elder.state, younger.state, beside.state) == (BOOKED, left, EXPIRED, HELD)
        assert (first.capacity, first.taken, second.capacity, second.taken) == (capacity, capacity, capacity, 1)
    told = session.scalars(select(OutboxEvent.name)).all()
    assert sum(name.endswith(".HoldExpired") for name in told) == 2
