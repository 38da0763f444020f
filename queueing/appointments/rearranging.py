"""Moving many at once: the plan first, then all of it or nothing, and everyone is told by what each move emits."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from itertools import islice

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.calendar import day_bounds, local_day
from core.errors import Refused
from core.language import N_
from queueing.appointments import fitting, resources, rules, service
from queueing.appointments.fitting import Guest, Helpers, Ledger, Place
from queueing.appointments.models import Appointment, Claim, Slot
from queueing.appointments.rules import VIDEO
from queueing.appointments.states import AWAITED, OPEN

HOLIDAY, URGENT_CASE, SESSION, HOURS = "holiday", "urgent", "session", "hours"
WHY = {
    HOLIDAY: N_("because of a holiday"),
    URGENT_CASE: N_("to make room for an urgent case"),
    SESSION: N_("because the session was changed"),
    HOURS: N_("because the working hours were changed"),
}
LOOKED_AT = 60  # places at first, for each official, kind and hall; more while somebody has none
CHUNK = 400  # names in one statement

CHANGED = N_("The calendar has changed since this plan was shown. Nobody was moved. Please look at it again.")


@dataclass(frozen=True, slots=True)
class Move:
    appointment: Appointment
    to: Place


@dataclass(frozen=True, slots=True)
class Plan:
    """Who would go where, in the order of moving, and who finds no place."""

    moves: tuple[Move, ...]
    unplaced: tuple[Appointment, ...]

    @property
    def mark(self) -> str:
        """The same for the same plan: what a person agreed to is what is done."""
        said = [f"{move.appointment.id}>{move.to.starts_at.isoformat()}" for move in self.moves]
        said += [f"{row.id}>" for row in self.unplaced]
        return sha256("\n".join(sorted(said)).encode()).hexdigest()[:24]


def plan(
    session: Session,
    appointments: Sequence[Appointment],
    *,
    now: datetime,
    urgent: Collection[str] = frozenset(),
    extra: Sequence[Place] = (),
    without: Collection[str] = frozenset(),
    rooms: Mapping[str, int] | None = None,
    same_day: bool = False,
) -> Plan:
    """The next fitting place of each, those of `urgent` petitions first. Reads only.

    `extra` are places that would be made, `without` slots that would go, `rooms` slots whose room would be another.
    A visitor is moved to a later time, or with `same_day` to any other of that day too.
    """
    guests = fitting.in_order(
        (
            guest_of(row, urgent=row.petition_id in urgent, same_day=same_day, now=now),
            row.slot.starts_at,
            row.created_at,
        )
        for row in appointments
    )
    if not guests:
        return Plan((), ())
    by_id = {row.id: row for row in appointments}
    most = LOOKED_AT + 2 * len(guests)
    while True:
        places, cut = places_for(session, guests, most, without=without, rooms=rooms, now=now)
        found = fitting.assign(
            guests,
            [*places, *extra],
            ledger(session, guests, [*places, *extra], appointments),
            helpers(session, guests),
            now=now,
        )
        if len(found) == len(guests) or not cut:
            break
        most *= 4
    return Plan(
        tuple(Move(by_id[guest.id], found[guest.id]) for guest in guests if guest.id in found),
        tuple(by_id[guest.id] for guest in guests if guest.id not in found),
    )


def carry_out(
    session: Session,
    appointment_ids: Sequence[str],
    *,
    mark: str,
    by: str,
    reason: str,
    moved_for: str,
    now: datetime,
    urgent: Collection[str] = frozenset(),
) -> Plan:
    """Do the plan that was shown. Raises Refused, and moves nobody, when it would be another one by now.

    Who finds no place keeps the appointment as it is, for a person to see to.
    """
    shown = plan(session, awaited(session, appointment_ids), urgent=urgent, now=now)
    held = days(shown)
    resources.lock(session, held)
    current = plan(session, awaited(session, appointment_ids), urgent=urgent, now=now)
    if current.mark != mark or not days(current) <= held:
        raise Refused(CHANGED)
    with session.begin_nested():
        move(session, current, by=by, reason=reason, moved_for=moved_for, urgent=urgent, now=now)
    return current


def days(decided: Plan) -> set[date]:
    """Every day that it touches, to be held before anything is decided for good: a day that is locked after a later one
    could be waited for in a ring."""
    leave = [row.slot for row in (*decided.unplaced, *(one.appointment for one in decided.moves))]
    spans = [(slot.starts_at, slot.ends_at) for slot in leave]
    spans += [(one.to.starts_at, one.to.ends_at) for one in decided.moves]
    return {day for span in spans for day in rules.days(*span)}


def move(
    session: Session,
    decided: Plan,
    *,
    by: str,
    reason: str,
    moved_for: str,
    now: datetime,
    urgent: Collection[str] = frozenset(),
    made: Mapping[str, str] | None = None,
) -> list[Appointment]:
    """Move everybody. `made` says which slot has become of a place that did not exist. The caller holds the days."""
    return [
        service.reschedule(
            session,
            one.appointment.id,
            slot_id=(made or {}).get(one.to.id, one.to.id),
            by=by,
            reason=reason,
            urgent=one.appointment.petition_id in urgent,
            moved_for=moved_for,
            now=now,
        )
        for one in decided.moves
    ]


def awaited(session: Session, appointment_ids: Sequence[str]) -> list[Appointment]:
    """Those of them who are still expected, as the database has them now."""
    query = select(Appointment).where(Appointment.id.in_(appointment_ids), Appointment.state.in_(AWAITED))
    return list(session.scalars(query.order_by(Appointment.id).execution_options(populate_existing=True)))


def ledger(
    session: Session, guests: Iterable[Guest], places: Sequence[Place], appointments: Iterable[Appointment]
) -> Ledger:
    """What is claimed of all that anybody here could need, and the guests in every slot somebody would leave."""
    slots = [row.slot for row in appointments]
    times = [(p.starts_at, p.ends_at) for p in places] + [(s.starts_at, s.ends_at) for s in slots]
    if not times:
        return Ledger({}, {})
    first, last = min(t[0] for t in times) - fitting.NEAR, max(t[1] for t in times) + fitting.NEAR
    names = {f"official:{p.official_id}" for p in places} | {f"official:{s.official_id}" for s in slots}
    names |= {f"hall:{p.centre_id}" for p in places if p.centre_id} | {
        f"hall:{s.centre_id}" for s in slots if s.centre_id
    }
    names |= {f"visitor:{guest.visitor_id}" for guest in guests}
    people = {*session.scalars(resources.interpreters())}
    for centre_id in {p.centre_id for p in places if p.centre_id}:
        people |= set(session.scalars(resources.attendants(centre_id)))
    names |= {f"{role}:{person}" for person in people for role in ("interpreter", "attendant")}
    claims: dict[tuple[str, datetime], str] = {}
    wanted = iter(sorted(names))
    while chunk := list(islice(wanted, CHUNK)):
        query = select(Claim.resource, Claim.at, Claim.owner_id)
        for resource, at, owner in session.execute(
            query.where(Claim.resource.in_(chunk), Claim.at >= first, Claim.at < last)
        ):
            claims[resource, at] = owner
    return Ledger(claims, {slot.id: slot.taken for slot in slots})


def helpers(session: Session, guests: Iterable[Guest]) -> Helpers:
    halls = {guest.centre_id for guest in guests if guest.kind == VIDEO and guest.centre_id}
    return Helpers(
        {hall: list(session.scalars(resources.attendants(hall))) for hall in halls},
        list(session.scalars(resources.interpreters())),
    )


def place_of(slot: Slot, *, room: int | None = None) -> Place:
    return Place(
        id=slot.id,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        official_id=slot.official_id,
        kind=slot.kind,
        centre_id=slot.centre_id,
        room=slot.capacity - slot.taken if room is None else room,
        reserved_urgent=slot.reserved_urgent,
    )


def guest_of(row: Appointment, *, now: datetime, urgent: bool = False, same_day: bool = False) -> Guest:
    """What this visitor would need elsewhere."""
    slot = row.slot
    since = day_bounds(local_day(slot.starts_at, slot.zone), slot.zone)[0] if same_day and slot.zone else slot.starts_at
    return Guest(
        id=row.id,
        slot_id=slot.id,
        visitor_id=row.visitor_id,
        official_id=slot.official_id,
        kind=slot.kind,
        centre_id=slot.centre_id,
        needs_interpreter=row.needs_interpreter,
        urgent=urgent,
        not_before=max(since, rules.earliest(urgent=urgent, now=now)),
    )


def places_for(
    session: Session,
    guests: Sequence[Guest],
    most: int,
    *,
    now: datetime,
    without: Collection[str] = frozenset(),
    rooms: Mapping[str, int] | None = None,
) -> tuple[list[Place], bool]:
    """The next open slots with room for each official, kind and hall; whether there are more than were looked at."""
    found: list[Place] = []
    cut = False
    for official_id, kind, centre_id in sorted({(g.official_id, g.kind, g.centre_id or "") for g in guests}):
        own = [g for g in guests if (g.official_id, g.kind, g.centre_id or "") == (official_id, kind, centre_id)]
        query = select(Slot).where(
            Slot.official_id == official_id,
            Slot.kind == kind,
            Slot.state == OPEN,
            Slot.starts_at >= min(g.not_before for g in own),
            Slot.taken < Slot.capacity,
        )
        if kind == VIDEO:
            query = query.where(Slot.centre_id == centre_id)
        rows = list(session.scalars(query.order_by(Slot.starts_at, Slot.id).limit(most)))
        cut = cut or len(rows) == most
        found += [place_of(slot, room=(rooms or {}).get(slot.id)) for slot in rows if slot.id not in without]
    return found, cut
