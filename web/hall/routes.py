"""The hall's display. It renders the last calls from the server's state, so a reload or a lost line misses nothing."""

from starlette.responses import Response

from core.language import N_
from queueing.tickets import service
from reception.centres.service import centre_by_code
from web.http import Context, Pages, everyone

pages = Pages()

NOTICES = (
    N_("Please keep your ticket until you leave."),
    N_("Point your phone's camera at the ticket: it tells you when your turn comes, wherever you sit."),
    N_("Elderly visitors, people with disabilities, pregnant women and parents with infants are called sooner."),
    N_("A sign-language interpreter is available: tell any of our staff."),
    N_("Free hotline: {number}"),
)


@pages.get("/hall/{centre}", audience=everyone)
def hall(ctx: Context) -> Response:
    centre = centre_by_code(ctx.session, ctx.path("centre"))
    calls = service.board(ctx.session, centre.id, now=ctx.now)
    return ctx.render(
        "hall/board.html",
        centre=centre,
        last=calls[0] if calls else None,
        before=calls[1:5],
        notices=[ctx._(notice).format(number=ctx.settings.hotline_number) for notice in NOTICES],
        waiting=len(service.waiting(ctx.session, centre.id, now=ctx.now)),
    )
