"""The console. Every verb is one post that ends on the console again; a refusal becomes a plain sentence there."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import select
from starlette.responses import Response

from core import audit
from core.errors import Mistake, NotFound, Refused
from core.staff.models import Staff
from core.staff.rules import ATTENDANT, MANAGER, RECEPTIONIST, VERIFIER
from core.text import left_to_right
from queueing.tickets import queries, service, states
from queueing.tickets.models import Counter, Ticket
from reception.centres.models import Centre
from web.counter import breaks, words
from web.counter.board import console, ways_on
from web.counter.pressed import mark
from web.counter.story import ticket_story
from web.counter.urgent import pending
from web.http import Context, Pages, staff

pages = Pages()
clerks = staff(RECEPTIONIST, VERIFIER, ATTENDANT, MANAGER)  # whoever serves a point of the visit
BACK = ("/counter", "/counter/seats", "/centre")


@pages.get("/counter", audience=clerks)
def index(ctx: Context) -> Response:
    centre = _centre(ctx)
    if centre is None:
        return ctx.render("counter/nowhere.html")
    mine = _sits_at(ctx)
    if mine is None:
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


@pages.get("/counter/break", audience=clerks)
def break_(ctx: Context) -> Response:
    """For how long? (The dialog's page.)"""
    mine = _sits_at(ctx)
    if mine is None or queries.current(ctx.session, mine.id):
        return ctx.redirect("/counter")
    return ctx.render("counter/choice.html", which="break", counter=mine, ticket=None, lengths=breaks.offered(ctx))


@pages.post("/counter/break", audience=clerks)
def take_break(ctx: Context) -> Response:
    def verb(mine: Counter) -> None:
        service.take_break(ctx.session, mine.id, ctx.staff.id, back_at=breaks.wished(ctx), now=ctx.now)

    return _at_mine(ctx, verb)


@pages.post("/counter/back", audience=clerks)
def come_back(ctx: Context) -> Response:
    return _at_mine(ctx, lambda mine: service.come_back(ctx.session, mine.id, now=ctx.now))


@pages.get("/counter/leave", audience=clerks)
def leave(ctx: Context) -> Response:
    """The counter is to be closed while a visitor stands at it: what becomes of the visitor? (The dialog's page.)"""
    mine = _sits_at(ctx)
    here = queries.current(ctx.session, mine.id) if mine else None
    if mine is None or here is None:
        return ctx.redirect("/counter")
    return ctx.render("counter/choice.html", which="leave", counter=mine, ticket=here, states=states)


@pages.post("/counter/release", audience=clerks)
def release(ctx: Context) -> Response:
    """Close a counter with a visitor at it: the visit ends, or goes back into the line. One's own; a manager any."""
    counter = ctx.session.get(Counter, _field(ctx, "counter"))
    if counter is None or counter.centre_id != ctx.staff.centre_id:
        raise NotFound
    own = counter.open and counter.staff_id == ctx.staff.id
    if not own and MANAGER not in ctx.staff.roles:
        raise NotFound
    ticket = _ticket(ctx, _field(ctx, "ticket"))
    finished = _field(ctx, "way") == "finish"

    def verb() -> None:
        clerk = counter.staff_id
        service.release_counter(ctx.session, counter.id, ticket.id, finish_it=finished, now=ctx.now)
        detail = {"ticket": ticket.label, "clerk": clerk, "way": "finish" if finished else "return"}
        audit.note(ctx.session, "release", "counter", counter.id, now=ctx.now, detail=detail)

    return _act(ctx, verb, to="/counter" if own else "/counter/seats")


@pages.post("/counter/next", audience=clerks)
def next_(ctx: Context) -> Response:
    """Call whoever's turn it is; with `finish` the present visitor is finished first (one press for two verbs).

    `expected` is whom the button named: when it is somebody else's turn by now, that is said, and the turn is kept.
    """
    done, expected = _field(ctx, "finish"), _field(ctx, "expected")

    def verb(mine: Counter) -> None:
        called = service.call_next(ctx.session, mine.id, ctx.staff.id, now=ctx.now, finish=done or None)
        if called is None:
            ctx.flash(ctx._("Nobody is waiting for this counter."), "info")
        elif expected and called.label != expected:
            said = ctx._("By now it was the turn of {label}, not of {other}: {label} was called.")
            ctx.flash(said.format(label=left_to_right(called.label), other=left_to_right(expected)), "info")

    return _at_mine(ctx, verb)


@pages.post("/counter/undo", audience=clerks)
def undo(ctx: Context) -> Response:
    """Take back the last press of this counter: the one that the page showed, and no other."""

    def verb(mine: Counter) -> None:
        last = service.undoable(ctx.session, mine.id, ctx.staff.id, now=ctx.now)
        if last is not None and mark(last) != _field(ctx, "seen"):
            raise Refused("Something else has been pressed since. Please look again.")
        ticket = service.undo(ctx.session, mine.id, ctx.staff.id, now=ctx.now)
        ctx.flash(ctx._("{label}: taken back.").format(label=left_to_right(ticket.label)), "info")

    return _at_mine(ctx, verb)


@pages.get("/counter/tickets/{ticket}/{verb}", audience=clerks)
def choose(ctx: Context) -> Response:
    """The choices of a verb as a page: what the dialog shows, for a browser without scripts."""
    ticket, verb = _ticket(ctx, ctx.path("ticket")), ctx.path("verb")
    if verb not in ("park", "forward", "transfer"):
        raise NotFound
    points = queries.service_points(ctx.session, ticket.centre_id)
    return ctx.render(
        "counter/choice.html",
        which=verb,
        ticket=ticket,
        ways_on=ways_on(ticket, points),
        park_reasons=[(key, ctx._(words.PARKED[key])) for key in service.PARK_REASONS],
    )


@pages.post("/counter/tickets/{ticket}/urgent", audience=clerks)
def propose(ctx: Context) -> Response:
    ticket = _ticket(ctx, ctx.path("ticket"))

    def verb() -> None:
        reason = _field(ctx, "reason")
        service.propose_urgent(ctx.session, ticket.id, ctx.staff.id, reason=reason, now=ctx.now)
        ctx.flash(ctx._("Proposed. It counts once a second person agrees."), "info")

    return _act(ctx, verb, to=f"/counter/tickets/{ticket.id}")


@pages.post("/counter/tickets/{ticket}/urgent/{answer}", audience=clerks)
def decide(ctx: Context) -> Response:
    """The second person agrees or declines; whoever proposed may withdraw. No counter is needed for it."""
    ticket, answer = _ticket(ctx, ctx.path("ticket")), ctx.path("answer")
    ways = {"agree": service.agree_urgent, "decline": service.decline_urgent}
    if answer not in ways:
        raise NotFound
    back = _field(ctx, "back")
    own = f"/counter/tickets/{ticket.id}"
    to = back if back in (*BACK, own) else "/counter"
    return _act(ctx, lambda: ways[answer](ctx.session, ticket.id, ctx.staff.id, now=ctx.now), to=to)


@pages.post("/counter/tickets/{ticket}/{verb}", audience=clerks)
def act(ctx: Context) -> Response:
    """A verb on one ticket; what stands at a counter is touched only from that counter."""
    verb = ctx.path("verb")
    if verb not in VERBS:
        raise NotFound
    ticket = _ticket(ctx, ctx.path("ticket"))
    tone = "wait" if verb == "recall" else "danger"  # called again too soon: nothing is wrong
    return _at_mine(ctx, lambda mine: VERBS[verb](ctx, ticket, mine), tone=tone)


def _held(ticket: Ticket, mine: Counter) -> str | None:
    return mine.id if ticket.state in states.AT_COUNTER else None


VERBS: dict[str, Callable[[Context, Ticket, Counter], object]] = {
    "recall": lambda ctx, t, mine: service.recall(ctx.session, t.id, now=ctx.now, counter_id=mine.id),
    "start": lambda ctx, t, mine: service.start(ctx.session, t.id, now=ctx.now, counter_id=mine.id),
    "finish": lambda ctx, t, mine: service.finish(ctx.session, t.id, now=ctx.now, counter_id=mine.id),
    "no-show": lambda ctx, t, mine: service.no_show(ctx.session, t.id, now=ctx.now, counter_id=mine.id),
    "park": lambda ctx, t, mine: service.park(
        ctx.session, t.id, reason=_field(ctx, "reason"), now=ctx.now, counter_id=mine.id
    ),
    "resume": lambda ctx, t, mine: service.resume(ctx.session, t.id, mine.id, ctx.staff.id, now=ctx.now),
    "return": lambda ctx, t, mine: service.put_back(
        ctx.session, t.id, now=ctx.now, counter_id=_held(t, mine), by=ctx.staff.id
    ),
    "reopen": lambda ctx, t, mine: service.reopen(ctx.session, t.id, now=ctx.now, counter_id=mine.id),
    "cancel": lambda ctx, t, mine: service.cancel(
        ctx.session, t.id, now=ctx.now, counter_id=_held(t, mine), by=ctx.staff.id
    ),
    "forward": lambda ctx, t, mine: service.forward(
        ctx.session, t.id, _field(ctx, "service"), now=ctx.now, counter_id=mine.id
    ),
    "transfer": lambda ctx, t, mine: service.transfer(
        ctx.session, t.id, _field(ctx, "service"), now=ctx.now, counter_id=_held(t, mine), by=ctx.staff.id
    ),
}


@pages.post("/counter/help", audience=clerks)
def answer_help(ctx: Context) -> Response:
    if ctx.staff.centre_id is None:
        raise NotFound
    service.answer_help(ctx.session, ctx.staff.centre_id, ctx.staff.id, now=ctx.now)
    return ctx.redirect("/counter")


def _act(ctx: Context, verb: Callable[[], object], *, to: str = "/counter", tone: str = "danger") -> Response:
    """Do it and show the console (or `to`). Whatever a refusal had begun is taken back to the savepoint."""
    try:
        with ctx.session.begin_nested():
            verb()
    except (Refused, Mistake) as refusal:
        ctx.flash(ctx.say(refusal), tone)
    return ctx.redirect(to)


def _at_mine(ctx: Context, verb: Callable[[Counter], object], *, tone: str = "danger") -> Response:
    """A verb of the counter where this person sits; whose counter was closed meanwhile is told so on the console."""

    def here() -> None:
        mine = _sits_at(ctx)
        if mine is None:
            raise Refused("You are at no counter. Open one first.")
        verb(mine)

    return _act(ctx, here, tone=tone)


def _centre(ctx: Context) -> Centre | None:
    return ctx.session.get(Centre, ctx.staff.centre_id) if ctx.staff.centre_id else None


def _sits_at(ctx: Context) -> Counter | None:
    counter = queries.counter_of_staff(ctx.session, ctx.staff.id)
    return counter if counter is not None and counter.centre_id == ctx.staff.centre_id else None


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
                "away": breaks.state(ctx, counter),
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
        "urgencies": pending(ctx, centre.id),
        "states": states,
    }
