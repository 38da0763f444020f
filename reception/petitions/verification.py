"""Verification: somebody other than the receiver checks identity, papers and type, and passes or returns the case.

It runs beside the department's work, not before it: routing at intake costs the visitor no waiting, and the answer
alone waits for the check (service.answer refuses without it).
"""

from datetime import datetime

from sqlalchemy.orm import Session

from core import audit
from core.db import new_id
from core.errors import Mistake, Refused
from core.events import emit
from reception.deadlines import service as deadlines
from reception.deadlines.rules import ANSWER, CHECK
from reception.files import service as files_service
from reception.petitions import catalogue, custody, events, rules, states, story, urgency
from reception.petitions.models import Petition, PetitionNote, Verification
from reception.petitions.states import PETITION, VERIFICATION


def verify(session: Session, petition_id: str, *, staff_id: str, now: datetime) -> Petition:
    """Passed: identity compared, papers complete, type right. Refused to the one who took the petition."""
    petition = _other_persons(session, petition_id, staff_id)
    petition.verification = VERIFICATION.next(petition.verification, "pass")
    _keep(session, petition, staff_id, now, passed=True)
    deadlines.end(session, petition.id, CHECK, now=now)
    if petition.state == states.RECEIVED:
        custody.with_nobody(session, petition, now=now)
    story.tell(session, petition, "verified", now=now, by=staff_id)
    emit(
        session,
        events.PetitionVerified(
            petition_id=petition.id,
            visitor_id=petition.visitor_id,
            centre_id=petition.centre_id,
            department_id=petition.department_id or "",
        ),
        now=now,
    )
    return petition


def return_to_reception(
    session: Session,
    petition_id: str,
    *,
    missing: str,
    identity_ok: bool = True,
    complete_ok: bool = False,
    staff_id: str,
    now: datetime,
) -> Petition:
    """Verification sends it back, saying what is missing. What the department had ends there."""
    petition = _other_persons(session, petition_id, staff_id)
    said = rules.words(missing, field="missing")
    if identity_ok and complete_ok:
        raise Mistake("Say what is wrong: identity or papers.", field="missing")
    petition.verification = VERIFICATION.next(petition.verification, "send_back")
    _keep(
        session,
        petition,
        staff_id,
        now,
        passed=False,
        identity_ok=identity_ok,
        complete_ok=complete_ok,
        missing=said,
    )
    _back(session, petition, said, staff_id, now, by_verification=True)
    return petition


def send_back(session: Session, petition_id: str, *, missing: str, staff_id: str, now: datetime) -> Petition:
    """The department sends it back to the centre for what is missing; it is verified again afterwards."""
    petition = custody.locked(session, petition_id)
    said = rules.words(missing, field="missing")
    petition.verification = (
        VERIFICATION.next(petition.verification, "doubt")
        if petition.verification == states.PASSED
        else VERIFICATION.next(petition.verification, "send_back")
    )
    _back(session, petition, said, staff_id, now, by_verification=False)
    return petition


def complete(
    session: Session,
    petition_id: str,
    *,
    note: str,
    files: list[str] | None = None,
    staff_id: str,
    now: datetime,
) -> Petition:
    """Reception has added what was missing: verified anew, and sent to who had it (custody.route_again)."""
    petition = custody.locked(session, petition_id)
    petition.state = PETITION.next(petition.state, "complete")
    petition.verification = VERIFICATION.next(petition.verification, "resubmit")
    said = rules.words(note, field="note")
    custody.resume_clock(session, petition, now=now)
    deadlines.end(session, petition.id, CHECK, now=now)
    deadlines.start(session, petition.id, CHECK, custody.allowance(session, petition, CHECK), now=now)
    papers = files_service.attach(session, files or [], petition_id=petition.id, staff_id=staff_id)
    story.tell(
        session, petition, "completed", now=now, by=staff_id, text=said, fields=story.named("centre", petition.centre)
    )
    for paper in papers:
        story.tell(session, petition, "paper", now=now, by=staff_id, fields={"name": paper.name})
    emit(
        session,
        events.PetitionCompleted(petition_id=petition.id, visitor_id=petition.visitor_id, centre_id=petition.centre_id),
        now=now,
    )
    custody.route_again(session, petition, by=staff_id, now=now)
    return petition


def reclassify(session: Session, petition_id: str, *, type_id: str, staff_id: str, now: datetime) -> Petition:
    """Correct the type; where the rules now name another department than before, it goes there with their reason."""
    petition = custody.locked(session, petition_id)
    if petition.state in states.SETTLED:
        raise Refused("The case is settled; its type stays as it was.")
    kind = catalogue.leaf(session, type_id)
    if kind.id == petition.type_id:
        raise Mistake("It is of this type already.", field="type")
    fields, named = story.named("old_type", petition.type) | story.named("type", kind), _named(session, petition)
    petition.type_id, petition.type, petition.type_version = kind.id, kind, kind.version
    petition.confidentiality = kind.confidentiality
    if petition.urgency != rules.URGENT and (clock := deadlines.one(session, petition.id, ANSWER)):
        clock.days = kind.days  # counted from the start, and what was waited stays added
        deadlines.recount(session, clock, now=now)
        petition.due_at = clock.due_at
    story.tell(session, petition, "reclassified", now=now, by=staff_id, fields=fields)
    audit.note(session, "reclassify", "petition", petition.id, now=now, detail={"type": kind.code})
    if not kind.urgent_lane:
        urgency.fall(session, petition, by=staff_id, now=now)
    if petition.state != states.RETURNED and _named(session, petition) != named:
        custody.route_by_rules(session, petition, by=staff_id, now=now)
    emit(
        session,
        events.PetitionReclassified(
            petition_id=petition.id,
            visitor_id=petition.visitor_id,
            department_id=petition.department_id or "",
        ),
        now=now,
    )
    return petition


def _named(session: Session, petition: Petition) -> str | None:
    """The department that the rules name for it as it is."""
    path = catalogue.way(session, petition)
    return path[-1].department_id if path else None


def _other_persons(session: Session, petition_id: str, staff_id: str) -> Petition:
    petition = custody.locked(session, petition_id)
    if petition.received_by == staff_id:
        raise Refused("You took this petition yourself: a colleague must verify it.")
    if petition.state in states.SETTLED:
        raise Refused("The case is settled.")
    return petition


def _back(
    session: Session, petition: Petition, missing: str, staff_id: str, now: datetime, *, by_verification: bool
) -> None:
    department = petition.department
    petition.state = PETITION.next(petition.state, "return")
    custody.end_referral(session, petition, now=now)
    petition.department_id, petition.department, petition.officer_id, petition.outcome = None, None, None, None
    custody.stop_clock(session, petition, now=now)
    session.add(
        PetitionNote(
            id=new_id(),
            petition_id=petition.id,
            kind="missing",
            text=missing,
            staff_id=staff_id,
            department_id=department.id if department else None,
            at=now,
        )
    )
    fields = story.named("centre", petition.centre) | story.named("department", department)
    kind = "returned" if by_verification else "sent_back"
    story.tell(session, petition, kind, now=now, by=staff_id, text=missing, fields=fields)
    emit(
        session,
        events.PetitionReturned(
            petition_id=petition.id,
            visitor_id=petition.visitor_id,
            centre_id=petition.centre_id,
            department_id=department.id if department else "",
            by_verification=by_verification,
        ),
        now=now,
    )


def _keep(
    session: Session,
    petition: Petition,
    staff_id: str,
    now: datetime,
    *,
    passed: bool,
    identity_ok: bool = True,
    complete_ok: bool = True,
    missing: str = "",
) -> None:
    session.add(
        Verification(
            id=new_id(),
            petition_id=petition.id,
            staff_id=staff_id,
            at=now,
            passed=passed,
            identity_ok=identity_ok,
            complete_ok=complete_ok,
            missing=missing,
        )
    )
