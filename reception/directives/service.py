from collections.abc import Collection
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import audit
from core.db import new_id
from core.errors import Mistake, NotFound, Refused
from core.events import emit
from core.staff.models import Staff
from core.staff.rules import OFFICIAL
from reception.centres.models import Department
from reception.directives import rules, states
from reception.directives.events import (
    DirectiveAssigned,
    DirectiveFulfilled,
    DirectiveMarked,
    DirectiveReported,
    DirectiveSigned,
    DirectiveWithdrawn,
    DirectiveWritten,
)
from reception.directives.models import Directive, DirectiveReport
from reception.directives.states import DIRECTIVE
from reception.petitions import entries, story
from reception.petitions import rules as petition_rules
from reception.petitions import service as petitions
from reception.petitions.states import CLOSED


def mark(
    session: Session,
    meeting_id: str,
    petition_id: str,
    offset_s: float,
    *,
    text: str = "",
    by: str,
    now: datetime,
) -> Directive:
    """Mark the moment, `offset_s` seconds into the meeting's recording; with `text` it is written down at once."""
    petitions.get(session, petition_id)
    directive = Directive(
        id=new_id(),
        meeting_id=meeting_id,
        petition_id=petition_id,
        state=DIRECTIVE.initial,
        marked_at_offset_s=rules.offset(offset_s),
        marked_by=by,
        marked_at=now,
    )
    session.add(directive)
    session.flush()
    entries.record(session, petition_id, "directive", staff_id=by, now=now)
    emit(
        session,
        DirectiveMarked(directive_id=directive.id, petition_id=petition_id, meeting_id=meeting_id),
        now=now,
    )
    return write(session, directive.id, text=text, by=by, now=now) if text.strip() else directive


def order(session: Session, petition_id: str, *, given_by: str, text: str, by: str, now: datetime) -> Directive:
    """Written by the office, where no recording holds the moment: at the weekly audience, by telephone.

    Raises Mistake where `given_by` is no official at work, Refused for a closed petition.
    """
    if petitions.get(session, petition_id).state == CLOSED:
        raise Refused("This petition is closed. Take it up again before an order is given about it.")
    giver = session.get(Staff, given_by)
    if giver is None or not giver.active or OFFICIAL not in giver.roles:
        raise Mistake("Choose who gave the order.", field="given_by")
    rules.text(text)
    directive = mark(session, "", petition_id, 0, by=by, now=now)
    directive.given_by = giver.id
    return write(session, directive.id, text=text, by=by, now=now)


def write(session: Session, directive_id: str, *, text: str, by: str, now: datetime) -> Directive:
    """Write the order down, or better what was written; it is not binding before it is signed."""
    directive = _locked(session, directive_id)
    directive.state = DIRECTIVE.next(directive.state, "write")
    directive.text = rules.text(text)
    directive.written_by, directive.written_at = by, now
    audit.note(session, "write", "directive", directive.id, now=now)
    emit(session, DirectiveWritten(**_ids(directive)), now=now)
    return directive


def sign(
    session: Session, directive_id: str, *, by: str, now: datetime, giver: str | None = None, read: str | None = None
) -> Directive:
    """Read back and signed. Only an official signs: an order is the word of the one who gave it.

    `giver`: the official whose meeting it was (of an order that the office wrote, `given_by` tells); another one signs
    only where that one is no longer at work. `read`: the words as they stood before the signer's eyes
    (`rules.reading`): others are not signed.
    """
    directive = _locked(session, directive_id)
    giver = directive.given_by or giver
    signer, other = session.get(Staff, by), session.get(Staff, giver) if giver else None
    if signer is None or OFFICIAL not in signer.roles or (other is not None and other.active and other.id != by):
        raise Refused("Only the official who gave the order can sign it.")
    if read is not None and read != rules.reading(directive.text):
        raise Refused("The words were changed while you read them. Please read them once more.")
    directive.state = DIRECTIVE.next(directive.state, "sign")
    directive.signed_by, directive.signed_at = by, now
    audit.note(session, "sign", "directive", directive.id, now=now)
    emit(session, DirectiveSigned(**_ids(directive)), now=now)
    return directive


def assign(
    session: Session, directive_id: str, *, department_id: str, due_at: datetime, by: str, now: datetime
) -> Directive:
    """Give it to a department with a day to be done by; assigning again moves it or changes the day."""
    directive = _locked(session, directive_id)
    directive.state = DIRECTIVE.next(directive.state, "assign")
    if session.get(Department, department_id) is None:
        raise Mistake("Choose the department.", field="department")
    directive.department_id = department_id
    directive.due_at = rules.due(due_at, now=now)
    directive.assigned_by, directive.assigned_at = by, now
    audit.note(session, "assign", "directive", directive.id, now=now, detail={"department": department_id})
    emit(
        session,
        DirectiveAssigned(
            directive_id=directive.id,
            petition_id=directive.petition_id,
            department_id=department_id,
            due_at=directive.due_at,
        ),
        now=now,
    )
    return directive


def report(session: Session, directive_id: str, *, text: str, by: str, now: datetime) -> DirectiveReport:
    """How far it is: for the office's eyes, while it is being carried out."""
    directive = _locked(session, directive_id)
    directive.state = DIRECTIVE.next(directive.state, "report")
    said = petition_rules.words(text, field="progress")
    row = DirectiveReport(id=new_id(), directive_id=directive.id, text=said, staff_id=by, at=now)
    session.add(row)
    session.flush()
    audit.note(session, "report on", "directive", directive.id, now=now)
    emit(
        session,
        DirectiveReported(
            directive_id=directive.id,
            petition_id=directive.petition_id,
            department_id=directive.department_id or "",
        ),
        now=now,
    )
    return row


def reports(session: Session, directive_ids: Collection[str]) -> dict[str, list[DirectiveReport]]:
    """What was reported on each, the latest first."""
    found: dict[str, list[DirectiveReport]] = {one: [] for one in directive_ids}
    wanted = select(DirectiveReport).where(DirectiveReport.directive_id.in_(found))
    for row in session.scalars(wanted.order_by(DirectiveReport.at.desc(), DirectiveReport.id.desc())):
        found[row.directive_id].append(row)
    return found


def fulfil(
    session: Session,
    directive_id: str,
    *,
    proof: str,
    proof_file_id: str | None = None,
    by: str,
    now: datetime,
) -> Directive:
    """Carried out, with proof in words (and a paper, where there is one)."""
    directive = _locked(session, directive_id)
    state = DIRECTIVE.next(directive.state, "fulfil")
    directive.proof = petition_rules.words(proof, field="proof")
    directive.state = state
    directive.proof_file_id = proof_file_id
    directive.fulfilled_by, directive.fulfilled_at = by, now
    department = session.get(Department, directive.department_id) if directive.department_id else None
    entries.record(
        session,
        directive.petition_id,
        "fulfilled",
        text=directive.proof,
        staff_id=by,
        fields=story.named("department", department),
        now=now,
    )
    emit(
        session,
        DirectiveFulfilled(
            directive_id=directive.id,
            petition_id=directive.petition_id,
            department_id=directive.department_id or "",
        ),
        now=now,
    )
    return directive


def withdraw(session: Session, directive_id: str, *, by: str, now: datetime) -> Directive:
    """Marked by mistake; refused once it is signed."""
    directive = _locked(session, directive_id)
    directive.state = DIRECTIVE.next(directive.state, "withdraw")
    audit.note(session, "withdraw", "directive", directive.id, now=now, detail={"by": by})
    emit(session, DirectiveWithdrawn(**_ids(directive)), now=now)
    return directive


def get(session: Session, directive_id: str) -> Directive:
    """Raises NotFound."""
    directive = session.get(Directive, directive_id)
    if directive is None:
        raise NotFound("There is no such directive.")
    return directive


def of_meeting(session: Session, meeting_id: str) -> list[Directive]:
    return list(
        session.scalars(
            select(Directive)
            .where(Directive.meeting_id == meeting_id)
            .order_by(Directive.marked_at_offset_s, Directive.id)
        )
    )


def of_petition(session: Session, petition_id: str) -> list[Directive]:
    return list(
        session.scalars(select(Directive).where(Directive.petition_id == petition_id).order_by(Directive.marked_at))
    )


def of_department(session: Session, department_id: str) -> list[Directive]:
    """Those it still has to carry out, the most pressing first."""
    return list(
        session.scalars(
            select(Directive)
            .where(Directive.department_id == department_id, Directive.state == states.ASSIGNED)
            .order_by(Directive.due_at)
        )
    )


def open_ones(session: Session, *, by_day: bool = False, limit: int = 200) -> list[Directive]:
    """All that are not carried out, for the office: the oldest first, or by the day they are due (none yet: first)."""
    first = (Directive.due_at.is_not(None), Directive.due_at) if by_day else ()
    wanted = select(Directive).where(Directive.state.in_(states.OPEN))
    return list(session.scalars(wanted.order_by(*first, Directive.marked_at, Directive.id).limit(limit)))


def open_count(session: Session) -> int:
    return session.scalar(select(func.count(Directive.id)).where(Directive.state.in_(states.OPEN))) or 0


def _locked(session: Session, directive_id: str) -> Directive:
    directive = session.scalar(
        select(Directive)
        .where(Directive.id == directive_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if directive is None:
        raise NotFound("There is no such directive.")
    return directive


def _ids(directive: Directive) -> dict[str, str]:
    return {
        "directive_id": directive.id,
        "petition_id": directive.petition_id,
        "meeting_id": directive.meeting_id,
    }
