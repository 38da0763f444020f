"""Opening a session: the cookie that a sign-in leaves, and the one by which a person's own device is known again."""

import secrets

from core.staff import service
from core.staff.models import Staff
from core.staff.rules import DEVICE_KEPT
from web.http import SESSION_COOKIE, Context

DEVICE_COOKIE = "majlis_device"


def open_session(ctx: Context, staff: Staff) -> None:
    hours = ctx.settings.session_hours
    device = device_of(ctx) or secrets.token_urlsafe(24)
    token = service.sign_in(
        ctx.session, staff, address=ctx.session.info.get("address"), hours=hours, device=device, now=ctx.now
    )
    for key, value, seconds in (
        (SESSION_COOKIE, token, hours * 3600),
        (DEVICE_COOKIE, device, round(DEVICE_KEPT.total_seconds())),
    ):
        ctx.cookies.append(
            {
                "key": key,
                "value": value,
                "max_age": seconds,
                "httponly": True,
                "samesite": "lax",
                "secure": ctx.settings.secure_cookies,
            }
        )


def device_of(ctx: Context) -> str:
    return ctx.request.cookies.get(DEVICE_COOKIE, "")[:80]
