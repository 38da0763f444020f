"""One box that finds the case by whatever the caller knows; who is calling; what to read out; whom to call back.

Before the caller has shown to be the visitor, a case's page shows its number and nothing else.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session
from starlette.responses import Response

from core import audit
from core.calendar import local_day
from core.errors import NotFound
from core.language import N_
from core.staff.rules import HOTLINE
from queueing.appointments import calendar
from reception import access
from reception.appointed.service import expected
from reception.centres import service as centres
from reception.hotline import checks, concerns, rules, service, telephone
from reception.hotline.models import PhoneCall
from reception.hotline.states import CONCERN_NAMES
from reception.petitions import queries, states, story
from reception.petitions.models import Petition, PetitionNote
from web.cases.view import WORDS, show, since_midnight, told
from web.forms import Form
from web.hotline import calling
from web.http import Context, Pages, staff

pages = Pages()
ONLY = staff(HOTLINE)

# What to say, in words that anybody understands. {department} is where the case lies.
TO_READ_OUT = {
    states.RECEIVED: N_("Your petition has been received and numbered. It is being sent to the competent department."),
    states.ROUTED: N_("Your petition was sent to {department}. It has not confirmed receipt yet."),
    states.TO_OFFICE: N_("Your petition was sent straight to {department}. It has not confirmed receipt yet."),
    states.ACKNOWLEDGED: N_("{department} has your petition and confirmed receipt. Work on it begins soon."),
    states.IN_PROGRESS: N_("{department} is working on your petition."),
    states.DECIDED: N_("{department} has studied your petition and is writing its answer."),
    states.WAITING_VISITOR: N_("{department} needs something more from you. I will tell you what was asked."),
    states.RETURNED: N_("Something is missing in your petition. I will tell you what to bring to the centre."),
    states.REOPENED: N_("Your petition has been taken up again and lies with {department}."),
    states.ANSWERED: N_("{department} has answered your petition."),
    states.CLOSED: N_("Your petition is closed."),
}
# Where the words are for the centre alone.
CONFIDENTIAL_TO_READ_OUT = {
    states.WAITING_VISITOR: N_("{department} needs something more from you. Your centre tells you what: {centre}."),
    states.RETURNED: N_("Something is missing in your petition. Your centre tells you what: {centre}."),
    states.ANSWERED: N_("{department} has answered your petition. The answer is given to you at {centre}."),
}
# What came after the state and says more than it does: the latest of all steps that move a case decides.
LATER_TO_READ_OUT = {
    "meeting": N_("Your meeting about the petition took place. What follows from it is told to you step by step."),
    "directive": N_("The minister gave an order about your petition, and it is being carried out."),
    "fulfilled": N_("The minister's order about your petition was carried out."),
}
MOVES = frozenset(
    {"received", "routed", "sent_up", "transferred", "acknowledged", "begun", "replied", "completed", "reopened"}
    | {"answered", "closed", *LATER_TO_READ_OUT}
)


@pages.get("/hotline", audience=ONLY)
def index(ctx: Context) -> Response:
    text = ctx.query.get("q", "")[:120].strip()
    cases, people = (
        service.look_up(ctx.session, text, today=local_day(ctx.now, ctx.settings.timezone)) if text else ([], [])
    )
    for petition in cases:
        audit.note(ctx.session, "find", "petition", petition.id, now=ctx.now, detail={"at": "hotline"})
    _take(ctx)
    if len(cases) == 1 and not ctx.fragment and "list" not in ctx.query:
        return ctx.redirect(f"/hotline/cases/{cases[0].id}")
    return _page(ctx, text, cases, people)


@pages.get("/hotline/cases/{id}", audience=ONLY)
def case(ctx: Context) -> Response:
    petition = access.petition_for(ctx.session, ctx.staff, ctx.path("id"))
    return _case(ctx, petition, Form(ctx))


@pages.post("/hotline/cases/{id}/check", audience=ONLY)
def check(ctx: Context) -> Response:
    """What the caller said is compared, and what would have been right is shown to nobody."""
    petition = access.petition_for(ctx.session, ctx.staff, ctx.path("id"))
    form = Form(ctx)
    identity, called = form.text("identity", max=20), form.text("called", max=20)
    if form.errors:
        return _case(ctx, petition, form, status=422)
    passed = checks.check(
        ctx.session, petition.visitor, identity=identity, called=called, staff_id=ctx.staff.id, now=ctx.now
    )
    if not passed:
        ctx.flash(ctx._("That is not what is on file. Nothing of the case may be said."), "danger")
    return ctx.redirect(f"/hotline/cases/{petition.id}")


@pages.get("/hotline/cases/{id}/{verb}", audience=ONLY)
def left_behind(ctx: Context) -> Response:
    """Where a refused form leaves the browser: a reload and the live refresh find the case."""
    if ctx.path("verb") not in ("call", "check", "concern"):
        raise NotFound("There is nothing here.")
    return ctx.redirect(f"/hotline/cases/{access.petition_for(ctx.session, ctx.staff, ctx.path('id')).id}")


@pages.post("/hotline/cases/{id}/call", audience=ONLY)
def log(ctx: Context) -> Response:
    """Write the call down; with a wish to be called back, that too. The next caller is somebody else."""
    petition = access.petition_for(ctx.session, ctx.staff, ctx.path("id"))
    form = Form(ctx)
    asked = form.text("asked", max=2000, lines=True)
    told_ = form.text("told", required=False, max=2000, lines=True)
    due = _call_at(ctx, form)
    if form.errors:
        return _case(ctx, petition, form, status=422)
    service.log_call(ctx.session, petition_id=petition.id, asked=asked, told=told_, staff_id=ctx.staff.id, now=ctx.now)
    if form.flag("call_back"):
        service.call_back(
            ctx.session,
            visitor_id=petition.visitor_id,
            petition_id=petition.id,
            reason=asked,
            due_at=due,
            staff_id=ctx.staff.id,
            now=ctx.now,
        )
    checks.end(ctx.session, staff_id=ctx.staff.id, now=ctx.now)
    ctx.flash(ctx._("The call was written down."))
    return ctx.redirect("/hotline")


@pages.post("/hotline/cases/{id}/concern", audience=ONLY)
def concern(ctx: Context) -> Response:
    """A complaint about the service, or the case raised to the office: it needs no check, for it tells nothing."""
    petition = access.petition_for(ctx.session, ctx.staff, ctx.path("id"))
    form = Form(ctx)
    _raise(ctx, form, petition)
    if form.errors:
        return _case(ctx, petition, form, status=422)
    return ctx.redirect(f"/hotline/cases/{petition.id}")


@pages.get("/hotline/concern", audience=ONLY)
def concern_left_behind(ctx: Context) -> Response:
    return ctx.redirect("/hotline")


@pages.post("/hotline/concern", audience=ONLY)
def concern_of_nobody(ctx: Context) -> Response:
    """A complaint by somebody who is not on file, or doesn't say who is calling."""
    form = Form(ctx)
    _raise(ctx, form, None)
    if form.errors:
        return _page(ctx, "", [], [], form=form, status=422)
    return ctx.redirect("/hotline")


@pages.post("/hotline/call", audience=ONLY)
def log_unknown(ctx: Context) -> Response:
    """A call that no record was found for."""
    form = Form(ctx)
    asked = form.text("asked", max=2000, lines=True)
    if form.errors:
        return _page(ctx, "", [], [], form=form, status=422)
    caller = form.text("caller", required=False, max=120)
    service.log_call(ctx.session, asked=asked, caller=caller, staff_id=ctx.staff.id, now=ctx.now)
    ctx.flash(ctx._("The call was written down."))
    return ctx.redirect("/hotline")


@pages.post("/hotline/call-backs/{id}", audience=ONLY)
def called_back(ctx: Context) -> Response:
    task, form = service.one(ctx.session, ctx.path("id"), ctx.staff), Form(ctx)
    if not calling.called(ctx, form, task):
        return _page(ctx, "", [], [], form=form, open_call_back=task.id, status=422)
    return ctx.redirect("/hotline")


@pages.post("/hotline/call-backs/{id}/drop", audience=ONLY)
def give_up(ctx: Context) -> Response:
    """Not to be called any more: it is settled, or nobody can be reached; said why."""
    task, form = service.one(ctx.session, ctx.path("id"), ctx.staff), Form(ctx)
    if not calling.given_up(ctx, form, task):
        return _page(ctx, "", [], [], form=form, open_call_back=task.id, status=422)
    return ctx.redirect("/hotline")


@pages.get("/hotline/call-backs/{id}/drop", audience=ONLY)
def give_up_left_behind(ctx: Context) -> Response:
    service.one(ctx.session, ctx.path("id"), ctx.staff)
    return ctx.redirect("/hotline")


def _call_at(ctx: Context, form: Form) -> datetime:
    """The wished time as a clock here shows it; without one, as soon as somebody is free."""
    text, due = form.values.get("call_at", "").strip(), ctx.now
    if form.flag("call_back") and text:
        try:
            wished = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ctx.settings.timezone))
        except ValueError:
            form.add("call_at", ctx._("Give the time."))
            return due
        with form.catch("call_at"):
            due = rules.call_at(wished.astimezone(UTC), now=ctx.now)
    return due


def _raise(ctx: Context, form: Form, petition: Petition | None) -> None:
    kind = form.choice("kind", rules.KINDS, default=rules.COMPLAINT)
    about, words = form.text("about", max=20), form.text("concern", max=2000, lines=True)
    centre_id = form.text("centre", required=False, max=40) or None
    if form.errors:
        return
    with form.catch():
        concerns.raise_concern(
            ctx.session,
            kind=kind,
            about=about,
            text=words,
            petition_id=petition.id if petition else None,
            centre_id=centre_id if centre_id in {place.id for place in centres.centres(ctx.session)} else None,
            staff_id=ctx.staff.id,
            zone=ctx.settings.timezone,
            now=ctx.now,
        )
        ctx.flash(
            ctx._("The minister's office has it before it now.")
            if kind == rules.ESCALATION
            else ctx._("The complaint is written down. The caller is called when it is answered.")
        )


def _take(ctx: Context) -> None:
    """The announced call has its page open."""
    call_id, person, now = ctx.query.get("call", ""), ctx.staff.id, ctx.now
    if call_id:
        ctx.afterwards(lambda session: _taken(session, call_id, person, now))


def _taken(session: Session, call_id: str, person: str, now: datetime) -> None:
    telephone.take(session, call_id, staff_id=person, now=now)


def _ringing(ctx: Context) -> dict[str, object]:
    """The call that rings here now, and what the page needs to show it."""
    call: PhoneCall | None = None
    if not ctx.query.get("call"):
        call = telephone.ringing(ctx.session, ctx.staff.id, now=ctx.now)
    return {
        "ringing": call,
        "opens": f"/hotline?{urlencode({'q': call.number, 'call': call.id})}" if call else "",
        "about_options": [(key, ctx._(words)) for key, words in rules.ABOUT.items()],
        "concern_names": CONCERN_NAMES,
    }


def _page(
    ctx: Context,
    text: str,
    cases: list[Petition],
    people: list,  # type: ignore[type-arg]
    *,
    form: Form | None = None,
    open_call_back: str = "",
    status: int = 200,
) -> Response:
    mine = service.calls_of(ctx.session, ctx.staff.id, since=since_midnight(ctx))
    return show(
        ctx,
        "hotline/index.html",
        status=status,
        q=text,
        cases=cases,
        people=people,
        waiting=calling.waiting(ctx),
        form=form or Form(ctx),
        open_call_back=open_call_back,
        raised=concerns.seen_by(ctx.session, ctx.staff, limit=8),
        centre_options=[(place.id, place.name(ctx.lang)) for place in centres.centres(ctx.session)],
        **_ringing(ctx),
        mine=list(zip(mine, calling.numbers(ctx, mine), strict=True)),
    )


def _case(ctx: Context, petition: Petition, form: Form, *, status: int = 200) -> Response:
    checked_at = checks.checked_at(ctx.session, petition.visitor_id, staff_id=ctx.staff.id, now=ctx.now)
    if checked_at is None:
        return show(
            ctx,
            "hotline/check.html",
            status=status,
            petition=petition,
            form=form,
            left=checks.tries_left(ctx.session, petition.visitor_id, now=ctx.now),
            raised=concerns.about(ctx.session, petition.id),
            **_ringing(ctx),
        )
    audit.note(ctx.session, "read", "petition", petition.id, now=ctx.now, detail={"at": "hotline"})
    readable = access.may_read_text(ctx.staff, petition)
    steps = (story.story if readable else story.public_story)(ctx.session, petition.id)
    department = petition.department.name(ctx.lang) if petition.department else petition.centre.name(ctx.lang)
    booked = calendar.current(ctx.session, petition.id)
    return show(
        ctx,
        "hotline/case.html",
        status=status,
        petition=petition,
        readable=readable,
        read_out=ctx._(to_say(petition, [step.kind for step in steps])).format(
            department=department, centre=petition.centre.name(ctx.lang)
        ),
        since=steps[-1].at if steps else petition.received_at,
        items=told(ctx, steps),
        calls=service.calls_about(ctx.session, petition.id),
        appointment=booked,
        says_coming=booked is not None and booked.id in expected(ctx.session, [booked.id]),
        written=_written(ctx, petition) if readable else None,
        bookable="book" in access.verbs(ctx.session, ctx.staff, petition),
        form=form,
        checked_at=checked_at,
        raised=concerns.about(ctx.session, petition.id),
        **_ringing(ctx),
    )


def to_say(petition: Petition, kinds: Sequence[str]) -> str:
    """The sentence for the caller: `kinds` are the steps so far. What waits for the caller comes before all."""
    if petition.state not in (states.WAITING_VISITOR, states.RETURNED):
        latest = next((kind for kind in reversed(kinds) if kind in MOVES), "")
        if latest in LATER_TO_READ_OUT:
            return LATER_TO_READ_OUT[latest]
    if petition.confidential and petition.state in CONFIDENTIAL_TO_READ_OUT:
        return CONFIDENTIAL_TO_READ_OUT[petition.state]
    return TO_READ_OUT[petition.state]


def _written(ctx: Context, petition: Petition) -> PetitionNote | None:
    """What the visitor was asked for, or the answer, in the words of whoever wrote it."""
    kind = WORDS.get(petition.state)
    return queries.latest_note(ctx.session, petition.id, kind) if kind else None
