"""The waitlist seen from the cases: who joins it and as which class, and what ends the waiting."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core import audit
from core.errors import Mistake, Refused
from core.language import N_
from core.settings import Settings
from core.sweeping import gated
from queueing.appointments import calendar
from queueing.appointments.events import AppointmentBooked, AppointmentRescheduled
from queueing.appointments.states import AWAITED, BOOKED
from queueing.tickets.models import Ticket
from queueing.tickets.reasons import Because, Reasons, explain
from queueing.tickets.rules import DEAF, REGULAR, Weighed
from queueing.waitlist import rules, service, states
from queueing.waitlist.models import Offer, Waiting
from reception.petitions.events import PetitionClosed, UrgentAgreed
from reception.petitions.models import Petition
from reception.petitions.rules import URGENT
from reception.petitions.states import SETTLED

EVERY = timedelta(seconds=5)
REASON_CLOSED = N_("The petition was closed")
REASON_JOINED = N_("The petition was joined to another")


@dataclass(frozen=True, slots=True)
class InLine:
    """One row of the list as staff see it. `because`: why it comes before the next one."""

    place: int
    waiting: Waiting
    petition: Petition
    weighed: Weighed | None
    because: Because | None
    offer: Offer | None


def join(
    session: Session,
    petition: Petition,
    *,
    by: str,
    zone: str,
    now: datetime,
    kind: str = "",
    centre_id: str | None = None,
    official_id: str | None = None,
    needs_interpreter: bool | None = None,
    visitor_class: str = "",
    earliest: datetime | None = None,
    latest: datetime | None = None,
    for_earlier: bool = False,
) -> Waiting:
    """What is not said is known from the case: its urgency, the class of its ticket, who signs."""
    if petition.state in SETTLED:
        raise Refused("This petition is settled. Reopen it first.")
    signs = petition.visitor.sign_language if needs_interpreter is None else needs_interpreter
    waiting = service.join(
        session,
        petition_id=petition.id,
        visitor_id=petition.visitor_id,
        label=petition.case_number,
        by=by,
        zone=zone,
        kind=kind,
        centre_id=centre_id,
        official_id=official_id,
        needs_interpreter=signs,
        visitor_class=visitor_class or class_of(session, petition),
        urgent=petition.urgency == URGENT,
        earliest=earliest,
        latest=latest,
        for_earlier=for_earlier,
        now=now,
    )
    audit.note(session, "join waitlist", "petition", petition.id, now=now)
    return waiting


def wait_for_earlier(session: Session, petition: Petition, *, by: str, zone: str, now: datetime) -> Waiting:
    """Keep the appointment and be asked when the same official has time on an earlier day, in the same place.

    Raises Refused where there is no appointment, or no earlier day is left.
    """
    current = calendar.current(session, petition.id)
    slot = current.slot if current is not None else None
    return join(
        session,
        petition,
        by=by,
        zone=zone,
        kind=slot.kind if slot else "",
        centre_id=slot.centre_id if slot else None,
        official_id=slot.official_id if slot else None,
        needs_interpreter=current.needs_interpreter if current else None,
        for_earlier=True,
        now=now,
    )


def may_wait_for_earlier(session: Session, petition: Petition, *, zone: str, now: datetime) -> bool:
    """Whether there is an appointment, an earlier day before it, and nobody waits for that yet."""
    current = calendar.current(session, petition.id)
    if current is None or current.state != BOOKED or service.of_petition(session, petition.id) is not None:
        return False
    until = rules.earlier_until(current.slot.starts_at, zone=zone)
    return petition.state not in SETTLED and not rules.is_outlasted(until, urgent=petition.urgency == URGENT, now=now)


def class_of(session: Session, petition: Petition) -> str:
    """The class in which the visitor stood in the hall; else what is known of them."""
    ticket = session.get(Ticket, petition.ticket_id) if petition.ticket_id else None
    if ticket is not None:
        return ticket.visitor_class
    return DEAF if petition.visitor.sign_language else REGULAR


def line(session: Session, *, centre_id: str | None = None, now: datetime) -> list[InLine]:
    """All who wait, those with an offer or without an answer too, in the order in which times are offered.

    `centre_id` leaves those for whom a time in this centre or at the office could be meant.
    """
    wanted = service.in_line()
    if centre_id:
        wanted = wanted.where(Waiting.centre_id.is_(None) | (Waiting.centre_id == centre_id))
    rows = {row.id: row for row in session.scalars(wanted)}
    discipline = service.discipline_for(session, centre_id, now=now)
    order: list[str] = []
    weighed: dict[str, Weighed] = {}
    for part in rules.lines(rows.values()):
        turn, reasons = rules.order(part, now=now, discipline=discipline)
        order += turn
        weighed |= {row.id: row for row in reasons.weighed}
    petitions = _by_id(session, [row.petition_id for row in rows.values()])
    offers = {
        row.waiting_id: row
        for row in session.scalars(select(Offer).where(Offer.waiting_id.in_(order), Offer.state == states.OPEN))
    }
    after = [*order[1:], None]
    return [
        InLine(
            place=place,
            waiting=rows[id_],
            petition=petitions[rows[id_].petition_id],
            weighed=weighed[id_],
            because=_because(weighed, rows, id_, after[place - 1]),
            offer=offers.get(id_),
        )
        for place, id_ in enumerate(order, 1)
        if rows[id_].petition_id in petitions
    ]


def place_of(session: Session, waiting: Waiting, *, now: datetime) -> tuple[int, int]:
    """(place, how many wait for something that would suit this one too)"""
    found = [row.waiting.id for row in line(session, centre_id=waiting.centre_id, now=now)]
    return (found.index(waiting.id) + 1 if waiting.id in found else len(found), len(found))


def why_offered(offer: Offer) -> list[Because]:
    """From the offer's own record: why this one before the next, and before whoever had waited longer."""
    return explain(Reasons.from_json(offer.reasons))


def serve_waitlist(
    session: Session, event: AppointmentBooked | AppointmentRescheduled, *, now: datetime, settings: Settings
) -> None:
    """Whoever has an appointment, however they came by it, waits no longer, unless it is for an earlier one.

    The event may come late: who has lost the appointment again waits on, and is asked when a time is free.
    """
    waiting, current = service.of_petition(session, event.petition_id), calendar.current(session, event.petition_id)
    if waiting is not None and not waiting.for_earlier and current is not None and current.state in AWAITED:
        service.serve(session, event.petition_id, now=now)


def hurry_on_waitlist(session: Session, event: UrgentAgreed, *, now: datetime, settings: Settings) -> None:
    service.set_urgent(session, event.petition_id, urgent=True, now=now)


def leave_waitlist(session: Session, event: PetitionClosed, *, now: datetime, settings: Settings) -> None:
    """The turn of a petition that was joined to another goes over to that one."""
    waiting = service.of_petition(session, event.petition_id)
    if waiting is None:
        return
    joined_to = session.get_one(Petition, event.petition_id).merged_into_id
    reason = REASON_JOINED if joined_to else REASON_CLOSED
    left = service.leave(session, waiting.id, reason=reason, by=service.BY, now=now)
    if joined_to and not left.for_earlier:
        _wait_on(session, left, session.get_one(Petition, joined_to), zone=settings.timezone, now=now)


def _wait_on(session: Session, left: Waiting, petition: Petition, *, zone: str, now: datetime) -> None:
    """`petition` has the turn now that was `left`: with the same wishes where it had none, or in its own place where
    the wish there is as broad. What has an appointment, or is settled meanwhile, waits for nothing."""
    wishes: dict[str, Any] = {name: getattr(left, name) for name in rules.WISHES}
    row = service.of_petition(session, petition.id)
    if row is None:
        try:
            row = join(
                session,
                petition,
                by=left.joined_by,
                zone=zone,
                needs_interpreter=left.needs_interpreter,
                visitor_class=left.visitor_class,
                now=now,
                **wishes,
            )
        except (Refused, Mistake):  # or the last day wished for has passed
            return
    if rules.keeps_turn(wishes, {name: getattr(row, name) for name in rules.WISHES}):
        earlier = update(Waiting).where(Waiting.id == row.id, Waiting.joined_at > left.joined_at)
        session.execute(earlier.values(joined_at=left.joined_at))


def sweep_waitlist() -> Callable[[Session, datetime], None]:
    """For the worker: every few seconds, and at once again while there is something to do."""
    last: list[datetime] = []

    def sweep_waitlist(session: Session, now: datetime) -> None:
        if last and timedelta() <= now - last[-1] < EVERY:
            return
        last[:] = [] if service.sweep(session, now=now) else [now]

    return gated(sweep_waitlist, lambda now: not last or not timedelta() <= now - last[-1] < EVERY)


def _because(weighed: dict[str, Weighed], rows: dict[str, Waiting], first: str, second: str | None) -> Because | None:
    if second is None or _comes_later(rows[second]) != _comes_later(rows[first]):
        return None  # that one has an appointment already, which the page says
    found = explain(Reasons((weighed[first], weighed[second]), ()), than=second)
    return found[0] if found else None


def _comes_later(row: Waiting) -> bool:
    return row.for_earlier and not row.urgent


def _by_id(session: Session, ids: Sequence[str]) -> dict[str, Petition]:
    return {row.id: row for row in session.scalars(select(Petition).where(Petition.id.in_(ids)))}
