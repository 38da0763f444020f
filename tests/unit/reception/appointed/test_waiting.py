"""From a case to the waitlist and back: what is known of it, what ends it, what is told, and answers by text."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.audit import AuditEntry
from core.errors import NotFound, Refused
from core.events import emit
from messaging.models import Message
from messaging.templates import TEMPLATES
from queueing.appointments import calendar
from queueing.appointments import service as appointments
from queueing.appointments.events import AppointmentBooked
from queueing.appointments.models import Appointment
from queueing.appointments.states import BOOKED, HELD
from queueing.tickets.rules import DEAF, REGULAR
from queueing.waitlist import service as waitlist
from queueing.waitlist.models import Offer, Waiting
from queueing.waitlist.states import LEFT, OFFERED, PAUSED, SERVED, WAITING
from reception.appointed import links, replies, rules, waiting
from reception.appointed import service as appointed
from reception.appointed.models import AppointmentWord
from reception.petitions.events import PetitionClosed, UrgentAgreed
from reception.petitions.models import Petition
from reception.visitors.models import Visitor

from .conftest import SETTINGS, ZONE
from .reacting import react, said_at

ME, OTHER = ("visitor",), ("stranger", "neighbour")
Offered = Callable[[], Offer]


def join(session: Session, now: datetime, **wishes: object) -> Waiting:
    petition = session.get_one(Petition, "petition")
    return waiting.join(session, petition, by="aide", zone=ZONE, now=now, **wishes)  # type: ignore[arg-type]


@pytest.fixture
def offered(session: Session, slots: list[str], now: datetime) -> Offer:
    """The first time of the morning is kept for the visitor, and the texts are written."""
    join(session, now)
    assert waitlist.sweep(session, now=now)
    react(session, now=now, settings=SETTINGS)
    return session.scalars(select(Offer)).one()


def text(session: Session, template: str) -> Message:
    return session.scalars(select(Message).where(Message.template == template)).one()


def token(session: Session) -> str:
    """A link of the offer."""
    offer = session.scalars(select(Offer)).one()
    return links.make(session, offer.appointment_id, now=offer.offered_at)


def test_what_the_case_knows_need_not_be_said(session: Session, slots: list[str], now: datetime) -> None:
    petition = session.get_one(Petition, "petition")
    assert waiting.class_of(session, petition) == REGULAR
    session.get_one(Visitor, "visitor").sign_language = True
    petition.urgency = "urgent"
    row = join(session, now)
    assert (row.visitor_class, row.needs_interpreter, row.urgent, row.label) == (DEAF, True, True, "48-000123")
    noted = session.scalars(select(AuditEntry).where(AuditEntry.action == "join waitlist")).one()
    assert noted.subject_id == "petition"


def test_a_settled_case_waits_for_nothing(session: Session, slots: list[str], now: datetime) -> None:
    session.get_one(Petition, "petition").state = "closed"
    with pytest.raises(Refused, match="settled"):
        join(session, now)


def test_an_offer_says_when_where_and_until_when(session: Session, offered: Offer) -> None:
    body = text(session, "waitlist_offer").body
    assert said_at(body, "ar") == (date(2026, 10, 29), 10, 0)
    assert "مركز الرياض، طريق الملك فهد" in body and "«نعم»" in body and "«لا»" in body
    assert offered.until == offered.offered_at + timedelta(hours=2)
    assert text(session, "waitlist_offer").expires_at == offered.until, "later it would be no offer"
    assert "الثلاثاء ٢٧ أكتوبر، ٢:٠٠ ظهرًا" in body
    assert {m.template for m in session.scalars(select(Message))} == {
        "waitlist_joined", "waitlist_offer", "waitlist_link"
    }  # fmt: skip
    assert all(TEMPLATES[name].sample(lang).count <= 4 for name in ("waitlist_offer",) for lang in ("ar", "en"))


def test_an_offer_in_english(session: Session, slots: list[str], now: datetime) -> None:
    session.get_one(Visitor, "visitor").language = "en"
    join(session, now)
    waitlist.sweep(session, now=now)
    react(session, now=now, settings=SETTINGS)
    body = text(session, "waitlist_offer").body
    assert said_at(body, "en") == (date(2026, 10, 29), 10, 0) and "Tuesday 27 October, 2:00 pm" in body


def test_an_offer_that_has_ended_is_not_sent_any_more(session: Session, slots: list[str], now: datetime) -> None:
    join(session, now)
    waitlist.sweep(session, now=now)
    react(session, now=now + timedelta(hours=3), settings=SETTINGS)
    sent = set(session.scalars(select(Message.template)))
    assert sent == {"waitlist_joined"}, "the worker stood still for hours"


def test_the_link_takes_the_time_and_stays_good(session: Session, offered: Offer, now: datetime) -> None:
    link = token(session)
    opened = links.open_(session, link, now=now)
    assert opened.standing == rules.OFFERED and opened.offer is offered
    appointed.accept(session, link, now=now)
    assert links.open_(session, link, now=now).standing == rules.OPEN
    assert offered.appointment.booked_by == rules.BY_VISITOR
    assert react(session, now=now, settings=SETTINGS) == ["appointment_video", "appointment_link"]
    with pytest.raises(Refused):
        appointed.accept(session, link, now=now)
    appointed.come(session, link, now=now)
    assert appointed.expected(session, [offered.appointment_id])


@pytest.mark.parametrize("keep", [True, False])
def test_the_link_declines_once(session: Session, offered: Offer, now: datetime, keep: bool) -> None:
    link = token(session)
    appointed.decline(session, link, keep=keep, now=now)
    assert offered.waiting.state == (WAITING if keep else LEFT)
    assert links.open_(session, link, now=now).standing == rules.DECLINED
    for act in (
        lambda: appointed.decline(session, link, keep=True, now=now),
        lambda: appointed.accept(session, link, now=now),
        lambda: appointed.cancel(session, link, reason="ill", now=now),
        lambda: appointed.come(session, link, now=now),
    ):
        with pytest.raises(Refused):
            act()
    assert react(session, now=now, settings=SETTINGS) == [], "they have just said so themselves"


def test_no_answer_is_told_and_the_link_says_so(session: Session, offered: Offer, now: datetime) -> None:
    link, late = token(session), now + timedelta(hours=2)
    assert links.open_(session, link, now=late).standing == rules.OFFER_OVER, "whether or not a sweep has come by"
    appointments.expire_holds(session, now=late)
    waitlist.settle(session, offered.id, now=late)
    assert react(session, now=late, settings=SETTINGS) == ["waitlist_passed"]
    assert links.open_(session, link, now=late).standing == rules.OFFER_OVER


def test_after_the_third_the_text_asks_for_a_call_and_the_link_asks_again(
    session: Session, offered: Offer, now: datetime
) -> None:
    link, late = token(session), now + timedelta(hours=2)
    offered.waiting.unanswered = 2
    appointments.expire_holds(session, now=late)
    waitlist.settle(session, offered.id, now=late)
    assert offered.waiting.state == PAUSED
    assert react(session, now=late, settings=SETTINGS) == ["waitlist_paused"]
    for _ in range(2):
        appointed.ask_again(session, link, now=late)
    assert offered.waiting.state == WAITING


def test_a_time_taken_back_is_told(session: Session, offered: Offer, now: datetime) -> None:
    calendar.close_slot(session, offered.slot_id, now=now)
    link = token(session)
    assert links.open_(session, link, now=now).standing == rules.OFFER_OVER
    with pytest.raises(Refused):
        appointed.accept(session, link, now=now)
    waitlist.sweep(session, now=now)
    assert react(session, now=now, settings=SETTINGS) == ["waitlist_withdrawn"]
    assert links.open_(session, link, now=now).standing == rules.OFFER_OVER


def test_an_appointment_by_hand_ends_the_waiting(session: Session, slots: list[str], now: datetime) -> None:
    row = join(session, now)
    appointments.book(session, slot_id=slots[0], visitor_id="visitor", petition_id="petition", by="aide", now=now)
    react(session, now=now, settings=SETTINGS)
    assert row.state == SERVED


def test_urgency_agreed_to_counts_at_once(session: Session, slots: list[str], now: datetime) -> None:
    row = join(session, now)
    emit(session, UrgentAgreed("petition", "visitor", ""), now=now)
    react(session, now=now, settings=SETTINGS)
    session.expire_all()
    assert row.urgent


def test_a_booking_that_is_told_late_leaves_who_has_lost_it_on_the_list(
    session: Session, slots: list[str], now: datetime
) -> None:
    row = join(session, now)
    ids = {"visitor_id": "visitor", "petition_id": "petition"}
    booked = appointments.book(session, slot_id=slots[0], by="aide", now=now, **ids)
    event = AppointmentBooked(appointment_id=booked.id, slot_id=slots[0], **ids)
    appointments.cancel(session, booked.id, reason="ill", by="aide", now=now)
    waiting.serve_waitlist(session, event, now=now, settings=SETTINGS)
    assert row.state == WAITING, "cancelled meanwhile"
    assert waitlist.sweep(session, now=now)
    offer = session.scalars(select(Offer)).one()
    waiting.serve_waitlist(session, event, now=now, settings=SETTINGS)
    assert (row.state, offer.state, offer.appointment.state) == (OFFERED, "open", HELD), "and offered another time"
    taken = replies.accept(session, ME, offer.id, now=now)
    waiting.serve_waitlist(session, event, now=now, settings=SETTINGS)
    assert (taken.state, row.state) == (BOOKED, SERVED)


def test_a_closed_case_gives_its_kept_place_back(session: Session, offered: Offer, now: datetime) -> None:
    event = PetitionClosed(petition_id="petition", visitor_id="visitor", department_id="", reason="done")
    for _ in range(2):
        waiting.leave_waitlist(session, event, now=now, settings=SETTINGS)
    assert offered.waiting.state == LEFT and offered.slot.taken == 0


def test_the_line_says_why(session: Session, slots: list[str], now: datetime) -> None:
    row = join(session, now)
    (only,) = waiting.line(session, now=now + timedelta(hours=1))
    assert (only.place, only.waiting, only.because) == (1, row, None) and only.weighed.waited == 60
    assert waiting.place_of(session, row, now=now) == (1, 1)
    assert waiting.line(session, centre_id="jeddah", now=now), "any centre will do for it"


# Answers by text: `replies` is what the inbound commands call.


def test_a_number_finds_what_is_before_it(session: Session, offered: Offer, now: datetime) -> None:
    found = replies.standing(session, ME, now=now)
    assert found.only_offer is offered and found.only_appointment is None
    assert replies.standing(session, ME, now=offered.until).offers == ()
    assert replies.standing(session, OTHER, now=now) == replies.Standing((), ())
    replies.accept(session, ME, offered.id, now=now)
    found = replies.standing(session, ME, now=now)
    assert found.offers == () and found.only_appointment is offered.appointment


def test_yes_and_no_by_text(session: Session, offered: Offer, now: datetime) -> None:
    assert replies.decline(session, ME, offered.id, now=now).state == WAITING
    with pytest.raises(Refused, match="ended"):
        replies.accept(session, ME, offered.id, now=now)
    waitlist.sweep(session, now=now)
    again = session.scalars(select(Offer).where(Offer.state == "open")).one()
    assert replies.accept(session, ME, again.id, now=now).state == BOOKED
    with pytest.raises(Refused, match="already"):
        replies.accept(session, ME, again.id, now=now)


def test_coming_cancelling_and_the_link_by_text(session: Session, slots: list[str], now: datetime) -> None:
    booked = appointments.book(
        session, slot_id=slots[0], visitor_id="visitor", petition_id="petition", by="aide", now=now
    )
    react(session, now=now, settings=SETTINGS)
    for _ in range(2):
        replies.come(session, ME, booked.id, now=now)
        replies.send_link(session, ME, booked.id, now=now, settings=SETTINGS)
    assert len(session.scalars(select(AppointmentWord)).all()) == 1
    sent = session.scalars(select(Message).where(Message.template == "appointment_link")).all()
    assert len(sent) == 2, "that of the booking, and one for both askings within a minute"
    assert replies.by_code(session, ME, booked.code.upper(), now=now) is booked
    assert replies.cancel(session, ME, booked.id, now=now).reason == replies.CANCELLED_BY_TEXT
    assert react(session, now=now, settings=SETTINGS) == ["appointment_cancelled"]
    for verb in (replies.come, replies.cancel):
        with pytest.raises(Refused, match="cancelled"):
            verb(session, ME, booked.id, now=now)


def test_somebody_elses_is_as_if_it_did_not_exist(session: Session, offered: Offer, now: datetime) -> None:
    replies.accept(session, ME, offered.id, now=now)
    booked = session.get_one(Appointment, offered.appointment_id)
    for verb in (replies.come, replies.cancel):
        with pytest.raises(NotFound, match="no appointment ahead"):
            verb(session, OTHER, booked.id, now=now)
    for code in (booked.code, "nothing", ""):
        with pytest.raises(NotFound, match="no appointment ahead"):
            replies.by_code(session, OTHER, code, now=now)
    for answer in (replies.accept, replies.decline):
        for offer_id in (offered.id, "none"):
            with pytest.raises(NotFound, match="no time kept"):
                answer(session, OTHER, offer_id, now=now)
    assert booked.state == BOOKED and offered.waiting.state == SERVED


def test_after_the_time_a_text_changes_nothing(session: Session, slots: list[str], now: datetime) -> None:
    booked = appointments.book(
        session, slot_id=slots[0], visitor_id="visitor", petition_id="petition", by="aide", now=now
    )
    late = booked.slot.starts_at
    for verb in (replies.come, replies.cancel):
        with pytest.raises(Refused, match="passed"):
            verb(session, ME, booked.id, now=late)
    assert booked.state == BOOKED and session.scalar(select(AppointmentWord)) is None


def test_a_hold_at_a_desk_is_nothing_to_answer_to(session: Session, slots: list[str], now: datetime) -> None:
    held = appointments.hold(
        session, slot_id=slots[0], visitor_id="visitor", petition_id="petition", by="aide", now=now
    )
    assert replies.standing(session, ME, now=now) == replies.Standing((), ())
    with pytest.raises(Refused):
        replies.cancel(session, ME, held.id, now=now)
    assert held.state == HELD and held.state != OFFERED


def test_whom_the_offer_asks_may_answer_it(session: Session, slots: list[str], agent: Visitor, now: datetime) -> None:
    """The agent who alone is told has the question and the link, and is heard; while the power lasts."""
    join(session, now)
    waitlist.sweep(session, now=now)
    react(session, now=now, settings=SETTINGS)
    assert set(session.scalars(select(Message.to_number))) == {agent.phone}
    (offer,) = replies.standing(session, [agent.id], now=now).offers
    ended = replies.standing(session, [agent.id], now=now + timedelta(days=90))
    assert ended == replies.Standing((), ())
    booked = replies.accept(session, [agent.id], offer.id, now=now)
    assert replies.standing(session, [agent.id], now=now).appointments == (booked,)
    before = len(session.scalars(select(Message)).all())
    replies.send_link(session, [agent.id], booked.id, now=now, settings=SETTINGS)
    asked = session.scalars(select(Message).order_by(Message.id)).all()[before:]
    assert [(row.template, row.to_number) for row in asked] == [("appointment_link", agent.phone)]
    assert replies.cancel(session, [agent.id], booked.id, now=now).state == "cancelled"
