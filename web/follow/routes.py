"""`/p/{code}`: the address on the receipt and in the texts. It says where a case stands, not whose it is.

What was asked and what was answered stand behind the last digits of the visitor's phone, and only where the case is
not confidential; the words of a confidential one are told at the centre.
"""

from starlette.responses import Response

from core import audit
from core.errors import Refused
from core.language import N_
from queueing.appointments import calendar
from queueing.appointments import states as appointment_states
from reception.follow import service as door
from reception.petitions import queries, service, states, story
from reception.petitions.models import Petition, PetitionNote
from web.cases.view import WORDS, show
from web.follow.opened import is_open, open_here
from web.forms import Form
from web.http import Context, Pages, everyone

pages = Pages()

# The four stations of the way, in the visitor's words, and how far each state has come.
STATIONS = (N_("Received"), N_("With the department"), N_("Being worked on"), N_("Answered"))
STATION = {
    states.RECEIVED: 1,
    states.RETURNED: 1,
    states.ROUTED: 2,
    states.TO_OFFICE: 2,
    states.REOPENED: 2,
    states.ACKNOWLEDGED: 3,
    states.IN_PROGRESS: 3,
    states.WAITING_VISITOR: 3,
    states.ANSWERED: 5,
    states.CLOSED: 5,
}


@pages.get("/p/{code}", audience=everyone)
def follow(ctx: Context) -> Response:
    return _page(ctx, service.by_follow_code(ctx.session, ctx.path("code")), Form(ctx))


@pages.post("/p/{code}/open", audience=everyone)
def open_(ctx: Context) -> Response:
    """Open the words on this device for a while. A wrong try is counted, and told plainly."""
    petition = service.by_follow_code(ctx.session, ctx.path("code"))
    here = f"/p/{petition.follow_code}"
    if petition.confidential or not door.knock(
        ctx.session, petition, typed=str(ctx.form.get("digits") or ""), now=ctx.now
    ):
        return ctx.redirect(f"{here}?wrong=1#words")
    open_here(ctx, petition)
    return ctx.redirect(f"{here}#words")


@pages.post("/p/{code}/reply", audience=everyone)
def reply(ctx: Context) -> Response:
    """The visitor's own reply to what was asked."""
    petition = service.by_follow_code(ctx.session, ctx.path("code"))
    here = f"/p/{petition.follow_code}"
    if petition.confidential or not is_open(ctx, petition):
        ctx.flash(ctx._("Please give the four digits once more, then send your reply."), "wait")
        return ctx.redirect(f"{here}#words")
    form = Form(ctx)
    text = form.text("reply", max=4000, lines=True)
    if form.errors:
        return _page(ctx, petition, form, status=422)
    try:
        with ctx.session.begin_nested():
            service.visitor_replied(ctx.session, petition.id, reply=text, staff_id=None, now=ctx.now)
        audit.note(ctx.session, "reply", "petition", petition.id, now=ctx.now, detail={"at": "follow-up page"})
        ctx.flash(ctx._("Thank you. Your reply has been handed on; the work goes on."))
    except Refused:
        ctx.flash(ctx._("This question has been answered already. Thank you."), "info")
    return ctx.redirect(here)


def _page(ctx: Context, petition: Petition, form: Form, *, status: int = 200) -> Response:
    written = _written(ctx, petition)
    opened = not petition.confidential and is_open(ctx, petition)
    detail = {"at": "follow-up page"} | ({"words": written.kind} if written and opened else {})
    audit.note(ctx.session, "read", "petition", petition.id, now=ctx.now, detail=detail)
    steps = story.public_story(ctx.session, petition.id)
    appointment = calendar.current(ctx.session, petition.id)
    if appointment is not None and appointment.state not in appointment_states.AWAITED:
        appointment = None
    paused = door.paused_until(ctx.session, petition.id, now=ctx.now)
    response = show(
        ctx,
        "follow/index.html",
        status=status,
        petition=petition,
        stations=[ctx._(station) for station in STATIONS],
        station=STATION[petition.state],
        items=[
            {
                "at": step.at,
                "title": step.say(ctx._, ctx.lang),
                "tone": step.tone,
                "icon": step.icon,
                "key": str(step.number),
            }
            for step in reversed(steps)
        ],
        appointment=appointment,
        due=petition.due_at
        if petition.state not in (*states.SETTLED, states.WAITING_VISITOR, states.RETURNED)
        else None,
        kind=written.kind if written else "",
        words=written.text if written and opened else "",
        wrong="wrong" in ctx.query,
        paused=paused,
        form=form,
    )
    response.headers["x-robots-tag"] = "noindex, nofollow, noarchive"
    return response


def _written(ctx: Context, petition: Petition) -> PetitionNote | None:
    """What waits here to be read by the visitor."""
    kind = WORDS.get(petition.state)
    return queries.latest_note(ctx.session, petition.id, kind) if kind else None
