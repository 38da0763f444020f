"""The course of a petition: received, handed over, worked on, answered. Checks are in verification.py, urgency.py; what
is added to a case without moving it in entries.py."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core import audit
from core.db import new_id
from core.errors import Mistake, NotFound, Refused
from core.events import emit
from core.ids import new_code
from core.language import N_
from core.staff.models import Staff
from core.text import latin_digits
from queueing.appointments import calendar
from queueing.appointments.rules import hold_is_over
from reception import access
from reception.centres.models import Centre, Department
from reception.deadlines import service as deadlines
from reception.deadlines.rules import CHECK, CUSTODY, WORK
from reception.files import service as files_service
from reception.petitions import catalogue, custody, entries, events, kinds, opinions, rules, states, story
from reception.petitions import urgency as urgent_lane
from reception.petitions.models import Petition, PetitionType
from reception.petitions.states import PETITION, VERIFICATION
from reception.visitors.models import Visitor
from reception.visits import service as visits

_ANOTHER = N_("Write the case number of another petition of this visitor.")

CLOSE_REASONS = {
    "settled": N_("the matter is settled"),
    "withdrawn": N_("the visitor withdrew it"),
    "duplicate": N_("it repeats another petition"),
    "no_reply": N_("the visitor did not reply"),
    "not_ours": N_("another authority is competent"),
}


def get(session: Session, petition_id: str) -> Petition:
    """Raises NotFound."""
    petition = session.get(Petition, petition_id)
    if petition is None:
        raise NotFound("There is no such petition.")
    return petition


def by_follow_code(session: Session, code: str) -> Petition:
    """The petition of a receipt's code. Raises NotFound."""
    petition = session.scalar(select(Petition).where(Petition.follow_code == code.strip().lower()))
    if petition is None:
        raise NotFound("There is no petition with this code.")
    return petition


def by_case_number(session: Session, number: str) -> Petition | None:
    """Also as people type it: with Arabic digits, or with spaces."""
    typed = latin_digits(number).strip().replace(" ", "")
    return session.scalar(select(Petition).where(Petition.case_number == typed))


def receive(
    session: Session,
    *,
    visitor: Visitor,
    type: PetitionType,
    subject: str,
    body: str,
    centre_id: str,
    staff_id: str,
    urgency: str = rules.NORMAL,
    urgent_reason: str = "",
    ticket_id: str | None = None,
    files: list[str] | None = None,
    details: dict[str, str] | None = None,
    now: datetime,
) -> Petition:
    """Enter a classified petition with its papers (ids of uploads), number it and route it at once by the rules.

    `details` answers the type's own questions (`kinds.answers` checks them); without it none are asked. Urgent is only
    proposed here: the case runs as a normal one until a second person agrees. Raises Mistake.
    """
    kind = catalogue.leaf(session, type.id)
    centre = session.get(Centre, centre_id)
    if centre is None:
        raise NotFound("There is no such centre.")
    about, text = rules.subject(subject), rules.body(body)
    if urgency not in (rules.NORMAL, rules.URGENT):
        raise Mistake("Choose normal or urgent.", field="urgency")
    answers = kinds.answers(kind.fields, details) if details is not None else {}
    year = rules.case_year(now=now)
    number = rules.case_number(year, custody.next_number(session, year))
    petition = Petition(
        id=new_id(),
        case_number=number,
        follow_code=new_code(),
        visitor_id=visitor.id,
        visitor=visitor,
        centre_id=centre.id,
        centre=centre,
        ticket_id=ticket_id,
        type_id=kind.id,
        type=kind,
        subject=about,
        body=text,
        urgency=rules.NORMAL,
        state=PETITION.initial,
        verification=VERIFICATION.initial,
        department_id=None,
        officer_id=None,
        received_by=staff_id,
        received_at=now,
        changed_at=now,
        type_version=kind.version,
        confidentiality=kind.confidentiality,
        details=answers,
        due_at=now,
        search_text=rules.search_text(number, visitor.name, about),
        step_count=0,
    )
    session.add(petition)
    session.flush()
    custody.give_time(session, petition, now=now)
    deadlines.start(session, petition.id, CHECK, custody.allowance(session, petition, CHECK), now=now)
    story.tell(
        session,
        petition,
        "received",
        now=now,
        by=staff_id,
        fields=story.named("centre", centre) | story.named("type", kind),
    )
    emit(
        session,
        events.PetitionReceived(petition_id=petition.id, visitor_id=visitor.id, centre_id=centre.id),
        now=now,
    )
    audit.note(session, "create", "petition", petition.id, now=now, detail={"case": number})
    files_service.attach(session, files or [], petition_id=petition.id, staff_id=staff_id)
    visits.link(
        session,
        centre_id=centre.id,
        visitor_id=visitor.id,
        ticket_id=ticket_id,
        petition_id=petition.id,
        now=now,
    )
    custody.route_by_rules(session, petition, by=None, now=now)
    if urgency == rules.URGENT:
        urgent_lane.propose(session, petition.id, reason=urgent_reason, staff_id=staff_id, now=now)
    return petition


def acknowledge(session: Session, petition_id: str, *, staff_id: str, now: datetime) -> Petition:
    """The receiver confirms custody. Raises Refused when nothing waits to be confirmed."""
    petition = custody.locked(session, petition_id)
    petition.state = PETITION.next(petition.state, "acknowledge")
    referral = custody.live_referral(session, petition)
    if referral:
        referral.acknowledged_by, referral.acknowledged_at = staff_id, now
    deadlines.end(session, petition.id, CUSTODY, now=now)
    deadlines.start(
        session,
        petition.id,
        WORK,
        custody.allowance(session, petition, WORK),
        department_id=petition.department_id,
        now=now,
    )
    _step(session, petition, "acknowledged", staff_id, now)
    emit(session, events.PetitionAcknowledged(**_ids(petition)), now=now)
    return petition


def begin(session: Session, petition_id: str, *, staff_id: str, now: datetime) -> Petition:
    """An officer takes it up."""
    petition = custody.locked(session, petition_id)
    petition.state = PETITION.next(petition.state, "begin")
    petition.officer_id = staff_id
    deadlines.end(session, petition.id, WORK, now=now)
    _step(session, petition, "begun", staff_id, now)
    emit(session, events.WorkBegun(**_ids(petition), officer_id=staff_id), now=now)
    return petition


def transfer(
    session: Session, petition_id: str, *, department_id: str, reason: str, staff_id: str, now: datetime
) -> Petition:
    """Send it on to another department (or up to the office), with the reason. Its deadline stays the same."""
    petition = custody.locked(session, petition_id)
    why = rules.words(reason, field="reason")
    target = session.get(Department, department_id)
    if target is None or not target.active:
        raise Mistake("Choose the department.", field="department")
    if target.id == petition.department_id:
        raise Mistake("It is with this department already.", field="department")
    source = petition.department
    custody.hand_over(session, petition, target, reason_ar=why, reason_en=why, rule_id=None, by=staff_id, now=now)
    fields = story.named("department", target) | story.named("from_department", source or petition.centre)
    story.tell(session, petition, "transferred", now=now, by=staff_id, text=why, fields=fields)
    emit(
        session,
        events.PetitionTransferred(
            **_ids(petition), from_department_id=source.id if source else "", to_office=target.is_office
        ),
        now=now,
    )
    return petition


def ask_visitor(session: Session, petition_id: str, *, question: str, staff_id: str, now: datetime) -> Petition:
    """Ask the visitor for more; the deadline stands still until the reply."""
    petition = custody.locked(session, petition_id)
    petition.state = PETITION.next(petition.state, "ask")
    custody.stop_clock(session, petition, now=now)
    asked = entries.written(session, petition, "question", question, "question", staff_id, now)
    _step(session, petition, "asked", staff_id, now, asked.text)
    emit(session, events.VisitorAsked(**_ids(petition)), now=now)
    return petition


def visitor_replied(
    session: Session,
    petition_id: str,
    *,
    reply: str,
    staff_id: str | None,
    files: list[str] | None = None,
    now: datetime,
) -> Petition:
    """Write down what the visitor brought or said; the work goes on and the deadline moves by the time waited.

    Without `staff_id` the visitor wrote it. Raises Refused when nothing was asked.
    """
    petition = custody.locked(session, petition_id)
    state = PETITION.next(petition.state, "reply")
    custody.resume_clock(session, petition, now=now)
    deadlines.end(session, petition.id, WORK, now=now)
    petition.state = state
    written = entries.written(session, petition, "reply", reply, "reply", staff_id, now)
    if staff_id is not None:
        files_service.attach(session, files or [], petition_id=petition.id, staff_id=staff_id)
    _step(session, petition, "replied", staff_id, now, written.text)
    emit(session, events.VisitorReplied(**_ids(petition)), now=now)
    return petition


def answer(session: Session, petition_id: str, *, text: str, staff_id: str, now: datetime) -> Petition:
    """The department's answer. Refused before verification has passed: an answer must reach the right person."""
    petition = custody.locked(session, petition_id)
    state = PETITION.next(petition.state, "answer")
    if petition.verification != states.PASSED:
        raise Refused("Verification has not passed yet: identity and papers must be checked before an answer.")
    opinions.all_in(session, petition)
    written = entries.written(session, petition, "answer", text, "answer", staff_id, now)
    _settle(session, petition, state, now)
    _step(session, petition, "answered", staff_id, now, written.text)
    emit(session, events.PetitionAnswered(**_ids(petition)), now=now)
    return petition


def decide(session: Session, petition_id: str, *, outcome: str, reason: str, staff_id: str, now: datetime) -> Petition:
    """What the answer will be, and why; the visitor hears what with the answer. Refused while an opinion is awaited."""
    petition = custody.locked(session, petition_id)
    state = PETITION.next(petition.state, "decide")
    if outcome not in rules.OUTCOMES:
        raise Mistake("Choose what was decided.", field="outcome")
    opinions.all_in(session, petition)
    written = entries.written(session, petition, "decision", reason, "reason", staff_id, now)
    deadlines.end(session, petition.id, WORK, now=now)
    petition.state, petition.outcome = state, outcome
    fields = story.named("department", petition.department or petition.centre) | {"reason": rules.OUTCOMES[outcome]}
    story.tell(session, petition, "decided", now=now, by=staff_id, text=written.text, fields=fields)
    emit(session, events.PetitionDecided(**_ids(petition), outcome=outcome), now=now)
    return petition


def refuse(session: Session, petition_id: str, *, reason: str, staff_id: str, now: datetime) -> Petition:
    """The receiver does not accept what was sent, and says why. It goes back to the department that sent it; what a
    rule sent, or what comes back for a second time, waits for a person to send it on."""
    petition = custody.locked(session, petition_id)
    state = PETITION.next(petition.state, "refuse")
    why = rules.words(reason, field="reason")
    referral, refuser = custody.live_referral(session, petition), petition.department
    if referral is None or refuser is None:
        raise Refused("Nothing waits to be confirmed.")
    referral.refused = why
    sender = session.get(Department, referral.from_department_id) if referral.from_department_id else None
    sent_back_before = custody.was_refused(session, petition, by=sender.id) if sender else False
    custody.end_referral(session, petition, now=now)
    petition.state = state
    petition.department_id, petition.department, petition.officer_id = None, None, None
    fields = story.named("department", refuser)
    story.tell(session, petition, "refused", now=now, by=staff_id, text=why, fields=fields)
    back = sender if sender is not None and sender.active and not sent_back_before else None
    if back is not None:
        custody.hand_over(session, petition, back, reason_ar=why, reason_en=why, rule_id=None, by=staff_id, now=now)
    else:
        custody.with_nobody(session, petition, now=now)
    emit(
        session,
        events.HandOverRefused(**_ids(petition), from_department_id=refuser.id, centre_id=petition.centre_id),
        now=now,
    )
    return petition


def merge(session: Session, petition_id: str, *, into: str, staff_id: str, now: datetime) -> Petition:
    """Join it to another open petition of the same visitor (`into`: its case number), whose clocks alone go on.

    What this person may not see is like a number that nobody has. An appointment can't go over, so it comes first.
    """
    other = by_case_number(session, into)
    for id_ in sorted({petition_id, other.id if other else petition_id}):  # whoever holds two takes them in one order
        custody.locked(session, id_)
    petition = get(session, petition_id)
    state = PETITION.next(petition.state, "close")
    custody.no_open_order(session, petition)
    staff = session.get(Staff, staff_id)
    if other is None or other.id == petition.id or other.visitor_id != petition.visitor_id:
        raise Mistake(_ANOTHER, field="into")
    if not access.may_see(session, staff, other):
        raise Mistake(_ANOTHER, field="into")
    if other.state in states.SETTLED:
        raise Mistake("That petition is settled. Take it up again first.", field="into")
    current = calendar.current(session, petition.id)
    if current is not None and not hold_is_over(current.held_until, now=now):
        raise Mistake(
            "An appointment is booked or offered for this petition. It has to be over, or cancelled, before it is "
            "joined to another.",
            field="into",
        )
    _settle(session, petition, state, now)
    petition.close_reason, petition.merged_into_id = "duplicate", other.id
    before = update(Petition).where(Petition.merged_into_id == petition.id)  # what had been joined to it goes along
    session.execute(before.values(merged_into_id=other.id))
    _tell_joined(session, petition, "merged", other, staff_id, now)
    _tell_joined(session, other, "joined", petition, staff_id, now)
    emit(session, events.PetitionClosed(**_ids(petition), reason="duplicate"), now=now)
    return petition


def close(session: Session, petition_id: str, *, reason: str, note: str = "", staff_id: str, now: datetime) -> Petition:
    """End the case; `reason` is a key of CLOSE_REASONS."""
    petition = custody.locked(session, petition_id)
    state = PETITION.next(petition.state, "close")
    if reason not in CLOSE_REASONS:
        raise Mistake("Choose the reason.", field="reason")
    custody.no_open_order(session, petition)
    said = rules.words(note, field="note") if note.strip() else ""
    _settle(session, petition, state, now)
    petition.close_reason = reason
    fields = {"reason": CLOSE_REASONS[reason]}
    story.tell(session, petition, "closed", now=now, by=staff_id, text=said, fields=fields)
    emit(session, events.PetitionClosed(**_ids(petition), reason=reason), now=now)
    return petition


def reopen(session: Session, petition_id: str, *, reason: str, staff_id: str, now: datetime) -> Petition:
    """Take a settled case up again: its department confirms it anew, with a fresh deadline. Where none had it, or the
    one that had it takes nothing new, the rules say where it goes."""
    petition = custody.locked(session, petition_id)
    state = PETITION.next(petition.state, "reopen")
    why = rules.words(reason, field="reason")
    window = catalogue.terms(session, petition).reopen_days
    if petition.settled_at and not rules.may_reopen(petition.settled_at, window, now=now):
        raise Refused("It could be taken up again for {days} days after its end. Enter the matter anew.", days=window)
    if petition.merged_into_id:
        raise Refused("It was joined to another petition, which goes on in its place.")
    department = petition.department
    petition.settled_at, petition.close_reason, petition.outcome = None, None, None
    if petition.verification == states.SENT_BACK:  # closed while it was returned
        petition.verification = VERIFICATION.next(petition.verification, "resubmit")
    custody.give_time(session, petition, now=now)
    if petition.verification != states.PASSED:
        custody.await_check(session, petition, now=now)
    story.tell(session, petition, "reopened", now=now, by=staff_id, text=why)
    if department is not None and department.active:
        petition.state = state
        reasons = {"reason_ar": why, "reason_en": why}
        custody.hand_over(session, petition, department, rule_id=None, by=staff_id, now=now, **reasons)
        petition.state = state
    else:
        petition.state = PETITION.next(petition.state, "take_back")
        petition.department_id, petition.department, petition.officer_id = None, None, None
        custody.route_by_rules(session, petition, by=staff_id, now=now)
    emit(session, events.PetitionReopened(**_ids(petition)), now=now)
    return petition


def _ids(petition: Petition) -> dict[str, str]:
    return {
        "petition_id": petition.id,
        "visitor_id": petition.visitor_id,
        "department_id": petition.department_id or "",
    }


def _step(session: Session, petition: Petition, kind: str, staff_id: str | None, now: datetime, text: str = "") -> None:
    fields = story.named("department", petition.department or petition.centre)
    story.tell(session, petition, kind, now=now, by=staff_id, text=text, fields=fields)


def _tell_joined(
    session: Session, petition: Petition, kind: str, other: Petition, staff_id: str, now: datetime
) -> None:
    """The number of a secret case is for those alone who may see it, and more people read this story."""
    if other.confidentiality == rules.SECRET:
        story.tell(session, petition, f"{kind}_unnamed", now=now, by=staff_id)
    else:
        story.tell(session, petition, kind, now=now, by=staff_id, fields={"case": other.case_number})


def _settle(session: Session, petition: Petition, state: str, now: datetime) -> None:
    custody.resume_clock(session, petition, now=now)
    petition.state = state
    petition.settled_at = now
    opinions.drop(session, petition, now=now)
    custody.end_referral(session, petition, now=now)
    deadlines.end(session, petition.id, now=now)
