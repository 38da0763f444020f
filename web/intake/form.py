"""The intake form: what was typed, checked as a whole, so that all errors show at once."""

from dataclasses import dataclass

from core.errors import Mistake
from reception.petitions import catalogue
from reception.petitions import rules as petition_rules
from reception.petitions.models import PetitionType
from reception.visitors import rules as visitor_rules
from web.forms import Form
from web.http import Context

FIELDS = (
    "identity_number",
    "name",
    "phone",
    "language",
    "sign_language",
    "section",
    "type",
    "subject",
    "body",
    "urgent",
    "urgent_reason",
)


@dataclass(slots=True)
class Checked:
    """Clean values of a form without errors."""

    visitor: dict[str, object]
    type: PetitionType
    subject: str
    body: str
    urgency: str
    urgent_reason: str


def typed(ctx: Context) -> dict[str, str]:
    return {name: value for name in FIELDS if isinstance(value := ctx.form.get(name), str) and value}


def check(ctx: Context, form: Form) -> Checked | None:
    """Notes every error in `form`; the clean values when there is none."""
    values = form.values
    visitor: dict[str, object] = {
        "language": values.get("language", "ar"),
        "section": values.get("section", "men"),
        "sign_language": bool(values.get("sign_language")),
    }
    for field, rule in (
        ("identity_number", visitor_rules.identity_number),
        ("name", visitor_rules.name),
        ("phone", visitor_rules.phone),
    ):
        with form.catch():
            visitor[field] = rule(values.get(field, ""))
    kind = None
    with form.catch():
        kind = catalogue.leaf(ctx.session, values.get("type", ""))
    subject = body = reason = ""
    with form.catch():
        subject = petition_rules.subject(values.get("subject", ""))
    with form.catch():
        body = petition_rules.body(values.get("body", ""))
    urgent = bool(values.get("urgent"))
    if urgent:
        with form.catch():
            if kind and not kind.urgent_lane:
                raise Mistake("The urgent lane is not open to this type.", field="urgent_reason")
            reason = petition_rules.words(values.get("urgent_reason", ""), field="urgent_reason")
    if form.errors or kind is None:
        return None
    return Checked(
        visitor=visitor,
        type=kind,
        subject=subject,
        body=body,
        urgency=petition_rules.URGENT if urgent else petition_rules.NORMAL,
        urgent_reason=reason,
    )
