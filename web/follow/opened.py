"""A device on which the words of a case are open: a signed cookie of that page alone, for half an hour."""

import hmac

from reception.follow.rules import OPEN_FOR
from reception.petitions.models import Petition
from web.http import Context

COOKIE = "majlis_follow"


def open_here(ctx: Context, petition: Petition) -> None:
    until = str(int((ctx.now + OPEN_FOR).timestamp()))
    ctx.cookies.append(
        {
            "key": COOKIE,
            "value": f"{until}.{_signature(ctx, petition, until)}",
            "max_age": int(OPEN_FOR.total_seconds()),
            "path": f"/p/{petition.follow_code}",
            "httponly": True,
            "samesite": "lax",
            "secure": ctx.settings.secure_cookies,
        }
    )


def is_open(ctx: Context, petition: Petition) -> bool:
    until, _, signature = ctx.request.cookies.get(COOKIE, "").partition(".")
    genuine = hmac.compare_digest(signature.encode(), _signature(ctx, petition, until).encode())
    return genuine and ctx.now.timestamp() < int(until)


def _signature(ctx: Context, petition: Petition, until: str) -> str:
    """Of the case, the phone (another number on file closes the page) and the end."""
    said = f"{petition.id} {petition.visitor.phone} {until}".encode()
    return hmac.digest(ctx.settings.key("visitor's page"), said, "sha256").hex()
