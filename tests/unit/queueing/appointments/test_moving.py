"""What is offered for a move is what a move can have, and a hold that is left goes back."""

from datetime import datetime

import pytest
from sqlalchemy.orm import Session

from core.errors import Refused
from queueing.appointments import service
from queueing.appointments.models import Appointment, Slot
from tests.unit.queueing.appointments.conftest import AddSlots


def accepted(session: Session, appointment: Appointment, slots: list[Slot], now: datetime) -> set[str]:
    """The slots that a move really gets, each tried and undone."""
    found = set()
    for slot in slots:
        trial = session.begin_nested()
        try:
            service.reschedule(session, appointment.id, slot_id=slot.id, by="aide", now=now)
            found.add(slot.id)
        except Refused:
            pass
        trial.rollback()
        session.expire_all()
    return found


@pytest.mark.parametrize("signs", [False, True])
def test_a_move_is_offered_exactly_the_times_that_it_can_have(
    session: Session, slots: AddSlots, interpreters: list[str], now: datetime, signs: bool
) -> None:
    """The official's own time in other halls, overlapping lengths, one attendant, busy interpreters, the visitor."""
    here, there = slots(), slots(centre="jeddah")
    longer = slots(centre="dammam", minutes=30)
    audience = slots(kind="audience", centre=None, capacity=2, minutes=30, start=11)
    other = slots(official="deputy", centre="riyadh", start=11)
    mine = service.book(
        session, slot_id=here[0].id, visitor_id="v1", petition_id="p1", by="aide", needs_interpreter=signs, now=now
    )
    service.book(session, slot_id=there[2].id, visitor_id="v2", petition_id="p2", by="aide", now=now)
    service.book(
        session, slot_id=other[1].id, visitor_id="v1", petition_id="p3", by="aide", needs_interpreter=True, now=now
    )
    every = [*here, *there, *longer, *audience, *other]
    offered = service.open_slots(
        session, now=now, instead_of=mine, needs_interpreter=signs, visitor_id="v1", urgent=True, limit=200
    )
    assert {slot.id for slot in offered} == accepted(session, mine, every, now)
    assert there[0].id in {slot.id for slot in offered}, "the official is free for it once the old time is given up"
    assert here[0].id not in {slot.id for slot in offered}


def test_who_shares_an_audience_leaves_the_official_busy_there(
    session: Session, slots: AddSlots, now: datetime
) -> None:
    audience = slots(kind="audience", centre=None, capacity=2)
    video = slots()
    mine = service.book(session, slot_id=audience[0].id, visitor_id="v1", petition_id="p1", by="aide", now=now)
    service.book(session, slot_id=audience[0].id, visitor_id="v2", petition_id="p2", by="aide", now=now)
    offered = {slot.id for slot in service.open_slots(session, now=now, instead_of=mine, urgent=True)}
    assert offered == accepted(session, mine, [*audience, *video], now)
    assert video[0].id not in offered


def test_a_hold_that_is_left_gives_its_place_back_at_once(session: Session, slots: AddSlots, now: datetime) -> None:
    (first, *_) = slots()
    held = service.hold(session, slot_id=first.id, visitor_id="v1", petition_id="p1", by="clerk", now=now)
    assert first.id not in {slot.id for slot in service.open_slots(session, now=now)}
    service.let_go(session, held.id, now=now)
    assert first.id in {slot.id for slot in service.open_slots(session, now=now)}
    with pytest.raises(Refused):
        service.confirm(session, held.id, by="clerk", now=now)


def test_what_is_booked_is_not_let_go_by_leaving_a_page(session: Session, slots: AddSlots, now: datetime) -> None:
    (first, *_) = slots()
    booked = service.book(session, slot_id=first.id, visitor_id="v1", petition_id="p1", by="clerk", now=now)
    with pytest.raises(Refused):
        service.let_go(session, booked.id, now=now)
    assert booked.state == "booked" and first.taken == 1
