"""What the page and its files show: the choices made, and the numbers under their names."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.staff.rules import ADMIN, AIDE, OFFICIAL
from reception.centres import setup
from reception.numbers import rules, service
from reception.numbers.rules import Cell, Tally
from reception.petitions import catalogue
from reception.petitions.catalogue import Branch
from reception.petitions.models import Petition, PetitionType
from web.cases.view import Deadline, deadline

if TYPE_CHECKING:
    from web.http import Context

EVERYWHERE = frozenset({OFFICIAL, AIDE, ADMIN})


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a table. `href` narrows the page to it."""

    name: str
    tally: Tally
    href: str = ""


@dataclass(slots=True)
class Choices:
    days: int
    type_id: str = ""
    centre_id: str = ""
    department_id: str = ""
    fixed_centre: bool = False
    types: list[tuple[str, str]] = field(default_factory=list)
    centres: list[tuple[str, str]] = field(default_factory=list)
    departments: list[tuple[str, str]] = field(default_factory=list)

    def query(self, **other: str) -> dict[str, str]:
        """What an address needs to show the same, or the same with `other`."""
        now = {
            "days": str(self.days),
            "type": self.type_id,
            "centre": "" if self.fixed_centre else self.centre_id,
            "department": self.department_id,
        }
        return {name: value for name, value in {**now, **other}.items() if value}


@dataclass(frozen=True, slots=True)
class Shown:
    choices: Choices
    numbers: service.Numbers
    all: Tally
    types: list[Line]
    centres: list[Line]
    departments: list[Line]
    ages: list[tuple[int, int | None, int]]
    late: list[tuple[Petition, Deadline | None]]


def show(ctx: "Context", address: Callable[..., str]) -> Shown:
    """`address(choices, **other)` makes the address that narrows the page to a row."""
    lang = ctx.lang
    tree = catalogue.tree(ctx.session)
    groups = {branch.type.id: branch for branch in tree}
    places = {one.id: one for one in setup.every_centre(ctx.session)}  # what is closed down keeps its numbers
    homes = {one.id: one for one in setup.every_department(ctx.session)}
    choices = _choices(ctx, set(groups), set(places), set(homes))
    choices.types = [(one.type.id, one.type.name(lang)) for one in tree]
    choices.centres = [(one.id, one.name(lang)) for one in places.values()]
    choices.departments = [(one.id, one.name(lang)) for one in homes.values()]
    asked = service.Asked(
        days=choices.days,
        type_ids=tuple(_below(groups[choices.type_id])) if choices.type_id else (),
        centre_id=choices.centre_id or None,
        department_id=choices.department_id or None,
    )
    numbers = service.count(ctx.session, asked, zone=ctx.settings.timezone, now=ctx.now)
    root = {leaf: branch.type.id for branch in tree for leaf in _below(branch)}

    def type_of(cell: Cell) -> str:
        return cell[0] if choices.type_id else root.get(cell[0], cell[0])

    def type_name(key: str) -> str:
        row = ctx.session.get(PetitionType, key)
        return row.name(lang) if row else "—"

    def lines(of: Callable[[Cell], str | None], name: Callable[[str], str], narrow: str = "") -> list[Line]:
        return [
            Line(
                name(key) if key else ctx._("At reception"),
                tally,
                address(choices, **{narrow: key}) if narrow and key else "",
            )
            for key, tally in rules.rolled(numbers.cells, of).items()
            if tally.anything
        ]

    return Shown(
        choices=choices,
        numbers=numbers,
        all=rules.total(numbers.cells.values()),
        types=lines(type_of, type_name, "" if choices.type_id else "type"),
        centres=lines(
            lambda cell: cell[1], lambda key: places[key].name(lang), "" if choices.fixed_centre else "centre"
        ),
        departments=lines(lambda cell: cell[2], lambda key: homes[key].name(lang), "department"),
        ages=rules.ages(numbers.open_days),
        late=[(p, deadline(ctx, p)) for p in service.longest_late(ctx.session, ctx.staff, asked, now=ctx.now)],
    )


def _choices(ctx: "Context", groups: set[str], places: set[str], homes: set[str]) -> Choices:
    """What the address asks for, as far as it exists and this person may have it."""
    days = next((n for n in rules.PERIODS if ctx.query.get("days") == str(n)), rules.PERIODS[1])

    def known(name: str, among: set[str]) -> str:
        value = ctx.query.get(name, "")
        return value if value in among else ""

    chosen = Choices(days, known("type", groups), known("centre", places), known("department", homes))
    if not ctx.staff.roles & EVERYWHERE:
        chosen.centre_id, chosen.fixed_centre = ctx.staff.centre_id or "none", True
    return chosen


def _below(branch: Branch) -> list[str]:
    return [branch.type.id, *(one for below in branch.below for one in _below(below))]
