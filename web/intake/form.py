"""The intake form: what was typed, checked as a whole, so that all errors show at once."""

import re
from dataclasses import dataclass
from typing import Any

from core.errors import Mistake
from core.text import latin_digits
from reception.files.models import Attachment
from reception.files.service import PAPER
from reception.petitions import catalogue, kinds
from reception.petitions import rules as petition_rules
from reception.petitions.models import PetitionType
from reception.visitors import rules as visitor_rules
from web.forms import Form
from web.http import Context
from web.intake import people

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
    "another",
    "on_file",
    "papers_later",
    *people.AGENT_FIELDS,
)
DETAIL = re.compile(r"detail_[a-z0-9][a-z0-9-]{0,39}")
MOST = 160  # fields of one form


@dataclass(slots=True)
class Checked:
    """Clean values of a form without errors."""

    visitor: dict[str, object]
    type: PetitionType
    subject: str
    body: str
    urgency: str
    urgent_reason: str
    details: dict[str, str]
    people: people.Checked


def typed(ctx: Context) -> dict[str, str]:
    """What is kept of a form while it is written: the fields that we know, and nothing else."""
    known = {
        name: value
        for name, value in ctx.form.items()
        if isinstance(value, str) and value and (name in FIELDS or DETAIL.fullmatch(name) or people.ROW.fullmatch(name))
    }
    return dict(list(known.items())[:MOST])


def check(ctx: Context, form: Form, papers: list[Attachment]) -> Checked | None:
    """Notes every error in `form`; the clean values when there is none. `papers` are those that it has so far."""
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
    beside = people.check(ctx, form, papers=papers, first=str(visitor.get("identity_number", "")))
    details: dict[str, str] = {}
    if kind is not None:
        details = {str(asked["code"]): values.get(f"detail_{asked['code']}", "") for asked in kind.fields}
        with form.catch():
            kinds.answers(kind.fields, details)
        missing = lacking(kind, papers)
        if missing and not values.get("papers_later"):
            names = ("، " if ctx.lang == "ar" else ", ").join(str(asked[f"label_{ctx.lang}"]) for asked in missing)
            told = ctx._("This type needs these papers: {papers}. Add them, or tick that they follow.")
            form.add("papers", told.format(papers=names))
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
        details=details,
        people=beside,
    )


def lacking(kind: PetitionType, papers: list[Attachment]) -> list[dict[str, Any]]:
    """The papers that the type asks for, where fewer have come than it asks for; which is which, a person sees."""
    needed = [asked for asked in kind.papers if asked.get("required")]
    return needed if sum(paper.kind == PAPER for paper in papers) < len(needed) else []


def misread(ctx: Context, text: str) -> str:
    """What is wrong with a number that nobody is known by: said before the whole form is written under it."""
    if not re.fullmatch(r"[12][0-9\s-]{7,}", latin_digits(text).strip()):
        return ""  # a name, or a phone's number
    try:
        visitor_rules.identity_number(text)
    except Mistake as mistake:
        return ctx.say(mistake)
    return ""
