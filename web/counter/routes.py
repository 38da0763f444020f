"""The console. Every verb is one post that ends on the console again; a refusal becomes a plain sentence there."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import select
from starlette.responses import Response

from core import audit
from core.errors import Mistake, NotFound, Refused
from core.staff.models import Staff
from core.staff.rules import MANAGER, RECEPTIONIST
from queueing.tickets import queries, service, states
from queueing.tickets.models import Counter, Ticket
from reception.centres.models import Centre
from web.counter import words
from web.counter.board import console, ticket_story
from web.http import Context, Pages, staff

pages = Pages()
clerks = staff(RECEPTIONIST, MANAGER)


@pages.get("/counter", audience=clerks)
def index(ctx: Context) -> Response:
    centre = _centre(ctx)
    if centre is None:
        return ctx.render("counter/nowhere.html")
    mine = queries.counter_of_staff(ctx.session, ctx.staff.id)
    if mine is None or mine.centre_id != centre.id:
        return ctx.render("counter/choose.html", **_choice(ctx, centre))
    return ctx.render("counter/console.html", **console(ctx, centre, mine))


@pages.get("/counter/tickets/{ticket}", audience=clerks)
def story(ctx: Context) -> Response:
    ticket = _ticket(ctx, ctx.path("ticket"))
    audit.note(ctx.session, "read", "ticket", ticket.id, now=ctx.now)
    return ctx.render("counter/ticket.html", **ticket_story(ctx, ticket))


@pages.post("/counter/open", audience=clerks)
def open_(ctx: Context) -> Response:
    counter = ctx.session.get(Counter, str(ctx.form.get("counter") or ""))
    if counter is None or counter.centre_id != ctx.staff.centre_id:
        raise NotFound
    return _act(ctx, lambda: service.open_counter(ctx.session, counter.id, ctx.staff.id, now=ctx.now))


@pages.post("/counter/close", audience=clerks)
def close(ctx: Context) -> Response:
    """One's own counter; a manager may close any of the centre (somebody forgot)."""
    mine = queries.counter_of_staff(ctx.session, ctx.staff.id)
    counter = ctx.session.get(Counter, str(ctx.form.get("counter") or "")) or mine
    allowed = counter and counter.centre_id == ctx.staff.centre_id and (counter is mine or MANAGER in ctx.staff.roles)
    if counter is None or not allowed:
        return ctx.redirect("/counter")
    return _act(ctx, lambda: service.close_counter(ctx.session, counter.id, now=ctx.now))


@pages.get("/counter/seats", audience=staff(MANAGER))
def seats(ctx: Context) -> Response:
    """All counters of the centre, for a manager who sits at one of them too."""
    centre = _centre(ctx)
    if centre is None:
        return ctx.render("counter/nowhere.html")
    return ctx.render("counter/choose.html", **_choice(ctx, centre))


@pages.post("/counter/release", audience=staff(MANAGER))
def release(ctx: Context) -> Response:
    """A colleague has gone and left a visitor at the counter: the visit ends or goes back into the line."""
    counter = ctx.session.get(Counter, _field(ctx, "counter"))
    if counter is None or counter.centre_id != ctx.staff.centre_id:
        raise NotFound
    ticket = _ticket(ctx, _field(ctx, "ticket"))
    finished = _field(ctx, "way") == "finish"

    def verb() -> None:
        clerk = counter.staff_id
        service.release_counter(ctx.session, counter.id, ticket.id, finish_it=finished, now=ctx.now)
        detail = {"ticket": ticket.label, "clerk": clerk, "way": "finish" if finished else "return"}
        audit.note(ctx.session, "release", "counter", counter.id, now=ctx.now, detail=detail)

    return _act(ctx, verb, to="/counter/seats")


@pages.post("/counter/next", audience=clerks)
def next_(ctx: Context) -> Response:
    """Call whoever's turn it is; with `finish` the present visitor is finished first (one press for two verbs)."""
    mine = _mine(ctx)
    done = str(ctx.form.get("finish") or "")

    def verb() -> None:
        called = service.call_next(ctx.session, mine.id, ctx.staff.id, now=ctx.now, finish=done or None)
        if called is None:
            ctx.flash(ctx._("Nobody is waiting for this counter."), "info")

    return _act(ctx, verb)


@pages.post("/counter/tickets/{ticket}/{verb}", audience=clerks)
def act(ctx: Context) -> Response:
    """A verb on one ticket; what stands at a counter is touched only from that counter."""
    ticket, verb = _ticket(ctx, ctx.path("ticket")), ctx.path("verb")
    mine = _mine(ctx)
    held = mine.id if ticket.state in states.AT_COUNTER else None
    ways: dict[str, Callable[[], object]] = {
        "recall": lambda: service.recall(ctx.session, ticket.id, now=ctx.now, counter_id=mine.id),
        "start": lambda: service.start(ctx.session, ticket.id, now=ctx.now, counter_id=mine.id),
        "finish": lambda: service.finish(ctx.session, ticket.id, now=ctx.now, counter_id=mine.id),
        "no-show": lambda: service.no_show(ctx.session, ticket.id, now=ctx.now, counter_id=mine.id),
        "park": lambda: service.park(
            ctx.session, ticket.id, reason=_field(ctx, "reason"), now=ctx.now, counter_id=mine.id
        ),
        "resume": lambda: service.resume(ctx.session, ticket.id, mine.id, ctx.staff.id, now=ctx.now),
        "return": lambda: service.put_back(ctx.session, ticket.id, now=ctx.now, counter_id=held, by=ctx.staff.id),
        "reopen": lambda: service.reopen(ctx.session, ticket.id, now=ctx.now, counter_id=mine.id),
        "cancel": lambda: service.cancel(ctx.session, ticket.id, now=ctx.now, counter_id=held, by=ctx.staff.id),
        "forward": lambda: service.forward(
            ctx.session, ticket.id, _field(ctx, "service"), now=ctx.now, counter_id=mine.id
        ),
        "transfer": lambda: service.transfer(
            ctx.session, ticket.id, _field(ctx, "service"), now=ctx.now, counter_id=held, by=ctx.staff.id
        ),
    }
    if verb not in ways:
        raise NotFound
    return _act(ctx, ways[verb])


@pages.post("/counter/help", audience=clerks)
def answer_help(ctx: Context) -> Response:
    if ctx.staff.centre_id is None:
        raise NotFound
    service.answer_help(ctx.session, ctx.staff.centre_id, ctx.staff.id, now=ctx.now)
    return ctx.redirect("/counter")


def _act(ctx: Context, verb: Callable[[], object], *, to: str = "/counter") -> Response:
    """Do it and show the console (or `to`). Whatever a refusal had begun is taken back to the savepoint."""
    try:
        with ctx.session.begin_nested():
            verb()
    except (Refused, Mistake) as refusal:
        ctx.flash(ctx.say(refusal), "danger")
    return ctx.redirect(to)


def _centre(ctx: Context) -> Centre | None:
    return ctx.session.get(Centre, ctx.staff.centre_id) if ctx.staff.centre_id else None


def _mine(ctx: Context) -> Counter:
    counter = queries.counter_of_staff(ctx.session, ctx.staff.id)
    if counter is None or counter.centre_id != ctx.staff.centre_id:
        raise Refused("You are at no counter. Open one first.")
    return counter


def _ticket(ctx: Context, ticket_id: str) -> Ticket:
    ticket = ctx.session.get(Ticket, ticket_id)
    if ticket is None or ticket.centre_id != ctx.staff.centre_id:
        raise NotFound
    return ticket


def _field(ctx: Context, name: str) -> str:
    return str(ctx.form.get(name) or "")


def _choice(ctx: Context, centre: Centre) -> dict[str, Any]:
    """The centre's counters with what each takes and who sits there."""
    points = {point.id: point for point in queries.service_points(ctx.session, centre.id)}
    rows = []
    for counter in [c for c in queries.counters(ctx.session, centre.id) if c.service_point_ids]:
        clerk = ctx.session.scalar(select(Staff).where(Staff.id == counter.staff_id)) if counter.staff_id else None
        rows.append(
            {
                "counter": counter,
                "clerk": clerk.name(ctx.lang) if clerk else "",
                "ticket": queries.current(ctx.session, counter.id) if clerk else None,
                "services": [points[key].name(ctx.lang) for key in counter.service_point_ids if key in points],
                "sections": [ctx._(words.SECTIONS[key]) for key in counter.sections],
                "languages": [words.LANGUAGES.get(key, key) for key in counter.languages],
            }
        )
    return {
        "centre": centre,
        "rows": rows,
        "day": queries.day(ctx.session, centre.id, now=ctx.now),
        "mine": queries.counter_of_staff(ctx.session, ctx.staff.id),
        "may_close": MANAGER in ctx.staff.roles,
        "states": states,
    }
