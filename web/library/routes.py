"""Recordings: the shelf of those one may view, the player, and the bytes behind it."""

from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from core import audit, clock
from core.calendar import digits
from core.staff.models import Staff
from core.staff.rules import AIDE, OFFICER, OFFICIAL
from core.text import isolated
from reception.petitions.models import Petition
from recordings import access
from recordings.archive import leave, service
from recordings.archive.states import READY
from recordings.export import service as exports
from recordings.proof import service as proof
from recordings.proof.rules import running
from video.meetings import service as meetings
from web.exports.words import STATES
from web.http import Context, Pages, staff
from web.keys import key_ring
from web.library import finding, leaves, watching
from web.library.broken import is_broken
from web.library.words import VERDICTS, sentence, short
from web.ranges import from_its_beginning, given
from web.retention import routes as retention

pages = Pages()
viewers = staff(OFFICIAL, AIDE, OFFICER)
WAYS = ("newer", "older", "further")
pages.extend(watching.pages)
pages.extend(leaves.pages)


@pages.get("/library", audience=viewers)
def shelf(ctx: Context) -> Response:
    asked = finding.wanted(ctx)
    shelf = finding.found(ctx, asked)
    audit.note(ctx.session, "list", "recording", "-", now=ctx.now)
    kept = retention.told_all(ctx, [hit.recording for hit in shelf.hits])
    here = {k: v for k, v in ctx.query.items() if k not in WAYS and v}
    return ctx.render(
        "library/index.html",
        hits=[(hit, kept[hit.recording.id]) for hit in shelf.hits],
        broken={
            one.recording.id for one in shelf.hits if is_broken(ctx.session, one.recording, one.meeting, now=ctx.now)
        },
        shelf=shelf,
        ways={way: f"/library?{urlencode({**here, way: getattr(shelf, way)})}" for way in WAYS},
        asked=asked,
        typed={name: ctx.query.get(name, "") for name in ("q", "since", "until", "official", "state")},
        official_options=finding.officials(ctx.session, ctx.staff.id, ctx.lang, now=ctx.now),
        state_options=[(code, ctx._(name)) for code, (name, _) in finding.STATES.items()],
        empty=not shelf.hits and not finding.anything(ctx.session, ctx.staff.id, now=ctx.now),
        mine=[(one, leaves.about(ctx, one)) for one in leave.mine(ctx.session, ctx.staff.id, now=ctx.now)],
        in_office=bool(ctx.staff.roles & {OFFICIAL, AIDE}),
    )


@pages.get("/library/{recording_id}", audience=viewers)
def player(ctx: Context) -> Response:
    return _player(ctx)


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


@pages.get("/library/{recording_id}/sides/{rendition_id}", audience=viewers)
def side(ctx: Context) -> Response:
    """One participant's picture and sound, in ranges; opened for holders of a grant only."""
    asked = ctx.request.headers.get("range")
    opened = access.watch(
        ctx.write,
        ctx.staff.id,
        ctx.path("rendition_id"),
        folder=ctx.settings.recordings_dir,
        keyring=key_ring(ctx.settings),
        clock=clock.now,
        first=from_its_beginning(asked),
    )
    return given(opened, asked, "video/webm", {"content-disposition": "inline"})


def _player(ctx: Context) -> Response:
    recording = service.viewable(ctx.session, ctx.path("recording_id"), ctx.staff.id, now=ctx.now)
    audit.note(ctx.session, "open", "recording", recording.id, now=ctx.now)
    return ctx.render(
        "library/player.html",
        recording=recording,
        ready=recording.state == READY,
        meeting=meetings.get(ctx.session, recording.meeting_id),
        petition=ctx.session.get(Petition, recording.petition_id),
        **watching.watching(ctx, recording),
        **leaves.card(ctx, recording),
        kept=retention.told(ctx, recording),
        in_office=bool(ctx.staff.roles & {OFFICIAL, AIDE}),
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
