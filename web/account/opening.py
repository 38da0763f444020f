"""Opening a session: the cookie that a sign-in leaves."""

from core.staff import service
from core.staff.models import Staff
from web.http import SESSION_COOKIE, Context


def open_session(ctx: Context, staff: Staff) -> None:
    hours = ctx.settings.session_hours
    token = service.sign_in(ctx.session, staff, address=ctx.session.info.get("address"), hours=hours, now=ctx.now)
    ctx.cookies.append(
        {
            "key": SESSION_COOKIE,
            "value": token,
            "max_age": hours * 3600,
            "httponly": True,
            "samesite": "lax",
            "secure": ctx.settings.secure_cookies,
        }
    )
