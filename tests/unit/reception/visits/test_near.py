"""A call brings somebody near the front: who left a number with reception is written to, once."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.events import OutboxEvent
from core.settings import Settings
from messaging.models import Message
from queueing.tickets import service
from queueing.tickets.events import TicketCalled, TicketNearing
from queueing.tickets.models import Ticket
from reception.arrangements import tell_the_near
from reception.notify.tickets import text_ticket_near
from reception.visitors import service as visitors
from tests.unit.queueing.tickets.hall import NOON, Hall, build

SETTINGS = Settings(public_url="https://majlis.example")


def line_of_six(session: Session) -> tuple[Hall, list[Ticket]]:
    hall = build(session)
    return hall, [hall.take(session, now=NOON + timedelta(seconds=n)) for n in range(6)]


def texts(session: Session) -> list[Message]:
    return list(session.scalars(select(Message)))


def call(session: Session, hall: Hall) -> None:
    """The first counter's next call with its reaction, and the visit to its end."""
    at = NOON + timedelta(minutes=1)
    called = hall.next(session, now=at)
    assert called
    event = TicketCalled(called.id, called.centre_id, hall.first.id, called.label)
    tell_the_near(session, event, now=at, settings=SETTINGS)
    service.start(session, called.id, now=at, counter_id=hall.first.id)
    service.finish(session, called.id, now=at, counter_id=hall.first.id)


def test_a_visitor_known_to_reception_is_written_to_once(session: Session) -> None:
    _, line = line_of_six(session)
    visitor = visitors.register(
        session, identity_number="1000000008", name="نورة المثال", phone="0500000001", section="women",
        language="en", now=NOON,
    )  # fmt: skip
    service.attach(session, line[3].id, visitor_id=visitor.id)
    near = TicketNearing(line[3].id, line[3].centre_id, 3)
    for _ in range(2):
        text_ticket_near(session, near, now=NOON, settings=SETTINGS)
    (text,) = texts(session)
    assert text.to_number == visitor.phone and text.subject_id == line[3].id
    assert text.body == (
        f"Your turn is near. Your number: A4. People before you: 2. Follow it: https://majlis.example/t/{line[3].code}"
    )


def test_nobody_is_written_to_who_left_no_number_or_has_been_called(session: Session) -> None:
    hall, line = line_of_six(session)
    text_ticket_near(session, TicketNearing(line[3].id, line[3].centre_id, 3), now=NOON, settings=SETTINGS)
    visitor = visitors.register(
        session, identity_number="1000000008", name="نورة المثال", phone="0500000001", section="women", now=NOON
    )
    service.attach(session, line[0].id, visitor_id=visitor.id)
    call(session, hall)
    text_ticket_near(session, TicketNearing(line[0].id, line[0].centre_id, 1), now=NOON, settings=SETTINGS)
    assert texts(session) == []


def test_every_call_tells_those_it_brought_near(session: Session) -> None:
    hall, line = line_of_six(session)
    for _ in range(2):
        call(session, hall)
    told = {
        row.payload["ticket_id"] for row in session.scalars(select(OutboxEvent)) if row.name.endswith("TicketNearing")
    }
    assert told == {line[3].id, line[4].id}
