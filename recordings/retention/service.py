from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from core import audit, jobs
from core.db import new_id
from core.errors import Mistake, NotFound, Refused
from core.events import emit
from core.staff.models import Staff
from recordings.archive.models import Recording
from recordings.archive.states import DESTROYED
from recordings.archive.states import FAILED as RECORDING_FAILED
from recordings.archive.states import MACHINE as RECORDING
from recordings.archive.states import READY as RECORDING_READY
from recordings.export.models import Export
from recordings.export.states import MACHINE as EXPORT
from recordings.notes.models import Note
from recordings.retention import events, rules
from recordings.retention.models import Destruction, Hold, Term
from recordings.retention.states import DESTROYING, DESTRUCTION, DONE, HOLD, HOLDS, OPEN
from recordings.storage import service as storage

DESTROY = "recordings.destroy"  # the job that destroys keys and writes the certificate


def terms(session: Session) -> dict[str, Term]:
    return {row.type_code: row for row in session.scalars(select(Term).order_by(Term.type_code))}


def years(session: Session) -> dict[str, int]:
    return {code: row.years for code, row in terms(session).items()}


def set_term(
    session: Session, type_code: str, *, years: int, reason_ar: str, reason_en: str, by: str, now: datetime
) -> Term:
    """Raises Mistake for years out of bounds. What was proposed under an older term is measured anew when agreed to."""
    if not rules.LEAST_YEARS <= years <= rules.MOST_YEARS:
        raise Mistake("Please enter a number from {low} to {high}.", field="years", low="1", high="100")
    row = session.scalar(select(Term).where(Term.type_code == type_code).with_for_update())
    if row is None:
        row = Term(type_code=type_code)
        session.add(row)
    before = row.years
    row.years, row.reason_ar, row.reason_en, row.changed_by, row.changed_at = years, reason_ar, reason_en, by, now
    detail = {"years": years, "before": before}
    audit.note(session, "change term", "retention", type_code or "-", now=now, detail=detail)
    emit(session, events.TermChanged(type_code, years), now=now)
    return row


def drop_term(session: Session, type_code: str, *, now: datetime) -> None:
    """The type goes back to the one above it, or to the default. Raises NotFound; Refused for the default itself."""
    row = session.get(Term, type_code)
    if row is None:
        raise NotFound
    if type_code == rules.DEFAULT:
        raise Refused("The default stays; change its years instead.")
    audit.note(session, "change term", "retention", type_code, now=now, detail={"before": row.years})
    session.delete(row)
    emit(session, events.TermChanged(type_code, 0), now=now)


def kept_until(session: Session, recording: Recording, codes: Sequence[str]) -> datetime:
    """`codes`: the type of its case and those above it, the nearest first."""
    return rules.kept_until(recording.started_at, rules.years_for(codes, years(session)))


def hold(session: Session, recording_id: str, *, reason: str, by: str, now: datetime, whole_case: bool = False) -> Hold:
    """By one person of the office: it only protects. What was proposed or agreed to is stopped. Raises Refused."""
    rules.check_office(_roles(session, by))
    recording = _locked(session, recording_id)
    if recording.state == DESTROYED:
        raise Refused("This recording was destroyed: there is nothing left to keep.")
    if not reason.strip():
        raise Mistake("Please fill this in.", field="reason")
    row = Hold(
        id=new_id(),
        recording_id=recording.id,
        petition_id=recording.petition_id if whole_case else None,
        reason=reason,
        set_by=by,
        set_at=now,
        state=HOLD.initial,
        lift_reason="",
    )
    session.add(row)
    session.flush()
    for other in _under(session, row):
        _stop(session, _locked(session, other).id, now=now)
    audit.note(session, "hold", "recording", recording.id, now=now, detail={"hold": row.id, "purpose": reason})
    emit(session, events.HoldSet(row.id, recording.id), now=now)
    return row


def ask_to_lift(session: Session, hold_id: str, *, reason: str, by: str, now: datetime) -> Hold:
    rules.check_office(_roles(session, by))
    if not reason.strip():
        raise Mistake("Please fill this in.", field="reason")
    row = _move_hold(session, hold_id, "ask to lift", now=now)
    row.lift_reason, row.lift_asked_by, row.lift_asked_at = reason, by, now
    _note_hold(session, row, "ask to lift hold", now=now, purpose=reason)
    return row


def lift(session: Session, hold_id: str, *, by: str, now: datetime) -> Hold:
    """The second person's word. Raises Refused for the first one."""
    row = _hold(session, hold_id)
    asked = row.lift_asked_by or ""
    if row.lift_asked_by is not None:
        rules.check_second(asked, _roles(session, asked), by, _roles(session, by))
    row = _move_hold(session, hold_id, "lift", now=now)
    row.lifted_by, row.lifted_at = by, now
    _note_hold(session, row, "lift hold", now=now)
    return row


def keep(session: Session, hold_id: str, *, by: str, now: datetime) -> Hold:
    """It is not lifted after all."""
    rules.check_office(_roles(session, by))
    row = _move_hold(session, hold_id, "keep", now=now)
    _note_hold(session, row, "keep hold", now=now)
    return row


def holds_of(session: Session, recording: Recording) -> list[Hold]:
    """All that ever concerned it, latest first."""
    concerned = or_(Hold.recording_id == recording.id, Hold.petition_id == recording.petition_id)
    return list(session.scalars(select(Hold).where(concerned).order_by(Hold.set_at.desc(), Hold.id.desc())))


def held(session: Session, recording: Recording) -> bool:
    return any(row.state in HOLDS for row in holds_of(session, recording))


def held_among(session: Session, recordings: Sequence[Recording]) -> set[str]:
    """Which of these a hold stands on."""
    ids, cases = {one.id for one in recordings}, {one.petition_id for one in recordings}
    rows = session.execute(
        select(Hold.recording_id, Hold.petition_id).where(
            Hold.state.in_(HOLDS), or_(Hold.recording_id.in_(ids), Hold.petition_id.in_(cases))
        )
    ).all()
    held, held_cases = {row.recording_id for row in rows}, {row.petition_id for row in rows if row.petition_id}
    return {one.id for one in recordings if one.id in held or one.petition_id in held_cases}


def propose(
    session: Session, recording_id: str, *, reason: str, codes: Sequence[str], by: str, now: datetime
) -> Destruction:
    """Raises Refused before its time, under a hold, and while it is proposed already; NotFound."""
    rules.check_office(_roles(session, by))
    recording = _locked(session, recording_id)
    until = _check_due(session, recording, codes, now=now)
    if open_of(session, recording.id) is not None:
        raise Refused("Its destruction is proposed already.")
    if not reason.strip():
        raise Mistake("Please fill this in.", field="reason")
    row = Destruction(
        id=new_id(),
        recording_id=recording.id,
        state=DESTRUCTION.initial,
        reason=reason,
        kept_until=until,
        years=rules.years_for(codes, years(session)),
        proposed_by=by,
        proposed_at=now,
    )
    session.add(row)
    session.flush()
    _note(session, row, "propose destruction", now=now, purpose=reason)
    emit(session, events.DestructionProposed(row.id, recording.id), now=now)
    return row


def agree(session: Session, destruction_id: str, *, codes: Sequence[str], by: str, now: datetime) -> Destruction:
    """The second person's word: what was due when it was proposed must still be due. Raises Refused, NotFound."""
    row = get(session, destruction_id)
    rules.check_second(row.proposed_by, _roles(session, row.proposed_by), by, _roles(session, by))
    recording = _locked(session, row.recording_id)  # always before its destruction's row: holds lock so too
    row = _destruction(session, destruction_id)
    row.kept_until = _check_due(session, recording, codes, now=now)
    row.state = DESTRUCTION.next(row.state, "agree")
    row.decided_by, row.decided_at = by, now
    _enqueue(session, row, now=now)
    _note(session, row, "agree to destruction", now=now)
    emit(session, events.DestructionDecided(row.id, row.recording_id, row.state), now=now)
    return row


def decline(session: Session, destruction_id: str, *, by: str, now: datetime) -> Destruction:
    """By anybody of the office; who proposed it takes it back so."""
    rules.check_office(_roles(session, by))
    row = _destruction(session, destruction_id)
    row.state = DESTRUCTION.next(row.state, "withdraw" if by == row.proposed_by else "decline")
    row.decided_by, row.decided_at = by, now
    _note(session, row, "decline destruction", now=now)
    emit(session, events.DestructionDecided(row.id, row.recording_id, row.state), now=now)
    return row


def begin(session: Session, destruction_id: str, *, now: datetime) -> bool:
    """From here on nothing opens it. False where it is not to be: a hold came in between, or it is done."""
    found = session.get(Destruction, destruction_id)
    if found is None:
        return False
    recording = _locked(session, found.recording_id)
    row = _destruction(session, destruction_id)
    if not DESTRUCTION.allows(row.state, "begin"):
        return False
    if row.state != DESTROYING and recording.state != DESTROYED and held(session, recording):
        return False
    row.state, row.problem = DESTRUCTION.next(row.state, "begin"), None
    if recording.state != DESTROYED:
        recording.state = RECORDING.next(recording.state, "destroy")
    exports = session.scalars(select(Export).where(Export.recording_id == recording.id).with_for_update(of=Export))
    for export in exports:
        if EXPORT.allows(export.state, "cancel"):
            export.state, export.until = EXPORT.next(export.state, "cancel"), None
    session.execute(delete(Note).where(Note.recording_id == recording.id))
    storage.doom(session, recording.id, now=now)
    emit(session, events.DestructionDecided(row.id, row.recording_id, row.state), now=now)
    return True


def finish(session: Session, destruction_id: str, certificate: str, *, now: datetime) -> None:
    row = _destruction(session, destruction_id)
    if row.state != DESTROYING:
        return
    row.state = DESTRUCTION.next(row.state, "finish")
    row.done_at, row.certificate = now, certificate
    _note(session, row, "destroy", now=now)
    emit(session, events.RecordingDestroyed(row.id, row.recording_id), now=now)


def remains_removed(session: Session, destruction_id: str, removal: str, *, now: datetime) -> None:
    """Nothing is left in the bucket: `removal` says so, signed, beside the certificate that said what was left."""
    row = _destruction(session, destruction_id)
    if row.state == DONE and row.removal is None:
        row.removal = removal
        _note(session, row, "remove remains", now=now)
        emit(session, events.RemainsRemoved(row.id, row.recording_id), now=now)


def fail(session: Session, destruction_id: str, problem: str, *, now: datetime) -> None:
    """Files could not be reached: nothing opens the recording any more, and it is to be tried again."""
    row = _destruction(session, destruction_id)
    if DESTRUCTION.allows(row.state, "fail"):
        row.state, row.problem = DESTRUCTION.next(row.state, "fail"), problem[:500]
        emit(session, events.DestructionDecided(row.id, row.recording_id, row.state), now=now)


def try_again(session: Session, destruction_id: str, *, by: str, now: datetime) -> Destruction:
    rules.check_office(_roles(session, by))
    row = _destruction(session, destruction_id)
    if row.problem is None:
        raise Refused("Nothing failed here.")
    _enqueue(session, row, now=now)
    return row


def open_of(session: Session, recording_id: str) -> Destruction | None:
    return session.scalar(
        select(Destruction).where(Destruction.recording_id == recording_id, Destruction.state.in_(OPEN)).limit(1)
    )


def latest_of(session: Session, recording_id: str) -> Destruction | None:
    mine = select(Destruction).where(Destruction.recording_id == recording_id)
    return session.scalar(mine.order_by(Destruction.proposed_at.desc(), Destruction.id.desc()).limit(1))


def latest_among(session: Session, recording_ids: Sequence[str]) -> dict[str, Destruction]:
    rows = select(Destruction).where(Destruction.recording_id.in_(recording_ids))
    return {row.recording_id: row for row in session.scalars(rows.order_by(Destruction.proposed_at, Destruction.id))}


def in_states(session: Session, states: frozenset[str], *, limit: int = 200) -> list[Destruction]:
    rows = select(Destruction).where(Destruction.state.in_(states)).order_by(Destruction.proposed_at.desc())
    return list(session.scalars(rows.limit(limit)))


def get(session: Session, destruction_id: str) -> Destruction:
    """Raises NotFound."""
    row = session.get(Destruction, destruction_id)
    if row is None:
        raise NotFound
    return row


def oldest(session: Session, *, before: datetime, limit: int = 500) -> list[Recording]:
    """Candidates for being due: settled, begun before then, and nothing proposed; the oldest first."""
    busy = select(Destruction.recording_id).where(Destruction.state.in_(OPEN))
    rows = select(Recording).where(
        Recording.state.in_({RECORDING_READY, RECORDING_FAILED}),
        Recording.started_at < before,
        Recording.id.not_in(busy),
    )
    return list(session.scalars(rows.order_by(Recording.started_at, Recording.id).limit(limit)))


def _check_due(session: Session, recording: Recording, codes: Sequence[str], *, now: datetime) -> datetime:
    if not RECORDING.allows(recording.state, "destroy"):
        raise Refused("This recording can't be destroyed now.")
    if held(session, recording):
        raise Refused("A legal hold forbids its destruction.")
    until = kept_until(session, recording, codes)
    if not rules.due(until, held=False, now=now):
        raise Refused("Its time is not over yet.")
    return until


def _under(session: Session, row: Hold) -> list[str]:
    if row.petition_id is None:
        return [row.recording_id]
    return list(session.scalars(select(Recording.id).where(Recording.petition_id == row.petition_id)))


def _stop(session: Session, recording_id: str, *, now: datetime) -> None:
    row = open_of(session, recording_id)
    if row is not None and DESTRUCTION.allows(row.state, "stop"):
        row.state = DESTRUCTION.next(row.state, "stop")
        emit(session, events.DestructionDecided(row.id, recording_id, row.state), now=now)


def _enqueue(session: Session, row: Destruction, *, now: datetime) -> None:
    jobs.enqueue(session, DESTROY, {"destruction_id": row.id}, now=now)


def _note(session: Session, row: Destruction, action: str, *, now: datetime, **detail: str) -> None:
    audit.note(session, action, "recording", row.recording_id, now=now, detail={"destruction": row.id, **detail})


def _note_hold(session: Session, row: Hold, action: str, *, now: datetime, **detail: str) -> None:
    audit.note(session, action, "recording", row.recording_id, now=now, detail={"hold": row.id, **detail})
    emit(session, events.HoldChanged(row.id, row.recording_id, row.state), now=now)


def _move_hold(session: Session, hold_id: str, verb: str, *, now: datetime) -> Hold:
    row = _hold(session, hold_id)
    row.state = HOLD.next(row.state, verb)
    return row


def _hold(session: Session, hold_id: str) -> Hold:
    query = select(Hold).where(Hold.id == hold_id).with_for_update().execution_options(populate_existing=True)
    row = session.scalar(query)
    if row is None:
        raise NotFound
    return row


def _destruction(session: Session, destruction_id: str) -> Destruction:
    session.flush()
    query = select(Destruction).where(Destruction.id == destruction_id).with_for_update()
    row = session.scalar(query.execution_options(populate_existing=True))
    if row is None:
        raise NotFound
    return row


def _locked(session: Session, recording_id: str) -> Recording:
    session.flush()
    query = select(Recording).where(Recording.id == recording_id).with_for_update(of=Recording)
    recording = session.scalar(query.execution_options(populate_existing=True))
    if recording is None:
        raise NotFound
    return recording


def _roles(session: Session, staff_id: str) -> frozenset[str]:
    staff = session.get(Staff, staff_id)
    return staff.roles if staff and staff.active else frozenset()
