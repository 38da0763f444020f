"""What must be true of the calendar at every moment, told from the appointments and not from the claims alone."""

from collections import Counter
from datetime import datetime
from itertools import combinations

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.calendar import local_day
from core.workdays import service as workdays
from queueing.appointments import rules
from queueing.appointments.models import Appointment, Claim, Slot
from queueing.appointments.series import settling
from queueing.appointments.series.models import Series
from queueing.appointments.series.rules import wanted
from queueing.appointments.states import EXPIRED, HELD, LIVE, MET, MISSED, OPEN
from queueing.waitlist import states as waitlist
from queueing.waitlist.models import Offer, Waiting
from queueing.waitlist.service import BY


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
    for beside in (False, True):
        petitions = Counter(row.petition_id for row in placed if row.state in LIVE and row.for_earlier == beside)
        assert not petitions or max(petitions.values()) == 1
    assert all(row.state == HELD and row.booked_by == BY for row in placed if row.for_earlier)
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
    check_offers(session, placed)
    return placed


def check_sessions(session: Session, *, now: datetime) -> None:
    """What stands open of a session is what its rule names, within the hours as they are, on no holiday."""
    rows = {row.id: row for row in session.scalars(select(Series))}
    open_ones = select(Slot).where(Slot.state == OPEN, Slot.starts_at > now, Slot.series_id.is_not(None))
    for slot in session.scalars(open_ones):
        series = rows[slot.series_id or ""]
        work = workdays.calendar_for(session, zone=series.zone, centre_id=series.centre_id)
        day, exceptions = local_day(slot.starts_at, series.zone), settling.exceptions_by_day(session, series.id)
        ought = wanted(settling.pattern_of(series), [day], exceptions, work, now=now)
        assert (slot.starts_at, slot.ends_at) in {(one.starts_at, one.ends_at) for one in ought}
        assert slot.capacity == max(series.capacity, slot.taken)


def check_offers(session: Session, placed: list[Appointment]) -> None:
    """A place is kept for one; who has an offer has one; what was taken is an appointment or was one."""
    held = {row.id: row for row in placed if row.state == HELD}
    line = {row.id: row for row in session.scalars(select(Waiting).where(Waiting.state.in_(waitlist.IN_LINE)))}
    open_ones = list(session.scalars(select(Offer).where(Offer.state == waitlist.OPEN)))
    assert len({offer.waiting_id for offer in open_ones}) == len(open_ones)
    for offer in open_ones:
        assert offer.waiting_id in line, "an offer to who waits no longer"
        assert line[offer.waiting_id].state == waitlist.OFFERED
        assert offer.appointment.petition_id == line[offer.waiting_id].petition_id
        if offer.appointment.state == HELD:
            assert offer.appointment.for_earlier == line[offer.waiting_id].for_earlier
        if offer.appointment_id in held:
            assert held[offer.appointment_id].held_until == offer.until, "the offer ends with its hold"
    for row in line.values():
        has_offer = any(offer.waiting_id == row.id for offer in open_ones)
        assert has_offer == (row.state == waitlist.OFFERED)
    answerable = {offer.appointment_id for offer in open_ones}
    assert all(row.id in answerable for row in held.values() if row.booked_by == BY), "a place is kept for nobody"
    taken = select(Offer.id).join(Appointment).where(Offer.state == waitlist.ACCEPTED)
    assert session.scalar(taken.where(Appointment.state.in_((HELD, EXPIRED))).limit(1)) is None
    waiting = Counter(row.petition_id for row in line.values())
    assert not waiting or max(waiting.values()) == 1


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
