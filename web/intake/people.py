"""Those who stand beside the visitor in the form: whoever acts for them, and others who ask for the same."""

import re
from dataclasses import dataclass, field
from typing import Any

from core import audit
from core.calendar import local_day
from core.errors import Mistake
from core.text import isolated, left_to_right
from messaging.rules import masked
from reception.files.models import Attachment
from reception.files.service import PROOF
from reception.parties import rules, service
from reception.petitions.models import Petition
from reception.petitions.rules import ZONE
from reception.visitors import rules as visitor_rules
from reception.visitors import service as visitors
from reception.visitors.models import Visitor
from web.forms import Form
from web.http import Context

BOTH, AGENT_ONLY = "both", "agent"
AGENT_FIELDS = ("acting", "agent_identity_number", "agent_name", "agent_phone", "agent_power", "agent_number",
                "agent_until", "told")  # fmt: skip
PERSON = ("identity_number", "name", "phone", "relation", "told")
ROW = re.compile(r"p(\d{1,2})_(identity_number|name|phone|relation|told)")


@dataclass(slots=True)
class Checked:
    """Clean values of the people in a form; identity values as `visitors.known_or_new` takes them."""

    agent: dict[str, str] | None = None
    power: rules.Power | None = None
    agent_alone: bool = False
    others: list[dict[str, Any]] = field(default_factory=list)


def rows(values: dict[str, str]) -> list[dict[str, str]]:
    """The further people of a form, in their order, each with the number of its fields; empty ones left out."""
    found: dict[int, dict[str, str]] = {}
    for key, value in values.items():
        if match := ROW.fullmatch(key):
            found.setdefault(int(match[1]), {})[match[2]] = value
    kept = [{"n": str(n), **row} for n, row in sorted(found.items()) if any(row.get(name) for name in PERSON[:3])]
    return kept[: rules.MOST]


def check(ctx: Context, form: Form, *, papers: list[Attachment], first: str) -> Checked:
    """Notes every error in `form`. `first` is the visitor's own number, which must not stand there twice."""
    values, checked = form.values, Checked()
    numbers = {first} if first else set()
    if values.get("acting"):
        checked.agent = _person(ctx, form, "agent_", numbers)
        proof = any(paper.kind == PROOF for paper in papers)
        with form.catch():
            checked.power = rules.power(
                values.get("agent_power", ""),
                values.get("agent_number", ""),
                values.get("agent_until", ""),
                today=local_day(ctx.now, ZONE),
                proof=proof,
            )
        checked.agent_alone = values.get("told") == AGENT_ONLY
    for row in rows(values):
        person = _person(ctx, form, f"p{row['n']}_", numbers)
        relation = row.get("relation", "")
        if person is not None:
            told = bool(row.get("told"))
            checked.others.append(person | {"relation": relation if relation in rules.RELATIONS else "", "told": told})
    return checked


def _person(ctx: Context, form: Form, prefix: str, numbers: set[str]) -> dict[str, str] | None:
    found: dict[str, str] = {}
    for name, rule in (
        ("identity_number", visitor_rules.identity_number),
        ("name", visitor_rules.name),
        ("phone", visitor_rules.phone),
    ):
        with form.catch(prefix + name):
            found[name] = rule(form.values.get(prefix + name, ""))
    number = found.get("identity_number", "")
    if number and number in numbers:
        with form.catch(prefix + "identity_number"):
            raise Mistake("This number stands in the form already.")
    numbers.add(number)
    known = visitors.by_identity_number(ctx.session, number) if number else None
    if known is not None and "name" in found and not visitor_rules.akin(known.name, found["name"]):
        audit.note(ctx.session, "read", "visitor", known.id, now=ctx.now, detail={"at": "intake"})
        said = ctx._("This number is on file for “{name}”. If it is the same person, write the name as on file.")
        form.add(prefix + "identity_number", said.format(name=isolated(known.name)))
    return found if len(found) == 3 else None


def enter(ctx: Context, petition: Petition, checked: Checked, papers: list[Attachment]) -> None:
    """Put them into the petition, in its transaction."""
    people = []
    if checked.agent is not None:
        proof = next((paper.id for paper in papers if paper.kind == PROOF), None)
        agent = _registered(ctx, checked.agent, petition)
        people.append(service.Person(agent, rules.AGENT, power=checked.power, proof_id=proof))
    for other in checked.others:
        visitor = _registered(ctx, other, petition)
        people.append(service.Person(visitor, rules.PETITIONER, relation=other["relation"], told=other["told"]))
    if people:
        service.add(ctx.session, petition, people, now=ctx.now)
    if checked.agent_alone and checked.agent is not None:
        service.silence_principal(ctx.session, petition, now=ctx.now)


def _registered(ctx: Context, details: dict[str, Any], petition: Petition) -> Visitor:
    """Whoever is known stays as they are on file: this is not their form, and their own texts go there.

    What the form doesn't ask of somebody new is as the first one's.
    """
    known = visitors.by_identity_number(ctx.session, details["identity_number"])
    if known is not None and (known.name, known.phone) != (details["name"], details["phone"]):
        said = ctx._("{name} is on file with the number {phone}, and stays so. Their own petition changes it.")
        ctx.flash(said.format(name=known.name, phone=left_to_right(masked(known.phone))), "info")
    like = known or petition.visitor
    return visitors.known_or_new(
        ctx.session,
        identity_number=details["identity_number"],
        name=details["name"],
        phone=details["phone"],
        language=like.language,
        section=like.section,
        now=ctx.now,
    )


def ids_of(ctx: Context, values: dict[str, str], *, agent: bool = True) -> set[str]:
    """Visitors who are known already by the numbers in a form, whoever they are in it; without `agent` whose it is."""
    fields = ["identity_number", "agent_identity_number", *(f"p{row['n']}_identity_number" for row in rows(values))]
    found = set()
    for name in fields:
        if name.startswith("agent") and not (agent and values.get("acting")):
            continue
        try:
            visitor = visitors.by_identity_number(ctx.session, values.get(name, ""))
        except Mistake:
            continue
        if visitor is not None:
            found.add(visitor.id)
    return found
