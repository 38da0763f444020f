"""The list with its order and reasons, and one petition's place in it."""

from datetime import date, datetime, timedelta
from typing import TypedDict

from sqlalchemy import select
from starlette.responses import Response

from core import audit
from core.calendar import day_bounds, local_day
from core.errors import NotFound, Refused
from core.staff.rules import AIDE, HOTLINE, MANAGER, OFFICIAL, RECEPTIONIST
from queueing.appointments import calendar
from queueing.appointments.rules import KINDS
from queueing.appointments.states import AWAITED
from queueing.tickets.rules import APPOINTMENT, CLASSES
from queueing.waitlist import service as waitlist
from queueing.waitlist.models import Waiting
from reception import access
from reception.appointed import waiting as line
from reception.centres import service as centres
from reception.centres.models import Centre
from reception.petitions.models import Petition
from web.cases import door
from web.counter.words import CLASSES as CLASS_WORDS
from web.forms import Form
from web.http import Context, Pages, staff
from web.office.engagements import officials
from web.waitlist import words

pages = Pages()


class Wishes(TypedDict):
    kind: str
    centre_id: str
    official_id: str
    needs_interpreter: bool
    visitor_class: str
    earliest: datetime | None
    latest: datetime | None


BOOKERS = staff(RECEPTIONIST, MANAGER, HOTLINE, AIDE, OFFICIAL)
OFFICE = {AIDE, OFFICIAL}
OF_THE_CENTRE = {RECEPTIONIST, MANAGER}


@pages.get("/waitlist", audience=BOOKERS)
def index(ctx: Context) -> Response:
    """A centre sees its own line; who is in it from elsewhere has a place there, and no name. To the hotline nobody has
    one before the caller is checked.
    """
    places = centres.centres(ctx.session)
    bound = ctx.staff.roles & OF_THE_CENTRE and not ctx.staff.roles & (OFFICE | {HOTLINE})
    centre_id = ctx.staff.centre_id if bound else ctx.query.get("centre") or None
    if centre_id and centre_id not in {place.id for place in places}:
        raise NotFound
    rows = line.line(ctx.session, centre_id=centre_id, now=ctx.now)
    visible = select(Petition.id).where(Petition.id.in_([row.petition.id for row in rows]))
    seen = set(ctx.session.scalars(access.visible(visible, ctx.staff)))
    seen &= {row.petition.id for row in rows if door.may_open(ctx, row.petition)}
    audit.note(ctx.session, "open", "page", "/waitlist", now=ctx.now, detail={"cases": len(seen)})
    return ctx.render(
        "waitlist/index.html",
        rows=rows,
        seen=seen,
        by_phone=HOTLINE in ctx.staff.roles,
        because={row.waiting.id: words.because(ctx, row.because) for row in rows},
        waited={row.waiting.id: words.span(ctx, row.weighed.waited) for row in rows if row.weighed},
        centre_id=centre_id or "",
        centre_of={place.id: place for place in places},
        centre_options=[] if bound else [("", ctx._("all centres")), *((p.id, p.name(ctx.lang)) for p in places)],
        words=words,
        one_second=timedelta(seconds=1),
        classes=CLASS_WORDS,
    )


@pages.get("/waitlist/{petition_id}", audience=BOOKERS)
def show(ctx: Context) -> Response:
    petition = door.case_of(ctx, ctx.path("petition_id"))
    audit.note(ctx.session, "read", "petition", petition.id, now=ctx.now)
    return _page(ctx, petition, Form(ctx))


@pages.post("/waitlist/{petition_id}/join", audience=BOOKERS)
def join(ctx: Context) -> Response:
    petition = door.require(ctx, ctx.path("petition_id"), "book")
    form = Form(ctx)
    wishes = _wishes(ctx, form)
    if not form.errors:
        with form.catch():
            line.join(ctx.session, petition, by=ctx.staff.id, zone=ctx.settings.timezone, now=ctx.now, **wishes)
    if form.errors:
        return _page(ctx, petition, form, status=422)
    ctx.flash(ctx._("On the waitlist. As soon as a time that suits is free, the visitor is asked by text."))
    return ctx.redirect(f"/waitlist/{petition.id}")


@pages.post("/waitlist/{petition_id}/earlier", audience=BOOKERS)
def earlier(ctx: Context) -> Response:
    """The appointment stays, and an earlier day is offered when one becomes free."""
    petition = door.require(ctx, ctx.path("petition_id"), "book")
    line.wait_for_earlier(ctx.session, petition, by=ctx.staff.id, zone=ctx.settings.timezone, now=ctx.now)
    ctx.flash(ctx._("On the waitlist for an earlier day. The appointment stays until the visitor takes another."))
    return ctx.redirect(f"/waitlist/{petition.id}")


@pages.post("/waitlist/{petition_id}/change", audience=BOOKERS)
def change(ctx: Context) -> Response:
    """Other wishes: broader ones keep the turn."""
    petition = door.require(ctx, ctx.path("petition_id"), "book")
    form, waiting = Form(ctx), _waiting(ctx, petition)
    wishes = _wishes(ctx, form)
    since = waiting.joined_at
    if not form.errors:
        with form.catch():
            waiting = waitlist.change(ctx.session, waiting.id, zone=ctx.settings.timezone, now=ctx.now, **wishes)
            audit.note(ctx.session, "change wishes", "petition", petition.id, now=ctx.now)
    if form.errors:
        return _page(ctx, petition, form, changing=True, status=422)
    kept = waiting.joined_at == since
    ctx.flash(ctx._("Saved. The turn is kept.") if kept else ctx._("Saved. The waiting counts from today."))
    return ctx.redirect(f"/waitlist/{petition.id}")


def _wishes(ctx: Context, form: Form) -> Wishes:
    kind = form.choice("kind", ("", *KINDS), required=False)
    centre_id = form.choice("centre", ("", *(place.id for place in _halls(ctx))), required=False)
    official_id = form.choice("official", ("", *(person.id for person in officials(ctx.session))), required=False)
    visitor_class = form.choice("class", CLASSES)
    return {
        "kind": kind,
        "centre_id": centre_id,
        "official_id": official_id,
        "needs_interpreter": form.flag("signs"),
        "visitor_class": visitor_class,
        "earliest": _day(ctx, form, "earliest"),
        "latest": _day(ctx, form, "latest", after=1),
    }


@pages.post("/waitlist/{petition_id}/leave", audience=BOOKERS)
def leave(ctx: Context) -> Response:
    petition = door.case_of(ctx, ctx.path("petition_id"))
    form = Form(ctx)
    reason = form.text("reason", max=300)
    if form.errors:
        return _page(ctx, petition, form, status=422)
    waitlist.leave(ctx.session, _waiting(ctx, petition).id, reason=reason, by=ctx.staff.id, now=ctx.now)
    audit.note(ctx.session, "leave waitlist", "petition", petition.id, now=ctx.now)
    ctx.flash(ctx._("Taken off the waitlist."))
    return ctx.redirect(f"/waitlist/{petition.id}")


@pages.post("/waitlist/{petition_id}/resume", audience=BOOKERS)
def resume(ctx: Context) -> Response:
    petition = door.case_of(ctx, ctx.path("petition_id"))
    waitlist.resume(ctx.session, _waiting(ctx, petition).id, now=ctx.now)
    audit.note(ctx.session, "resume waitlist", "petition", petition.id, now=ctx.now)
    ctx.flash(ctx._("Times are offered again."))
    return ctx.redirect(f"/waitlist/{petition.id}")


@pages.get("/waitlist/{petition_id}/{verb}", audience=BOOKERS)
def left_behind(ctx: Context) -> Response:
    """Where a refused form leaves the browser: a reload finds the page."""
    petition = door.case_of(ctx, ctx.path("petition_id"))
    return ctx.redirect(f"/waitlist/{petition.id}")


def _page(ctx: Context, petition: Petition, form: Form, *, changing: bool = False, status: int = 200) -> Response:
    waiting = waitlist.of_petition(ctx.session, petition.id)
    current = calendar.current(ctx.session, petition.id)
    place, total = line.place_of(ctx.session, waiting, now=ctx.now) if waiting else (0, 0)
    offers = waitlist.offers_to(ctx.session, waiting.id) if waiting else []
    return ctx.render(
        "waitlist/show.html",
        status=status,
        petition=petition,
        waiting=waiting,
        place=place,
        total=total,
        waited=words.span(ctx, (ctx.now - waiting.joined_at) / timedelta(minutes=1)) if waiting else "",
        between=words.between(ctx, waiting) if waiting else ("", ""),
        offers=offers,
        appointment=current if current is not None and current.state in AWAITED else None,
        allowed="book" in access.verbs(ctx.session, ctx.staff, petition),
        form=form,
        changing=changing,
        wished=form.values if changing else _as_typed(ctx, waiting) if waiting else {},
        may_wait=line.may_wait_for_earlier(ctx.session, petition, zone=ctx.settings.timezone, now=ctx.now),
        default_class=line.class_of(ctx.session, petition),
        class_options=[(name, ctx._(CLASS_WORDS[name])) for name in CLASSES if name != APPOINTMENT],
        hall_options=[("", ctx._("any centre"))] + [(place.id, place.name(ctx.lang)) for place in _halls(ctx)],
        official_options=[("", ctx._("any official"))]
        + [(person.id, person.name(ctx.lang)) for person in officials(ctx.session)],
        centre_of={place.id: place for place in centres.centres(ctx.session)},
        today=local_day(ctx.now, ctx.settings.timezone),
        words=words,
        one_second=timedelta(seconds=1),
        classes=CLASS_WORDS,
        hotline=HOTLINE in ctx.staff.roles,
    )


def _as_typed(ctx: Context, waiting: Waiting) -> dict[str, str]:
    earliest, latest = words.between(ctx, waiting)
    return {
        "kind": waiting.kind, "centre": waiting.centre_id or "", "official": waiting.official_id or "",
        "class": waiting.visitor_class, "earliest": earliest, "latest": latest,
        "signs": "1" if waiting.needs_interpreter else "",
    }  # fmt: skip


def _waiting(ctx: Context, petition: Petition) -> Waiting:
    found = waitlist.of_petition(ctx.session, petition.id)
    if found is None:
        raise Refused("This petition is not on the waitlist any more.")
    return found


def _halls(ctx: Context) -> list[Centre]:
    return [place for place in centres.centres(ctx.session) if place.video_hall]


def _day(ctx: Context, form: Form, name: str, *, after: int = 0) -> datetime | None:
    """The beginning of the day that was typed, or of the one after it: a last day counts whole."""
    text = form.text(name, required=False, max=20)
    if not text:
        return None
    try:
        return day_bounds(date.fromisoformat(text), ctx.settings.timezone)[after]
    except (ValueError, OverflowError):
        form.add(name, ctx._("Please enter a day."))
        return None
