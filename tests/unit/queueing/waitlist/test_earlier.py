"""An earlier day beside the appointment one has: kept for an answer, given back for it in one step, or nothing done."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import Refused
from core.events import OutboxEvent
from queueing.appointments import calendar
from queueing.appointments import service as appointments
from queueing.appointments.models import Appointment, Slot
from queueing.appointments.states import BOOKED, CANCELLED, EXPIRED, HELD, MOVED
from queueing.waitlist import rules, service
from queueing.waitlist.models import Offer, Waiting
from queueing.waitlist.states import DECLINED, LAPSED, LEFT, OVER, SERVED, WAITING, WITHDRAWN

from .conftest import AddSlots

ZONE = "Asia/Riyadh"


def day(session: Session, on: int, *, now: datetime, hour: int = 10) -> list[Slot]:
    """Three times of an audience on this day of October."""
    return calendar.add_session(
        session, official_id="minister", kind="audience", centre_id=None, place_ar="م", place_en="P",
        day=date(2026, 10, on), start=time(hour), end=time(hour + 1), minutes=20, zone=ZONE, now=now,
    )  # fmt: skip


def book(session: Session, slot: Slot, name: str, now: datetime) -> Appointment:
    return appointments.book(
        session, slot_id=slot.id, visitor_id=f"v-{name}", petition_id=f"p-{name}", by="aide", now=now
    )


def join(session: Session, name: str, now: datetime, **more: object) -> Waiting:
    return service.join(
        session, petition_id=f"p-{name}", visitor_id=f"v-{name}", label=name, by="visitor", zone=ZONE, now=now, **more
    )  # type: ignore[arg-type]


def the_offer(session: Session) -> Offer:
    return session.scalars(select(Offer).order_by(Offer.offered_at.desc(), Offer.id.desc()).limit(1)).one()


@pytest.fixture
def offered(session: Session, now: datetime) -> tuple[Appointment, Offer]:
    """Somebody is booked on the thirtieth, waits, and a time of the twenty-eighth comes free."""
    (slot, *_) = day(session, 30, now=now)
    has = book(session, slot, "a", now)
    join(session, "a", now, for_earlier=True)
    assert not service.sweep(session, now=now), "two times of the same day are no earlier ones"
    day(session, 28, now=now)
    assert service.sweep(session, now=now)
    return has, the_offer(session)


def test_taking_it_gives_the_other_back_in_the_same_step(
    session: Session, now: datetime, offered: tuple[Appointment, Offer]
) -> None:
    has, offer = offered
    assert has.state == BOOKED and offer.appointment.state == HELD and offer.appointment.for_earlier
    assert calendar.current(session, "p-a") is has, "what is kept beside it is no appointment yet"
    taken = service.accept(session, offer.id, by="visitor", now=now)
    assert (taken.state, taken.code, taken.previous_id, taken.for_earlier) == (BOOKED, has.code, has.id, False)
    assert has.state == MOVED and has.slot.taken == 0 and taken.slot.taken == 1
    assert has.reason == appointments.TOOK_EARLIER
    assert service.get(session, offer.waiting_id).state == SERVED
    told = [name.rpartition(".")[2] for name in session.scalars(select(OutboxEvent.name).order_by(OutboxEvent.id))]
    assert told.count("AppointmentRescheduled") == 1 and told.count("AppointmentBooked") == 1


@pytest.mark.parametrize("keep", [True, False])
def test_declining_it_leaves_the_appointment(
    session: Session, now: datetime, offered: tuple[Appointment, Offer], keep: bool
) -> None:
    has, offer = offered
    service.decline(session, offer.id, keep=keep, by="visitor", now=now)
    assert (has.state, offer.state, offer.appointment.state) == (BOOKED, DECLINED, CANCELLED)
    assert service.get(session, offer.waiting_id).state == (WAITING if keep else LEFT)


def test_without_an_answer_the_appointment_stays_and_the_place_goes_on(
    session: Session, now: datetime, offered: tuple[Appointment, Offer]
) -> None:
    has, offer = offered
    late = offer.until
    appointments.expire_holds(session, now=late)
    assert service.sweep(session, now=late)
    assert (has.state, offer.state, offer.appointment.state) == (BOOKED, LAPSED, EXPIRED)
    with pytest.raises(Refused):
        service.accept(session, offer.id, by="visitor", now=late)
    assert has.state == BOOKED and has.slot.taken == 1


def test_an_offer_that_is_earlier_no_more_is_taken_back(
    session: Session, now: datetime, offered: tuple[Appointment, Offer]
) -> None:
    """A desk has moved the appointment before the time that is kept: taking this is refused, and it is withdrawn."""
    has, offer = offered
    (first, *_) = day(session, 27, now=now, hour=15)
    moved = appointments.reschedule(session, has.id, slot_id=first.id, by="aide", now=now)
    with pytest.raises(Refused, match="changed meanwhile"):
        service.accept(session, offer.id, by="visitor", now=now)
    assert moved.state == BOOKED and offer.appointment.state == HELD
    assert service.sweep(session, now=now)
    assert service.get_offer(session, offer.id).state == WITHDRAWN and moved.state == BOOKED


def test_when_the_appointment_is_gone_what_was_kept_is_a_booking_of_its_own(
    session: Session, now: datetime, offered: tuple[Appointment, Offer]
) -> None:
    has, offer = offered
    appointments.cancel(session, has.id, reason="ill", by="visitor", now=now)
    taken = service.accept(session, offer.id, by="visitor", now=now)
    assert (taken.state, taken.previous_id) == (BOOKED, None) and has.state == CANCELLED


def test_waiting_for_an_earlier_one_ends_with_the_appointment(session: Session, now: datetime) -> None:
    (slot, *_) = day(session, 30, now=now)
    has = book(session, slot, "a", now)
    waiting = join(session, "a", now, for_earlier=True)
    appointments.cancel(session, has.id, reason="ill", by="aide", now=now)
    assert service.sweep(session, now=now)
    assert service.get(session, waiting.id).state == OVER


def test_who_has_no_appointment_is_asked_first_however_long_the_other_waits(session: Session, now: datetime) -> None:
    (slot, *_) = day(session, 30, now=now)
    book(session, slot, "has", now)
    join(session, "has", now - timedelta(days=9), for_earlier=True)
    none = join(session, "none", now - timedelta(hours=1), latest=datetime(2026, 10, 29, tzinfo=UTC))
    day(session, 28, now=now)
    assert service.sweep(session, now=now)
    assert the_offer(session).waiting_id == none.id
    assert service.sweep(session, now=now), "and then the other"
    assert the_offer(session).waiting.for_earlier


def test_there_must_be_an_appointment_and_a_day_before_it(session: Session, slots: AddSlots, now: datetime) -> None:
    with pytest.raises(Refused, match="no appointment"):
        join(session, "a", now, for_earlier=True)
    (first, *_) = day(session, 27, now=now, hour=17)
    has = book(session, first, "a", now)
    with pytest.raises(Refused, match="No day is left"):
        join(session, "a", now, for_earlier=True)
    assert has.state == BOOKED and service.of_petition(session, "p-a") is None


NOON = datetime(2026, 10, 28, 9, tzinfo=UTC)
WISH = {"kind": "video", "centre_id": "riyadh", "official_id": "minister", "earliest": NOON, "latest": NOON}


@pytest.mark.parametrize(
    ("change", "keeps"),
    [
        ({}, True), ({"kind": ""}, True), ({"centre_id": None}, True), ({"official_id": None}, True),
        ({"earliest": None, "latest": None}, True), ({"earliest": NOON - timedelta(days=1)}, True),
        ({"latest": NOON + timedelta(days=1)}, True), ({"kind": "", "centre_id": "jeddah"}, False),
        ({"centre_id": "jeddah"}, False), ({"official_id": "deputy"}, False),
        ({"earliest": NOON + timedelta(days=1)}, False), ({"latest": NOON - timedelta(days=1)}, False),
    ],
)  # fmt: skip
def test_a_broader_wish_keeps_the_turn_and_another_begins_anew(change: dict[str, object], keeps: bool) -> None:
    assert rules.keeps_turn(WISH, WISH | change) == keeps
    assert rules.keeps_turn(dict.fromkeys(WISH), WISH | change) is False, "who took any asks for less"


@pytest.mark.parametrize(("centre", "keeps"), [(None, True), ("jeddah", False)])
def test_changed_wishes_count_from_the_first_day_or_from_now(
    session: Session, now: datetime, centre: str | None, keeps: bool
) -> None:
    began = now - timedelta(days=4)
    waiting = join(session, "a", began, kind="video", centre_id="riyadh")
    changed = service.change(
        session, waiting.id, zone=ZONE, now=now, kind="video" if centre else "", centre_id=centre, official_id=None,
        earliest=None, latest=None, needs_interpreter=True, visitor_class="regular",
    )  # fmt: skip
    assert changed.joined_at == (began if keeps else now) and changed.centre_id == centre and changed.needs_interpreter


def test_wishes_do_not_change_under_an_open_offer(
    session: Session, now: datetime, offered: tuple[Appointment, Offer]
) -> None:
    _, offer = offered
    with pytest.raises(Refused, match="offered at present"):
        service.change(
            session, offer.waiting_id, zone=ZONE, now=now, kind="", centre_id=None, official_id=None, earliest=None,
            latest=None, needs_interpreter=False, visitor_class="regular",
        )  # fmt: skip
    assert service.get(session, offer.waiting_id).official_id is None and offer.appointment.state == HELD
