from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core import audit, jobs
from core.db import new_id
from core.errors import NotFound, Refused
from core.events import emit
from recordings.archive.models import Recording
from recordings.archive.service import viewable
from recordings.archive.states import READY as RECORDING_READY
from recordings.export import events, rules
from recordings.export.models import Export
from recordings.export.proof import signature
from recordings.export.states import ASKED, MACHINE, MAKING, OPEN, READY, WITH_END

MAKE = "recordings.export"  # the job that makes a film
LANE = 8  # after all else


def ask(session: Session, recording_id: str, *, by: str, purpose: str, format: str, lang: str, now: datetime) -> Export:
    """A viewer wants a film of the recording to take away. While one of theirs is under way, there is no second.

    Raises NotFound unless `by` may view it; Refused where there is nothing to make a film of.
    """
    viewable(session, recording_id, by, now=now)
    recording = session.scalar(
        select(Recording)
        .where(Recording.id == recording_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if recording is None:
        raise NotFound
    if recording.state != RECORDING_READY or not recording.renditions:
        raise Refused("There is no film to be made of this recording.")
    mine = (Export.recording_id == recording_id, Export.asked_by == by, Export.format == format)
    if session.scalar(select(Export.id).where(*mine, Export.state.in_(OPEN))):
        raise Refused("You have asked for this already.")
    export = Export(
        id=new_id(),
        recording_id=recording_id,
        format=format,
        lang=lang,
        purpose=purpose,
        asked_by=by,
        asked_at=now,
        until=now + rules.TO_AGREE,
        state=MACHINE.initial,
    )
    session.add(export)
    session.flush()
    _note(session, export, "ask for export", now=now, purpose=purpose, format=format)
    emit(session, events.ExportAsked(export.id, recording_id), now=now)
    return export


def agree(session: Session, export_id: str, *, by: str, now: datetime) -> Export:
    """The second person's word: now it is made. Raises NotFound unless `by` may view the recording; Refused."""
    export = _decide(session, export_id, "agree", by=by, now=now)
    _enqueue(session, export, now=now)
    _note(session, export, "agree to export", now=now)
    emit(session, events.ExportAgreed(export.id, export.recording_id), now=now)
    return export


def decline(session: Session, export_id: str, *, by: str, now: datetime) -> Export:
    """Raises NotFound unless `by` may view the recording; Refused."""
    export = _decide(session, export_id, "decline", by=by, now=now)
    export.until = None
    _note(session, export, "decline export", now=now)
    emit(session, events.ExportDeclined(export.id, export.recording_id), now=now)
    return export


def try_again(session: Session, export_id: str, *, by: str, now: datetime) -> Export:
    """A failed one is made once more; the agreement stands. Raises NotFound; Refused unless failed."""
    export = seen(session, export_id, by, now=now)
    if not rules.may_stop(export.asked_by, export.decided_by, by):
        raise NotFound
    _move(session, export, "try again")
    export.percent, export.problem, export.until = 0, None, None
    _enqueue(session, export, now=now)
    _note(session, export, "try export again", now=now)
    emit(session, events.ExportTriedAgain(export.id, export.recording_id), now=now)
    return export


def cancel(session: Session, export_id: str, *, by: str, now: datetime) -> Export:
    """By the one who asked or the one who agreed, at any stage: what is there of a film goes. Raises NotFound, Refused.

    Who asked may do so even when they may not view the recording any more.
    """
    export = _locked(session, export_id)
    if not rules.may_stop(export.asked_by, export.decided_by, by):
        raise NotFound
    _move(session, export, "cancel")
    export.until = None
    _note(session, export, "cancel export", now=now)
    emit(session, events.ExportCancelled(export.id, export.recording_id), now=now)
    return export


def begin(session: Session, export_id: str, *, now: datetime) -> bool:
    """A worker has taken it, perhaps after another one died of it. False where it is not wanted any more."""
    export = _locked(session, export_id)
    verb = "begin again" if export.state == MAKING else "begin"
    if not MACHINE.allows(export.state, verb):
        return False
    export.state, export.percent, export.begun_at = MACHINE.next(export.state, verb), 0, now
    emit(session, events.ExportAdvanced(export.id, export.recording_id, 0), now=now)
    return True


def advance(session: Session, export_id: str, percent: int, *, now: datetime) -> bool:
    """How far the making is. False where it is to stop: somebody cancelled it."""
    export = _locked(session, export_id)
    if export.state != MAKING:
        return False
    if export.percent != percent:
        export.percent = percent
        emit(session, events.ExportAdvanced(export.id, export.recording_id, percent), now=now)
    return True


def finish(session: Session, export_id: str, *, size: int, sha256: str, now: datetime, proof: str = "") -> Export:
    """The film is there, sealed, until its end date. One that was cancelled in the last moment stays cancelled.

    `proof`: the lines that say what it is, signed; empty where there is no key to sign with.
    """
    export = _locked(session, export_id)
    if export.state != MAKING:
        return export
    export.state = MACHINE.next(export.state, "finish")
    export.percent, export.size, export.sha256, export.problem = 100, size, sha256, None
    export.done_at, export.until, export.proof = now, now + rules.KEPT, proof or None
    signed = {"signature": signature(proof)} if proof else {}
    _note(session, export, "make export", now=now, sha256=sha256, **signed)
    emit(session, events.ExportReady(export.id, export.recording_id), now=now)
    return export


def fail(session: Session, export_id: str, problem: str, *, now: datetime) -> Export:
    """`problem` is one of rules.PROBLEMS. Nothing of the film is kept."""
    export = _locked(session, export_id)
    if not MACHINE.allows(export.state, "fail"):
        return export
    export.state = MACHINE.next(export.state, "fail")
    export.problem = problem if problem in rules.PROBLEMS else rules.OTHER
    export.done_at, export.until = now, now + rules.KEPT
    _note(session, export, "fail at export", now=now, problem=export.problem)
    emit(session, events.ExportFailed(export.id, export.recording_id, export.problem), now=now)
    return export


def expire_due(session: Session, *, now: datetime) -> list[Export]:
    """Whatever has come to its end: requests that nobody agreed to, films past their date. Their files are to go."""
    due = list(
        session.scalars(
            select(Export)
            .where(Export.state.in_(WITH_END), Export.until <= now)
            .with_for_update(skip_locked=True, of=Export)
            .limit(50)
        )
    )
    for export in due:
        export.state = MACHINE.next(export.state, "expire")
        _note(session, export, "expire export", now=now)
        emit(session, events.ExportExpired(export.id, export.recording_id), now=now)
    return due


def seen(session: Session, export_id: str, staff_id: str, *, now: datetime) -> Export:
    """For those who may view the recording, and for nobody else. Raises NotFound."""
    export = session.get(Export, export_id)
    if export is None:
        raise NotFound
    viewable(session, export.recording_id, staff_id, now=now)
    return export


def fetched(session: Session, export_id: str, staff_id: str, *, now: datetime) -> Export:
    """For the download by the one who asked, who must still be entitled. Raises NotFound."""
    export = seen(session, export_id, staff_id, now=now)
    if export.recording.state != RECORDING_READY:  # destroyed since: its films went with it
        raise NotFound
    if not rules.fetchable(export.state, export.asked_by, staff_id, export.until, now=now):
        raise NotFound
    return export


def of_recording(session: Session, recording_id: str) -> list[Export]:
    """Latest first."""
    mine = select(Export).where(Export.recording_id == recording_id)
    return list(session.scalars(mine.order_by(Export.asked_at.desc(), Export.id.desc())))


def for_me(session: Session, staff_id: str, *, now: datetime, limit: int = 100) -> tuple[list[Export], list[Export]]:
    """(those that wait for this person's agreement, those this person asked for or decided on), latest first."""
    latest = select(Export).order_by(Export.asked_at.desc(), Export.id.desc()).limit(limit)
    open_ones = latest.where(Export.state == ASKED, Export.asked_by != staff_id, Export.until > now)
    waiting = [
        export for export in session.scalars(open_ones) if _viewable(session, export.recording_id, staff_id, now=now)
    ]
    mine = latest.where(or_(Export.asked_by == staff_id, Export.decided_by == staff_id))
    return waiting, list(session.scalars(mine))


def wanted_files(session: Session, names: Iterable[str]) -> set[str]:
    """Which of these sealed films (names below the exports folder) somebody still waits for or may fetch."""
    ids = {name.split(".")[0] for name in names}
    kept = select(Export).join(Recording).where(Export.id.in_(ids), Export.state.in_({MAKING, READY}))
    kept = kept.where(Recording.state == RECORDING_READY)  # with a destroyed recording its films go
    return {export.file for export in session.scalars(kept)}


def seconds(session: Session, recording_id: str, people: Iterable[str], *, asked_by: str, now: datetime) -> list[str]:
    """Who of these people could agree to an export that `asked_by` asks for."""
    return [id_ for id_ in people if id_ != asked_by and _viewable(session, recording_id, id_, now=now)]


def _viewable(session: Session, recording_id: str, staff_id: str, *, now: datetime) -> bool:
    try:
        viewable(session, recording_id, staff_id, now=now)
    except NotFound:
        return False
    return True


def _decide(session: Session, export_id: str, verb: str, *, by: str, now: datetime) -> Export:
    export = seen(session, export_id, by, now=now)
    rules.check_second(export.asked_by, by)
    export = _locked(session, export.id)
    if export.state == ASKED and export.until is not None and export.until <= now:
        raise Refused("Nobody agreed in time. Please ask again.")
    export.state = MACHINE.next(export.state, verb)
    export.decided_by, export.decided_at, export.until = by, now, None
    return export


def _move(session: Session, export: Export, verb: str) -> None:
    export = _locked(session, export.id)
    export.state = MACHINE.next(export.state, verb)


def _enqueue(session: Session, export: Export, *, now: datetime) -> None:
    jobs.enqueue(session, MAKE, {"export_id": export.id}, now=now, lane=LANE)


def _note(session: Session, export: Export, action: str, *, now: datetime, **detail: str) -> None:
    """In the recording's own trail, since whoever asks what became of a recording asks there."""
    audit.note(session, action, "recording", export.recording_id, now=now, detail={"export": export.id, **detail})


def _locked(session: Session, export_id: str) -> Export:
    query = select(Export).where(Export.id == export_id).with_for_update(of=Export)
    export = session.scalar(query.execution_options(populate_existing=True))
    if export is None:
        raise NotFound
    return export
