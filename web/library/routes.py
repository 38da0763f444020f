"""Recordings: the shelf of those one may view, the player, and the bytes behind it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from starlette.responses import Response, StreamingResponse

from core import audit
from core.calendar import at_local, digits, local_day
from core.staff.models import Staff, StaffRole
from core.staff.rules import AIDE, OFFICER, OFFICIAL
from reception.directives import service as directives
from reception.petitions.models import Petition
from recordings.access import open_rendition
from recordings.archive import service
from recordings.archive.rules import DEFAULT_GRANT, LONGEST_GRANT
from recordings.archive.states import READY
from recordings.export import service as exports
from recordings.proof import service as proof
from recordings.proof.rules import running
from recordings.ranges import ByteRange, Unsatisfiable, parse_range, read_range
from video.meetings import service as meetings
from video.meetings.models import Meeting
from web.exports.words import STATES
from web.forms import Form
from web.http import Context, Pages, staff
from web.keys import key_ring
from web.library.words import VERDICTS, isolated, sentence, short

pages = Pages()
viewers = staff(OFFICIAL, AIDE, OFFICER)
BEFORE = 15.0  # seconds: a directive opens this long before its mark


@pages.get("/library", audience=viewers)
def shelf(ctx: Context) -> Response:
    rows = service.library(ctx.session, ctx.staff.id, now=ctx.now)
    return ctx.render(
        "library/index.html",
        rows=[(r, ctx.session.get(Meeting, r.meeting_id), ctx.session.get(Petition, r.petition_id)) for r in rows],
    )


@pages.get("/library/{recording_id}", audience=viewers)
def player(ctx: Context) -> Response:
    return _player(ctx, Form(ctx, days=DEFAULT_GRANT.days))


@pages.post("/library/{recording_id}/grants", audience=staff(OFFICIAL, AIDE))
def grant(ctx: Context) -> Response:
    form = Form(ctx)
    who = form.choice("staff_id", [s.id for s in _colleagues(ctx)])
    purpose = form.text("purpose", max=200)
    days = form.integer("days", low=1, high=365, default=DEFAULT_GRANT.days)
    if form.errors:
        return _player(ctx, form, status=422)
    zone = ctx.settings.timezone
    last_day = local_day(ctx.now + timedelta(days=days), zone)
    service.grant(
        ctx.session,
        ctx.path("recording_id"),
        staff_id=who,
        purpose=purpose,
        by=ctx.staff.id,
        until=min(at_local(last_day, 23, 59, zone), ctx.now + LONGEST_GRANT),
        now=ctx.now,
    )
    ctx.flash(ctx._("The recording can now be viewed by this person."))
    return ctx.redirect(f"/library/{ctx.path('recording_id')}")


@pages.post("/library/{recording_id}/check", audience=viewers)
def check(ctx: Context) -> Response:
    """Whoever may view a recording may ask whether it is still what was recorded."""
    proof.ask_check(ctx.session, ctx.path("recording_id"), by=ctx.staff.id, now=ctx.now)
    return ctx.redirect(f"/library/{ctx.path('recording_id')}")


@pages.post("/library/{recording_id}/sign", audience=viewers)
def sign(ctx: Context) -> Response:
    proof.sign_again(ctx.session, ctx.path("recording_id"), by=ctx.staff.id, now=ctx.now)
    return ctx.redirect(f"/library/{ctx.path('recording_id')}")


@pages.post("/library/{recording_id}/try-again", audience=viewers)
def try_again(ctx: Context) -> Response:
    service.try_again(ctx.session, ctx.path("recording_id"), by=ctx.staff.id, now=ctx.now)
    ctx.flash(ctx._("The recording is being prepared once more."))
    return ctx.redirect(f"/library/{ctx.path('recording_id')}")


@pages.post("/library/grants/{grant_id}/revoke", audience=staff(OFFICIAL, AIDE))
def revoke(ctx: Context) -> Response:
    service.revoke(ctx.session, ctx.path("grant_id"), by=ctx.staff.id, now=ctx.now)
    ctx.flash(ctx._("The leave to view was taken back."))
    return ctx.redirect("/library")


@pages.get("/library/{recording_id}/sides/{rendition_id}", audience=viewers)
def side(ctx: Context) -> Response:
    """One participant's picture and sound, in ranges; opened for holders of a grant only."""
    asked = ctx.request.headers.get("range")
    sealed = open_rendition(
        ctx.session,
        ctx.staff,
        ctx.path("rendition_id"),
        folder=ctx.settings.recordings_dir,
        keyring=key_ring(ctx.settings),
        now=ctx.now,
        first=asked is None or asked.startswith("bytes=0-"),
    )
    headers = {"accept-ranges": "bytes", "cache-control": "private, no-store", "content-disposition": "inline"}
    try:
        part = parse_range(asked, sealed.size)
    except Unsatisfiable as error:
        sealed.close()
        return Response(status_code=416, headers={"content-range": error.content_range})
    chosen = part or ByteRange(0, sealed.size)
    headers["content-length"] = str(chosen.length)
    if part:
        headers["content-range"] = part.content_range(sealed.size)

    def body() -> Iterator[bytes]:
        with sealed:
            yield from read_range(sealed, chosen)

    return StreamingResponse(body(), 206 if part else 200, headers, media_type="video/webm")


def _player(ctx: Context, form: Form, *, status: int = 200) -> Response:
    recording = service.viewable(ctx.session, ctx.path("recording_id"), ctx.staff.id, now=ctx.now)
    audit.note(ctx.session, "open", "recording", recording.id, now=ctx.now)
    colleagues = _colleagues(ctx) if {OFFICIAL, AIDE} & ctx.staff.roles else []
    marked = [
        (d, max((d.marked_at - recording.started_at).total_seconds(), 0.0))
        for d in directives.of_meeting(ctx.session, recording.meeting_id)
        if d.marked_at and d.marked_at >= recording.started_at
    ]
    return ctx.render(
        "library/player.html",
        status=status,
        recording=recording,
        ready=recording.state == READY,
        meeting=meetings.get(ctx.session, recording.meeting_id),
        petition=ctx.session.get(Petition, recording.petition_id),
        directives=marked,
        before=BEFORE,
        parts=[p for p in service.of_meeting(ctx.session, recording.meeting_id) if p.id != recording.id],
        grants=[(g, ctx.session.get(Staff, g.staff_id)) for g in recording.grants if g.revoked_at is None],
        form=form,
        colleague_options=[(c.id, c.name(ctx.lang)) for c in colleagues],
        exports=[(e, ctx.session.get(Staff, e.asked_by)) for e in exports.of_recording(ctx.session, recording.id)],
        export_states=STATES,
        **_proof(ctx, recording.id),
    )


def _proof(ctx: Context, recording_id: str) -> dict[str, Any]:
    """What the page says of signature and last check."""
    signed, last = proof.manifest_of(ctx.session, recording_id), proof.check_of(ctx.session, recording_id)
    return {
        "signed": signed,
        "key": short(signed.key) if signed else "",
        "check": last,
        "checking": last is not None and running(last.asked_at, last.verdict, now=ctx.now),
        "verdict": ctx._(VERDICTS[last.verdict]) if last and last.verdict else "",
        "findings": [sentence(f, ctx._, lambda n: digits(n, ctx.lang), isolated) for f in last.findings]
        if last
        else [],
    }


def _colleagues(ctx: Context) -> list[Staff]:
    """Who may be given leave to view: the office and department officers, but never oneself."""
    query = (
        select(Staff)
        .join(StaffRole)
        .where(StaffRole.role.in_([OFFICIAL, AIDE, OFFICER]), Staff.active, Staff.id != ctx.staff.id)
        .order_by(Staff.name_ar)
        .distinct()
    )
    return list(ctx.session.scalars(query))
