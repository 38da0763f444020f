"""A holiday and an urgent case: who must move is moved as the plan has shown, or nobody is."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import Mistake, Refused
from core.events import OutboxEvent
from core.staff.models import Staff
from core.workdays import service as workdays
from core.workdays.models import Holiday
from queueing.appointments import calendar, holidays, rearranging, resources, service, urgent
from queueing.appointments.models import Appointment, Claim, Slot
from queueing.appointments.urgent import Candidate, Wish
from tests.conftest import attendant

ZONE = "Asia/Riyadh"
NOW = datetime(2026, 10, 27, 9, 0, tzinfo=UTC)  # a Tuesday noon
WEDNESDAY, THURSDAY, SUNDAY = date(2026, 10, 28), date(2026, 10, 29), date(2026, 11, 1)


def offer(
    session: Session, day: date, *, kind: str = "audience", centre: str | None = None, hour: int = 10, **more: int
) -> list[Slot]:
    if centre and session.get(Staff, f"attendant.{centre}") is None:
        session.add(attendant(centre))
    return calendar.add_session(
        session, official_id="minister", kind=kind, centre_id=centre, place_ar="م", place_en="P", day=day,
        start=time(hour), end=time(hour + 1), zone=ZONE, now=NOW, minutes=more.pop("minutes", 20), **more,
    )  # fmt: skip


def book(session: Session, slot: Slot, n: int, *, now: datetime = NOW, **more: bool) -> Appointment:
    return service.book(
        session, slot_id=slot.id, visitor_id=f"v{n}", petition_id=f"p{n}", by="aide", now=now, **more
    )  # fmt: skip


def declare(session: Session, day: date = WEDNESDAY, last: date | None = None, centre: str | None = None) -> Holiday:
    holiday = workdays.declare_holiday(
        session, first_day=day, last_day=last or day, name_ar="عيد", name_en="Eid", kind="religious",
        centre_id=centre, zone=ZONE, now=NOW,
    )  # fmt: skip
    holidays.close(session, holiday, zone=ZONE, now=NOW)
    return holiday


def hit(session: Session, holiday: Holiday) -> list[Appointment]:
    return holidays.hit(session, holiday, zone=ZONE, now=NOW)


def settle(session: Session, rows: Sequence[Appointment], mark: str, **more: object) -> rearranging.Plan:
    given = {"by": "aide", "reason": "عيد", "moved_for": "holiday", "now": NOW}
    return rearranging.carry_out(session, [row.id for row in rows], mark=mark, **given | more)  # type: ignore[arg-type]


def current(session: Session, n: int) -> Appointment:
    found = calendar.current(session, f"p{n}")
    assert found
    return found


def test_a_holiday_declared_late_offers_nothing_more_and_knows_whom_it_hits(session: Session) -> None:
    slots, later = offer(session, WEDNESDAY), offer(session, THURSDAY)
    rows = [book(session, slots[2], 1), book(session, slots[0], 2)]
    held = service.hold(session, slot_id=slots[1].id, visitor_id="v3", petition_id="p3", by="clerk", now=NOW)
    holiday = declare(session)
    assert {slot.state for slot in slots} == {"closed"} and {slot.state for slot in later} == {"open"}
    assert [row.id for row in hit(session, holiday)] == [rows[1].id, rows[0].id]
    assert held.state == "expired"
    with pytest.raises(Refused, match="no longer offered"):
        book(session, slots[1], 4)
    with pytest.raises(Refused):
        service.confirm(session, held.id, by="clerk", now=NOW)


def test_everybody_moves_to_the_next_fitting_time_in_one_step(session: Session) -> None:
    slots, later = offer(session, WEDNESDAY), offer(session, THURSDAY)
    book(session, later[0], 9)
    rows = [book(session, slot, n) for n, slot in enumerate(slots)]
    holiday = declare(session)
    plan = rearranging.plan(session, hit(session, holiday), now=NOW)
    assert [move.to.id for move in plan.moves] == [later[1].id, later[2].id]
    assert [row.id for row in plan.unplaced] == [rows[2].id]
    settle(session, hit(session, holiday), plan.mark)
    assert [current(session, n).slot_id for n in (0, 1)] == [later[1].id, later[2].id]
    assert current(session, 0).code == rows[0].code and current(session, 0).moved_for == "holiday"
    assert [row.reason for row in rows] == ["عيد", "عيد", None]
    assert [row.id for row in hit(session, holiday)] == [rows[2].id], "who has no place stays in sight"
    names = list(session.scalars(select(OutboxEvent.name)))
    assert sum(name.endswith(".AppointmentRescheduled") for name in names) == 2
    more = offer(session, SUNDAY)
    plan = rearranging.plan(session, hit(session, holiday), now=NOW)
    settle(session, hit(session, holiday), plan.mark)
    assert current(session, 2).slot_id == more[0].id and hit(session, holiday) == []


def test_the_urgent_are_placed_first(session: Session) -> None:
    slots, later = offer(session, WEDNESDAY), offer(session, THURSDAY)
    for n, slot in enumerate(slots):
        book(session, slot, n)
    holiday = declare(session)
    plan = rearranging.plan(session, hit(session, holiday), urgent={"p2"}, now=NOW)
    first = plan.moves[0]
    assert (first.appointment.petition_id, first.to.id) == ("p2", later[0].id)


def test_a_plan_that_has_grown_old_moves_nobody(session: Session) -> None:
    slots, later = offer(session, WEDNESDAY), offer(session, THURSDAY)
    rows = [book(session, slot, n) for n, slot in enumerate(slots[:2])]
    holiday = declare(session)
    mark = rearranging.plan(session, hit(session, holiday), now=NOW).mark
    book(session, later[0], 9)
    with pytest.raises(Refused, match="has changed since"):
        settle(session, rows, mark)
    assert {row.state for row in rows} == {"booked"} and later[1].taken == 0


def test_a_failure_half_way_leaves_everything_as_it_was(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    slots, later = offer(session, WEDNESDAY), offer(session, THURSDAY)
    rows = [book(session, slot, n) for n, slot in enumerate(slots)]
    holiday = declare(session)
    before = set(session.execute(select(Claim.resource, Claim.at, Claim.owner_id)).all())
    plan = rearranging.plan(session, hit(session, holiday), now=NOW)
    real, calls = service.reschedule, []

    def fails_at_last(*args: object, **more: object) -> Appointment:
        calls.append(args)
        if len(calls) == 3:
            raise Refused("no")
        return real(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(service, "reschedule", fails_at_last)
    with pytest.raises(Refused):
        settle(session, rows, plan.mark)
    session.expire_all()
    assert {row.state for row in rows} == {"booked"} and {slot.taken for slot in later} == {0}
    assert set(session.execute(select(Claim.resource, Claim.at, Claim.owner_id)).all()) == before


def test_a_centres_holiday_hits_its_hall_alone(session: Session) -> None:
    here = offer(session, WEDNESDAY, kind="video", centre="riyadh")
    there = offer(session, WEDNESDAY, kind="video", centre="jeddah", hour=12)
    audience = offer(session, WEDNESDAY, hour=14)
    rows = [book(session, slots[0], n) for n, slots in enumerate((here, there, audience))]
    other = offer(session, THURSDAY, kind="video", centre="jeddah")
    own = offer(session, THURSDAY, kind="video", centre="riyadh", hour=12)
    holiday = declare(session, centre="riyadh")
    assert [row.id for row in hit(session, holiday)] == [rows[0].id]
    (move,) = rearranging.plan(session, hit(session, holiday), now=NOW).moves
    assert move.to.id == own[0].id != other[0].id, "nobody is sent to another city"


def test_who_needs_an_interpreter_moves_to_a_time_that_has_one(session: Session, interpreters: list[str]) -> None:
    slots = offer(session, WEDNESDAY, kind="video", centre="riyadh")
    later = offer(session, THURSDAY, kind="video", centre="riyadh")
    rival = [
        calendar.add_session(
            session, official_id=f"deputy{n}", kind="audience", centre_id=None, place_ar="م", place_en="P",
            day=THURSDAY, start=time(10), end=time(10, 20), minutes=20, zone=ZONE, now=NOW,
        )[0]
        for n in (1, 2)
    ]  # fmt: skip
    for n, slot in enumerate(rival):
        book(session, slot, 10 + n, needs_interpreter=True)
    book(session, slots[0], 1, needs_interpreter=True)
    (move,) = rearranging.plan(session, hit(session, declare(session)), now=NOW).moves
    assert move.to.id == later[1].id


def test_a_visitor_is_never_sent_where_the_same_visitor_is_already(session: Session) -> None:
    slots, later = offer(session, WEDNESDAY), offer(session, THURSDAY)
    book(session, slots[0], 1)
    other = calendar.add_session(
        session, official_id="deputy", kind="audience", centre_id=None, place_ar="م", place_en="P",
        day=THURSDAY, start=time(10), end=time(10, 30), minutes=30, zone=ZONE, now=NOW,
    )  # fmt: skip
    service.book(session, slot_id=other[0].id, visitor_id="v1", petition_id="other", by="a", now=NOW)
    (move,) = rearranging.plan(session, hit(session, declare(session)), now=NOW).moves
    assert move.to.id == later[2].id


def test_a_withdrawn_holiday_offers_its_times_again_but_not_those_of_another(session: Session) -> None:
    slots = offer(session, WEDNESDAY)
    calendar.close_slot(session, slots[0].id, now=NOW)
    row = book(session, slots[1], 1)
    long, short = declare(session, WEDNESDAY, THURSDAY), declare(session, WEDNESDAY)
    workdays.withdraw_holiday(session, long.id, zone=ZONE, now=NOW)
    assert holidays.reopen(session, long, zone=ZONE, now=NOW) == 0
    assert [one.id for one in hit(session, short)] == [row.id]
    workdays.withdraw_holiday(session, short.id, zone=ZONE, now=NOW)
    assert holidays.reopen(session, short, zone=ZONE, now=NOW) == 2
    assert [slot.state for slot in slots] == ["closed", "open", "open"], "what was closed by hand stays closed"
    assert row.state == "booked"


def test_a_plan_that_went_and_came_back_while_its_days_were_locked_moves_nobody(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    slots, _ = offer(session, WEDNESDAY), offer(session, THURSDAY)
    row = book(session, slots[0], 1)
    declare(session)
    shown = rearranging.plan(session, [row], now=NOW)
    plans = [rearranging.Plan((), ()), shown]
    monkeypatch.setattr(rearranging, "plan", lambda *_, **__: plans.pop(0))
    with pytest.raises(Refused, match="calendar has changed"):
        rearranging.carry_out(session, [row.id], mark=shown.mark, by="a", reason="r", moved_for="holiday", now=NOW)
    assert row.state == "booked" and not plans


def test_who_is_received_on_a_holiday_all_the_same_is_not_hit(session: Session) -> None:
    slots = offer(session, WEDNESDAY)
    book(session, slots[0], 1)
    holiday = declare(session)
    calendar.reopen_slot(session, slots[0].id, now=NOW)
    assert hit(session, holiday) == []


def wish(**more: object) -> Wish:
    given = {
        "visitor_id": "vu", "petition_id": "pu", "kind": "audience", "official_id": "minister", "centre_id": None,
        "needs_interpreter": False, "until": NOW + timedelta(days=4), "zone": ZONE,
    }  # fmt: skip
    return Wish(**given | more)  # type: ignore[arg-type]


def place(session: Session, wanted: Wish, mark: str, **more: object) -> Appointment:
    given = {"ranks": {}, "urgent": {}, "by": "aide", "reason": "موعد التنفيذ", "now": NOW}
    return urgent.place(session, wanted, mark=mark, **given | more)  # type: ignore[arg-type]


def test_an_urgent_case_takes_the_reserve_before_anybody_is_moved(session: Session) -> None:
    slots = offer(session, THURSDAY, reserved_urgent=1)
    for n, slot in enumerate(slots[1:]):
        book(session, slot, n)
    room = urgent.find(session, wish(), ranks={}, urgent={}, now=NOW)
    assert (room.slot.id, room.how, room.leaver) == (slots[0].id, "reserve", None)
    assert place(session, wish(), room.mark).slot_id == slots[0].id


def test_a_day_that_is_needed_only_now_is_not_locked_after_a_later_one(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A desk holds another time for the same case just before the days are ours: a ring, if we took its day as well."""
    earlier, later = offer(session, WEDNESDAY), offer(session, THURSDAY)
    wanted = wish()
    for n, slot in enumerate(earlier[1:]):
        book(session, slot, n)
    first = service.hold(session, slot_id=earlier[0].id, visitor_id="x", petition_id="x", by="desk", now=NOW)
    room = urgent.find(session, wanted, ranks={}, urgent={}, now=NOW)
    assert room.slot.id == later[0].id
    lock, locked = resources.lock, []

    def lock_late(session: Session, days: Iterable[date]) -> None:
        locked.append(set(days))
        lock(session, locked[-1])
        if len(locked) == 1:
            first.petition_id, first.visitor_id = wanted.petition_id, wanted.visitor_id
            session.flush()

    monkeypatch.setattr(resources, "lock", lock_late)
    with pytest.raises(Refused, match="calendar has changed"):
        place(session, wanted, room.mark)
    assert locked == [{later[0].starts_at.date()}]


def test_else_the_lowest_class_makes_room_and_of_equals_who_booked_last(session: Session) -> None:
    slots, later = offer(session, THURSDAY), offer(session, SUNDAY)
    rows = [book(session, slot, n, now=NOW + timedelta(minutes=n)) for n, slot in enumerate(slots)]
    ranks = {"p0": 100, "p1": 100, "p2": 250}
    room = urgent.find(session, wish(until=NOW + timedelta(days=3)), ranks=ranks, urgent={}, now=NOW)
    assert (room.how, room.leaver, room.slot.id) == ("moved", rows[1], slots[1].id)
    assert room.to and room.to.id == later[0].id
    taken = place(session, wish(until=NOW + timedelta(days=3)), room.mark, ranks=ranks)
    assert (taken.slot_id, taken.state) == (slots[1].id, "booked")
    assert (current(session, 1).slot_id, current(session, 1).moved_for, rows[1].reason) == (
        later[0].id, "urgent", "موعد التنفيذ",
    )  # fmt: skip
    names = list(session.scalars(select(OutboxEvent.name)))
    assert sum(name.endswith(".AppointmentDisplaced") for name in names) == 1


def test_whom_the_office_has_moved_once_is_not_moved_again(session: Session) -> None:
    slots, later = offer(session, THURSDAY), offer(session, SUNDAY)
    rows = [book(session, slot, n, now=NOW + timedelta(minutes=n)) for n, slot in enumerate(slots)]
    rows[2].moved_for = "holiday"
    room = urgent.find(session, wish(until=NOW + timedelta(days=3)), ranks={}, urgent={"p1": True}, now=NOW)
    assert room.leaver is rows[0] and room.to and room.to.id == later[0].id


def test_nobody_is_moved_within_a_day_or_who_has_no_other_time(session: Session) -> None:
    soon = offer(session, WEDNESDAY, hour=10)
    for n, slot in enumerate(soon):
        book(session, slot, n)
    with pytest.raises(Refused, match="No time can be made before"):
        urgent.find(session, wish(), ranks={}, urgent={}, now=NOW)
    far = offer(session, THURSDAY)
    for n, slot in enumerate(far):
        book(session, slot, 10 + n)
    with pytest.raises(Refused):
        urgent.find(session, wish(), ranks={}, urgent={}, now=NOW)
    assert all(current(session, n).state == "booked" for n in (0, 1, 2, 10, 11, 12))


def test_a_time_at_which_the_urgent_visitor_is_elsewhere_is_no_use(session: Session) -> None:
    slots = offer(session, THURSDAY)
    offer(session, SUNDAY)
    rows = [book(session, slot, n, now=NOW + timedelta(minutes=n)) for n, slot in enumerate(slots)]
    other = calendar.add_session(
        session, official_id="deputy", kind="audience", centre_id=None, place_ar="م", place_en="P",
        day=THURSDAY, start=time(10, 20), end=time(11), minutes=40, zone=ZONE, now=NOW,
    )  # fmt: skip
    service.book(session, slot_id=other[0].id, visitor_id="vu", petition_id="else", by="a", now=NOW)
    room = urgent.find(session, wish(until=NOW + timedelta(days=3)), ranks={}, urgent={}, now=NOW)
    assert room.leaver is rows[0]


def test_an_old_promise_or_no_reason_places_nobody(session: Session) -> None:
    slots = offer(session, THURSDAY)
    offer(session, SUNDAY)
    rows = [book(session, slot, n) for n, slot in enumerate(slots)]
    wanted = wish(until=NOW + timedelta(days=3))
    mark = urgent.find(session, wanted, ranks={}, urgent={}, now=NOW).mark
    with pytest.raises(Mistake, match="can't wait"):
        place(session, wanted, mark, reason=" ")
    service.cancel(session, rows[0].id, reason="x", by="a", now=NOW)
    with pytest.raises(Refused, match="has changed since"):
        place(session, wanted, mark)
    assert [row.state for row in rows] == ["cancelled", "booked", "booked"]


def test_the_rule_is_the_one_that_is_written() -> None:
    def who(name: str, **more: object) -> Candidate:
        given = {
            "appointment_id": name, "petition_id": name, "starts_at": NOW + timedelta(days=2), "booked_at": NOW,
            "rank": 100, "urgent": False, "moved_before": False,
        }  # fmt: skip
        return Candidate(**given | more)  # type: ignore[arg-type]

    until = NOW + timedelta(days=3)
    spared = [
        who("urgent", urgent=True), who("moved", moved_before=True),
        who("soon", starts_at=NOW + timedelta(hours=23, minutes=59)), who("late", starts_at=until),
    ]  # fmt: skip
    asked = [
        who("old", booked_at=NOW - timedelta(days=9)), who("new"), who("elderly", rank=250),
        who("day", starts_at=NOW + timedelta(hours=24), booked_at=NOW - timedelta(days=1)),
    ]  # fmt: skip
    order = urgent.in_order([*spared, *asked], until=until, now=NOW)
    assert [one.appointment_id for one in order] == ["new", "day", "old", "elderly"]
