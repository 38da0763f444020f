"""The ticket on the visitor's phone. Its address is the only key; it shows the turn and nothing of the person."""

import io
from collections.abc import Callable
from functools import partial

import segno
from starlette.responses import Response

from core.errors import Mistake, NotFound, Refused
from core.text import latin_digits
from queueing.tickets import leaving, queries, states
from queueing.tickets.models import Counter, Ticket
from reception.centres.models import Centre
from reception.kiosks import turns
from web.counter import words
from web.http import Context, Pages, everyone
from web.printing.lane import FONTS
from web.printing.slip import draw, pdf
from web.printing.words import coverage, link_of, slip_of

pages = Pages()
GONE = "gone"  # no ticket has this code, or none any more


@pages.get("/t/{code}", audience=everyone)
def follow(ctx: Context) -> Response:
    try:
        ticket = _ticket(ctx)
    except NotFound:
        return ctx.render("kiosk/phone.html", status=404, state=GONE, states=states, ticket=None, centre=None)
    return _show(ctx, ticket)


def _show(ctx: Context, ticket: Ticket, *, error: str = "", status: int = 200) -> Response:
    centre = ctx.session.get_one(Centre, ticket.centre_id)
    place, served = words.told(ctx, ticket)
    over = ticket.expires_at <= ctx.now
    return ctx.render(
        "kiosk/phone.html",
        status=status,
        ticket=ticket,
        centre=centre,
        state="expired" if over else ticket.state,
        states=states,
        place=place,
        wait=words.wait_range(ctx, place.low, place.high),
        coverage=coverage(ctx),
        served=served,
        ahead=words.ahead(ctx, place.position),
        back_at=words.back_at(ctx, ticket),
        early=ticket.eligible_at > ctx.now,
        counter=ctx.session.get(Counter, ticket.counter_id) if ticket.counter_id else None,
        may_rejoin=leaving.may_rejoin(ctx.session, ticket, now=ctx.now),
        told=turns.phone_of(ctx.session, ticket.id) is not None,
        phone=str(ctx.form.get("phone") or "") if ctx.form else "",
        error=error,
    )


@pages.post("/t/{code}/leave", audience=everyone)
def leave(ctx: Context) -> Response:
    """The visitor gives the turn up; for some minutes one press takes that back. A second touch asks nothing new."""
    ticket = _ticket(ctx)
    if ticket.state == states.CANCELLED:
        return ctx.redirect(_address(ctx, ticket))
    return _after(ctx, ticket, partial(leaving.leave, ctx.session, ticket.id, now=ctx.now))


@pages.post("/t/{code}/rejoin", audience=everyone)
def rejoin(ctx: Context) -> Response:
    ticket = _ticket(ctx)
    if ticket.state == states.WAITING:
        return ctx.redirect(_address(ctx, ticket))
    return _after(ctx, ticket, partial(leaving.rejoin, ctx.session, ticket.id, now=ctx.now))


@pages.post("/t/{code}/phone", audience=everyone)
def keep_phone(ctx: Context) -> Response:
    """A text when few are ahead. The number is forgotten with the turn, and is shown to nobody: not even here."""
    ticket = _ticket(ctx)
    number = str(ctx.form.get("phone") or "")
    return _after(ctx, ticket, partial(turns.keep_phone, ctx.session, ticket, number, lang=ctx.lang, now=ctx.now))


@pages.get("/t/{code}/phone", audience=everyone)
@pages.get("/t/{code}/leave", audience=everyone)
@pages.get("/t/{code}/rejoin", audience=everyone)
def back(ctx: Context) -> Response:
    """A refusal stands at the address of what was refused; the browser's way back and a reload find the turn."""
    return ctx.redirect(_address(ctx, _ticket(ctx)))


@pages.post("/t/{code}/phone/forget", audience=everyone)
def forget_phone(ctx: Context) -> Response:
    ticket = _ticket(ctx)
    turns.forget_phone(ctx.session, ticket.id)
    return ctx.redirect(_address(ctx, ticket))


@pages.get("/t/{code}/qr.svg", audience=everyone)
def qr(ctx: Context) -> Response:
    ticket = _ticket(ctx)
    picture = io.BytesIO()
    link = link_of(ticket.code, _printed_in(ctx, ticket), ctx.settings, base=str(ctx.request.base_url))
    segno.make(link, error="m", micro=False).save(
        picture, kind="svg", border=2, omitsize=True, xmldecl=False, svgclass=None, lineclass=None, light="#fff"
    )
    return Response(picture.getvalue(), media_type="image/svg+xml", headers={"cache-control": "private, max-age=86400"})


@pages.get("/t/{code}/ticket.pdf", audience=everyone)
def paper(ctx: Context) -> Response:
    """The slip as it is printed, to keep or to print elsewhere."""
    ticket = _ticket(ctx)
    slip = slip_of(
        ctx.session, ticket, lang=ctx.lang, settings=ctx.settings, base=str(ctx.request.base_url), now=ctx.now
    )
    headers = {"cache-control": "no-store", "content-disposition": f'inline; filename="{ticket.label}.pdf"'}
    return Response(pdf(draw(slip, paper_mm=80, fonts=FONTS)), media_type="application/pdf", headers=headers)


def _ticket(ctx: Context) -> Ticket:
    return queries.ticket_by_code(ctx.session, latin_digits(ctx.path("code")).lower())


def _address(ctx: Context, ticket: Ticket) -> str:
    lang = ctx.query.get("lang", "")
    return f"/t/{ticket.code}" + (f"?lang={ctx.lang}" if lang else "")


def _after(ctx: Context, ticket: Ticket, verb: Callable[[], object]) -> Response:
    """Back to the page, which says what came of it; a refusal is a sentence on it."""
    try:
        verb()
    except (Mistake, Refused) as problem:
        return _show(ctx, ticket, error=ctx.say(problem), status=422 if isinstance(problem, Mistake) else 409)
    return ctx.redirect(_address(ctx, ticket))


def _printed_in(ctx: Context, ticket: Ticket) -> str:
    """The language of the screen that shows the code; who speaks neither language is led to the second."""
    return ctx.query.get("lang") or ("ar" if ticket.language == "ar" else "en")
