"""Somebody comes for an appointment and shows its code: at the kiosk, or to a clerk.

The code is the only key, as on the text that brought it. What it opens is a turn in the line, not the case.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from core import audit
from core.calendar import When, local_day
from core.errors import Mistake, NotFound, Refused
from core.language import Named
from core.text import latin_digits
from queueing.appointments import calendar, resources
from queueing.appointments import rules as booking
from queueing.appointments import service as appointments
from queueing.appointments.models import Appointment, Slot
from queueing.appointments.states import CANCELLED, CHECKED_IN, EXPIRED, HELD, MET, MISSED
from queueing.tickets import leaving, queries, rules, states
from queueing.tickets import service as tickets
from queueing.tickets.models import ServicePoint, Ticket
from reception.visitors.models import Visitor
from reception.visits import service as visits

EARLY, PUNCTUAL, LATE, AGAIN = "early", "punctual", "late", "again"
VIDEO_POINT = "video"  # the kind of service point that video appointments go to


@dataclass(frozen=True, slots=True)
class Arrival:
    """EARLY is called at its time, not before; LATE ranks as a walk-in of this minute; AGAIN has its ticket already."""

    outcome: str
    appointment: Appointment
    ticket: Ticket


def check_in(
    session: Session,
    centre_id: str,
    code: str,
    *,
    zone: str,
    now: datetime,
    section: str = "",
    service_point_id: str | None = None,
) -> Arrival:
    """A ticket for the appointment with this code; the same one however often the code is shown.

    `section` is the kiosk's choice (else the visitor's own), `service_point_id` a clerk's; without it a video
    appointment goes to the video hall. Raises Mistake (field `code`) for a code that nobody has, Refused in plain words
    for another centre, another day, too early, too late, a turn that is over, and an appointment that is.
    """
    appointment = _by_code(session, code)
    resources.lock_slots(session, appointment.slot_id)
    session.refresh(appointment)
    slot = appointment.slot
    if slot.centre_id not in (None, centre_id):
        raise Refused("This appointment is in another place: {place}.", place=Named(slot.place_ar, slot.place_en))
    _need_alive(appointment)
    if appointment.state == CHECKED_IN:
        ticket = tickets.ticket_of_appointment(session, appointment.id)
        if ticket is not None and ticket.state in states.IN_CENTRE and ticket.expires_at > now:
            return Arrival(AGAIN, appointment, ticket)
        if ticket is not None and leaving.may_rejoin(session, ticket, now=now):
            return Arrival(AGAIN, appointment, leaving.rejoin(session, ticket.id, now=now))
        if ticket is not None and ticket.state != states.CANCELLED:  # who gave a turn up may take another
            raise Refused("This code has been used already. Please speak to our staff.")
    _need_its_day(slot, zone=zone, now=now)
    if appointment.state != CHECKED_IN:
        appointments.check_in(session, appointment.id, now=now)
    visitor = session.get_one(Visitor, appointment.visitor_id)
    point, section = _point(session, centre_id, slot.kind, section or visitor.section, service_point_id)
    ticket = tickets.issue(
        session,
        centre_id=centre_id,
        service_point_id=point.id,
        section=section,
        language=visitor.language,
        sign_language=visitor.sign_language or appointment.needs_interpreter,
        appointment_id=appointment.id,
        appointment_at=slot.starts_at,
        petition_id=appointment.petition_id,
        visitor_id=visitor.id,
        now=now,
        zone=zone,
    )
    visits.link(
        session,
        centre_id=centre_id,
        visitor_id=visitor.id,
        ticket_id=ticket.id,
        petition_id=appointment.petition_id,
        appointment_id=appointment.id,
        now=now,
    )
    audit.note(session, "check in", "petition", appointment.petition_id, now=now, detail={"ticket": ticket.label})
    if now < slot.starts_at:
        return Arrival(EARLY, appointment, ticket)
    return Arrival(PUNCTUAL if rules.APPOINTMENT in ticket.also else LATE, appointment, ticket)


def settle(session: Session, *, now: datetime) -> int:
    """What became of visitors who checked in, once nobody can come late any more: served is met, the rest missed.

    A video meeting that took place has said so itself already. For the sweep; how many were settled.
    """
    ended = exists().where(Ticket.appointment_id == Appointment.id, Ticket.state.in_(states.OVER))
    over = session.scalars(
        select(Appointment)
        .join(Slot, Slot.id == Appointment.slot_id)
        .where(Appointment.state == CHECKED_IN, Slot.ends_at < now - booking.CHECK_IN_CLOSES, ended)
        .order_by(Slot.ends_at)
        .limit(100)
    ).all()
    settled = 0
    for appointment in over:
        ticket = tickets.ticket_of_appointment(session, appointment.id)
        if ticket is None or ticket.state not in states.OVER:
            continue  # gone and come again: the later turn counts
        try:
            if ticket.state == states.FINISHED:
                appointments.mark_met(session, appointment.id, now=now)
            else:
                appointments.mark_missed(session, appointment.id, now=now)
        except Refused:
            continue  # somebody has just said so
        settled += 1
    return settled


def _by_code(session: Session, code: str) -> Appointment:
    try:
        found = calendar.by_code(session, latin_digits(code).replace(" ", ""))
    except NotFound:
        found = None
    if found is None or found.state in (HELD, EXPIRED):
        raise Mistake("No appointment has this code. Please check it, or ask our staff.", field="code")
    return found


def _need_alive(appointment: Appointment) -> None:
    if appointment.state == CANCELLED:
        raise Refused("This appointment was called off. Our staff will gladly help you.")
    if appointment.state == MET:
        raise Refused("This appointment has taken place already.")
    if appointment.state == MISSED:
        raise Refused("The time of this appointment has passed. Please ask for a new one.")


def _need_its_day(slot: Slot, *, zone: str, now: datetime) -> None:
    today, its_day = local_day(now, zone), local_day(slot.starts_at, zone)
    opens_at = slot.starts_at - booking.CHECK_IN_OPENS
    if now < opens_at or its_day > today:
        when = When(slot.starts_at, zone)
        if its_day != today:
            raise Refused("This appointment is on {when}. Please come on that day.", when=when)
        raise Refused(
            "This appointment is on {when}. You can check in from {opens} on.", when=when, opens=When(opens_at, zone)
        )
    booking.check_in_allowed(slot.starts_at, slot.ends_at, now=now)


def _point(session: Session, centre_id: str, kind: str, section: str, wanted: str | None) -> tuple[ServicePoint, str]:
    """Where the visitor goes, and in which section: the own one where the point has it."""
    points = queries.service_points(session, centre_id)
    if wanted is not None:
        points = [point for point in points if point.id == wanted]
    elif kind == booking.VIDEO and any(point.kind == VIDEO_POINT for point in points):
        points = [point for point in points if point.kind == VIDEO_POINT]
    if not points:
        raise Refused("This service is not offered here at present. Please ask our staff.")
    point = next((point for point in points if section in point.sections), points[0])
    return point, section if section in point.sections else point.sections[0]
