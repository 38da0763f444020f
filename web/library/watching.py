"""What the player is given beside pictures and sound: chapters, words, notes, the strip, and whether it may go on."""

import json
from datetime import timedelta
from typing import Any

import structlog
from starlette.responses import Response

from core import clock
from core.errors import Mistake
from core.language import N_
from core.staff.models import Staff
from core.staff.rules import AIDE, OFFICER, OFFICIAL
from reception.directives import service as directives
from recordings import access
from recordings.archive import leave as leaves
from recordings.archive import service
from recordings.archive.models import Recording
from recordings.archive.states import READY
from recordings.container import NotSealed, SealBroken
from recordings.journal_records import Mark
from recordings.keys import KeyRefused
from recordings.notes import service as notes
from recordings.notes.models import Note
from recordings.sealed import SealedReader
from recordings.storage.away import is_away
from recordings.strip import files
from recordings.strip import service as strips
from video.meetings import service as meetings
from video.meetings.rules import INTERPRETER
from video.meetings.rules import VISITOR as VISITOR_ROLE
from web.http import Context, Pages, staff
from web.keys import key_ring
from web.library.broken import is_broken
from web.library.chapters import SideFacts, chapters, spoken

log = structlog.get_logger()
pages = Pages()
viewers = staff(OFFICIAL, AIDE, OFFICER)
OFFICE = frozenset({OFFICIAL, AIDE})
PLACE = {OFFICIAL: 0, AIDE: 1, VISITOR_ROLE: 2, INTERPRETER: 3}
NO_STORE = {"cache-control": "private, no-store"}
ROLES = {
    OFFICIAL: N_("Official"),
    AIDE: N_("Office aide"),
    VISITOR_ROLE: N_("Visitor"),
    INTERPRETER: N_("Sign-language interpreter"),
}


def watching(ctx: Context, recording: Recording) -> dict[str, Any]:
    """For the template; `recording` is one that this person may view."""
    meeting = meetings.get(ctx.session, recording.meeting_id)
    names = {p.id: p.name_ar if ctx.lang == "ar" else p.name_en for p in meeting.participants}
    sides = sorted(recording.renditions, key=lambda one: (PLACE.get(one.role, 9), one.participant_id))
    marks = _marks(ctx, recording)
    duration = recording.duration_s or 0.0
    facts = [SideFacts(one.participant_id, one.name(ctx.lang), one.has_video, one.gaps) for one in sides]
    broken = is_broken(ctx.session, recording, meeting, now=ctx.now)
    orders = _orders(ctx, recording, duration)
    listed = chapters(facts, marks or [], names, orders, duration, ctx._, broken=broken)
    came = {one.participant_id for one in sides}
    return {
        "sides": sides,
        "role_names": {role: ctx._(name) for role, name in ROLES.items()},
        "absent": [p for p in meeting.participants if p.id not in came and p.role != AIDE] if sides else [],
        "chapters": listed,
        "broken_at": recording.started_at + timedelta(seconds=duration) if broken else None,
        "lines": spoken(marks or [], names),
        "listed": marks is not None,
        "notes": _notes(ctx, recording.id),
        "parts": _parts(ctx, recording),
    }


def _marks(ctx: Context, recording: Recording) -> list[Mark] | None:
    """None while they aren't there: one of before there were strips, or the job is still to come. A file that can't be
    read must not keep the pictures from being seen."""
    if recording.state != READY:
        return None
    try:
        sealed = _view(ctx, recording.id, files.MARKS)
        if sealed is not None:
            with sealed:
                return files.marks_of(sealed)
    except (SealBroken, NotSealed, KeyRefused, ValueError) as error:
        log.warning("the marks of a recording can't be read", recording_id=recording.id, error=str(error))
        _ask(ctx, recording.id)
        return []
    _ask(ctx, recording.id)
    return None


def _ask(ctx: Context, recording_id: str) -> None:
    """To be made, or made anew: what failed once may have had a reason that is gone."""
    ctx.afterwards(lambda session: strips.ask(session, recording_id, now=ctx.now))


def _orders(ctx: Context, recording: Recording, duration: float) -> list[tuple[float, str, str]]:
    """Those marked while this part ran, with the way to each for those who follow them up."""
    found = []
    for order in directives.of_meeting(ctx.session, recording.meeting_id):
        if order.marked_at is None or order.marked_at < recording.started_at:
            continue
        at = (order.marked_at - recording.started_at).total_seconds()
        if duration and at > duration + 60 and _later(ctx, recording, order.marked_at):
            continue  # it belongs to a later part
        href = f"/office/directives/{order.id}" if OFFICE & ctx.staff.roles else ""
        found.append((min(at, duration) if duration else at, order.text or ctx._("(to be written down)"), href))
    return found


def _later(ctx: Context, recording: Recording, at: Any) -> bool:
    rows = service.of_meeting(ctx.session, recording.meeting_id)
    return any(recording.started_at < row.started_at <= at for row in rows)


def _parts(ctx: Context, recording: Recording) -> list[dict[str, Any]]:
    """All parts of the meeting in the order of time, this one among them; one alone is no list."""
    rows = service.of_meeting(ctx.session, recording.meeting_id)
    parts = []
    for row in rows:
        allowed = leaves.may_view(ctx.session, row, ctx.staff.id, now=ctx.now)
        parts.append(
            {
                "id": row.id,
                "current": row.id == recording.id,
                "started_at": row.started_at,
                "ended_at": row.started_at + timedelta(seconds=row.duration_s) if row.duration_s else None,
                "duration_s": row.duration_s,
                "state": row.state,
                "href": f"/library/{row.id}" if allowed else "",
                "plays": allowed and row.state == READY and bool(row.renditions),
            }
        )
    return parts if len(parts) > 1 else []


def _notes(ctx: Context, recording_id: str) -> list[tuple[Note, str, bool]]:
    rows = notes.of_recording(ctx.session, recording_id)
    people = {one: ctx.session.get(Staff, one) for one in {row.written_by for row in rows}}
    return [
        (row, person.name(ctx.lang) if (person := people[row.written_by]) else "—", row.written_by == ctx.staff.id)
        for row in rows
    ]


@pages.get("/library/{recording_id}/leave", audience=viewers)
def leave(ctx: Context) -> Response:
    """204 as long as this person may view it: a player that is running asks every few seconds."""
    service.viewable(ctx.session, ctx.path("recording_id"), ctx.staff.id, now=ctx.now)
    return Response(status_code=204, headers=NO_STORE)


@pages.get("/library/{recording_id}/strip", audience=viewers)
def strip(ctx: Context) -> Response:
    sealed = _view(ctx, ctx.path("recording_id"), files.STRIP)
    if sealed is None:
        if service.get(ctx.session, ctx.path("recording_id")).state == READY:
            _ask(ctx, ctx.path("recording_id"))
        return Response(status_code=204, headers=NO_STORE)
    with sealed:
        return _json(files.head_of(sealed))


@pages.get("/library/{recording_id}/stills", audience=viewers)
def stills(ctx: Context) -> Response:
    sealed = _view(ctx, ctx.path("recording_id"), files.STRIP)
    if sealed is None:
        return Response(status_code=204, headers=NO_STORE)
    with sealed:
        return Response(files.stills_of(sealed), headers=NO_STORE, media_type="image/webp")


@pages.post("/library/{recording_id}/notes", audience=viewers)
def write(ctx: Context) -> Response:
    try:
        at = float(str(ctx.form.get("at") or ""))
    except ValueError:
        raise Mistake("This is not a moment of the recording.", field="at") from None
    text = str(ctx.form.get("text") or "")
    note = notes.write(ctx.session, ctx.path("recording_id"), at_s=at, text=text, by=ctx.staff.id, now=ctx.now)
    return _json({"id": note.id})


@pages.post("/library/notes/{note_id}/change", audience=viewers)
def change(ctx: Context) -> Response:
    text = str(ctx.form.get("text") or "")
    note = notes.change(ctx.session, ctx.path("note_id"), text=text, by=ctx.staff.id, now=ctx.now)
    return _json({"id": note.id})


@pages.post("/library/notes/{note_id}/delete", audience=viewers)
def delete(ctx: Context) -> Response:
    note = notes.delete(ctx.session, ctx.path("note_id"), by=ctx.staff.id, now=ctx.now)
    return _json({"id": note.id})


@pages.post("/library/notes/{note_id}/restore", audience=viewers)
def restore(ctx: Context) -> Response:
    note = notes.restore(ctx.session, ctx.path("note_id"), by=ctx.staff.id, now=ctx.now)
    return _json({"id": note.id})


def _view(ctx: Context, recording_id: str, name: str) -> SealedReader | None:
    """A drawn piece through the one door; None while it isn't there."""
    service.viewable(ctx.session, recording_id, ctx.staff.id, now=ctx.now)
    path = ctx.settings.recordings_dir / recording_id / name
    if not path.is_file() and not is_away(path):
        return None
    opened = access.look(
        ctx.write,
        ctx.staff.id,
        recording_id,
        name,
        folder=ctx.settings.recordings_dir,
        keyring=key_ring(ctx.settings),
        clock=clock.now,
    )
    return opened.sealed


def _json(value: Any) -> Response:
    return Response(json.dumps(value), headers=NO_STORE, media_type="application/json")
