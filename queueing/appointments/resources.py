"""The lock of a calendar day, and claims on who and what can be in one place at a time."""

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import date, timedelta

from sqlalchemy import ColumnElement, Select, delete, exists, false, func, literal, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from core.staff.models import Staff, StaffRole
from core.staff.rules import ATTENDANT, INTERPRETER
from queueing.appointments.models import CalendarDay, Claim, Slot
from queueing.appointments.rules import VIDEO, choose_helper, days, steps


def lock(session: Session, touched: Iterable[date]) -> None:
    """Hold the given days until the transaction ends. Always in order of date, so that two never wait in a ring.

    One statement makes the days that nobody has used and locks the others, one after the other: what conflicts is
    locked though nothing is changed in it (postgresql.org/docs/current/sql-insert.html, "ON CONFLICT Clause"). Made
    before all are locked, a new day would be held while an earlier one is waited for.
    """
    ordered = sorted(set(touched))
    if not ordered:
        return
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    made = insert(CalendarDay).values([{"day": day} for day in ordered])
    nothing = {"day": made.excluded.day}
    session.execute(made.on_conflict_do_update(index_elements=[CalendarDay.day], set_=nothing, where=false()))


def lock_slots(session: Session, *slot_ids: str) -> list[Slot]:
    """The slots as they are now, in the order asked for, their days locked; unknown ones are left out."""
    spans = session.execute(select(Slot.starts_at, Slot.ends_at).where(Slot.id.in_(slot_ids))).all()
    lock(session, (day for span in spans for day in days(*span)))
    rows = session.scalars(select(Slot).where(Slot.id.in_(slot_ids)).execution_options(populate_existing=True))
    found = {slot.id: slot for slot in rows}
    return [found[slot_id] for slot_id in slot_ids if slot_id in found]


def official(slot: Slot) -> str:
    return f"official:{slot.official_id}"


def hall(slot: Slot) -> str | None:
    """A video meeting uses the centre's private hall; an audience takes place at the office."""
    return f"hall:{slot.centre_id}" if slot.kind == VIDEO and slot.centre_id else None


def interpreter(staff_id: str) -> str:
    return f"interpreter:{staff_id}"


def attendant(staff_id: str) -> str:
    return f"attendant:{staff_id}"


def visitor(visitor_id: str) -> str:
    return f"visitor:{visitor_id}"


def busy(session: Session, resource: str, slot: Slot, *, owner_id: str) -> bool:
    """Whether somebody other than `owner_id` has the resource at any time of the slot."""
    return bool(
        session.scalar(
            select(
                exists().where(
                    Claim.resource == resource,
                    Claim.at.in_(steps(slot.starts_at, slot.ends_at)),
                    Claim.owner_id != owner_id,
                )
            )
        )
    )


def take(session: Session, resource: str, slot: Slot, *, owner_id: str) -> None:
    """Claim the resource for the whole slot. The caller holds the day and has seen that it is free."""
    session.add_all(Claim(resource=resource, at=at, owner_id=owner_id) for at in steps(slot.starts_at, slot.ends_at))
    session.flush()


def give_back(session: Session, owner_id: str) -> None:
    session.execute(delete(Claim).where(Claim.owner_id == owner_id))


def interpreters(person: type[Staff] = Staff) -> Select[str]:
    """Interpreters belong to the ministry: one interprets over the line wherever the visitor sits."""
    return _with_role(INTERPRETER, person)


def attendants(centre_id: str | InstrumentedAttribute[str | None], person: type[Staff] = Staff) -> Select[str]:
    """Who seats visitors in the centre's hall. With as many of them on duty, as many meetings may run at once there."""
    return _with_role(ATTENDANT, person).where(person.centre_id == centre_id)


def free_interpreter(session: Session, slot: Slot) -> str | None:
    """Who interprets in this slot: the free one with the fewest claimed steps within twelve hours either way."""
    return _free(session, slot, list(session.scalars(interpreters())))


def free_attendant(session: Session, slot: Slot) -> str | None:
    """Who attends in the centre's hall, chosen likewise; one who could interpret too only if nobody else is free."""
    people = list(session.scalars(attendants(slot.centre_id or "")))
    return _free(session, slot, people, spare=set(session.scalars(interpreters().where(Staff.id.in_(people)))))


def working_as(staff_id: InstrumentedAttribute[str]) -> list[ColumnElement[str]]:
    """The resources under which a helper may be claimed: who has two roles is still one person."""
    return [literal("interpreter:") + staff_id, literal("attendant:") + staff_id]


def _with_role(role: str, person: type[Staff]) -> Select[str]:
    as_role = aliased(StaffRole)
    return select(person.id).join(as_role, as_role.staff_id == person.id).where(person.active, as_role.role == role)


def _free(session: Session, slot: Slot, people: list[str], *, spare: Collection[str] = frozenset()) -> str | None:
    names = {name(person): person for person in people for name in (interpreter, attendant)}
    near = (slot.starts_at - timedelta(hours=12), slot.starts_at + timedelta(hours=12))
    taken = session.scalars(
        select(Claim.resource).where(Claim.resource.in_(names), Claim.at.in_(steps(slot.starts_at, slot.ends_at)))
    )
    busy_ones = {names[resource] for resource in taken}
    counted = session.execute(
        select(Claim.resource, func.count())
        .where(Claim.resource.in_(names), Claim.at >= near[0], Claim.at < near[1])
        .group_by(Claim.resource)
    )
    load: Counter[str] = Counter()
    for resource, count in counted:
        load[names[resource]] += count
    return choose_helper([person for person in people if person not in busy_ones], load, spare=spare)
