"""What somebody wrote on a page whose session or token has run out: given back to them, to be sent again.

Only ever in the answer to the very request that brought it, only for a form of our own that a browser sent as a page,
and without anything secret. Nothing of it is stored.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.responses import Response

if TYPE_CHECKING:
    from web.http import Context

OURS = ("csrf", "once")
SECRET = re.compile(r"pass|code|digits|pin|otp|secret|token|key", re.IGNORECASE)
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


@dataclass(frozen=True, slots=True)
class Field:
    """`words` were written by a person, and are shown; the rest goes along unseen."""

    name: str
    value: str
    words: bool


def fields(ctx: "Context") -> list[Field]:
    """The posted fields, if a person wrote any of them: more than one word, for a choice or an id has no space."""
    headers = ctx.request.headers
    sent_as = headers.get("content-type", "").partition(";")[0].strip().lower()
    if sent_as not in FORMS or headers.get("sec-fetch-mode", "navigate") != "navigate" or "x-script" in headers:
        return []
    found = [
        Field(name, value, " " in value.strip() or "\n" in value.strip())
        for name, value in ctx.form.multi_items()
        if isinstance(value, str) and name not in OURS and not SECRET.search(name)
    ]
    return found if any(one.words for one in found) else []


def page(ctx: "Context", found: list[Field]) -> Response:
    """401 for who must sign in first, 403 for who sends it in the name of the session that is open here now."""
    target = ctx.request.url.path + (f"?{ctx.request.url.query}" if ctx.request.url.query else "")
    return ctx.render(
        "kept.html",
        status=403 if ctx.csrf else 401,
        fields=found,
        target=target,
        once_again=str(ctx.form.get("once") or "")[:100],
        files=any(not isinstance(value, str) and value.filename for value in ctx.form.values()),
    )
