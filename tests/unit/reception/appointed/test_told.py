"""Every change of an appointment is told, once; and whatever names its day names it three times rightly."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from messaging.models import Dispatch, Message
from messaging.states import CREATED, DROPPED, SENT
from queueing.appointments import calendar, service, wall
from queueing.appointments.models import Appointment, Slot
from queueing.waitlist import service as waitlist
from queueing.waitlist.models import Offer
from reception.appointed import reminders, waiting
from reception.appointed import service as appointed
from reception.appointed.models import AppointmentLink
from reception.parties.models import PrincipalSilence
from reception.petitions.models import Petition
from reception.rearranging import service as rearranging
from reception.visitors.models import Visitor

from .conftest import AGENT_NUMBER, SETTINGS, ZONE
from .reacting import react, said_at


@pytest.fixture
def booked(session: Session, slots: list[str], now: datetime) -> Appointment:
    return service.book(session, slot_id=slots[0], visitor_id="visitor", petition_id="petition", by="aide", now=now)


def written(session: Session, template: str) -> Message:
    return session.scalars(select(Message).where(Message.template == template)).one()


def test_a_booking_is_told_with_its_link(session: Session, booked: Appointment, now: datetime) -> None:
    assert react(session, now=now, settings=SETTINGS) == ["appointment_video", "appointment_link"]
    assert react(session, now=now, settings=SETTINGS) == []


def test_a_move_is_told_with_a_new_link(session: Session, booked: Appointment, slots: list[str], now: datetime) -> None:
    react(session, now=now, settings=SETTINGS)
    service.reschedule(session, booked.id, slot_id=slots[2], by="aide", now=now)
    assert react(session, now=now, settings=SETTINGS) == ["appointment_moved", "appointment_link"]
    assert said_at(written(session, "appointment_moved").body, "ar") == (date(2026, 10, 29), 11, 0)


@pytest.mark.parametrize(("lang", "name"), [("ar", "يوم التأسيس"), ("en", "Founding Day")])
def test_whom_a_holiday_moves_reads_its_name_and_who_moves_later_does_not(
    session: Session, booked: Appointment, now: datetime, lang: str, name: str
) -> None:
    session.get_one(Visitor, "visitor").language = lang
    react(session, now=now, settings=SETTINGS)
    calendar.add_session(
        session, official_id="minister", kind="video", centre_id="riyadh", place_ar="م", place_en="P",
        day=date(2026, 11, 1), start=time(10), end=time(12), minutes=30, zone=ZONE, now=now,
    )  # fmt: skip
    holiday = rearranging.declare(
        session, first_day=date(2026, 10, 29), last_day=date(2026, 10, 29), name_ar="يوم التأسيس",
        name_en="Founding Day", kind="national", zone=ZONE, now=now,
    )  # fmt: skip
    plan = rearranging.plan(session, holiday, zone=ZONE, now=now)
    rearranging.carry_out(session, holiday, mark=plan.mark, by="aide", zone=ZONE, now=now)
    assert react(session, now=now, settings=SETTINGS) == ["appointment_moved_holiday", "appointment_link"]
    text = written(session, "appointment_moved_holiday")
    assert name in text.body and said_at(text.body, lang)[0] == date(2026, 11, 1) and booked.code in text.body
    (*_, last) = calendar.slots_between(session, now, now + timedelta(days=9))
    service.reschedule(session, _current(session).id, slot_id=last.id, by="visitor", now=now)
    assert react(session, now=now, settings=SETTINGS) == ["appointment_moved", "appointment_link"]
    service.cancel(session, _current(session).id, reason="x", by="aide", now=now)
    assert react(session, now=now, settings=SETTINGS) == ["appointment_cancelled"]


def test_an_earlier_day_is_told_as_what_it_is(session: Session, slots: list[str], now: datetime) -> None:
    """Waiting, the offer, no answer: each says that the appointment stays; taking it is a move like any other."""
    service.book(session, slot_id=slots[0], visitor_id="visitor", petition_id="petition", by="aide", now=now)
    react(session, now=now, settings=SETTINGS)
    waiting.wait_for_earlier(session, session.get_one(Petition, "petition"), by="visitor", zone=ZONE, now=now)
    assert react(session, now=now, settings=SETTINGS) == ["waitlist_earlier_joined"]
    calendar.add_session(
        session, official_id="minister", kind="video", centre_id="riyadh", place_ar="م", place_en="P",
        day=date(2026, 10, 28), start=time(10), end=time(11), minutes=30, zone=ZONE, now=now,
    )  # fmt: skip
    assert waitlist.sweep(session, now=now)
    assert react(session, now=now, settings=SETTINGS) == ["waitlist_earlier", "waitlist_link"]
    text = written(session, "waitlist_earlier").body
    assert said_at(text, "ar")[0] == date(2026, 10, 28) and "موعدكم كما هو" in text
    late = now + timedelta(hours=2)
    service.expire_holds(session, now=late)
    assert waitlist.sweep(session, now=late)
    assert react(session, now=late, settings=SETTINGS)[0] == "waitlist_earlier_passed"
    assert waitlist.sweep(session, now=late), "the other time of that day is offered next"
    (offer,) = (row for row in session.scalars(select(Offer)) if row.state == "open")
    react(session, now=late, settings=SETTINGS)
    waitlist.accept(session, offer.id, by="visitor", now=late)
    assert react(session, now=late, settings=SETTINGS) == ["appointment_moved", "appointment_link"]


def test_a_cancellation_is_told(session: Session, booked: Appointment, now: datetime) -> None:
    react(session, now=now, settings=SETTINGS)
    service.cancel(session, booked.id, reason="x", by="aide", now=now)
    assert react(session, now=now, settings=SETTINGS) == ["appointment_cancelled"]


def test_of_two_changes_at_once_only_the_last_is_told(
    session: Session, booked: Appointment, slots: list[str], now: datetime
) -> None:
    new = service.reschedule(session, booked.id, slot_id=slots[1], by="aide", now=now)
    assert react(session, now=now, settings=SETTINGS) == ["appointment_moved", "appointment_link"]
    service.reschedule(session, new.id, slot_id=slots[2], by="aide", now=now)
    last = service.reschedule(session, _current(session).id, slot_id=slots[3], by="aide", now=now)
    assert react(session, now=now, settings=SETTINGS) == ["appointment_moved", "appointment_link"]
    texts = session.scalars(select(Message).where(Message.template == "appointment_moved").order_by(Message.id)).all()
    assert said_at(texts[-1].body, "ar")[1:] == (11, 30) and last.code in texts[-1].body


def _current(session: Session) -> Appointment:
    return session.scalars(select(Appointment).where(Appointment.state == "booked")).one()


@pytest.mark.parametrize("end", ["move", "cancel"])
def test_what_has_yet_to_leave_when_it_is_overtaken_never_leaves(
    session: Session, booked: Appointment, slots: list[str], now: datetime, end: str
) -> None:
    """After an outage the old time would come behind the new one."""
    react(session, now=now, settings=SETTINGS)
    written(session, "appointment_link").state = SENT
    session.flush()
    if end == "move":
        service.reschedule(session, booked.id, slot_id=slots[2], by="aide", now=now)
    else:
        service.cancel(session, booked.id, reason="ill", by="aide", now=now)
    react(session, now=now, settings=SETTINGS)
    assert written(session, "appointment_video").state == DROPPED
    states = session.scalars(select(Message.state).where(Message.template == "appointment_link"))
    assert sorted(states) == ([CREATED, SENT] if end == "move" else [SENT]), "what has left has left"
    waiting = session.scalars(select(Dispatch.message_id)).all()
    assert len(waiting) == (2 if end == "move" else 1) + 1, "and the link's, which we have only called sent"


def test_a_changed_clock_is_told_and_its_meeting_moves_along(
    session: Session, booked: Appointment, now: datetime
) -> None:
    """The rules of the zone change by an hour: the slot's instant follows the wall, the text says the same time."""
    from video.meetings.models import Meeting

    react(session, now=now, settings=SETTINGS)
    meeting = session.scalars(select(Meeting)).one()
    before = booked.slot.starts_at
    session.execute(update(Slot).values(zone="Asia/Dubai"))  # one hour east: what a change of rules would do
    session.expire_all()
    followed = wall.follow_zones(session, now=now)
    assert booked.slot_id in followed.shifted
    assert react(session, now=now, settings=SETTINGS) == ["appointment_clock"]
    session.expire_all()
    assert booked.slot.starts_at == before - timedelta(hours=1) == meeting.starts_at
    text = written(session, "appointment_clock")
    assert booked.code in text.body and said_at(text.body, "ar") == (date(2026, 10, 29), 9, 0)


def test_a_changed_clock_is_told_once_for_each_change(session: Session, booked: Appointment, now: datetime) -> None:
    react(session, now=now, settings=SETTINGS)
    for zone in ("Asia/Dubai", "Asia/Riyadh", "Asia/Dubai"):
        session.execute(update(Slot).values(zone=zone))
        session.expire_all()
        wall.follow_zones(session, now=now)
        react(session, now=now, settings=SETTINGS)
    times = [said_at(body, "ar")[1] for body in session.scalars(
        select(Message.body).where(Message.template == "appointment_clock").order_by(Message.id)
    )]  # fmt: skip
    assert times == [9, 10], "back and forth again is what was told already"


def test_who_was_moved_or_cancelled_meanwhile_is_not_told_of_clocks(
    session: Session, booked: Appointment, now: datetime
) -> None:
    react(session, now=now, settings=SETTINGS)
    session.execute(update(Slot).values(zone="Asia/Dubai"))
    session.expire_all()
    wall.follow_zones(session, now=now)
    service.cancel(session, booked.id, reason="x", by="aide", now=now)
    assert react(session, now=now, settings=SETTINGS) == ["appointment_cancelled"]


def test_an_agent_who_alone_is_told_reads_of_the_cancellation_too(
    session: Session, booked: Appointment, agent: Visitor, now: datetime
) -> None:
    """Nobody travels to a meeting that is off; and the one who wished for no texts gets none, no link either."""
    assert react(session, now=now, settings=SETTINGS) == ["appointment_video", "appointment_link"]
    service.cancel(session, booked.id, reason="x", by="aide", now=now)
    assert react(session, now=now, settings=SETTINGS) == ["appointment_cancelled"]
    assert set(session.scalars(select(Message.to_number))) == {AGENT_NUMBER}


def test_everybody_who_is_told_has_a_link_of_their_own(
    session: Session, booked: Appointment, agent: Visitor, now: datetime
) -> None:
    session.delete(session.get_one(PrincipalSilence, "petition"))
    assert react(session, now=now, settings=SETTINGS).count("appointment_link") == 2
    numbers = session.scalars(select(Message.to_number).where(Message.template == "appointment_link")).all()
    assert sorted(numbers) == ["+966501234567", AGENT_NUMBER]
    assert len(session.scalars(select(AppointmentLink.token_hash)).all()) == 2


def test_a_booking_that_is_being_cancelled_is_not_told_from_memory(
    session: Session, booked: Appointment, now: datetime
) -> None:
    """What another worker has changed since this row was read counts, not what was read."""
    elsewhere = update(Appointment).values(state="cancelled").execution_options(synchronize_session=False)
    session.execute(elsewhere)
    assert booked.state == "booked"
    assert react(session, now=now, settings=SETTINGS) == []


@pytest.mark.parametrize("end", ["expire", "let go", "cancel"])
def test_a_mere_hold_comes_and_goes_without_a_word(session: Session, slots: list[str], now: datetime, end: str) -> None:
    held = service.hold(session, slot_id=slots[0], visitor_id="visitor", petition_id="petition", by="aide", now=now)
    ends: dict[str, Callable[[], object]] = {
        "expire": lambda: service.expire_holds(session, now=now + timedelta(minutes=5)),
        "let go": lambda: service.let_go(session, held.id, now=now),
        "cancel": lambda: service.cancel(session, held.id, reason="x", by="aide", now=now),
    }
    ends[end]()
    assert react(session, now=now, settings=SETTINGS) == []


@pytest.mark.parametrize("language", ["ar", "en"])
@pytest.mark.parametrize("kind", ["video", "audience"])
def test_every_text_names_one_day_in_three_ways(
    session: Session, slots: list[str], now: datetime, language: str, kind: str
) -> None:
    session.get_one(Visitor, "visitor").language = language
    session.execute(update(Slot).values(kind=kind))
    session.expire_all()
    first = service.book(session, slot_id=slots[0], visitor_id="visitor", petition_id="petition", by="a", now=now)
    react(session, now=now, settings=SETTINGS)
    new = service.reschedule(session, first.id, slot_id=slots[3], by="a", now=now)
    react(session, now=now, settings=SETTINGS)
    for at in (datetime(2026, 10, 28, 8, tzinfo=now.tzinfo), datetime(2026, 10, 29, 6, 45, tzinfo=now.tzinfo)):
        reminders.send_due(session, now=at, settings=SETTINGS)
    service.cancel(session, new.id, reason="x", by="a", now=now)
    react(session, now=now, settings=SETTINGS)
    texts = {row.template: row for row in session.scalars(select(Message)) if "link" not in row.template}
    assert set(texts) == {
        f"appointment_{kind}", "appointment_moved", "reminder_day", "reminder_hours", "appointment_cancelled"
    }  # fmt: skip
    for template, row in texts.items():
        at = (10, 0) if template == f"appointment_{kind}" else (11, 30)
        assert said_at(row.body, language) == (date(2026, 10, 29), *at), row.body


def test_who_says_i_will_come_is_known_to_the_desks(session: Session, booked: Appointment, now: datetime) -> None:
    from reception.appointed import links

    assert appointed.expected(session, [booked.id]) == set()
    appointed.come(session, links.make(session, booked.id, now=now), now=now)
    assert appointed.expected(session, [booked.id, "other"]) == {booked.id}
