from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import Mistake, NotFound, Refused
from core.events import OutboxEvent
from core.staff.models import Staff, StaffRole
from core.staff.rules import ATTENDANT
from queueing.appointments import calendar, service
from queueing.appointments.models import Appointment, Claim, Slot
from queueing.appointments.rules import AUDIENCE
from queueing.appointments.states import BOOKED, CANCELLED, CHECKED_IN, EXPIRED, HELD, MET, MISSED, MOVED
from tests.conftest import attendant

from .conftest import AddSlots


def book(session: Session, slot: Slot, petition: str, now: datetime, **more: object) -> Appointment:
    return service.book(
        session,
        slot_id=slot.id,
        visitor_id=str(more.pop("visitor", f"visitor of {petition}")),
        petition_id=petition,
        by="aide",
        now=now,
        **more,  # type: ignore[arg-type]
    )


def events(session: Session) -> list[str]:
    session.flush()
    return [name.rpartition(".")[2] for name in session.scalars(select(OutboxEvent.name).order_by(OutboxEvent.id))]


def claims(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Claim)) or 0


def test_a_booking_takes_the_place_and_tells_with_whom_and_for_what(
    session: Session, slots: AddSlots, now: datetime
) -> None:
    slot = slots()[0]
    appointment = book(session, slot, "p1", now)
    assert (appointment.state, appointment.held_until, slot.taken) == (BOOKED, None, 1)
    session.flush()
    payload = session.scalar(select(OutboxEvent.payload).where(OutboxEvent.name.endswith("AppointmentBooked")))
    assert payload == {
        "appointment_id": appointment.id,
        "slot_id": slot.id,
        "visitor_id": "visitor of p1",
        "petition_id": "p1",
    }
    assert events(session) == ["SlotsOpened", "AppointmentHeld", "AppointmentBooked"]


def test_a_full_slot_takes_nobody_else_and_leaves_no_trace_of_the_try(
    session: Session, slots: AddSlots, now: datetime
) -> None:
    slot = slots()[0]
    book(session, slot, "p1", now)
    before = claims(session)
    with pytest.raises(Refused, match="just been taken"):
        book(session, slot, "p2", now)
    assert (slot.taken, claims(session), calendar.current(session, "p2")) == (1, before, None)


def test_an_official_offers_one_time_in_two_halls_and_only_one_is_given(
    session: Session, slots: AddSlots, now: datetime
) -> None:
    riyadh, jeddah = slots()[0], slots(centre="jeddah")[0]
    book(session, riyadh, "p1", now)
    assert jeddah.id not in {slot.id for slot in service.open_slots(session, now=now)}
    with pytest.raises(Refused, match="official has another"):
        book(session, jeddah, "p2", now)


def test_two_officials_share_a_hall_but_not_at_once(session: Session, slots: AddSlots, now: datetime) -> None:
    first, second = slots()[0], slots(official="deputy")[0]
    book(session, first, "p1", now)
    assert second.id not in {slot.id for slot in service.open_slots(session, now=now)}
    with pytest.raises(Refused, match="hall"):
        book(session, second, "p2", now)


def test_slots_of_different_length_exclude_each_other_where_they_overlap(
    session: Session, slots: AddSlots, now: datetime
) -> None:
    short, long = slots(), slots(official="deputy", minutes=30)
    book(session, short[1], "p1", now)  # 10:20–10:40 meets 10:00–10:30 and 10:30–11:00
    assert not {slot.id for slot in long} & {slot.id for slot in service.open_slots(session, now=now)}
    with pytest.raises(Refused):
        book(session, long[1], "p2", now)


def test_a_visitor_is_not_booked_twice_at_one_time(session: Session, slots: AddSlots, now: datetime) -> None:
    book(session, slots()[0], "p1", now, visitor="v")
    elsewhere = slots(official="deputy", centre="jeddah")[0]
    assert elsewhere.id not in {slot.id for slot in service.open_slots(session, now=now, visitor_id="v")}
    with pytest.raises(Refused, match="visitor has another"):
        book(session, elsewhere, "p2", now, visitor="v")


def test_visitors_of_one_audience_share_its_time(session: Session, slots: AddSlots, now: datetime) -> None:
    slot = slots(kind=AUDIENCE, centre=None, capacity=3)[0]
    for n in range(3):
        book(session, slot, f"p{n}", now)
    assert slot.taken == 3
    with pytest.raises(Refused):
        book(session, slot, "p3", now)


def test_interpreters_are_shared_out_and_run_out(
    session: Session, slots: AddSlots, interpreters: list[str], now: datetime
) -> None:
    at_once = [slots(official=f"official {n}", centre=f"centre {n}")[0] for n in range(3)]
    booked = [book(session, slot, f"p{n}", now, needs_interpreter=True) for n, slot in enumerate(at_once[:2])]
    assert {row.interpreter_id for row in booked} == set(interpreters)
    offered = service.open_slots(session, now=now, needs_interpreter=True)
    at_other_times = {slot.id for slot in service.open_slots(session, now=now)} - {at_once[2].id}
    assert {slot.id for slot in offered} == at_other_times != set()
    assert at_once[2].id in {slot.id for slot in service.open_slots(session, now=now)}
    with pytest.raises(Refused, match="interpreter"):
        book(session, at_once[2], "p2", now, needs_interpreter=True)
    assert at_once[2].taken == 0


def test_the_next_interpreted_meeting_goes_to_whoever_had_less(
    session: Session, slots: AddSlots, interpreters: list[str], now: datetime
) -> None:
    one, two, _ = slots()
    first = book(session, one, "p1", now, needs_interpreter=True)
    second = book(session, two, "p2", now, needs_interpreter=True)
    assert first.interpreter_id != second.interpreter_id


def test_a_petition_has_one_appointment_at_a_time(session: Session, slots: AddSlots, now: datetime) -> None:
    one, two, _ = slots()
    book(session, one, "p1", now)
    with pytest.raises(Refused, match="already"):
        book(session, two, "p1", now)
    assert two.taken == 0


def test_a_second_hold_for_a_petition_lets_the_first_go(session: Session, slots: AddSlots, now: datetime) -> None:
    one, two, _ = slots()
    held = service.hold(session, slot_id=one.id, visitor_id="v", petition_id="p", by="aide", now=now)
    again = service.hold(session, slot_id=two.id, visitor_id="v", petition_id="p", by="aide", now=now)
    assert (held.state, again.state, one.taken, two.taken) == (EXPIRED, HELD, 0, 1)


def test_a_hold_that_is_over_cannot_be_confirmed_even_before_the_sweep(
    session: Session, slots: AddSlots, now: datetime
) -> None:
    held = service.hold(session, slot_id=slots()[0].id, visitor_id="v", petition_id="p", by="aide", now=now)
    service_now = now + timedelta(minutes=5)
    with pytest.raises(Refused, match="few minutes"):
        service.confirm(session, held.id, by="aide", now=service_now)


def test_an_overdue_hold_does_not_stand_in_anybodys_way(session: Session, slots: AddSlots, now: datetime) -> None:
    slot, other_hall = slots()[0], slots(official="deputy")[0]
    held = service.hold(session, slot_id=slot.id, visitor_id="v", petition_id="p", by="aide", now=now)
    appointment = book(session, other_hall, "p2", now + timedelta(minutes=6))
    assert (held.state, appointment.state, slot.taken) == (EXPIRED, BOOKED, 0)
    assert "HoldExpired" in events(session)


def test_the_sweep_frees_what_was_held_and_nothing_else(session: Session, slots: AddSlots, now: datetime) -> None:
    one, two, three = slots()
    book(session, one, "p1", now)
    service.hold(session, slot_id=two.id, visitor_id="v2", petition_id="p2", by="aide", now=now)
    later = now + timedelta(minutes=3)
    service.hold(session, slot_id=three.id, visitor_id="v3", petition_id="p3", by="aide", now=later)
    assert service.expire_holds(session, now=now + timedelta(minutes=5)) == 1
    assert (one.taken, two.taken, three.taken) == (1, 0, 1)
    assert service.expire_holds(session, now=now + timedelta(minutes=5)) == 0


def test_a_move_keeps_the_code_and_frees_the_old_time(session: Session, slots: AddSlots, now: datetime) -> None:
    one, two, _ = slots()
    old = book(session, one, "p1", now)
    new = service.reschedule(session, old.id, slot_id=two.id, by="aide", reason="travel", now=now)
    assert (old.state, new.state, one.taken, two.taken) == (MOVED, BOOKED, 0, 1)
    assert (new.code, new.previous_id) == (old.code, old.id)
    assert calendar.by_code(session, old.code.upper()).id == new.id
    assert events(session)[-1] == "AppointmentRescheduled"
    book(session, one, "p2", now)


def test_a_move_to_a_taken_time_changes_nothing(session: Session, slots: AddSlots, now: datetime) -> None:
    one, two, _ = slots()
    old = book(session, one, "p1", now)
    book(session, two, "p2", now)
    before = claims(session)
    with pytest.raises(Refused):
        service.reschedule(session, old.id, slot_id=two.id, by="aide", now=now)
    session.refresh(old)
    session.refresh(one)
    assert (old.state, one.taken, claims(session)) == (BOOKED, 1, before)


def test_a_move_within_overlapping_halls_of_one_official_works(
    session: Session, slots: AddSlots, now: datetime
) -> None:
    riyadh, jeddah = slots()[0], slots(centre="jeddah")[0]
    old = book(session, riyadh, "p1", now)
    new = service.reschedule(session, old.id, slot_id=jeddah.id, by="aide", now=now)
    assert (new.slot.centre_id, riyadh.taken) == ("jeddah", 0)


def test_a_cancelled_place_is_free_again_and_says_why(session: Session, slots: AddSlots, now: datetime) -> None:
    slot = slots()[0]
    appointment = book(session, slot, "p1", now)
    with pytest.raises(Mistake):
        service.cancel(session, appointment.id, reason=" ", by="aide", now=now)
    service.cancel(session, appointment.id, reason="The visitor asked.", by="aide", now=now)
    assert (appointment.state, slot.taken, claims(session)) == (CANCELLED, 0, 0)
    with pytest.raises(Refused):
        service.cancel(session, appointment.id, reason="again", by="aide", now=now)
    book(session, slot, "p1", now)


def test_a_visitor_checks_in_and_meets(session: Session, slots: AddSlots, now: datetime) -> None:
    appointment = book(session, slots()[0], "p1", now)
    with pytest.raises(Refused, match="too early"):
        service.check_in(session, appointment.id, now=now)
    service.check_in(session, appointment.id, now=appointment.slot.starts_at - timedelta(minutes=30))
    assert appointment.state == CHECKED_IN
    service.mark_met(session, appointment.id, now=appointment.slot.ends_at)
    assert appointment.state == MET
    assert events(session)[-2:] == ["AppointmentCheckedIn", "AppointmentMet"]
    with pytest.raises(Refused):
        service.cancel(session, appointment.id, reason="late", by="aide", now=appointment.slot.ends_at)


def test_nobody_is_marked_missing_before_the_time(session: Session, slots: AddSlots, now: datetime) -> None:
    appointment = book(session, slots()[0], "p1", now)
    with pytest.raises(Refused):
        service.mark_missed(session, appointment.id, now=now)
    assert service.mark_missed(session, appointment.id, now=appointment.slot.ends_at).state == MISSED
    assert calendar.current(session, "p1") is None


def test_the_reserve_is_offered_to_urgent_cases_only(session: Session, slots: AddSlots, now: datetime) -> None:
    early = now - timedelta(days=3)
    kept, free, _ = slots(reserved_urgent=1)
    assert (kept.reserved_urgent, free.reserved_urgent) == (True, False)
    assert service.first_fitting(session, now=early) == free
    assert service.first_fitting(session, now=early, urgent=True) == kept
    with pytest.raises(Refused, match="urgent"):
        book(session, kept, "p1", early)
    book(session, kept, "p1", early, urgent=True)


def test_a_closed_slot_is_not_offered_but_keeps_its_visitor(session: Session, slots: AddSlots, now: datetime) -> None:
    one, two, three = slots()
    appointment = book(session, one, "p1", now)
    calendar.close_slot(session, one.id, now=now)
    calendar.close_slot(session, two.id, now=now)
    assert service.open_slots(session, now=now) == [three]
    assert appointment.state == BOOKED
    with pytest.raises(Refused, match="no longer offered"):
        book(session, two, "p2", now)
    calendar.reopen_slot(session, two.id, now=now)
    book(session, two, "p2", now)


def test_the_first_fitting_slot_leaves_time_for_the_way(session: Session, slots: AddSlots) -> None:
    one, two, _ = slots()
    at = one.starts_at - timedelta(hours=1, minutes=50)
    assert service.first_fitting(session, now=at) == two
    assert service.first_fitting(session, now=at, urgent=True) == one
    assert service.first_fitting(session, now=one.starts_at - timedelta(minutes=29), urgent=True) == two
    assert service.first_fitting(session, now=one.starts_at + timedelta(days=1)) is None


def test_the_same_session_is_not_added_twice(session: Session, slots: AddSlots) -> None:
    slots()
    with pytest.raises(Refused):
        slots()


def test_a_proposed_code_is_used_unless_it_is_taken_or_odd(session: Session, slots: AddSlots, now: datetime) -> None:
    one, two, three = slots()
    code = service.propose_code()
    assert book(session, one, "p1", now, code=code).code == code
    assert book(session, two, "p2", now, code=code).code != code
    assert book(session, three, "p3", now, code="<script>").code != "<script>"


def test_a_days_load_counts_places_and_those_taken(session: Session, slots: AddSlots, now: datetime) -> None:
    one, two, _ = slots()
    book(session, one, "p1", now)
    calendar.close_slot(session, two.id, now=now)
    day = one.starts_at.date()
    load = calendar.load(session, [now.date(), day], zone="Asia/Riyadh")
    assert (load[day].places, load[day].taken, load[day].percent) == (2, 1, 50)
    assert load[now.date()].percent == 0


def test_what_does_not_exist_is_not_found(session: Session, now: datetime) -> None:
    for attempt in (
        lambda: service.hold(session, slot_id="x", visitor_id="v", petition_id="p", by="aide", now=now),
        lambda: service.check_in(session, "x", now=now),
        lambda: calendar.by_code(session, "x"),
        lambda: calendar.slot_of(session, "x"),
        lambda: calendar.close_slot(session, "x", now=now),
    ):
        with pytest.raises(NotFound):
            attempt()


def test_the_visitor_in_the_hall_is_here_for_the_next_appointment(
    session: Session, slots: AddSlots, now: datetime
) -> None:
    one, two, _ = slots()
    later = book(session, two, "p2", now, visitor="v")
    sooner = book(session, one, "p1", now, visitor="v")
    assert calendar.next_of_visitor(session, "v", now=now) == sooner
    service.cancel(session, sooner.id, reason="changed", by="aide", now=now)
    assert calendar.next_of_visitor(session, "v", now=now) == later
    assert calendar.next_of_visitor(session, "v", now=now + timedelta(days=2)) is None


def test_without_an_attendant_on_duty_there_is_no_meeting_in_the_hall(
    session: Session, slots: AddSlots, now: datetime
) -> None:
    one, two, _ = slots()
    session.get_one(Staff, "attendant.riyadh").active = False
    session.add(attendant("jeddah", "attendant.of.another.centre"))
    session.flush()
    assert service.open_slots(session, now=now) == []
    with pytest.raises(Refused, match="attendant"):
        book(session, one, "p1", now)
    assert (claims(session), one.taken) == (0, 0)
    session.get_one(Staff, "attendant.riyadh").active = True
    session.flush()
    assert book(session, two, "p1", now).attendant_id == "attendant.riyadh"


def test_an_audience_at_the_office_needs_no_attendant(session: Session, slots: AddSlots, now: datetime) -> None:
    slot = slots(kind="audience", centre=None)[0]
    assert service.open_slots(session, now=now)[0] == slot
    assert book(session, slot, "p1", now).attendant_id is None


def test_one_person_with_two_roles_is_not_both_at_once(
    session: Session, slots: AddSlots, interpreters: list[str], now: datetime
) -> None:
    """The only attendant is an interpreter too: meetings yes, and in sign language only with a second interpreter."""
    slot = slots()[0]
    session.get_one(Staff, "attendant.riyadh").active = False
    first, second = (session.get_one(Staff, person) for person in interpreters)
    first.centre_id = "riyadh"
    first.role_rows.append(StaffRole(role=ATTENDANT))
    second.active = False
    session.flush()
    assert service.open_slots(session, now=now, needs_interpreter=True) == []
    with pytest.raises(Refused, match="interpreter"):
        book(session, slot, "p1", now, needs_interpreter=True)
    assert claims(session) == 0, "all or none"
    second.active = True
    session.flush()
    assert slot in service.open_slots(session, now=now, needs_interpreter=True)
    appointment = book(session, slot, "p1", now, needs_interpreter=True)
    assert (appointment.attendant_id, appointment.interpreter_id) == (first.id, second.id)


def test_who_can_interpret_is_kept_free_for_it(
    session: Session, slots: AddSlots, interpreters: list[str], now: datetime
) -> None:
    slot = slots()[0]
    signs = session.get_one(Staff, interpreters[0])
    signs.centre_id = "riyadh"
    signs.role_rows.append(StaffRole(role=ATTENDANT))
    for person in (interpreters[1], "attendant.riyadh"):
        session.get_one(Staff, person).active = False
    session.add(attendant("riyadh", "z, the last by name"))
    session.flush()
    appointment = book(session, slot, "p1", now, needs_interpreter=True)
    assert (appointment.attendant_id, appointment.interpreter_id) == ("z, the last by name", interpreters[0])
