"""The queue of unchecked cases, and the check itself: identity, papers, type, side by side with the papers. And what
no department has: returned for completion, or refused and to be sent on.

Who opens a case has it in hand: the others see that, and of two who reach for one at once only one decides.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session
from starlette.responses import Response

from core import audit
from core.calendar import local_day
from core.errors import Refused
from core.staff.models import Staff
from core.staff.rules import MANAGER, RECEPTIONIST, VERIFIER
from reception import access
from reception.centres.setup import departments_at_work
from reception.checking import rules as check_rules
from reception.checking import service as checking
from reception.files import service as files
from reception.parties import rules as party_rules
from reception.parties import service as parties
from reception.petitions import catalogue, queries, service, states, story, urgency
from reception.petitions.models import Petition
from web.cases import door
from web.cases.verbs import VERBS
from web.cases.view import show, told
from web.forms import Form
from web.http import Context, Pages, staff

pages = Pages()
ONLY = staff(VERIFIER)
SHEETS = 40  # pages of one paper that lie open; of a longer one the rest is read in the file


@dataclass(frozen=True, slots=True)
class Waiting:
    """A case of the list: by when it must be looked at, and who has it in hand."""

    petition: Petition
    due: datetime | None
    late: bool
    holder: Staff | None


@pages.get("/verification", audience=ONLY)
def index(ctx: Context) -> Response:
    """The case in hand, else the oldest that nobody has."""
    waiting = _waiting(ctx)
    mine = checking.mine(ctx.session, staff_id=ctx.staff.id, now=ctx.now)
    free = [one.petition for one in waiting if one.holder is None or one.holder.id == ctx.staff.id]
    return _page(ctx, next((p for p in free if p.id == mine), free[0] if free else None), waiting, Form(ctx))


@pages.get("/verification/{id}", audience=ONLY)
def one(ctx: Context) -> Response:
    petition = access.petition_for(ctx.session, ctx.staff, ctx.path("id"))
    return _page(ctx, petition, _waiting(ctx), Form(ctx))


@pages.post("/verification/next", audience=ONLY)
def take_next(ctx: Context) -> Response:
    """The oldest that nobody has; passing over the one in hand, which goes back into the line."""
    mine = checking.mine(ctx.session, staff_id=ctx.staff.id, now=ctx.now)
    for row in _waiting(ctx):
        own = row.petition.received_by == ctx.staff.id and row.petition.verification != states.PASSED
        if row.holder is None and row.petition.id != mine and not own:
            with suppress(Refused), ctx.session.begin_nested():
                checking.take(ctx.session, row.petition, staff_id=ctx.staff.id, now=ctx.now)
                return ctx.redirect(f"/verification/{row.petition.id}")
    ctx.flash(ctx._("Nothing else waits."), "info")
    return ctx.redirect("/verification")


@pages.post("/verification/{id}", audience=ONLY)
def decide(ctx: Context) -> Response:
    """Pass or return; a corrected type is taken over first, in the same step."""
    name = "return" if ctx.form.get("decision") == "return" else "verify"
    petition = door.require(ctx, ctx.path("id"), name)
    checking.take(ctx.session, petition, staff_id=ctx.staff.id, now=ctx.now)
    form = Form(ctx)
    with form.catch(), ctx.session.begin_nested():
        kind = str(ctx.form.get("type") or petition.type_id)
        if kind != petition.type_id:
            VERBS["reclassify"].act(ctx, petition, form)
        VERBS[name].act(ctx, petition, form)
    if form.errors:
        return _page(ctx, petition, _waiting(ctx), form, status=422)
    checking.leave(ctx.session, petition, staff_id=ctx.staff.id, now=ctx.now)
    ctx.flash(ctx._(VERBS[name].done))
    return ctx.redirect("/verification")


def _waiting(ctx: Context) -> list[Waiting]:
    rows = queries.to_verify(ctx.session, ctx.staff)
    ids = [row.id for row in rows]
    held, due = checking.held(ctx.session, ids, now=ctx.now), checking.due(ctx.session, ids)
    return [Waiting(p, due.get(p.id), bool(due.get(p.id) and due[p.id] < ctx.now), held.get(p.id)) for p in rows]


def _page(
    ctx: Context, petition: Petition | None, waiting: list[Waiting], form: Form, *, status: int = 200
) -> Response:
    allowed = access.verbs(ctx.session, ctx.staff, petition) if petition else set()
    holder = None
    if petition is not None:
        audit.note(ctx.session, "read", "petition", petition.id, now=ctx.now, detail={"at": "verification"})
        holder = checking.held(ctx.session, [petition.id], now=ctx.now).get(petition.id)
        if holder is not None and holder.id == ctx.staff.id:
            holder = None
        opened = ctx.request.method == "GET" and not ctx.fragment
        if opened and holder is None and allowed & {"verify", "return", "dispatch"}:
            _take_afterwards(ctx, petition.id)
    today = local_day(ctx.now, ctx.settings.timezone)
    beside = parties.of_petition(ctx.session, petition.id) if petition else []
    return show(
        ctx,
        "verification/index.html",
        status=status,
        petition=petition,
        waiting=waiting,
        holder=holder,
        mine_for=int(check_rules.HOLD.total_seconds() // 60),
        due=next((one for one in waiting if petition and one.petition.id == petition.id), None),
        allowed=allowed,
        papers=files.of_petition(ctx.session, petition.id) if petition else [],
        sheets=SHEETS,
        beside=[(p, party_rules.in_force(p.role, p.valid_until, today=today)) for p in beside],
        powers=party_rules.POWERS,
        relations=party_rules.RELATIONS,
        proposal=urgency.pending(ctx.session, petition.id) if petition else None,
        returned=queries.latest_note(ctx.session, petition.id, "missing") if petition else None,
        completed=queries.latest_verification(ctx.session, petition.id) if petition else None,
        refusal=queries.latest_refusal(ctx.session, petition.id) if "dispatch" in allowed and petition else None,
        departments=departments_at_work(ctx.session) if "dispatch" in allowed else [],
        tree=catalogue.tree(ctx.session),
        items=told(ctx, story.story(ctx.session, petition.id)) if petition else [],
        form=form,
        chosen_wrong=set(form.many("wrong")),
        centre_id=ctx.staff.centre_id,
    )


@pages.get("/returned", audience=staff(RECEPTIONIST, VERIFIER, MANAGER))
def at_the_centre(ctx: Context) -> Response:
    """The centre's cases that lie with no department, with what was said when they came back; the latest first."""
    wanted, number = ctx.query.get("shelf", ""), ctx.query.get("page", "1")
    shelf = wanted if wanted in queries.AT_THE_CENTRE else queries.RETURNED
    page = int(number) if number.isascii() and number.isdigit() else 1
    found = {
        name: queries.at_the_centre(ctx.session, ctx.staff, shelf=name, page=page if name == shelf else 1)
        for name in queries.AT_THE_CENTRE
    }
    cases, _, pages_ = found[shelf]
    return show(
        ctx,
        "verification/returned.html",
        shelf=shelf,
        counts={name: count for name, (_cases, count, _pages) in found.items()},
        cases=cases,
        said=queries.why_there(ctx.session, [case.id for case in cases], shelf=shelf),
        page=min(max(page, 1), pages_),
        pages=pages_,
        centre_id=ctx.staff.centre_id,
    )


def _take_afterwards(ctx: Context, petition_id: str) -> None:
    """Opening a case is having it in hand; a rival who was quicker by a moment is seen with the next hint."""
    me, now = ctx.staff.id, ctx.now

    def take(session: Session) -> None:
        with suppress(Refused), session.begin_nested():
            checking.take(session, service.get(session, petition_id), staff_id=me, now=now)

    ctx.afterwards(take)
