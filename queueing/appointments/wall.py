"""A booking keeps its wall-clock time: when a zone's rules change, the instant follows what the clock shows.

Countries change their clocks with little notice, and what a visitor has in a text is a time on the wall. So a slot
keeps that time and its zone, and after new rules are installed its instant is derived from them again.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from core.calendar import at_wall_clock
from core.events import emit
from queueing.appointments import resources, rules
from queueing.appointments.events import AppointmentShifted, SlotsShifted
from queueing.appointments.models import Appointment, Claim, Slot
from queueing.appointments.rules import Shift, Span
from queueing.appointments.states import AWAITED

WIDEST = timedelta(
    hours=26
)  # no change of rules moves a clock further than from one edge of the date line to the other
CHUNK = 500  # rows named in one statement


@dataclass(frozen=True, slots=True)
class Followed:
    """Slots that have another instant now, and those that would have met another meeting there and stayed."""

    shifted: list[str]
    blocked: list[str]


def follow_zones(session: Session, *, now: datetime) -> Followed:
    """Derive the instants of all slots that are not over yet again; whoever is expected in one that moved is told.

    Slots of one zone move together and so meet nobody new; with several zones, or where a clock leaves an hour out,
    one may. Such a slot stays where it was and is named: no person or hall may be in two meetings. Nothing to do costs
    one reading of the coming slots. Only a fresh reading of the zone files sees that they changed: call it at a start.
    """
    moved = _moved(session, now=now)
    if not moved:
        return Followed([], [])
    resources.lock(session, (day for spans in moved.values() for span in spans for day in rules.days(*span)))
    moved = _moved(session, now=now)  # as things stand under the locks; nobody else changes a slot's instant meanwhile
    claims = _claims(session, moved)
    owners = {owner for rows in claims.values() for _, owner in rows}
    first, last = min(span[0] for span in _spans(moved)), max(span[1] for span in _spans(moved))
    others = session.execute(
        select(Claim.resource, Claim.at, Claim.owner_id).where(Claim.at >= first - rules.GRID, Claim.at < last)
    )
    taken = {(resource, at) for resource, at, owner in others if owner not in owners}
    shifts = [
        Shift(slot_id, before, after, frozenset(resource for resource, _ in claims[slot_id]))
        for slot_id, (before, after) in moved.items()
    ]
    blocked = rules.blocked(shifts, taken)
    shifted = {shift.slot_id: shift.after for shift in shifts if shift.slot_id not in blocked}
    _apply(session, shifted, claims)
    _tell(session, shifted, now=now)
    if shifted:
        emit(session, SlotsShifted(shifted=len(shifted), blocked=len(blocked)), now=now)
    return Followed(sorted(shifted), sorted(blocked))


def read_zones_anew() -> None:
    """Forget what this process has read of the zone files, so that new ones count from now on."""
    ZoneInfo.clear_cache()


def _moved(session: Session, *, now: datetime) -> dict[str, tuple[Span, Span]]:
    """Slots whose clock time is another instant than the one on record: before and after."""
    rows = session.execute(
        select(Slot.id, Slot.starts_at, Slot.ends_at, Slot.wall_start, Slot.zone)
        .where(Slot.starts_at > now - WIDEST, Slot.zone != "")
        .order_by(Slot.starts_at, Slot.id)
    )
    found = {}
    for slot_id, starts_at, ends_at, wall, zone in rows:
        at = at_wall_clock(wall, zone, near=starts_at)
        if at != starts_at and max(at, starts_at) > now:
            found[slot_id] = ((starts_at, ends_at), (at, at + (ends_at - starts_at)))
    return found


def _spans(moved: dict[str, tuple[Span, Span]]) -> list[Span]:
    return [span for pair in moved.values() for span in pair]


def _claims(session: Session, moved: dict[str, tuple[Span, Span]]) -> dict[str, set[tuple[str, str]]]:
    """By slot: (resource, owner) of all that is claimed for it or for an appointment in it."""
    found: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for ids in _chunks(list(moved)):
        slot_of = dict(
            session.execute(select(Appointment.id, Appointment.slot_id).where(Appointment.slot_id.in_(ids))).all()
        )
        slot_of |= {slot_id: slot_id for slot_id in ids}
        for owners in _chunks(list(slot_of)):
            rows = select(Claim.resource, Claim.owner_id).where(Claim.owner_id.in_(owners)).distinct()
            for resource, owner in session.execute(rows):
                found[slot_of[owner]].add((resource, owner))
    return found


def _apply(session: Session, shifted: dict[str, Span], claims: dict[str, set[tuple[str, str]]]) -> None:
    """All claims of what moves are lifted before the first is set down again: neighbours step over each other."""
    for owners in _chunks(list({owner for slot_id in shifted for _, owner in claims[slot_id]})):
        session.execute(delete(Claim).where(Claim.owner_id.in_(owners)))
    new = [
        {"resource": resource, "at": at, "owner_id": owner}
        for slot_id, span in shifted.items()
        for resource, owner in claims[slot_id]
        for at in rules.steps(*span)
    ]
    if new:
        session.execute(insert(Claim), new)
    if shifted:
        rows = [{"id": slot_id, "starts_at": span[0], "ends_at": span[1]} for slot_id, span in shifted.items()]
        session.execute(update(Slot), rows)
    session.expire_all()


def _tell(session: Session, shifted: dict[str, Span], *, now: datetime) -> None:
    for ids in _chunks(list(shifted)):
        expected = select(Appointment).where(Appointment.slot_id.in_(ids), Appointment.state.in_(AWAITED))
        for row in session.scalars(expected.order_by(Appointment.id)):
            emit(session, AppointmentShifted(row.id, row.slot_id, row.visitor_id, row.petition_id), now=now)


def _chunks(ids: list[str]) -> list[list[str]]:
    return [ids[n : n + CHUNK] for n in range(0, len(ids), CHUNK)]
