"""One-time links: what is kept of them, what they open, and what a visitor may do by them."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import NotFound, Refused
from messaging import outbox
from messaging.models import Dispatch, Message
from messaging.providers import Answer
from messaging.rules import segments
from messaging.service import HIDDEN
from messaging.templates import TEMPLATES
from queueing.appointments import calendar, service
from queueing.appointments.events import AppointmentBooked, AppointmentRescheduled
from queueing.appointments.models import Appointment, Slot
from reception.appointed import links, rules, texts
from reception.appointed import service as appointed
from reception.appointed.models import AppointmentLink, AppointmentWord

from .conftest import SETTINGS, ZONE


@pytest.fixture
def booked(session: Session, slots: list[str], now: datetime) -> Appointment:
    return service.book(session, slot_id=slots[0], visitor_id="visitor", petition_id="petition", by="aide", now=now)


def ids(appointment: Appointment) -> dict[str, str]:
    return {"appointment_id": appointment.id, "slot_id": appointment.slot_id} | {
        "visitor_id": "visitor", "petition_id": "petition",
    }  # fmt: skip


def text_and_token(session: Session) -> tuple[Message, str]:
    """The newest text with a link, and the token that only its job has."""
    message = session.scalars(select(Message).where(Message.template == "appointment_link").order_by(Message.id)).all()[
        -1
    ]
    return message, session.get_one(Dispatch, message.id).body.rpartition("/a/")[2]


def test_the_link_has_a_text_of_its_own_in_one_part(session: Session, booked: Appointment, now: datetime) -> None:
    for _ in range(2):  # the reaction may come twice
        texts.text_appointment_link(session, AppointmentBooked(**ids(booked)), now=now, settings=SETTINGS)
    message, token = text_and_token(session)
    assert len(session.scalars(select(AppointmentLink)).all()) == 1
    assert message.body == f"لتأكيد موعدكم أو نقله: https://majlis.example/a/{HIDDEN}"
    assert message.parts == 1 == TEMPLATES["appointment_link"].sample("ar").count
    assert len(token) == 22 and token.isalnum()
    assert links.open_(session, token, now=now).appointment is booked


@pytest.mark.parametrize("answer", [Answer("sent", "1"), Answer("failed", error="no way", ours=True)])
def test_the_token_is_kept_nowhere_once_the_text_has_left_or_never_will(
    session: Session, booked: Appointment, now: datetime, answer: Answer
) -> None:
    texts.text_appointment_link(session, AppointmentBooked(**ids(booked)), now=now, settings=SETTINGS)
    message, token = text_and_token(session)
    session.flush()
    taken = outbox.take(session, "me", room=10, manners=outbox.Manners(), now=message.due_at)
    assert token in repr(taken)
    for work in taken:
        work.answers = {part.number: ("way", answer) for part in work.parts()}
    outbox.record(session, "me", taken, now=now)
    session.expire_all()
    kept = [message.body, message.error, session.scalars(select(AppointmentLink)).one().token_hash]
    assert message.state == answer.state and token not in repr(kept)
    assert session.get(Dispatch, message.id) is None


def test_tokens_differ_and_have_more_than_128_bits() -> None:
    many = {links.new_token() for _ in range(2000)}
    assert len(many) == 2000
    assert 62**links.TOKEN_LENGTH > 2**128
    assert {c for token in many for c in token} == set(links._ALPHABET)


@pytest.mark.parametrize("token", ["", "x", "0" * 22, "é\0", "A" * 5000])
def test_an_unknown_link_opens_nothing(session: Session, booked: Appointment, now: datetime, token: str) -> None:
    links.make(session, booked.id, now=now)
    with pytest.raises(NotFound):
        links.open_(session, token, now=now)


def test_i_will_come_said_twice_is_said_once(session: Session, booked: Appointment, now: datetime) -> None:
    token = links.make(session, booked.id, now=now)
    assert not links.open_(session, token, now=now).coming
    for minutes in (0, 5):
        appointed.come(session, token, now=now + timedelta(minutes=minutes))
    assert session.scalars(select(AppointmentWord)).one().said_at == now
    assert links.open_(session, token, now=now).coming


def test_a_move_by_the_link_spends_every_link_of_the_old_time(
    session: Session, booked: Appointment, slots: list[str], now: datetime
) -> None:
    first, second = links.make(session, booked.id, now=now), links.make(session, booked.id, now=now)
    new = appointed.move(session, first, slot_id=slots[2], now=now)
    assert (new.slot_id, new.code, new.booked_by, booked.state, booked.reason) == (
        slots[2], booked.code, "visitor", "moved", "Moved by the visitor",
    )  # fmt: skip
    opened = links.open_(session, first, now=now)
    assert opened.standing == rules.MOVED and opened.now_is is new and opened.mine
    other = links.open_(session, second, now=now)
    assert other.standing == rules.MOVED and other.now_is is None and not other.mine
    for token in (first, second):
        for act in (
            lambda token=token: appointed.move(session, token, slot_id=slots[3], now=now),
            lambda token=token: appointed.cancel(session, token, reason="ill", now=now),
            lambda token=token: appointed.come(session, token, now=now),
        ):
            with pytest.raises(Refused, match="moved"):
                act()
    assert calendar.current(session, "petition") is new and new.slot_id == slots[2]
    texts.text_appointment_link(session, AppointmentRescheduled(**ids(new)), now=now, settings=SETTINGS)
    _, fresh = text_and_token(session)
    assert links.open_(session, fresh, now=now).standing == rules.OPEN


def test_a_spent_link_shows_what_it_did_for_a_quarter_of_an_hour(
    session: Session, booked: Appointment, slots: list[str], now: datetime
) -> None:
    token = links.make(session, booked.id, now=now)
    appointed.move(session, token, slot_id=slots[1], now=now)
    assert links.open_(session, token, now=now + timedelta(minutes=14)).now_is is not None
    assert links.open_(session, token, now=now + timedelta(minutes=15)).now_is is None


def test_a_spent_link_shows_the_time_that_stands_when_the_office_has_moved_it_on(
    session: Session, booked: Appointment, slots: list[str], now: datetime
) -> None:
    token = links.make(session, booked.id, now=now)
    chosen = appointed.move(session, token, slot_id=slots[1], now=now)
    moved = service.reschedule(session, chosen.id, slot_id=slots[2], by="aide", now=now)
    assert links.open_(session, token, now=now + timedelta(minutes=5)).now_is is moved
    service.cancel(session, moved.id, reason="ill", by="aide", now=now)
    opened = links.open_(session, token, now=now + timedelta(minutes=5))
    assert opened.now_is is moved and opened.standing == rules.MOVED


def test_a_cancellation_keeps_its_reason_and_gives_the_place_back(
    session: Session, booked: Appointment, slots: list[str], now: datetime
) -> None:
    token = links.make(session, booked.id, now=now)
    appointed.cancel(session, token, reason="<script>", now=now)
    assert (booked.state, booked.reason) == ("cancelled", "Cancelled by the visitor, no reason given")
    assert session.get_one(Slot, slots[0]).taken == 0
    with pytest.raises(Refused, match="cancelled"):
        appointed.cancel(session, token, reason="ill", now=now)


def test_a_link_ends_when_the_appointment_begins(session: Session, booked: Appointment, now: datetime) -> None:
    token, start = links.make(session, booked.id, now=now), booked.slot.starts_at
    assert links.open_(session, token, now=start - timedelta(seconds=1)).standing == rules.OPEN
    assert links.open_(session, token, now=start).standing == rules.PAST
    with pytest.raises(Refused, match="passed"):
        appointed.cancel(session, token, reason="ill", now=start)


def test_only_times_with_the_same_official_in_the_same_place_are_offered_and_taken(
    session: Session, booked: Appointment, slots: list[str], now: datetime
) -> None:
    from datetime import date, time

    foreign = calendar.add_session(
        session, official_id="deputy", kind="video", centre_id="riyadh", place_ar="م", place_en="p",
        day=date(2026, 10, 30), start=time(10), end=time(11), minutes=30, zone=ZONE, now=now,
    )[0]  # fmt: skip
    token = links.make(session, booked.id, now=now)
    offered = appointed.other_times(session, links.open_(session, token, now=now), zone=ZONE, now=now)
    assert [slot.id for slot in offered] == slots[1:]
    for wrong in (foreign.id, "none", ""):
        with pytest.raises(NotFound):
            appointed.move(session, token, slot_id=wrong, now=now)
    with pytest.raises(Refused, match="has already"):
        appointed.move(session, token, slot_id=slots[0], now=now)
    late = session.get_one(Slot, slots[1]).starts_at - timedelta(minutes=90)
    with pytest.raises(Refused, match="passed"):
        appointed.move(session, token, slot_id=slots[1], now=late)
    assert booked.state == "booked"


def test_a_few_of_each_day_on_the_next_days() -> None:
    start = datetime.fromisoformat("2026-10-27T06:00Z")

    class Time:
        def __init__(self, minutes: int) -> None:
            self.starts_at = start + timedelta(minutes=minutes)

    many = [Time(day * 1440 + n * 30) for day in range(8) for n in range(10)]
    kept = rules.a_few_of_each_day(many, zone=ZONE)
    assert [many.index(one) for one in kept] == [day * 10 + n for day in range(4) for n in range(4)]


def test_an_arabic_link_text_of_this_length_is_one_part_and_no_more() -> None:
    assert segments(TEMPLATES["appointment_link"].sample("ar").parts[0]).room >= 0
