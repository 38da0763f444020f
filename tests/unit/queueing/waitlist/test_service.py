"""A freed place goes to the next whom it fits; an answer in time keeps it, no answer passes it on."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import NotFound, Refused
from core.events import OutboxEvent
from queueing.appointments import calendar
from queueing.appointments import service as appointments
from queueing.appointments.models import Appointment, Claim, Slot
from queueing.appointments.states import BOOKED, CANCELLED, EXPIRED, HELD, LIVE
from queueing.tickets.reasons import Reasons, replay
from queueing.waitlist import rules, service
from queueing.waitlist.models import Offer, Waiting
from queueing.waitlist.states import ACCEPTED, DECLINED, LAPSED, LEFT, OFFERED, OVER, PAUSED, SERVED, WAITING, WITHDRAWN

from .conftest import AddSlots

ZONE = "Asia/Riyadh"


def join(session: Session, name: str, *, now: datetime, days: float = 1, **wishes: object) -> Waiting:
    """Somebody who has been waiting for so many days."""
    return service.join(
        session, petition_id=f"p-{name}", visitor_id=f"v-{name}", label=name, by="aide", zone=ZONE,
        now=now - timedelta(days=days), **wishes,
    )  # fmt: skip


def full(session: Session, slots: AddSlots, now: datetime, **more: object) -> list[Appointment]:
    """A morning in which every place is taken."""
    return [
        appointments.book(
            session, slot_id=slot.id, visitor_id=f"v{n}", petition_id=f"p{n}", by="aide", urgent=True, now=now
        )
        for n, slot in enumerate(slots(**more))
    ]


def run(session: Session, now: datetime) -> int:
    """What the worker does, until there is nothing left to do; how many steps."""
    appointments.expire_holds(session, now=now)
    steps = 0
    while service.sweep(session, now=now):
        steps += 1
        assert steps < 50, "it would never end"
    return steps


def offers(session: Session) -> list[Offer]:
    return list(session.scalars(select(Offer).order_by(Offer.offered_at, Offer.id)))


def said(session: Session) -> list[str]:
    names = session.scalars(select(OutboxEvent.name).order_by(OutboxEvent.id))
    return [name.rpartition(".")[2] for name in names if ".waitlist." in name]


def test_nothing_is_free_and_nobody_is_asked(session: Session, slots: AddSlots, now: datetime) -> None:
    full(session, slots, now)
    join(session, "a", now=now)
    assert run(session, now) == 0 and not offers(session)


def test_a_cancelled_place_is_kept_for_who_waited_longest(session: Session, slots: AddSlots, now: datetime) -> None:
    first = full(session, slots, now)[0]
    join(session, "short", now=now, days=1)
    long = join(session, "long", now=now, days=3)
    appointments.cancel(session, first.id, reason="ill", by="aide", now=now)
    assert run(session, now) == 1
    (offer,) = offers(session)
    assert offer.waiting is long and long.state == OFFERED and offer.slot_id == first.slot_id
    assert offer.appointment.state == HELD and offer.appointment.held_until == offer.until
    assert offer.until == now + timedelta(hours=1), "twenty-two hours ahead"
    reasons = Reasons.from_json(offer.reasons)
    assert replay(reasons) == long.id and [row.label for row in reasons.weighed] == ["long", "short"]
    assert run(session, now + timedelta(minutes=59)) == 0, "one place is offered to one"


def test_yes_makes_it_an_appointment(session: Session, slots: AddSlots, now: datetime) -> None:
    slots()
    waiting = join(session, "a", now=now)
    run(session, now)
    (offer,) = offers(session)
    appointment = service.accept(session, offer.id, by="visitor", now=now + timedelta(minutes=59))
    assert (appointment.state, appointment.booked_by, appointment.petition_id) == (BOOKED, "visitor", "p-a")
    assert (offer.state, waiting.state, service.of_petition(session, "p-a")) == (ACCEPTED, SERVED, None)
    assert said(session) == ["WaitlistJoined", "PlaceOffered", "OfferAccepted", "WaitlistServed"]
    with pytest.raises(Refused, match="taken this time already"):
        service.accept(session, offer.id, by="visitor", now=now)
    with pytest.raises(Refused, match="ended"):
        service.decline(session, offer.id, keep=True, by="visitor", now=now)


def test_no_answer_passes_it_on_and_keeps_the_turn(session: Session, slots: AddSlots, now: datetime) -> None:
    slots(minutes=60)
    first, second = join(session, "first", now=now, days=2), join(session, "second", now=now, days=1)
    run(session, now)
    late = now + timedelta(hours=1)
    run(session, late)
    one, two = offers(session)
    assert (one.state, one.waiting, first.state, first.unanswered) == (LAPSED, first, WAITING, 1)
    assert (two.waiting, two.slot_id) == (second, one.slot_id)
    with pytest.raises(Refused, match="gone to the next"):
        service.accept(session, one.id, by="visitor", now=late)
    service.decline(session, two.id, keep=True, by="visitor", now=late)
    assert run(session, late) == 0, "neither is asked for this time again"
    assert session.get_one(Slot, one.slot_id).taken == 0 and not session.scalars(select(Claim)).all()


def test_the_hold_itself_ends_even_if_no_sweep_comes(session: Session, slots: AddSlots, now: datetime) -> None:
    (slot,) = slots(minutes=60)
    join(session, "a", now=now)
    run(session, now)
    (offer,) = offers(session)
    late = offer.until
    with pytest.raises(Refused, match="ended"):
        service.accept(session, offer.id, by="visitor", now=late)
    other = appointments.book(session, slot_id=slot.id, visitor_id="v", petition_id="p", by="aide", now=late)
    assert (other.state, offer.appointment.state) == (BOOKED, EXPIRED)
    run(session, late)
    assert offer.state == LAPSED


def test_no_keeps_the_turn_or_leaves_as_asked(session: Session, slots: AddSlots, now: datetime) -> None:
    slots(minutes=30)
    stays, goes = join(session, "stays", now=now, days=2), join(session, "goes", now=now, days=1)
    run(session, now)
    mine, other = offers(session)
    assert service.decline(session, mine.id, keep=True, by="visitor", now=now).state == WAITING
    assert service.decline(session, other.id, keep=False, by="visitor", now=now).state == LEFT
    assert (mine.state, other.state) == (DECLINED, DECLINED) and mine.appointment.state == CANCELLED
    run(session, now)
    again = [offer for offer in offers(session) if offer.state == "open"]
    assert [(offer.waiting, offer.slot_id) for offer in again] == [(stays, other.slot_id)], "another time, not this one"
    assert goes.reason and stays.joined_at == now - timedelta(days=2)


def test_after_three_without_an_answer_somebody_calls(session: Session, slots: AddSlots, now: datetime) -> None:
    for start in (10, 12, 14):
        slots(start=start, minutes=60)
    waiting = join(session, "a", now=now)
    at = now
    for _ in range(rules.MOST_UNANSWERED):
        run(session, at)
        at += timedelta(hours=2)
    run(session, at)
    assert waiting.state == PAUSED and [offer.state for offer in offers(session)] == [LAPSED] * 3
    slots(start=16)
    assert run(session, at) == 0
    service.resume(session, waiting.id, now=at)
    assert run(session, at) == 1 and waiting.unanswered == 0
    assert said(session)[-2:] == ["WaitlistResumed", "PlaceOffered"]


def test_who_signs_is_asked_only_when_an_interpreter_is_free(
    session: Session, slots: AddSlots, now: datetime, interpreters: list[str]
) -> None:
    slots(minutes=60)
    slots(centre="jeddah", official="deputy", minutes=60)
    slots(centre="abha", official="judge", minutes=60)
    for name, centre in (("a", "riyadh"), ("b", "jeddah"), ("c", "abha")):
        join(session, name, now=now, needs_interpreter=True, kind="video", centre_id=centre)
    run(session, now)
    assert len(offers(session)) == 2, "two interpreters"
    assert {offer.appointment.interpreter_id for offer in offers(session)} == set(interpreters)


def test_whoever_cannot_come_then_is_passed_over_and_the_record_says_so(
    session: Session, slots: AddSlots, now: datetime
) -> None:
    elsewhere, _, _ = slots()
    appointments.book(session, slot_id=elsewhere.id, visitor_id="v-a", petition_id="other", by="aide", now=now)
    (slot,) = slots(centre="jeddah", official="deputy", minutes=60)
    busy = join(session, "a", now=now, days=3, kind="video", centre_id="jeddah")
    free = join(session, "b", now=now, days=1, kind="video", centre_id="jeddah")
    run(session, now)
    (offer,) = offers(session)
    assert (offer.waiting, offer.slot_id, busy.state) == (free, slot.id, WAITING)
    assert [(row.label, row.why) for row in Reasons.from_json(offer.reasons).passed_over] == [("a", rules.BUSY)]


def test_a_desk_that_is_talking_with_them_is_not_disturbed(session: Session, slots: AddSlots, now: datetime) -> None:
    one, *_ = slots()
    waiting = join(session, "a", now=now)
    held = appointments.hold(session, slot_id=one.id, visitor_id="v-a", petition_id="p-a", by="aide", now=now)
    assert run(session, now) == 0 and held.state == HELD
    appointments.confirm(session, held.id, by="aide", now=now)
    service.serve(session, "p-a", now=now)
    assert waiting.state == SERVED and run(session, now) == 0


def test_an_appointment_by_hand_lets_the_offer_go(session: Session, slots: AddSlots, now: datetime) -> None:
    one, _, three = slots()
    waiting = join(session, "a", now=now)
    run(session, now)
    (offer,) = offers(session)
    booked = appointments.book(session, slot_id=three.id, visitor_id="v-a", petition_id="p-a", by="aide", now=now)
    assert offer.appointment.state == EXPIRED
    run(session, now)
    assert (offer.state, booked.state) == (WITHDRAWN, BOOKED)
    service.serve(session, "p-a", now=now)
    assert waiting.state == SERVED and session.get_one(Slot, one.id).taken == 0
    assert run(session, now) == 0


def test_who_waits_no_longer_has_nothing_kept(session: Session, slots: AddSlots, now: datetime) -> None:
    slots()
    waiting = join(session, "a", now=now)
    run(session, now)
    (offer,) = offers(session)
    service.serve(session, "p-a", now=now)
    assert (waiting.state, offer.state, offer.appointment.state) == (SERVED, WITHDRAWN, EXPIRED)
    assert offer.slot.taken == 0 and session.scalars(select(Claim)).all() == []


def test_a_desk_that_confirms_what_was_kept_answers_the_offer(session: Session, slots: AddSlots, now: datetime) -> None:
    slots()
    waiting = join(session, "a", now=now)
    run(session, now)
    (offer,) = offers(session)
    appointments.confirm(session, offer.appointment_id, by="aide", now=now)
    assert run(session, now) == 1
    assert (offer.state, waiting.state, offer.appointment.state) == (ACCEPTED, SERVED, BOOKED)


def test_leaving_gives_the_kept_place_to_the_next(session: Session, slots: AddSlots, now: datetime) -> None:
    slots(minutes=60)
    first, second = join(session, "a", now=now, days=2), join(session, "b", now=now)
    run(session, now)
    service.leave(session, first.id, reason="settled", by="aide", now=now)
    run(session, now)
    one, two = offers(session)
    assert (one.state, first.state, first.reason) == (WITHDRAWN, LEFT, "settled")
    assert two.waiting is second and two.state == "open"
    with pytest.raises(Refused):
        service.leave(session, first.id, reason="again", by="aide", now=now)


def test_leaving_when_the_hold_is_over_already(session: Session, slots: AddSlots, now: datetime) -> None:
    slots(minutes=60)
    waiting = join(session, "a", now=now)
    run(session, now)
    appointments.expire_holds(session, now=now + timedelta(hours=2))
    assert service.leave(session, waiting.id, reason="x", by="aide", now=now + timedelta(hours=2)).state == LEFT


def test_a_time_that_is_closed_is_taken_back_from_who_was_asked(
    session: Session, slots: AddSlots, now: datetime
) -> None:
    (slot,) = slots(minutes=60)
    waiting = join(session, "a", now=now)
    run(session, now)
    (offer,) = offers(session)
    calendar.close_slot(session, slot.id, now=now)
    with pytest.raises(Refused, match="ended"):
        service.accept(session, offer.id, by="visitor", now=now)
    assert run(session, now) == 1
    assert (offer.state, waiting.state, waiting.unanswered, slot.taken) == (WITHDRAWN, WAITING, 0, 0)
    assert said(session)[-1] == "OfferWithdrawn"


def test_the_last_day_comes_and_says_so_once(session: Session, slots: AddSlots, now: datetime) -> None:
    waiting = join(session, "a", now=now, latest=now + timedelta(hours=3))
    assert run(session, now) == 0
    assert run(session, now + timedelta(hours=1)) == 1
    assert waiting.state == OVER and said(session)[-1] == "WaitlistOver"
    assert run(session, now + timedelta(hours=9)) == 0


def test_the_urgent_first_and_only_they_get_the_reserve(session: Session, slots: AddSlots, now: datetime) -> None:
    early = now - timedelta(days=2)
    slots(minutes=60, reserved_urgent=1)
    normal = join(session, "long", now=now, days=30)
    assert run(session, early) == 0
    urgent = join(session, "new", now=now, days=3)
    service.set_urgent(session, "p-new", urgent=True, now=now)
    session.expire_all()
    run(session, early)
    assert [offer.waiting for offer in offers(session)] == [urgent] and normal.state == WAITING


def test_a_petition_waits_once_and_not_beside_an_appointment(session: Session, slots: AddSlots, now: datetime) -> None:
    (slot, *_) = slots()
    join(session, "a", now=now)
    with pytest.raises(Refused, match="already"):
        join(session, "a", now=now)
    appointments.book(session, slot_id=slot.id, visitor_id="v-b", petition_id="p-b", by="aide", now=now)
    with pytest.raises(Refused, match="appointment already"):
        join(session, "b", now=now)
    assert len(session.scalars(select(Waiting)).all()) == 1


def test_unknown_offers_and_places_in_line(session: Session, now: datetime) -> None:
    for verb in (service.accept, service.settle):
        with pytest.raises(NotFound):
            verb(session, "nothing", now=now, **({"by": "x"} if verb is service.accept else {}))
    with pytest.raises(NotFound):
        service.leave(session, "nothing", reason="x", by="x", now=now)
    assert service.offer_next(session, "nothing", now=now) is None


def test_many_places_go_to_many_in_their_turn(session: Session, slots: AddSlots, now: datetime) -> None:
    slots(minutes=10)
    names = [f"n{n}" for n in range(8)]
    for n, name in enumerate(names):
        join(session, name, now=now, days=10 - n)
    run(session, now)
    made = sorted(offers(session), key=lambda offer: offer.slot.starts_at)
    assert [offer.waiting.label for offer in made] == names[:6], "the longest wait has the first time"
    live = session.scalars(select(Appointment).where(Appointment.state.in_(LIVE))).all()
    assert len({row.slot_id for row in live}) == len(live) == 6
