"""An urgent petition gets a place soon: who may have to make room is known by class, and the case must be urgent."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.calendar import day_bounds, local_day
from core.errors import Refused
from core.workdays import service as workdays
from queueing.appointments import urgent as queueing
from queueing.appointments.models import Appointment
from queueing.appointments.rules import VIDEO
from queueing.appointments.urgent import Room, Wish
from queueing.tickets.rules import DEFAULT
from reception.appointed.waiting import class_of
from reception.petitions.models import Petition
from reception.petitions.rules import URGENT

SEEN_WITHIN = 3  # working days


def wish(
    session: Session,
    petition: Petition,
    *,
    kind: str,
    official_id: str,
    centre_id: str | None,
    zone: str,
    now: datetime,
) -> Wish:
    """What this petition needs: to be seen by the end of the third working day, with an interpreter for who signs."""
    hall = centre_id if kind == VIDEO else None
    work = workdays.calendar_for(session, zone=zone, centre_id=hall)
    last = work.nth_day(local_day(now, zone), SEEN_WITHIN)
    return Wish(
        visitor_id=petition.visitor_id,
        petition_id=petition.id,
        kind=kind,
        official_id=official_id,
        centre_id=hall,
        needs_interpreter=petition.visitor.sign_language,
        until=day_bounds(last + timedelta(days=1), zone)[0],
        zone=zone,
    )


def find(session: Session, wanted: Wish, *, now: datetime) -> Room:
    """How the rule would make room. Raises Refused for a case that is not urgent, and where it finds nobody."""
    _need_urgent(session, wanted)
    ranks, urgent = _classes(session, wanted, now=now)
    return queueing.find(session, wanted, ranks=ranks, urgent=urgent, now=now)


def place(session: Session, wanted: Wish, *, mark: str, by: str, reason: str, now: datetime) -> Appointment:
    """Do what `find` has shown, or nothing; both visitors are told by text."""
    _need_urgent(session, wanted)
    ranks, urgent = _classes(session, wanted, now=now)
    appointment = queueing.place(session, wanted, mark=mark, ranks=ranks, urgent=urgent, by=by, reason=reason, now=now)
    audit.note(
        session, "place urgent case", "petition", wanted.petition_id, now=now,
        detail={"appointment": appointment.id, "reason": reason.strip()},
    )  # fmt: skip
    return appointment


def _need_urgent(session: Session, wanted: Wish) -> None:
    petition = session.get_one(Petition, wanted.petition_id)
    if petition.urgency != URGENT:
        raise Refused("Only a case that two people have agreed to be urgent goes before others.")


def _classes(session: Session, wanted: Wish, *, now: datetime) -> tuple[dict[str, int], dict[str, bool]]:
    """Of all in question: the class as the halls weigh it (100: a regular visitor), and whether the case is urgent."""
    ids = queueing.candidates_of(session, wanted, now=now)
    petitions = list(session.scalars(select(Petition).where(Petition.id.in_(ids)))) if ids else []
    ranks = {row.id: round(100 * DEFAULT.rate(class_of(session, row))) for row in petitions}
    return ranks, {row.id: row.urgency == URGENT for row in petitions}
