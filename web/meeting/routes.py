"""The meeting room: the official's desk, the interpreter's, and the big screen of the visitor's hall."""

from datetime import timedelta
from typing import Any

from starlette.responses import JSONResponse, Response

from core import audit
from core.errors import NotFound, Refused
from core.staff.rules import AIDE, INTERPRETER, OFFICIAL
from reception.directives import service as directives
from reception.petitions.models import Petition
from reception.visitors.models import Visitor
from recordings.archive import service as archive
from video.access import place_of
from video.media.tokens import JoinClaims, mint
from video.meetings import rules, service
from video.meetings.models import Meeting, Participant
from video.meetings.states import OVER, REMOVED
from web.forms import Form
from web.http import Context, Pages, everyone, staff

pages = Pages()
ROOM_COOKIE = "majlis_room"
in_meetings = staff(OFFICIAL, AIDE, INTERPRETER)
office = staff(OFFICIAL, AIDE)


@pages.get("/meeting/{meeting_id}", audience=in_meetings)
def room(ctx: Context) -> Response:
    try:
        meeting, me = place_of(ctx.session, ctx.staff, ctx.path("meeting_id"))
    except NotFound:
        if AIDE not in ctx.staff.roles:
            raise
        meeting = service.get(ctx.session, ctx.path("meeting_id"))
        shown_out = any(p.staff_id == ctx.staff.id for p in meeting.participants)
        return ctx.render("meeting/seat.html", meeting=meeting, shown_out=shown_out)
    dossier: dict[str, Any] = {}
    if me.role in rules.HOSTS:
        petition = ctx.session.get(Petition, meeting.petition_id)
        dossier = {
            "petition": petition,
            "visitor": ctx.session.get(Visitor, meeting.visitor_id),
            "directives": directives.of_meeting(ctx.session, meeting.id),
            "shown_out": [p for p in meeting.participants if p.state == REMOVED and meeting.state not in OVER],
        }
        audit.note(ctx.session, "read", "petition", meeting.petition_id, now=ctx.now, detail={"in": "meeting"})
    return _render(ctx, meeting, me, base=f"/meeting/{meeting.id}", **dossier)


@pages.post("/meeting/{meeting_id}/seat", audience=staff(AIDE))
def take_seat(ctx: Context) -> Response:
    """Raises Refused where one's own place was withdrawn: being shown out would else last until the next press."""
    meeting = service.locked(ctx.session, ctx.path("meeting_id"))
    me = ctx.staff
    place = service.seat(
        ctx.session, meeting, role=rules.AIDE, staff_id=me.id, name_ar=me.name_ar, name_en=me.name_en, now=ctx.now
    )
    if place.state == REMOVED or place.role not in me.roles:
        raise Refused("The office has taken you out of the meeting. If that is a mistake, please speak to them.")
    return ctx.redirect(f"/meeting/{meeting.id}")


@pages.post("/meeting/{meeting_id}/token", audience=in_meetings)
def token(ctx: Context) -> Response:
    meeting, me = place_of(ctx.session, ctx.staff, ctx.path("meeting_id"))
    return _token(ctx, meeting, me)


@pages.post("/meeting/{meeting_id}/remove/{participant_id}", audience=office)
def remove(ctx: Context) -> Response:
    meeting, me = place_of(ctx.session, ctx.staff, ctx.path("meeting_id"))
    service.remove(ctx.session, meeting.id, by=me.id, participant_id=ctx.path("participant_id"), now=ctx.now)
    ctx.session.commit()
    ctx.extras["nodes"].sync(meeting)
    return JSONResponse({"ok": True})


@pages.post("/meeting/{meeting_id}/invite/{participant_id}", audience=office)
def invite(ctx: Context) -> Response:
    """The way back for whoever was shown out."""
    meeting, me = place_of(ctx.session, ctx.staff, ctx.path("meeting_id"))
    service.invite(ctx.session, meeting.id, by=me.id, participant_id=ctx.path("participant_id"), now=ctx.now)
    ctx.session.commit()
    ctx.extras["nodes"].sync(meeting)
    return JSONResponse({"ok": True})


@pages.post("/meeting/{meeting_id}/directives", audience=office)
def mark_directive(ctx: Context) -> Response:
    """The order button: the moment is kept at once, the words may follow."""
    meeting, _me = place_of(ctx.session, ctx.staff, ctx.path("meeting_id"))
    here = archive.at_moment(ctx.session, meeting.id, ctx.now)
    if here is None or meeting.state in OVER:
        raise Refused("An order can be marked while the meeting is being recorded.")
    directive = directives.mark(
        ctx.session,
        meeting_id=meeting.id,
        petition_id=meeting.petition_id,
        offset_s=here[1],
        text=Form(ctx).text("text", required=False, max=4000, lines=True),
        by=ctx.staff.id,
        now=ctx.now,
    )
    return JSONResponse({"id": directive.id, "offset_s": round(here[1], 1)})


@pages.post("/meeting/{meeting_id}/directives/{directive_id}", audience=office)
def write_directive(ctx: Context) -> Response:
    meeting, _me = place_of(ctx.session, ctx.staff, ctx.path("meeting_id"))
    form = Form(ctx)
    text = form.text("text", max=4000, lines=True)
    if form.errors:
        return JSONResponse({"errors": form.errors}, 422)
    directive = directives.get(ctx.session, ctx.path("directive_id"))
    if directive.meeting_id != meeting.id:
        raise NotFound
    directives.write(ctx.session, directive.id, text=text, by=ctx.staff.id, now=ctx.now)
    return JSONResponse({"ok": True})


@pages.get("/room", audience=everyone)
def hall_room(ctx: Context) -> Response:
    """The visitor's place: no sign-in but the pass that the attendant put on this device."""
    return _render(ctx, *_hall_place(ctx), base="/room")


@pages.post("/room/token", audience=everyone)
def hall_token(ctx: Context) -> Response:
    return _token(ctx, *_hall_place(ctx))


@pages.get("/interpreting", audience=staff(INTERPRETER))
def interpreting(ctx: Context) -> Response:
    mine = service.between(
        ctx.session, ctx.now - timedelta(hours=12), ctx.now + timedelta(days=60), staff_id=ctx.staff.id
    )
    return ctx.render("meeting/interpreting.html", meetings=mine)


def _hall_place(ctx: Context) -> tuple[Meeting, Participant]:
    place = service.place_of_pass(ctx.session, ctx.request.cookies.get(ROOM_COOKIE, ""), now=ctx.now)
    if place is None:
        raise NotFound("This screen is in no meeting, or no longer. Please speak to the attendant of the hall.")
    return place


def _render(ctx: Context, meeting: Meeting, me: Participant, *, base: str, **values: Any) -> Response:
    return ctx.render(
        "meeting/room.html",
        meeting=meeting,
        place=me,
        base=base,
        over=meeting.state in OVER,
        host=me.role in rules.HOSTS,
        interpreted=any(p.role == rules.INTERPRETER for p in meeting.participants),
        **values,
    )


def _token(ctx: Context, meeting: Meeting, me: Participant) -> Response:
    """A token for one join of this person in this meeting, good for two minutes.

    Raises Refused for the hall's screen that was shown out, until its visitor is invited again: staff find no place.
    """
    meeting = service.locked(ctx.session, meeting.id)
    if me.state == REMOVED:
        raise Refused(
            "The minister's office has taken this screen out of the meeting. If that is a mistake, please speak to the "
            "attendant."
        )
    rules.check_joinable(meeting.state, meeting.starts_at, now=ctx.now)
    meeting.node = ctx.extras["nodes"].place(meeting)
    claims = JoinClaims(
        meeting_id=meeting.id, participant_id=me.id, role=me.role, name_ar=me.name_ar, name_en=me.name_en
    )
    signed = mint(ctx.settings.key("join tokens"), claims, now=ctx.now.timestamp())
    return JSONResponse({"token": signed, "url": f"/media/ws/{meeting.id}"}, headers={"cache-control": "no-store"})
