"""`/a/{token}`: keep, move or cancel an appointment, or answer an offer of the waitlist.

Every press is a plain form; reloads and second presses are safe.

The page says what the text said: when, where, the code. Nobody's name, case or number stands on it.
"""

from collections.abc import Callable
from contextlib import suppress
from itertools import groupby

from starlette.responses import PlainTextResponse, Response

from core import audit
from core.calendar import local_day
from core.errors import NotFound, Refused
from queueing.appointments import calendar
from queueing.appointments.models import Appointment, Slot
from queueing.waitlist import service as waitlist
from reception.appointed import calendars, links, rules, service, waiting
from reception.appointed.links import Opened
from web.appointment import feed
from web.appointment.files import calendar_response, words_of
from web.appointment.guesses import WITHIN, guesses
from web.http import LANGUAGE_COOKIE, Context, Pages, everyone

pages = Pages(feed.pages)


@pages.get("/a/{token}", audience=everyone)
def index(ctx: Context) -> Response:
    opened = _open(ctx)
    return opened if isinstance(opened, Response) else _page(ctx, opened)


@pages.post("/a/{token}/come", audience=everyone)
def come(ctx: Context) -> Response:
    opened = _open(ctx)
    if isinstance(opened, Response):
        return opened
    if opened.standing == rules.OPEN:
        service.come(ctx.session, ctx.path("token"), now=ctx.now)
    return ctx.redirect(_here(ctx))


@pages.get("/a/{token}/times", audience=everyone)
def times(ctx: Context) -> Response:
    opened = _open(ctx)
    if isinstance(opened, Response):
        return opened
    return _times(ctx, opened) if opened.standing == rules.OPEN else ctx.redirect(_here(ctx))


@pages.get("/a/{token}/move", audience=everyone)
def confirm_move(ctx: Context) -> Response:
    """The first press chose a time; this asks for the second."""
    opened = _open(ctx)
    if isinstance(opened, Response):
        return opened
    if opened.standing != rules.OPEN:
        return ctx.redirect(_here(ctx))
    wanted = ctx.query.get("slot", "")
    free = service.other_times(ctx.session, opened, zone=ctx.settings.timezone, now=ctx.now)
    slot = next((slot for slot in free if slot.id == wanted), None)
    if slot is None:
        return _times(ctx, opened, refusal=ctx._("This time has just been taken. Choose another one."))
    return _render(ctx, "appointment/move.html", opened, slot=slot)


@pages.post("/a/{token}/move", audience=everyone)
def move(ctx: Context) -> Response:
    """The old time is given up only if the new one can be had, decided under the calendar's lock."""
    opened = _open(ctx)
    if isinstance(opened, Response):
        return opened
    if opened.standing != rules.OPEN:  # pressed twice, or the page of another tab
        return ctx.redirect(_here(ctx))
    try:
        with ctx.session.begin_nested():
            service.move(ctx.session, ctx.path("token"), slot_id=str(ctx.form.get("slot") or ""), now=ctx.now)
    except (Refused, NotFound) as refusal:
        ctx.session.expire_all()
        again = links.open_(ctx.session, ctx.path("token"), now=ctx.now)
        if again.standing != rules.OPEN:
            return ctx.redirect(_here(ctx))
        return _times(ctx, again, refusal=ctx.say(refusal))
    return ctx.redirect(_here(ctx))


@pages.get("/a/{token}/cancel", audience=everyone)
def confirm_cancel(ctx: Context) -> Response:
    opened = _open(ctx)
    if isinstance(opened, Response):
        return opened
    if opened.standing != rules.OPEN:
        return ctx.redirect(_here(ctx))
    reasons = [(key, ctx._(words)) for key, (words, _) in rules.REASONS.items()]
    return _render(ctx, "appointment/cancel.html", opened, reasons=reasons)


@pages.post("/a/{token}/cancel", audience=everyone)
def cancel(ctx: Context) -> Response:
    opened = _open(ctx)
    if isinstance(opened, Response):
        return opened
    if opened.standing == rules.OPEN:
        service.cancel(ctx.session, ctx.path("token"), reason=str(ctx.form.get("reason") or ""), now=ctx.now)
    return ctx.redirect(_here(ctx))


@pages.post("/a/{token}/accept", audience=everyone)
def accept(ctx: Context) -> Response:
    """The kept time becomes the visitor's, if the offer still stands; the page says which of the two it is."""
    return _answer(ctx, lambda: service.accept(ctx.session, ctx.path("token"), now=ctx.now))


@pages.post("/a/{token}/earlier", audience=everyone)
def earlier(ctx: Context) -> Response:
    """The appointment stays, and an earlier day is offered when one becomes free."""
    return _answer(
        ctx,
        lambda: service.wait_for_earlier(ctx.session, ctx.path("token"), zone=ctx.settings.timezone, now=ctx.now),
    )


@pages.post("/a/{token}/stay", audience=everyone)
def stay(ctx: Context) -> Response:
    return _answer(ctx, lambda: service.stay(ctx.session, ctx.path("token"), now=ctx.now))


@pages.get("/a/{token}/leave", audience=everyone)
def confirm_leave(ctx: Context) -> Response:
    opened = _open(ctx)
    if isinstance(opened, Response):
        return opened
    if opened.standing != rules.OFFERED:
        return ctx.redirect(_here(ctx))
    return _render(ctx, "appointment/leave.html", opened, has=_given_back(ctx, opened))


@pages.post("/a/{token}/decline", audience=everyone)
def decline(ctx: Context) -> Response:
    keep = str(ctx.form.get("keep") or "") == "1"
    return _answer(ctx, lambda: service.decline(ctx.session, ctx.path("token"), keep=keep, now=ctx.now))


@pages.post("/a/{token}/again", audience=everyone)
def again(ctx: Context) -> Response:
    """Who did not answer several times asks to be offered times again."""
    return _answer(ctx, lambda: service.ask_again(ctx.session, ctx.path("token"), now=ctx.now))


@pages.get("/a/{token}/majlis.ics", audience=everyone)
def calendar_file(ctx: Context) -> Response:
    """For the phone's own calendar: the same entry again after a move, and its end after a cancellation."""
    opened = _open(ctx)
    if isinstance(opened, Response):
        return opened
    fresh = rules.shows_outcome(opened.link.spent_at, now=ctx.now)
    if opened.standing in rules.OF_AN_OFFER or (opened.standing != rules.OPEN and not fresh):
        return ctx.redirect(_here(ctx))
    text = calendars.for_visitor(
        ctx.session,
        opened.now_is or opened.appointment,
        lang=ctx.lang,
        settings=ctx.settings,
        words=words_of(ctx),
        now=ctx.now,
    )
    return calendar_response(text)


@pages.get("/a/{token}/{verb}", audience=everyone)
def left_behind(ctx: Context) -> Response:
    """A browser that was left on the address of a press."""
    return ctx.redirect(_here(ctx))


def _open(ctx: Context) -> Opened | Response:
    """What the link leads to, in its reader's language; or the page for a link that leads nowhere."""
    try:
        opened = links.open_(ctx.session, ctx.path("token"), now=ctx.now)
    except NotFound:
        client = ctx.request.client
        if guesses.too_often(client.host if client else "", now=ctx.now):
            wait = {"retry-after": str(int(WITHIN.total_seconds()))}
            return PlainTextResponse(ctx._("Too many wrong tries"), 429, headers=wait)
        return ctx.render("appointment/unknown.html", status=404)
    if not {"lang"} & set(ctx.query) and LANGUAGE_COOKIE not in ctx.request.cookies:
        ctx.lang = opened.petition.visitor.language  # that of the text in which the link came
    if ctx.request.method == "GET":
        audit.note(ctx.session, "read", "petition", opened.petition.id, now=ctx.now, detail=service.AT)
    return opened


def _answer(ctx: Context, act: Callable[[], object]) -> Response:
    """To an offer. One that has ended meanwhile is told by the page itself."""
    opened = _open(ctx)
    if isinstance(opened, Response):
        return opened
    with suppress(Refused), ctx.session.begin_nested():
        act()
    return ctx.redirect(_here(ctx))


def _page(ctx: Context, opened: Opened) -> Response:
    if opened.standing == rules.OPEN:
        taken = opened.offer is not None and rules.shows_outcome(opened.offer.answered_at, now=ctx.now)
        row = waitlist.of_petition(ctx.session, opened.petition.id)
        may = waiting.may_wait_for_earlier(ctx.session, opened.petition, zone=ctx.settings.timezone, now=ctx.now)
        return _render(
            ctx, "appointment/index.html", opened, taken=taken, waits=row is not None and row.for_earlier, may_wait=may
        )
    if opened.standing == rules.OFFERED:
        return _render(ctx, "appointment/offer.html", opened, has=_given_back(ctx, opened))
    if opened.standing in rules.OF_AN_OFFER and opened.offer is not None:
        state, fresh = opened.offer.waiting.state, rules.shows_outcome(opened.link.spent_at, now=ctx.now)
        status = 200 if fresh else 410
        has = _given_back(ctx, opened)
        return _render(ctx, "appointment/offer_over.html", opened, status=status, waits=state, refused=fresh, has=has)
    words = rules.CLOSED_WORDS[opened.standing]
    return _render(ctx, "appointment/closed.html", opened, status=200 if opened.mine else 410, words=ctx._(words))


def _given_back(ctx: Context, opened: Opened) -> Appointment | None:
    """The appointment that would be given back for the offer; it stays until then."""
    earlier = opened.offer is not None and opened.offer.waiting.for_earlier
    return calendar.current(ctx.session, opened.petition.id) if earlier else None


def _times(ctx: Context, opened: Opened, *, refusal: str = "") -> Response:
    zone = ctx.settings.timezone
    free = service.other_times(ctx.session, opened, zone=zone, now=ctx.now)

    def day_of(slot: Slot) -> object:
        return local_day(slot.starts_at, zone)

    days = [(day, list(slots)) for day, slots in groupby(free, key=day_of)]
    return _render(ctx, "appointment/times.html", opened, status=409 if refusal else 200, days=days, refusal=refusal)


def _render(ctx: Context, template: str, opened: Opened, *, status: int = 200, **values: object) -> Response:
    shown = opened.now_is or opened.appointment
    fresh = opened.link.spent_at is not None and rules.shows_outcome(opened.link.spent_at, now=ctx.now)
    return ctx.render(
        template,
        status=status,
        here=_here(ctx),
        opened=opened,
        shown=shown,
        fresh=fresh,
        standing=opened.standing,
        **values,
    )


def _here(ctx: Context) -> str:
    return f"/a/{ctx.path('token')}"
