"""From a text to what it does: to whom it may do it, what it answers, and what it leaves alone."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.audit import AuditEntry
from messaging.events import MessageFailed
from messaging.inbound import rules as understand
from messaging.inbound.models import InboundAnswer
from messaging.models import InboundText, Message
from messaging.numbers import service as numbers
from queueing.appointments import calendar
from queueing.appointments import service as appointments
from queueing.appointments.models import Appointment
from queueing.appointments.states import BOOKED, CANCELLED
from queueing.waitlist import service as waitlist
from queueing.waitlist.models import Offer
from queueing.waitlist.states import ACCEPTED, DECLINED, OPEN
from reception.answers import rules
from reception.answers.failed import call_after_failed_text
from reception.appointed import waiting
from reception.appointed.models import AppointmentWord
from reception.centres.models import Centre
from reception.hotline.models import CallBack
from reception.petitions import states
from reception.petitions.models import Petition
from reception.visitors.models import Visitor
from tests.unit.reception.answers.conftest import NUMBER, Phone
from tests.unit.reception.appointed.conftest import AGENT_NUMBER, SETTINGS, ZONE
from tests.unit.reception.appointed.reacting import react


@pytest.fixture
def booked(session: Session, slots: list[str], now: datetime) -> Appointment:
    return appointments.book(
        session, slot_id=slots[0], visitor_id="visitor", petition_id="petition", by="aide", now=now
    )


# ── who may be told ──

PERSONAL = ("حالة ٤٨-٠٠٠١٢٣", "حالة", "تأكيد", "إلغاء", "تغيير", "نعم", "لا", "موافق", "رفض", "48-000123")


@pytest.mark.parametrize("text", PERSONAL)
def test_an_unverified_number_is_told_nothing_and_changes_nothing(
    phone: Phone, booked: Appointment, session: Session, text: str
) -> None:
    """The number stands in the visitor's record; that alone is no proof, for a sender can be forged."""
    assert phone.says(text) == rules.UNVERIFIED
    assert phone.got == ["reply_verify"] and "48-000123" not in phone.last
    assert booked.state == BOOKED and session.get(AppointmentWord, booked.id) is None


@pytest.mark.parametrize("text", PERSONAL)
def test_a_number_that_left_the_record_opens_it_no_more(verified: Phone, session: Session, text: str) -> None:
    session.get_one(Visitor, "visitor").phone = "+966500000000"
    assert verified.says(text) == rules.UNVERIFIED


def test_a_case_of_somebody_else_is_as_if_there_were_none(verified: Phone, session: Session, now: datetime) -> None:
    session.add(
        Visitor(id="other", identity_number="1000000016", name="ناصر", name_search="ناصر", phone="+966500000002",
                language="ar", created_at=now)
    )  # fmt: skip
    session.flush()
    session.get_one(Petition, "petition").visitor_id = "other"
    session.flush()
    theirs = (verified.says("حالة 48-000123"), verified.last)
    none = (verified.says("حالة 48-999999"), verified.last)
    assert theirs == none and theirs[0] == rules.NO_CASE


# ── what commands do ──


def test_status_in_either_script_and_language(verified: Phone, session: Session) -> None:
    assert verified.says("حالة ٤٨-٠٠٠١٢٣") == rules.STATUS
    assert verified.last == (
        "طلبكم \u200e48-000123: وصلنا وهو قيد الإحالة. التفاصيل: https://majlis.example/p/k7m2x9qd4w"
    )
    session.get_one(Visitor, "visitor").language = "en"
    assert verified.says("48-000123") == rules.STATUS
    assert verified.last.startswith("Your petition 48-000123: received")
    read = session.scalars(select(AuditEntry).where(AuditEntry.action == "read")).all()
    assert {entry.detail["at"] for entry in read} == {"text message"}


def test_every_state_of_a_petition_has_words_for_a_text() -> None:
    assert set(rules.STATUS_WORDS) >= set(states.PETITION.states)


def test_confirming_is_kept_and_said_with_day_and_time(verified: Phone, booked: Appointment, session: Session) -> None:
    assert verified.says("تاكيد") == rules.CONFIRMED
    assert session.get(AppointmentWord, booked.id) is not None
    assert "الخميس ١٨ جمادى الأولى ١٤٤٨هـ (٢٩ أكتوبر ٢٠٢٦م) ١٠:٠٠ صباحًا" in verified.last


def test_cancelling_is_asked_twice(verified: Phone, booked: Appointment) -> None:
    assert verified.says("إلغاء") == rules.ASKED_CANCEL
    assert booked.state == BOOKED and verified.got == ["reply_cancel_sure"]
    assert verified.says("نعم") == rules.CANCELLED
    assert booked.state == CANCELLED


def test_no_keeps_the_appointment(verified: Phone, booked: Appointment) -> None:
    verified.says("cancel")
    assert verified.says("لا") == rules.KEPT
    assert booked.state == BOOKED and verified.got[-1] == "reply_kept"
    assert verified.says("نعم") == rules.CONFIRMED  # nothing is being asked any more


def test_a_question_that_was_left_is_forgotten(verified: Phone, booked: Appointment) -> None:
    verified.says("إلغاء")
    assert verified.says("نعم", after=understand.DIALOGUE) == rules.CONFIRMED
    assert booked.state == BOOKED


def test_another_command_in_between_is_obeyed_and_ends_the_question(verified: Phone, booked: Appointment) -> None:
    verified.says("إلغاء")
    assert verified.says("حالة") == rules.STATUS
    verified.says("نعم")
    assert booked.state == BOOKED


def test_moving_sends_the_link(verified: Phone, booked: Appointment, session: Session) -> None:
    assert verified.says("تغيير الموعد") == rules.LINK
    assert verified.got == [] and session.scalar(select(Message.template)) == "appointment_link"


@pytest.mark.parametrize("text", ["تأكيد", "إلغاء", "تغيير"])
def test_without_an_appointment_that_is_said(verified: Phone, text: str) -> None:
    assert verified.says(text) == rules.NO_APPOINTMENT


@pytest.mark.parametrize("text", ["قبول", "رفض"])
def test_without_an_offer_that_is_said(verified: Phone, text: str) -> None:
    assert verified.says(text) == rules.NO_OFFER


def offered(
    session: Session, slot_id: str, now: datetime, *, out: bool = True, joins: bool = True, **who: str
) -> Offer:
    """A time offered to who waits; `out`: its text is on the phone since half an hour."""
    person = {"petition_id": "petition", "visitor_id": "visitor", "label": "48-000123"} | who
    if joins:
        waitlist.join(session, **person, by="aide", zone=ZONE, now=now)  # type: ignore[arg-type]
    offer = waitlist.offer_next(session, slot_id, now=now)
    assert offer is not None and offer.waiting.petition_id == person["petition_id"]
    react(session, now=now, settings=SETTINGS)
    if out:
        leave(session, offer, now - timedelta(minutes=30))
    return offer


def leave(session: Session, offer: Offer, at: datetime) -> None:
    """The text of this offer leaves."""
    told = Message.key.in_([f"waitlist_offer:{offer.id}", f"waitlist_earlier:{offer.id}"])
    session.execute(update(Message).where(told).values(sent_at=at, state="sent"))


@pytest.mark.parametrize(
    ("text", "state"), [("نعم", ACCEPTED), ("accept", ACCEPTED), ("لا", DECLINED), ("رفض", DECLINED)]
)
def test_an_offer_is_taken_or_left_by_a_word(
    verified: Phone, session: Session, slots: list[str], now: datetime, text: str, state: str
) -> None:
    offer = offered(session, slots[1], now)
    verified.says(text)
    session.refresh(offer)
    assert offer.state == state
    assert verified.says(text) in (rules.NO_OFFER, rules.CONFIRMED, rules.ASKED_CANCEL, rules.NO_APPOINTMENT)


@pytest.fixture
def earlier(session: Session, booked: Appointment, now: datetime) -> str:
    """A visitor with an appointment waits for an earlier day; the slot of that day."""
    waiting.wait_for_earlier(session, session.get_one(Petition, "petition"), by="visitor", zone=ZONE, now=now)
    (slot, *_) = calendar.add_session(
        session, official_id="minister", kind="video", centre_id="riyadh", place_ar="م", place_en="P",
        day=date(2026, 10, 28), start=time(16), end=time(17), minutes=30, zone=ZONE, now=now,
    )  # fmt: skip
    return slot.id


@pytest.mark.parametrize("text", ["نعم", "لا"])
def test_an_answer_that_may_have_meant_an_offer_cancels_nothing(
    verified: Phone, booked: Appointment, session: Session, earlier: str, text: str
) -> None:
    """“Cancel?” was asked, then an earlier day was offered: YES and NO are said to nobody knows which."""
    assert verified.says("إلغاء") == rules.ASKED_CANCEL
    offer = offered(session, earlier, verified.now, out=False, joins=False)
    leave(session, offer, verified.now + timedelta(seconds=5))
    for _ in range(2):
        assert verified.says(text) == rules.ASKED_EITHER
    assert (booked.state, offer.state) == (BOOKED, OPEN) and "«قبول»" in verified.last and "«إلغاء»" in verified.last
    assert verified.says("قبول", after=timedelta(minutes=2)) == rules.ACCEPTED
    assert offer.appointment.state == BOOKED


def test_after_both_were_named_who_means_it_can_still_cancel(
    verified: Phone, booked: Appointment, session: Session, earlier: str
) -> None:
    verified.says("إلغاء")
    leave(session, offered(session, earlier, verified.now, out=False, joins=False), verified.now)
    assert verified.says("نعم") == rules.ASKED_EITHER
    assert verified.says("إلغاء", after=timedelta(minutes=2)) == rules.ASKED_CANCEL
    assert verified.says("نعم") == rules.CANCELLED and booked.state == CANCELLED


def test_an_offer_that_ended_while_cancelling_was_asked_is_not_named(
    verified: Phone, booked: Appointment, session: Session, earlier: str
) -> None:
    verified.says("إلغاء")
    offer = offered(session, earlier, verified.now, out=False, joins=False)
    leave(session, offer, verified.now)
    waitlist.decline(session, offer.id, keep=False, by="visitor", now=verified.now)
    assert verified.says("نعم", after=timedelta(minutes=2)) == rules.ASKED_CANCEL and booked.state == BOOKED
    assert verified.says("نعم") == rules.CANCELLED


@pytest.mark.parametrize(("state", "asked"), [("sending", 2), ("temporary", 1), ("unknown", 1), ("created", 0)])
def test_a_text_that_may_have_left_counts_and_one_that_has_not_does_not(
    verified: Phone, booked: Appointment, session: Session, earlier: str, state: str, asked: int
) -> None:
    """What no gateway owned to holds a cancellation up once; a text that is kept back never does."""
    verified.says("إلغاء")
    offered(session, earlier, verified.now, out=False, joins=False)
    session.execute(update(Message).where(Message.template == "waitlist_earlier").values(state=state))
    for _ in range(asked):
        assert verified.says("نعم", after=timedelta(minutes=2)) == rules.ASKED_EITHER
        assert verified.says("إلغاء") == rules.ASKED_CANCEL
    said = verified.says("نعم", after=timedelta(minutes=2))
    assert said == (rules.ASKED_EITHER if state == "sending" else rules.CANCELLED)


def another(session: Session, now: datetime) -> dict[str, str]:
    """A second member of the family, with the same phone and a petition of their own."""
    petition = session.get_one(Petition, "petition")
    values = {column.name: getattr(petition, column.name) for column in Petition.__table__.columns}
    session.add(
        Visitor(id="son", identity_number="1000000016", name="ناصر", name_search="ناصر", phone=NUMBER, language="ar",
                created_at=now)
    )  # fmt: skip
    session.flush()
    own = {"id": "second", "case_number": "48-000124", "follow_code": "m2x9qd4wk7", "visitor_id": "son"}
    session.add(Petition(**values | own))
    session.flush()
    numbers.verify(session, NUMBER, "son", place="counter", by_staff="aide", now=now)
    return {"petition_id": "second", "visitor_id": "son", "label": "48-000124"}


@pytest.mark.parametrize("text", ["نعم", "قبول", "لا", "رفض"])
def test_of_two_offers_to_one_phone_none_is_guessed(
    verified: Phone, session: Session, slots: list[str], now: datetime, text: str
) -> None:
    offers = [offered(session, slots[0], now), offered(session, slots[1], now, **another(session, now))]
    assert verified.says(text) == rules.ASKED_WHICH
    assert [offer.state for offer in offers] == [OPEN, OPEN]
    assert verified.got == ["reply_which_offer"] * 2
    bodies = session.scalars(select(Message.body).where(Message.template == "reply_which_offer")).all()
    assert {"48-000123" in body for body in bodies} == {True, False} and all("/a/" in body for body in bodies)


def test_the_offer_that_was_read_is_answered_though_another_one_is_on_its_way(
    verified: Phone, session: Session, slots: list[str], now: datetime
) -> None:
    read = offered(session, slots[0], now)
    unread = offered(session, slots[1], now, out=False, **another(session, now))
    assert verified.says("نعم") == rules.ACCEPTED
    assert (read.state, unread.state) == (ACCEPTED, OPEN)


@pytest.mark.parametrize(("text", "then"), [("نعم", ACCEPTED), ("لا", DECLINED)])
def test_what_was_said_to_an_offer_that_ended_is_no_answer_to_the_next_one(
    verified: Phone, session: Session, slots: list[str], now: datetime, text: str, then: str
) -> None:
    """The first one ends as the answer is on its way, or NO is sent twice: the next one is named before it counts."""
    first = offered(session, slots[0], now)
    waitlist.decline(session, first.id, keep=True, by="visitor", now=now)
    second = offered(session, slots[1], now, out=False, joins=False)
    leave(session, second, now + timedelta(seconds=10))
    assert verified.says(text) == rules.ASKED_OFFER
    assert second.state == OPEN and "١٠:٣٠" in verified.last
    verified.says(text)
    session.refresh(second)
    assert second.state == then


def test_who_answers_the_only_offer_at_once_is_not_asked_again(
    verified: Phone, session: Session, slots: list[str], now: datetime
) -> None:
    offer = offered(session, slots[0], now, out=False)
    leave(session, offer, now)
    assert verified.says("نعم", after=timedelta(seconds=9)) == rules.ACCEPTED


def test_an_offer_whose_text_never_left_is_named_first(
    verified: Phone, session: Session, slots: list[str], now: datetime
) -> None:
    offer = offered(session, slots[0], now, out=False)
    assert verified.says("نعم") == rules.ASKED_OFFER and offer.state == OPEN
    assert verified.says("نعم") == rules.ACCEPTED


@pytest.mark.parametrize("text", ["تأكيد", "إلغاء", "تغيير", "نعم", "لا"])
def test_of_two_appointments_of_one_phone_each_has_its_link(
    verified: Phone, booked: Appointment, session: Session, slots: list[str], now: datetime, text: str
) -> None:
    person = another(session, now)
    del person["label"]
    other = appointments.book(session, slot_id=slots[1], by="aide", now=now, **person)
    assert verified.says(text) == rules.ASKED_WHICH and verified.got == ["reply_which_appointment"] * 2
    assert verified.says("نعم") == rules.ASKED_WHICH
    assert (booked.state, other.state) == (BOOKED, BOOKED) and session.get(AppointmentWord, booked.id) is None


def test_an_appointment_moved_while_cancelling_was_asked_is_asked_about_anew(
    verified: Phone, booked: Appointment, session: Session, slots: list[str]
) -> None:
    verified.says("إلغاء")
    new = appointments.reschedule(session, booked.id, slot_id=slots[3], by="aide", now=verified.now)
    assert verified.says("نعم") == rules.ASKED_CANCEL and "١١:٣٠" in verified.last and new.state == BOOKED
    newest = appointments.reschedule(session, new.id, slot_id=slots[2], by="aide", now=verified.now)
    assert verified.says("لا") == rules.KEPT and "١١:٠٠" in verified.last and newest.state == BOOKED


def test_an_agent_who_alone_is_told_answers_the_offer(
    agent: Visitor, session: Session, slots: list[str], now: datetime
) -> None:
    numbers.verify(session, AGENT_NUMBER, agent.id, place="counter", by_staff="aide", now=now)
    offer = offered(session, slots[0], now, out=False)
    session.execute(update(Message).where(Message.to_number == AGENT_NUMBER).values(sent_at=now, state="sent"))
    assert Phone(session, now, AGENT_NUMBER).says("YES") == rules.ACCEPTED
    session.refresh(offer)
    assert offer.state == ACCEPTED


def test_language_changes_answers_and_notices(phone: Phone, session: Session) -> None:
    assert phone.says("English") == rules.LANGUAGE
    assert phone.last.startswith("From now on") and session.get_one(Visitor, "visitor").language == "en"
    assert phone.says("؟") == rules.HELPED and phone.last.startswith("Send STATUS")
    phone.says("عربي")
    assert session.get_one(Visitor, "visitor").language == "ar" and phone.last.startswith("نراسلكم بالعربية")


def test_the_centre_is_told_to_anybody_and_asked_for_by_city(stranger: Callable[..., Phone], session: Session) -> None:
    one = stranger()
    session.add(
        Centre(id="jeddah", code="jeddah", name_ar="مركز جدة", name_en="Jeddah centre", place_ar="طريق المدينة",
               place_en="Madinah Road", sections=["men"])
    )  # fmt: skip
    session.flush()
    assert one.says("أقرب مركز") == rules.ASKED_CITY and "جدة، الرياض" in one.last
    assert one.says("انا في جده") == rules.CENTRE and "مركز جدة، طريق المدينة" in one.last
    assert one.says("Centre Riyadh") == rules.CENTRE and "Riyadh centre, King Fahd Road" in one.last
    assert one.says("مركز القمر") == rules.ASKED_CITY


def test_call_puts_who_is_on_file_on_the_hotlines_list_once(phone: Phone, session: Session) -> None:
    assert [phone.says("اتصلوا بي"), phone.says("call me")] == [rules.CALL] * 2
    assert [row.visitor_id for row in session.scalars(select(CallBack))] == ["visitor"]


def test_a_stranger_who_wants_a_call_waits_for_a_person(stranger: Callable[..., Phone], session: Session) -> None:
    one = stranger()
    assert one.says("اتصال") == rules.CALL and one.row.needs_person
    assert session.scalars(select(CallBack)).all() == []


# ── STOP, help, too many ──


@pytest.mark.parametrize("text", ["إيقاف", "ايقاف", "STOP", "Stop.", "قف", "unsubscribe"])
def test_stop_works_in_every_language_in_the_midst_of_a_dialogue(
    verified: Phone, booked: Appointment, session: Session, text: str
) -> None:
    verified.says("إلغاء")
    assert verified.says(text) == rules.STOPPED
    assert numbers.refuses(session, NUMBER, "service") and booked.state == BOOKED
    verified.says(text)
    assert verified.got == ["reply_cancel_sure", "reply_stopped"]
    assert verified.says("نعم") == rules.CONFIRMED  # the question of before is closed
    assert verified.says("ابدأ") == rules.STARTED and not numbers.refuses(session, NUMBER, "service")


def test_what_nobody_understands_is_answered_once_with_help(stranger: Callable[..., Phone]) -> None:
    one = stranger()
    assert (one.says("ما هذا الرقم"), one.row.needs_person) == (rules.NOT_UNDERSTOOD, False)
    assert (one.says("من أنتم"), one.row.needs_person) == (rules.NOT_UNDERSTOOD, True)
    assert one.got == ["reply_unknown"]
    one.says("غريب", after=understand.HELP_AGAIN)
    assert one.got == ["reply_unknown", "reply_unknown"]


def test_what_somebody_on_file_writes_is_read_by_a_person(phone: Phone) -> None:
    phone.says("أرسلت لكم الورقة المطلوبة أمس")
    assert phone.row.needs_person and phone.got == ["reply_unknown"]


def test_half_a_text_is_not_obeyed(verified: Phone, booked: Appointment) -> None:
    assert verified.says("إلغاء", complete=False) == rules.NOT_UNDERSTOOD
    assert verified.row.needs_person and booked.state == BOOKED


def test_a_flood_is_answered_once_and_stop_is_still_heard(stranger: Callable[..., Phone], session: Session) -> None:
    one = stranger()
    said = [one.says("؟") for _ in range(understand.MOST + 5)]
    assert said.count(rules.HELPED) == understand.MOST and said.count(rules.TOO_MANY) == 5
    assert one.got.count("reply_too_many") == 1
    assert one.says("STOP") == rules.STOPPED and numbers.refuses(session, one.number, "campaign")
    assert one.says("؟", after=timedelta(hours=1)) == rules.HELPED


@pytest.mark.parametrize("sender", ["MinistryBank", "8004", "", "+9665"])
def test_who_cannot_be_answered_is_not(stranger: Callable[..., Phone], session: Session, sender: str) -> None:
    assert stranger(sender).says("حالة") == rules.IGNORED
    assert session.scalars(select(Message)).all() == []


@pytest.mark.parametrize("text", ["", "\u202e\u202e", "\x00\x07", "{case}{0}", "؟" * 900, "👍🏽", "٤٨-٠٠٠١٢٣" * 50])
def test_odd_texts_are_answered_or_left_and_kept(stranger: Callable[..., Phone], session: Session, text: str) -> None:
    stranger().says(text)
    assert session.scalars(select(InboundText.handled_at)).one() is not None
    assert session.scalars(select(InboundAnswer)).one().outcome


# ── a text that did not arrive ──


@pytest.mark.parametrize(("template", "calls"), [("appointment_video", 1), ("waitlist_offer", 1), ("reply_help", 0)])
def test_a_failed_appointment_text_makes_one_call_back(
    phone: Phone, session: Session, now: datetime, template: str, calls: int
) -> None:
    message = Message(
        id="m", key="m", to_number=NUMBER, language="ar", template=template, message_class="service", body="…",
        encoding="UCS-2", parts=2, state="failed", subject_kind="petition", subject_id="petition",
        visitor_id="visitor", created_at=now, due_at=now,
    )  # fmt: skip
    session.add(message)
    session.flush()
    event = MessageFailed(message_id="m", subject_kind="petition", subject_id="petition")
    for _ in range(2):
        call_after_failed_text(session, event, now=now, settings=SETTINGS)
    rows = session.scalars(select(CallBack)).all()
    assert len(rows) == calls and all(row.petition_id == "petition" for row in rows)
