"""Reactions that carry one person's visit from craft to craft: booking → meeting, meeting → appointment kept."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from core.errors import Refused
from core.settings import Settings
from core.staff.models import Staff
from core.sweeping import read_first
from queueing.appointments import service as appointments
from queueing.appointments import wall
from queueing.appointments.events import (
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentRescheduled,
    AppointmentShifted,
)
from queueing.appointments.models import Appointment
from queueing.appointments.series import service as series
from queueing.appointments.states import KEPT
from queueing.tickets import service as tickets
from queueing.tickets.events import TicketCalled
from reception.appointed.rules import BY_VISITOR
from reception.centres.models import Centre
from reception.hotline import concerns
from reception.kiosks import turns
from reception.petitions import entries, story
from reception.visitors.models import Visitor
from reception.visits import arrival
from reception.visits import service as visits
from recordings.archive import service as archive
from recordings.archive.events import RecordingClosed, RecordingReady, RecordingTriedAgain
from recordings.strip import service as strips
from video.meetings import service as meetings
from video.meetings.events import MeetingEnded
from video.meetings.rules import INTERPRETER


def arrange_meeting(
    session: Session,
    event: AppointmentBooked | AppointmentRescheduled | AppointmentShifted,
    *,
    now: datetime,
    settings: Settings,
) -> None:
    """A booked video slot is a meeting to which visitor, official and, where asked for, interpreter are invited.

    It may come after the reaction to the appointment's end; then there is nothing left to arrange. The lock keeps
    that end from being decided between our look at the appointment and our meeting.
    """
    appointment = session.get_one(Appointment, event.appointment_id, with_for_update={"of": Appointment})
    slot = appointment.slot
    if appointment.previous_id:
        meetings.cancel(session, appointment.previous_id, now=now)
    if appointment.state not in KEPT:
        return
    if slot.kind != "video" or slot.centre_id is None:
        return
    visitor = session.get_one(Visitor, appointment.visitor_id)
    official = session.get_one(Staff, slot.official_id)
    meeting = meetings.schedule(
        session,
        appointment_id=appointment.id,
        petition_id=appointment.petition_id or "",
        visitor_id=visitor.id,
        visitor_name=(visitor.name, visitor.name),
        official=(official.id, official.name_ar, official.name_en),
        centre_id=slot.centre_id,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        now=now,
    )
    visits.link(
        session,
        centre_id=slot.centre_id,
        visitor_id=visitor.id,
        petition_id=appointment.petition_id,
        appointment_id=appointment.id,
        meeting_id=meeting.id,
        now=now,
    )
    if appointment.interpreter_id:
        helper = session.get_one(Staff, appointment.interpreter_id)
        meetings.seat(
            session,
            meeting,
            role=INTERPRETER,
            staff_id=helper.id,
            name_ar=helper.name_ar,
            name_en=helper.name_en,
            now=now,
        )


def tell_appointment(
    session: Session, event: AppointmentBooked | AppointmentRescheduled, *, now: datetime, settings: Settings
) -> None:
    """The case's story gets the appointment, with its place."""
    appointment = session.get_one(Appointment, event.appointment_id)
    if not appointment.petition_id:
        return
    centre = session.get(Centre, appointment.slot.centre_id or "")
    entries.record(
        session,
        appointment.petition_id,
        "appointment",
        staff_id=None if appointment.booked_by == BY_VISITOR else appointment.booked_by,
        fields=story.named("centre", centre),
        now=now,
    )


def tell_meeting(session: Session, event: MeetingEnded, *, now: datetime, settings: Settings) -> None:
    if event.met and event.petition_id:
        entries.record(session, event.petition_id, "meeting", now=now)


def call_off_meeting(session: Session, event: AppointmentCancelled, *, now: datetime, settings: Settings) -> None:
    meetings.cancel(session, event.appointment_id, now=now)


def close_appointment(session: Session, event: MeetingEnded, *, now: datetime, settings: Settings) -> None:
    """The meeting took place, so the appointment was kept; a room that only stood open changes nothing."""
    if event.met and event.appointment_id:
        try:
            appointments.mark_met(session, event.appointment_id, now=now)
        except Refused:  # the desk has already said what became of it
            return


def make_playable(
    session: Session, event: RecordingClosed | RecordingTriedAgain, *, now: datetime, settings: Settings
) -> None:
    """A closed journal is remuxed at once; where the sweep for lost work was quicker than this, it is asked for."""
    archive.ask_to_finish(session, event.recording_id, now=now)


def draw_strip(session: Session, event: RecordingReady, *, now: datetime, settings: Settings) -> None:
    """What can be played gets its words, its curve and its stills."""
    strips.ask(session, event.recording_id, now=now)


def tell_the_near(session: Session, event: TicketCalled, *, now: datetime, settings: Settings) -> None:
    """A call moves the line up: whoever is near the front now is told, once."""
    tickets.tell_near(session, event.counter_id, now=now)


def expire_holds(session: Session, now: datetime) -> None:
    appointments.expire_holds(session, now=now)


class _FollowZones:
    """Now and then, and at the start of a worker, slots follow what has become of their zones' clocks."""

    __name__ = "follow_zones"

    def __init__(self) -> None:
        self._next: datetime | None = None

    def due(self, now: datetime) -> bool:
        return self._next is None or now >= self._next

    def __call__(self, session: Session, now: datetime) -> None:
        if self.due(now):
            wall.read_zones_anew()
            wall.follow_zones(session, now=now)
            self._next = now + timedelta(hours=1)


class _ExtendSessions:
    """Recurring sessions are offered further ahead as days pass."""

    __name__ = "extend_sessions"

    def __init__(self) -> None:
        self._next: datetime | None = None

    def due(self, now: datetime) -> bool:
        return self._next is None or now >= self._next

    def __call__(self, session: Session, now: datetime) -> None:
        if self.due(now):
            series.extend_all(session, now=now)
            self._next = now + timedelta(hours=1)


def escalate_concerns(session: Session, now: datetime) -> None:
    """Complaints that a centre leaves lying go on to the office."""
    concerns.escalate_overdue(session, now=now)


def close_day(session: Session, now: datetime) -> None:
    tickets.close_day(session, now=now)


def forget_phones(session: Session, now: datetime) -> None:
    turns.forget_phones(session, now=now)


def settle_arrivals(session: Session, now: datetime) -> None:
    """Checked-in appointments whose time is over end as their turn in the hall ended."""
    arrival.settle(session, now=now)


def end_abandoned_meetings(session: Session, now: datetime) -> None:
    meetings.end_abandoned(session, now=now)


for _sweep in (expire_holds, close_day, forget_phones, escalate_concerns, settle_arrivals, end_abandoned_meetings):
    read_first(_sweep)

SWEEPS: tuple[Callable[[Session, datetime], object], ...] = (
    expire_holds,
    close_day,
    forget_phones,
    escalate_concerns,
    settle_arrivals,
    end_abandoned_meetings,
    _FollowZones(),
    _ExtendSessions(),
)
