"""What must be true of the calendar at every moment, told from the appointments and not from the claims alone."""

from collections import Counter
from itertools import combinations

from sqlalchemy import select
from sqlalchemy.orm import Session

from queueing.appointments import rules
from queueing.appointments.models import Appointment, Claim, Slot
from queueing.appointments.states import HELD, LIVE, MET, MISSED


def check(session: Session) -> list[Appointment]:
    """Asserts all of it; the appointments that have a place."""
    placed = list(session.scalars(select(Appointment).where(Appointment.state.in_((*LIVE, MET, MISSED)))))
    for slot in session.scalars(select(Slot)):
        assert slot.taken == sum(row.slot_id == slot.id for row in placed) <= slot.capacity
    for one, two in combinations(placed, 2):
        a, b = one.slot, two.slot
        if a.starts_at < b.ends_at and b.starts_at < a.ends_at:
            assert a.id == b.id or not shared(a) & shared(b), "an official or a hall is in two meetings"
            assert not own(one) & own(two), "a visitor or helper is in two meetings"
    for row in placed:
        assert (row.attendant_id is not None) == (row.slot.kind == rules.VIDEO)
        assert (row.interpreter_id is not None) == row.needs_interpreter
        assert (row.held_until is not None) == (row.state == HELD)
    petitions = Counter(row.petition_id for row in placed if row.state in LIVE)
    assert not petitions or max(petitions.values()) == 1
    expected = {
        (resource, at, owner)
        for row in placed
        for owner, names in ((row.slot_id, shared(row.slot)), (row.id, own(row)))
        for resource in names
        for at in rules.steps(row.slot.starts_at, row.slot.ends_at)
    }
    found = {(claim.resource, claim.at, claim.owner_id) for claim in session.scalars(select(Claim))}
    named = {(role(resource), at, owner) for resource, at, owner in found}
    assert named == expected, "all that a meeting needs is claimed, and nothing else"
    return placed


def shared(slot: Slot) -> set[str]:
    hall = {f"hall:{slot.centre_id}"} if slot.kind == rules.VIDEO else set()
    return {f"official:{slot.official_id}"} | hall


def own(row: Appointment) -> set[str]:
    """A helper is one person in whichever role."""
    helpers = {f"helper:{person}" for person in (row.attendant_id, row.interpreter_id) if person}
    return {f"visitor:{row.visitor_id}"} | helpers


def role(resource: str) -> str:
    kind, _, person = resource.partition(":")
    return f"helper:{person}" if kind in ("attendant", "interpreter") else resource
