"""An appointment taken in hand in the week: which times it could have, what the visitor would read, and the way back.

All of it stands in the address (`move`, `to`, `moved`), so that it works by links alone; the script only moves faster.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.errors import NotFound
from core.language import N_
from core.staff.rules import AIDE
from messaging.rules import Segments
from queueing.appointments import calendar, service
from queueing.appointments.models import Appointment, Slot
from queueing.appointments.states import AWAITED, BOOKED, OPEN
from reception import access
from reception.notify import appointments as texts
from reception.petitions.rules import URGENT
from web.http import Context
from web.office.engagements import Engagement, engagements

UNDO = timedelta(minutes=10)  # so long a move can be taken back by one press

# What a slot looks like in the week: why it is no place for what one has in hand.
WHY_NOT = {
    "taken": N_("This time is taken. Choose a free one."),
    "reserved": N_("This time is kept for urgent cases. Choose another one."),
    "blocked": N_("The official or the hall has been given to another meeting at this time."),
    "closed": N_("This time is no longer offered. Choose another one."),
    "past": N_("This time has passed. Choose a later one."),
}
HELPERS = N_("At this time the visitor, the hall's attendant or the interpreter is not free. Choose another one.")
LOST = N_("This appointment can't be moved any more: it has been moved meanwhile, or has ended.")
TOO_SOON = N_("The visitor needs time for the way. Choose a later time.")


@dataclass(frozen=True, slots=True)
class Carry:
    """What is in hand. `fits` are the times of the shown week that it could have, with all that the meeting needs."""

    row: Engagement
    fits: frozenset[str]
    target: Slot | None = None  # where it was put, if it fits there
    text: Segments | None = None  # what the visitor would read
    refused: str = ""  # why it does not fit there

    @property
    def id(self) -> str:
        return self.row.appointment.id


@dataclass(frozen=True, slots=True)
class Moved:
    """A move just made, and whether the old time has still a place (whether all else is free too, the verb decides)."""

    row: Engagement
    before: Slot
    free: bool


def appointment_for(ctx: Context, appointment_id: str) -> Appointment:
    """The appointment, for an aide and for its official. Raises NotFound to the others."""
    appointment = calendar.appointment_of(ctx.session, appointment_id)
    access.petition_for(ctx.session, ctx.staff, appointment.petition_id)
    if AIDE not in ctx.staff.roles and appointment.slot.official_id != ctx.staff.id:
        raise NotFound("There is no such appointment.")
    return appointment


def stands_now(ctx: Context, appointment: Appointment) -> str:
    """The page of what an appointment has become: the one that took its place, or itself."""
    current = calendar.current(ctx.session, appointment.petition_id)
    return f"/office/appointments/{(current or appointment).id}"


def carried(ctx: Context, start: datetime, end: datetime, looks: dict[str, str]) -> Carry | None:
    """What the address says is in hand, in the week of [start, end); None where nothing (or nothing movable) is."""
    asked = ctx.query.get("move", "")
    if not asked:
        return None
    appointment = appointment_for(ctx, asked)
    if appointment.state not in AWAITED:
        return None
    (row,) = engagements(ctx.session, [appointment])
    fits = frozenset(slot.id for slot in free_for(ctx, row, start, end))
    wanted = ctx.query.get("to", "")
    if not wanted or wanted == appointment.slot_id:
        return Carry(row, fits)
    if wanted not in fits:
        return Carry(row, fits, refused=ctx._(_why_not(ctx, wanted, looks)))
    slot = calendar.slot_of(ctx.session, wanted)
    language = row.visitor.language if row.visitor else "ar"
    text = texts.preview(slot, code=appointment.code, language=language, settings=ctx.settings, template=texts.MOVED)
    return Carry(row, fits, slot, text)


def moved(ctx: Context) -> Moved | None:
    """The move that has just been made here."""
    asked = ctx.query.get("moved", "")
    if not asked:
        return None
    appointment = appointment_for(ctx, asked)
    if appointment.state != BOOKED or not appointment.previous_id or ctx.now - appointment.created_at > UNDO:
        return None
    (row,) = engagements(ctx.session, [appointment])
    before = calendar.appointment_of(ctx.session, appointment.previous_id).slot
    free = before.state == OPEN and before.taken < before.capacity and before.starts_at > ctx.now
    return Moved(row, before, free)


def free_for(ctx: Context, row: Engagement, start: datetime, end: datetime) -> list[Slot]:
    """Times in [start, end) with official, hall, attendant, interpreter and visitor free once the old one is given up.

    An official moves only within the own calendar.
    """
    mine = None if AIDE in ctx.staff.roles else ctx.staff.id
    return service.open_slots(
        ctx.session,
        now=ctx.now,
        since=start,
        until=end,
        official_id=mine,
        needs_interpreter=row.appointment.needs_interpreter,
        urgent=_urgent(row),
        visitor_id=row.appointment.visitor_id,
        instead_of=row.appointment,
        limit=500,
    )


def _why_not(ctx: Context, slot_id: str, looks: dict[str, str]) -> str:
    look = looks.get(slot_id, "")
    if look in WHY_NOT:
        return WHY_NOT[look]
    soon = calendar.slot_of(ctx.session, slot_id).starts_at < ctx.now + timedelta(hours=2)
    return TOO_SOON if soon else HELPERS


def _urgent(row: Engagement) -> bool:
    return row.petition is not None and row.petition.urgency == URGENT
