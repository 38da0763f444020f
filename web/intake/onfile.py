"""What a form would change of a known visitor: shown once more before it does.

A number typed wrong is another person's, and the texts of all their cases would go to this visitor's phone.
"""

import hashlib
from dataclasses import dataclass

from core import audit
from core.errors import Mistake
from messaging.rules import masked
from reception.visitors import rules
from reception.visitors import service as visitors
from web.http import Context


@dataclass(frozen=True, slots=True)
class Change:
    """On file and as typed, where they differ. `key` stands for this change alone, so a tick confirms no other."""

    name: tuple[str, str] | None
    phone: tuple[str, str] | None
    key: str
    confirmed: bool


def find(ctx: Context, values: dict[str, str]) -> Change | None:
    """None for somebody new, for what is as on file, and for what isn't right yet."""
    try:
        visitor = visitors.by_identity_number(ctx.session, values.get("identity_number", ""))
        name, phone = rules.name(values.get("name", "")), rules.phone(values.get("phone", ""))
    except Mistake:
        return None
    if visitor is None or (visitor.name, visitor.phone) == (name, phone):
        return None
    said = "\n".join((visitor.id, visitor.name, visitor.phone, name, phone))
    key = hashlib.sha256(said.encode()).hexdigest()[:16]
    return Change(
        name=(visitor.name, name) if visitor.name != name else None,
        phone=(masked(visitor.phone), phone) if visitor.phone != phone else None,
        key=key,
        confirmed=values.get("on_file") == key,
    )


def write_down(ctx: Context, values: dict[str, str]) -> None:
    """What is shown of them was read."""
    visitor = visitors.by_identity_number(ctx.session, values.get("identity_number", ""))
    if visitor is not None:
        audit.note(ctx.session, "read", "visitor", visitor.id, now=ctx.now, detail={"at": "intake"})
