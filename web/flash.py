"""Messages shown once, on the page after a redirect; carried in a cookie and written as text, never as markup."""

import json
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.responses import Response

if TYPE_CHECKING:
    from web.http import Context

COOKIE = "majlis_notice"


def store(response: Response, ctx: "Context") -> None:
    """Set the cookie on a redirect with notices; clear it once a page has shown them."""
    if ctx.notices and response.status_code in (302, 303):
        value = quote(json.dumps(ctx.notices, ensure_ascii=False), safe="")[:3500]
        response.set_cookie(
            COOKIE, value, max_age=60, httponly=True, samesite="lax", secure=ctx.settings.secure_cookies
        )
    elif COOKIE in ctx.request.cookies and response.media_type == "text/html" and not ctx.fragment:
        response.delete_cookie(COOKIE)


def shown(request: Request) -> list[tuple[str, str]]:
    """(tone, text) pairs waiting to be shown."""
    try:
        pairs = json.loads(unquote(request.cookies.get(COOKIE, "[]")))
        return [(str(tone), str(text)) for tone, text in pairs]
    except (ValueError, TypeError):
        return []
