"""A ticket is taken: at the kiosk by anybody while the doors are open, or by a clerk for somebody who stands there."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import calendar
from core.calendar import When
from core.db import new_id
from core.errors import Mistake, Refused
from core.events import emit
from queueing.opening import service as opening
from queueing.tickets import course, events, rules, standing, states
from queueing.tickets.models import ServicePoint, Ticket, TicketNear, TicketSeries
from queueing.tickets.places import position_of
from queueing.tickets.steps import begin_period, next_number

OPEN, CLOSED, FULL = "open", "closed", "full"


@dataclass(frozen=True, slots=True)
class Offer:
    """Whether a service gives numbers now: OPEN, CLOSED or FULL; when again, if that is known; how many are left."""

    state: str
    opens_at: datetime | None = None
    left: int | None = None

    @property
    def open(self) -> bool:
        return self.state == OPEN


def offer(session: Session, point: ServicePoint, *, zone: str, now: datetime) -> Offer:
    """What a kiosk says of a service before anybody presses; `issue` decides by the same."""
    doors = opening.opening(session, point.centre_id, zone=zone, now=now, hours=point.hours)
    if not doors.open:
        return Offer(CLOSED, doors.opens_at)
    if point.daily_limit is None:
        return Offer(OPEN)
    day = calendar.local_day(now, zone)
    series = session.get(TicketSeries, (point.centre_id, day, point.letter))
    left = max(0, point.daily_limit - (series.last - series.first + 1 if series else 0))
    return Offer(OPEN, left=left) if left else Offer(FULL, _tomorrow(session, point, zone=zone, now=now), 0)


def issue(
    session: Session,
    *,
    centre_id: str,
    service_point_id: str,
    section: str,
    language: str,
    now: datetime,
    zone: str,
    sign_language: bool = False,
    visitor_class: str = rules.REGULAR,
    also: Collection[str] = (),
    by_staff: bool = False,
    appointment_id: str | None = None,
    appointment_at: datetime | None = None,
    petition_id: str | None = None,
    visitor_id: str | None = None,
) -> Ticket:
    """A new ticket in the line. With `appointment_at` it may be called from that time on, not before.

    Raises Mistake for a service that isn't offered here or not in this section, and for an unknown class; Refused,
    saying when to come, while the doors are closed or once the day's numbers are given. A clerk (`by_staff`) may take
    somebody in all the same, and an appointment is kept whatever the hour: it was promised.
    """
    point = session.get(ServicePoint, service_point_id)
    if point is None or point.centre_id != centre_id or not point.active:
        raise Mistake("This service is not offered here at present. Please choose another.", field="service")
    if section not in point.sections:
        raise Mistake("This service is not offered in this section. Please choose another.", field="section")
    discipline = standing.discipline_at(session, centre_id, now=now)
    classes = {visitor_class, *also}
    if classes - set(discipline.rates):
        raise Mistake("Please choose one of the options.", field="visitor_class")
    bound = not by_staff and appointment_id is None
    if bound:
        _need_open_doors(session, point, zone=zone, now=now)
    if rules.is_punctual(issued_at=now, appointment_at=appointment_at, discipline=discipline):
        classes.add(rules.APPOINTMENT)
    day = calendar.local_day(now, zone)
    number = next_number(
        session, centre_id, day, point.letter, first=point.first_number, most=point.daily_limit if bound else None
    )
    if number is None:
        raise _full(_tomorrow(session, point, zone=zone, now=now), zone)
    ticket = Ticket(
        id=new_id(),
        centre_id=centre_id,
        day=day,
        number=number,
        label=f"{point.letter}{number}",
        service_point_id=point.id,
        section=section,
        language=language,
        sign_language=sign_language,
        visitor_class=visitor_class,
        also=sorted(classes - {visitor_class}),
        state=states.WAITING,
        issued_at=now,
        ranked_from=rules.ranked_from(issued_at=now, appointment_at=appointment_at, discipline=discipline),
        eligible_at=rules.eligible_at(issued_at=now, appointment_at=appointment_at),
        expires_at=calendar.day_bounds(day, zone)[1],
        appointment_id=appointment_id,
        petition_id=petition_id,
        visitor_id=visitor_id,
    )
    session.add(ticket)
    session.flush()
    begin_period(session, ticket, "issue", now=now)
    session.refresh(ticket)
    know_near(session, ticket, position_of(session, ticket, now=now, discipline=discipline), now=now)
    emit(session, events.TicketIssued(ticket.id, centre_id), now=now)
    return ticket


def know_near(session: Session, ticket: Ticket, place: int, *, now: datetime) -> None:
    """Whoever comes into a line with few ahead sees so at once, and needs no message of it later."""
    if place <= course.NEAR and session.get(TicketNear, (ticket.id, ticket.stage)) is None:
        session.add(TicketNear(ticket_id=ticket.id, stage=ticket.stage, at=now))


def ticket_of_appointment(session: Session, appointment_id: str) -> Ticket | None:
    """The latest, if the visitor has come."""
    return session.scalar(
        select(Ticket).where(Ticket.appointment_id == appointment_id).order_by(Ticket.issued_at.desc()).limit(1)
    )


def _need_open_doors(session: Session, point: ServicePoint, *, zone: str, now: datetime) -> None:
    doors = opening.opening(session, point.centre_id, zone=zone, now=now, hours=point.hours)
    if doors.open:
        return
    if doors.opens_at is None:
        raise Refused("This service is closed now.")
    raise Refused("This service is closed now. It opens on {when}.", when=When(doors.opens_at, zone))


def _full(again: datetime | None, zone: str) -> Refused:
    if again is None:
        return Refused("All of today's numbers for this service have been given.")
    return Refused(
        "All of today's numbers for this service have been given. There are new ones on {when}.",
        when=When(again, zone),
    )


def _tomorrow(session: Session, point: ServicePoint, *, zone: str, now: datetime) -> datetime | None:
    """The first opening of a later day, when numbers are given anew."""
    midnight = calendar.day_bounds(calendar.local_day(now, zone), zone)[1]
    doors = opening.opening(session, point.centre_id, zone=zone, now=midnight, hours=point.hours)
    return midnight if doors.open else doors.opens_at
