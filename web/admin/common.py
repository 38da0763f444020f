"""What the pages of administration share: the tabs, small readers of forms, and refusals shown on the form."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from core.errors import Refused
from core.staff.rules import ADMIN
from web.forms import Form
from web.http import Context, staff

admins = staff(ADMIN)


def tabs(ctx: Context, here: str) -> list[dict[str, Any]]:
    rows = (
        ("/admin", ctx._("Accounts"), "users"),
        ("/admin/centres", ctx._("Centres"), "building"),
        ("/admin/departments", ctx._("Departments"), "inbox"),
        ("/admin/holidays", ctx._("Holidays"), "star"),
        ("/admin/types", ctx._("Petition types"), "folder"),
        ("/admin/routing", ctx._("Routing rules"), "send"),
        ("/admin/deadlines", ctx._("Deadlines"), "hourglass"),
        ("/admin/retention", ctx._("Retention"), "hourglass"),
        ("/admin/audit", ctx._("Audit trail"), "eye"),
    )
    return [{"href": href, "label": label, "icon": icon, "current": href == here} for href, label, icon in rows]


@contextmanager
def trying(ctx: Context, form: Form) -> Iterator[None]:
    """A Mistake stands beside its field; a Refused above the form, which keeps what was typed."""
    try:
        with form.catch():
            yield
    except Refused as refusal:
        form.add("", ctx.say(refusal))


def names(form: Form) -> dict[str, str]:
    return {"name_ar": form.text("name_ar", max=120), "name_en": form.text("name_en", max=120)}


def page_number(ctx: Context) -> int:
    asked = ctx.query.get("page", "1")
    return max(int(asked), 1) if asked.isascii() and asked.isdigit() and len(asked) < 7 else 1
