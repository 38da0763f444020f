"""The ticket on the visitor's phone. Its address is the only key; it shows the turn and nothing of the person."""

import io

import segno
from starlette.responses import Response

from core.errors import NotFound, Refused
from core.language import LANGUAGES
from queueing.tickets import queries, service, states
from queueing.tickets.models import Counter
from reception.centres.models import Centre
from web.counter import words
from web.http import Context, Pages, everyone

phone_pages = Pages()


@phone_pages.get("/t/{code}", audience=everyone)
def follow(ctx: Context) -> Response:
    ticket = queries.ticket_by_code(ctx.session, ctx.path("code"))
    centre = ctx.session.get(Centre, ticket.centre_id)
    if centre is None:
        raise NotFound
    place = service.place_in_line(ctx.session, ticket, now=ctx.now)
    over = ticket.expires_at <= ctx.now and ticket.state in states.IN_CENTRE
    return ctx.render(
        "kiosk/phone.html",
        ticket=ticket,
        centre=centre,
        state="expired" if over else ticket.state,
        states=states,
        place=place,
        wait=words.wait_range(ctx, place.low, place.high),
        served=queries.is_served(ctx.session, centre.id, ticket.candidate(), now=ctx.now),
        early=ticket.eligible_at > ctx.now,
        counter=ctx.session.get(Counter, ticket.counter_id) if ticket.counter_id else None,
    )


@phone_pages.post("/t/{code}/leave", audience=everyone)
def leave(ctx: Context) -> Response:
    """The visitor gives the turn up, so that nobody waits for an empty chair."""
    ticket = queries.ticket_by_code(ctx.session, ctx.path("code"))
    try:
        if ticket.state != states.WAITING:
            raise Refused("{label} has been called. Please speak to the counter.", label=ticket.label)
        service.cancel(ctx.session, ticket.id, now=ctx.now)
    except Refused as refusal:
        ctx.flash(ctx.say(refusal), "danger")
    return ctx.redirect(f"/t/{ticket.code}")


@phone_pages.get("/t/{code}/qr.svg", audience=everyone)
def qr(ctx: Context) -> Response:
    ticket = queries.ticket_by_code(ctx.session, ctx.path("code"))
    origin = ctx.settings.public_url or str(ctx.request.base_url)
    picture = io.BytesIO()
    lang = "" if ticket.language == LANGUAGES[0] else "?lang=en"  # whoever doesn't read Arabic
    segno.make(f"{origin.rstrip('/')}/t/{ticket.code}{lang}", error="m", micro=False).save(
        picture, kind="svg", border=2, omitsize=True, xmldecl=False, svgclass=None, lineclass=None, light="#fff"
    )
    return Response(picture.getvalue(), media_type="image/svg+xml", headers={"cache-control": "private, max-age=86400"})
