"""`/p/{code}`: the address on the receipt and in the texts. It says where a case stands, not whose it is.

What was asked and what was answered stand behind the last digits of the visitor's phone, and only where the case is
not confidential; the words of a confidential one are told at the centre.
"""

from starlette.responses import Response

from core import audit
from core.errors import Mistake, Refused
from core.events import emit
from core.language import N_
from queueing.appointments import calendar
from queueing.appointments import states as appointment_states
from reception.files.rules import ACCEPT
from reception.follow import opinions
from reception.follow import service as door
from reception.follow.events import PaperSent
from reception.petitions import entries, queries, service, states, story
from reception.petitions.models import Petition, PetitionNote
from web.cases import papers
from web.cases.view import WORDS, show
from web.follow import asking
from web.follow.opened import may_send_files, open_here, opened
from web.forms import Form
from web.http import Context, Pages, everyone

pages = Pages(asking.pages)

# States in which something is asked of the visitor: papers may be sent then.
AWAITED = (states.WAITING_VISITOR, states.RETURNED)
MOODS = {
    5: N_("Very well"),
    4: N_("Well"),
    3: N_("Middling"),
    2: N_("Not so well"),
    1: N_("Badly"),
}

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
    states.DECIDED: 3,
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
    """The visitor's own reply to what was asked.

    Who has written for longer than the page stays open loses no word: it is shown again, to be sent with the digits.
    """
    petition = service.by_follow_code(ctx.session, ctx.path("code"))
    here = f"/p/{petition.follow_code}"
    if petition.confidential:
        return ctx.redirect(f"{here}#words")
    form = Form(ctx)
    text = form.text("reply", max=4000, lines=True)
    if not opened(ctx, petition).words:
        if petition.state != states.WAITING_VISITOR:
            ctx.flash(ctx._("This question has been answered already. Thank you."), "info")
            return ctx.redirect(here)
        digits = form.text("digits", max=20) if "digits" in ctx.form else ""
        if form.errors or not digits:
            return _page(ctx, petition, form, status=422, closed=True)
        if not door.knock(ctx.session, petition, typed=digits, now=ctx.now):
            form.add("digits", ctx._("These are not the last four digits of the number that you gave us."))
            return _page(ctx, petition, form, closed=True)  # 200: a wrong try must be committed to count
        open_here(ctx, petition)
    elif form.errors:
        return _page(ctx, petition, form, status=422)
    try:
        with ctx.session.begin_nested():
            service.visitor_replied(ctx.session, petition.id, reply=text, staff_id=None, now=ctx.now)
        audit.note(ctx.session, "reply", "petition", petition.id, now=ctx.now, detail={"at": "follow-up page"})
        ctx.flash(ctx._("Thank you. Your reply has been handed on; the work goes on."))
    except Refused:
        ctx.flash(ctx._("This question has been answered already. Thank you."), "info")
    return ctx.redirect(here)


@pages.post("/p/{code}/papers", audience=everyone, before=papers.prepare, files_from=may_send_files)
def send_papers(ctx: Context) -> Response:
    """Papers that were asked for, from the visitor's own device. Good ones are kept beside refused ones."""
    petition = service.by_follow_code(ctx.session, ctx.path("code"))
    here = f"/p/{petition.follow_code}#papers"
    if not opened(ctx, petition).shown:
        ctx.flash(ctx._("Please ask for a new code, then send your papers."), "wait")
        return ctx.redirect("/follow")
    if petition.state not in AWAITED:
        ctx.flash(ctx._("Nothing is asked of you just now. Thank you."), "info")
        return ctx.redirect(here)
    kept, refused = papers.take(ctx, Form(ctx).files("papers"), petition_id=petition.id, by="")
    for paper in kept:
        entries.record(ctx.session, petition.id, "paper", fields={"name": paper.name}, now=ctx.now)
    if kept:
        emit(
            ctx.session,
            PaperSent(
                petition_id=petition.id, department_id=petition.department_id or "", centre_id=petition.centre_id
            ),
            now=ctx.now,
        )
        text = ctx.ngettext("One paper was added.", "{n} papers were added.", len(kept))
        ctx.flash(text.format(n=len(kept)))
    for reason in refused:
        ctx.flash(reason, "danger")
    if not kept and not refused:
        ctx.flash(ctx._("Choose a paper first."), "danger")
    return ctx.redirect(here)


@pages.post("/p/{code}/how", audience=everyone)
def how(ctx: Context) -> Response:
    """What the visitor thought of it, once."""
    petition = service.by_follow_code(ctx.session, ctx.path("code"))
    here = f"/p/{petition.follow_code}"
    now_open = opened(ctx, petition)
    if not (now_open.words or now_open.shown):
        return ctx.redirect(f"{here}#words")
    score = str(ctx.form.get("score") or "")
    try:
        with ctx.session.begin_nested():
            words = str(ctx.form.get("words") or "")
            opinions.give(ctx.session, petition, score=int(score) if score.isdecimal() else 0, words=words, now=ctx.now)
        ctx.flash(ctx._("Thank you. It helps us to do better."))
    except (Mistake, Refused) as error:
        ctx.flash(ctx.say(error), "danger" if isinstance(error, Mistake) else "info")
    return ctx.redirect(f"{here}#how")


def _page(ctx: Context, petition: Petition, form: Form, *, status: int = 200, closed: bool = False) -> Response:
    """`closed`: a reply came from where the page was open no longer; its text stands in the form still."""
    written = _written(ctx, petition)
    now_open = opened(ctx, petition)
    detail = {"at": "follow-up page"} | ({"words": written.kind} if written and now_open.words else {})
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
        words=written.text if written and now_open.words else "",
        shown=now_open.shown,
        awaited=petition.state in AWAITED,
        accept=ACCEPT,
        max_mb=ctx.settings.upload_limit // (1024 * 1024),
        rate=(now_open.words or now_open.shown) and opinions.ask(ctx.session, petition),
        rated=opinions.given(ctx.session, petition) if petition.state in states.SETTLED else None,
        moods=[(score, ctx._(MOODS[score])) for score in opinions.SCORES],
        wrong="wrong" in ctx.query,
        closed=closed,
        paused=paused,
        form=form,
    )
    response.headers["x-robots-tag"] = "noindex, nofollow, noarchive"
    return response


def _written(ctx: Context, petition: Petition) -> PetitionNote | None:
    """What waits here to be read by the visitor."""
    kind = WORDS.get(petition.state)
    return queries.latest_note(ctx.session, petition.id, kind) if kind else None
