"""Which slots may be offered to whom. An offer promises nothing: the place is decided under the day's lock."""

from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, exists, literal, literal_column, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from core.staff.models import Staff
from queueing.appointments.models import Appointment, Claim, Slot
from queueing.appointments.resources import attendants, interpreters, visitor, working_as
from queueing.appointments.rules import RESERVE_LIFTED, VIDEO, earliest
from queueing.appointments.states import OPEN

_OPEN = literal_column(f"'{OPEN}'")  # said and not bound, so that SQLite finds the index of free slots


def open_slots(
    session: Session,
    *,
    now: datetime,
    kind: str | None = None,
    centre_id: str | None = None,
    official_id: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    needs_interpreter: bool = False,
    urgent: bool = False,
    visitor_id: str | None = None,
    instead_of: Appointment | None = None,
    limit: int = 60,
) -> list[Slot]:
    """Free slots in order of time: place left, official, hall and attendant free, an interpreter where one is needed.

    `centre_id` narrows video slots to one hall and leaves the audience, which is at the office, as it is.
    `urgent` sees the reserve and needs little notice. `visitor_id` leaves out times at which the visitor is elsewhere.
    `instead_of` is an appointment to be moved: what it claims itself will be free by then, its own slot is no offer.
    """
    freed = _freed_by(instead_of)
    hall = literal("hall:") + Slot.centre_id
    query = (
        select(Slot)
        .where(Slot.state == _OPEN, Slot.taken < Slot.capacity)
        .where(Slot.starts_at >= max(since or now, earliest(urgent=urgent, now=now)))
        .where(~_claimed(literal("official:") + Slot.official_id, Slot.id, freed=freed))
        .where(or_(Slot.kind != VIDEO, Slot.centre_id.is_(None), ~_claimed(hall, Slot.id, freed=freed)))
        .where(_helpers_free(needs_interpreter, freed))
        .order_by(Slot.starts_at, Slot.id)
        .limit(limit)
    )
    if not urgent:
        query = query.where(or_(~Slot.reserved_urgent, Slot.starts_at <= now + RESERVE_LIFTED))
    if kind:
        query = query.where(Slot.kind == kind)
    if centre_id:
        query = query.where(or_(Slot.kind != VIDEO, Slot.centre_id == centre_id))
    if official_id:
        query = query.where(Slot.official_id == official_id)
    if until:
        query = query.where(Slot.starts_at < until)
    if visitor_id:
        query = query.where(~_claimed(literal(visitor(visitor_id)), freed=freed))
    if instead_of:
        query = query.where(Slot.id != instead_of.slot_id)
    return list(session.scalars(query))


def first_fitting(session: Session, *, now: datetime, **wishes: object) -> Slot | None:
    """The soonest slot that `open_slots` would offer for the same wishes."""
    return next(iter(open_slots(session, now=now, limit=1, **wishes)), None)  # type: ignore[arg-type]


def _freed_by(appointment: Appointment | None) -> tuple[str, ...]:
    """Whose claims end when this appointment leaves its slot; official and hall stay claimed for others in it."""
    if appointment is None:
        return ()
    return (appointment.id, appointment.slot_id) if appointment.slot.taken == 1 else (appointment.id,)


def _helpers_free(needs_interpreter: bool, freed: tuple[str, ...]) -> ColumnElement[bool]:
    """An attendant for a meeting in a hall, and an interpreter where one is needed, who must be somebody else."""
    attends, signs = aliased(Staff), aliased(Staff)
    attendant = _free(attendants(Slot.centre_id, attends), attends, freed).correlate(Slot)
    interpreter = _free(interpreters(signs), signs, freed)
    elsewhere = or_(Slot.kind != VIDEO, Slot.centre_id.is_(None))
    if not needs_interpreter:
        return or_(elsewhere, attendant.exists())
    both = attendant.where(interpreter.where(signs.id != attends.id).correlate(Slot, attends).exists())
    return or_(and_(elsewhere, interpreter.correlate(Slot).exists()), both.exists())


def _free(people: Select[str], person: type[Staff], freed: tuple[str, ...]) -> Select[str]:
    return people.where(*(~_claimed(role, freed=freed) for role in working_as(person.id)))


def _claimed(
    resource: ColumnElement[str],
    owner: ColumnElement[str] | InstrumentedAttribute[str] | None = None,
    *,
    freed: tuple[str, ...] = (),
) -> ColumnElement[bool]:
    """Whether anybody (but `owner` and those in `freed`) has the resource at some time of the row's slot."""
    claim = aliased(Claim)
    at_that_time = and_(claim.resource == resource, claim.at >= Slot.starts_at, claim.at < Slot.ends_at)
    wanted = at_that_time if owner is None else and_(at_that_time, claim.owner_id != owner)
    if freed:
        wanted = and_(wanted, claim.owner_id.not_in(freed))
    return exists().where(wanted).correlate_except(claim)  # also where it stands two levels deep
