"""`POST /callbacks/telephony`, behind a secret of its own (`python -m web.telephony` prints it).

Fields, form-encoded: `event` (ringing, answered or ended), `call` (the system's name of the call), `from` (the caller's
number), `agent` (the sign-in name). Nothing about a visitor is told back.
"""

import hmac

import structlog
from starlette.responses import PlainTextResponse, Response

from core.errors import Mistake, NotFound
from core.settings import Settings
from reception.hotline import telephone
from web.http import Context, Pages, everyone

pages = Pages()
log = structlog.get_logger(__name__)
RINGS, OVER = ("ringing", "answered"), "ended"


def secret_of(settings: Settings) -> str:
    """Derived from the ministry's own secret, so nothing has to be set up for it."""
    return settings.key("telephony").hex()[:40]


@pages.post("/callbacks/telephony", audience=everyone)
def announce(ctx: Context) -> Response:
    told = {key: str(value) for key, value in ctx.form.items()}
    given = ctx.request.headers.get("authorization", "").removeprefix("Bearer ") or told.get("secret", "")
    if not hmac.compare_digest(given.encode(), secret_of(ctx.settings).encode()):
        log.warning("a call was announced with a wrong secret")
        return PlainTextResponse("", 403)
    event, call = told.get("event", ""), told.get("call", "")
    if event == OVER:
        telephone.hang_up(ctx.session, external_id=call, now=ctx.now)
        return PlainTextResponse("")
    if event not in RINGS:
        return PlainTextResponse("event: ringing, answered or ended", 422)
    try:
        telephone.ring(
            ctx.session, external_id=call, number=told.get("from", ""), agent=told.get("agent", ""), now=ctx.now
        )
    except (Mistake, NotFound) as error:
        return PlainTextResponse(str(error), 422)
    return PlainTextResponse("")
