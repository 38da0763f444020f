"""A device on which a case is open: a signed cookie of that page alone, for half an hour.

Two measures: who knows the last digits of the telephone reads the words; who typed the code that was sent to it may
send papers, too.
"""

import hmac
from dataclasses import dataclass

from starlette.requests import Request

from core import clock
from core.settings import Settings
from reception.follow.rules import OPEN_FOR
from reception.petitions.models import Petition
from reception.visitors.models import Visitor
from web.http import Context

COOKIE, FILES_COOKIE = "majlis_follow", "majlis_follow_files"


@dataclass(frozen=True, slots=True)
class Opened:
    """`words`: what was asked and answered is shown. `shown`: the number was shown to be theirs by a code."""

    words: bool = False
    shown: bool = False


def open_here(ctx: Context, petition: Petition, *, by: Visitor | None = None) -> None:
    """`by` has typed the code; without one it was the last digits of the first petitioner's number."""
    until = str(int((ctx.now + OPEN_FOR).timestamp()))
    who = by.id if by is not None else ""
    phone = by.phone if by is not None else petition.visitor.phone
    signature = _signature(ctx.settings, petition.id, phone, who, until)
    _set(ctx, COOKIE, petition, f"{until}.{who}.{signature}")
    if by is not None:
        _set(ctx, FILES_COOKIE, petition, f"{until}.{_signature(ctx.settings, 'files', petition.follow_code, until)}")


def opened(ctx: Context, petition: Petition) -> Opened:
    """Another number on file, or the end of the time, closes the page."""
    until, _, rest = ctx.request.cookies.get(COOKIE, "").partition(".")
    who, _, signature = rest.rpartition(".")
    person = ctx.session.get(Visitor, who) if who else petition.visitor
    if person is None:
        return Opened()
    right = _signature(ctx.settings, petition.id, person.phone, who, until)
    if not hmac.compare_digest(signature.encode(), right.encode()) or ctx.now.timestamp() >= int(until):
        return Opened()
    return Opened(words=not petition.confidential, shown=bool(who))


def may_send_files(request: Request, settings: Settings) -> bool:
    """Whether this device may send papers to the page it posts to; asked before anything of them is read. A browser
    may keep a cookie longer than we said, so its time is looked at here, too."""
    code = str(request.path_params.get("code", ""))
    until, _, signature = request.cookies.get(FILES_COOKIE, "").partition(".")
    right = _signature(settings, "files", code, until)
    return hmac.compare_digest(signature.encode(), right.encode()) and clock.now().timestamp() < int(until)


def _set(ctx: Context, name: str, petition: Petition, value: str) -> None:
    ctx.cookies.append(
        {
            "key": name,
            "value": value,
            "max_age": int(OPEN_FOR.total_seconds()),
            "path": f"/p/{petition.follow_code}",
            "httponly": True,
            "samesite": "lax",
            "secure": ctx.settings.secure_cookies,
        }
    )


def _signature(settings: Settings, *said: str) -> str:
    return hmac.digest(settings.key("visitor's page"), "\n".join(said).encode(), "sha256").hex()
