"""Which rule holds for a case, where a chain of rules ends, and whether rules can lead in a circle. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from core.errors import Mistake
from core.text import clean, search_form

KEYWORD_LEAST, KEYWORDS_MOST = 3, 12


@dataclass(frozen=True, slots=True)
class Rule:
    """A routing rule as data. An empty condition, or None, holds for everything.

    `from_department_id`: tried only for what the rules have just sent there (an onward rule); None: at the beginning.
    """

    id: str
    order: int
    type_codes: tuple[str, ...]
    urgency: str | None
    department_id: str
    centre_codes: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    confidentiality: str | None = None
    from_department_id: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """What rules look at. `codes`: the type, then its parents; `text` in its search form."""

    codes: tuple[str, ...]
    urgency: str
    centre: str = ""
    confidentiality: str = "open"
    text: str = ""


def fits(rule: Rule, case: Case) -> bool:
    """Whether every condition of the rule holds. Keywords: one is enough, wherever in a word it stands.

    Inside a word, since Arabic joins its articles and prepositions to it.
    """
    return (
        (rule.urgency is None or rule.urgency == case.urgency)
        and (rule.confidentiality is None or rule.confidentiality == case.confidentiality)
        and (not rule.type_codes or not set(rule.type_codes).isdisjoint(case.codes))
        and (not rule.centre_codes or case.centre in rule.centre_codes)
        and (not rule.keywords or any(search_form(word) in case.text for word in rule.keywords))
    )


def route(case: Case, rules: Sequence[Rule], *, at: str | None = None) -> Rule | None:
    """The first rule, in its order, that holds for what is at `at` (None: at the beginning)."""
    for rule in sorted(rules, key=lambda r: (r.order, r.id)):
        if rule.from_department_id == at and fits(rule, case):
            return rule
    return None


def chain(case: Case, rules: Sequence[Rule]) -> list[Rule]:
    """The rules that lead this case to its end, one after the other. It never comes to a department twice."""
    found: list[Rule] = []
    been: set[str] = set()
    at: str | None = None
    while (rule := route(case, rules, at=at)) is not None and rule.department_id not in been:
        found.append(rule)
        been.add(rule.department_id)
        at = rule.department_id
    return found


@dataclass(frozen=True, slots=True)
class _Held:
    """For which cases all rules of a path hold together: None is "any"."""

    leaves: frozenset[str]
    urgency: str | None = None
    confidentiality: str | None = None
    centres: frozenset[str] | None = None

    def narrowed(self, rule: Rule, leaves: Mapping[str, frozenset[str]]) -> "_Held | None":
        left = self.leaves
        if rule.type_codes:
            left = left & frozenset().union(*(leaves.get(code, frozenset((code,))) for code in rule.type_codes))
        urgency, secrecy = rule.urgency or self.urgency, rule.confidentiality or self.confidentiality
        if not left or {self.urgency, urgency} - {None, urgency} or {self.confidentiality, secrecy} - {None, secrecy}:
            return None
        centres = self.centres
        if rule.centre_codes:
            centres = frozenset(rule.centre_codes) if centres is None else centres & frozenset(rule.centre_codes)
            if not centres:
                return None
        return replace(self, leaves=left, urgency=urgency, confidentiality=secrecy, centres=centres)


def circle(rules: Sequence[Rule], leaves: Mapping[str, frozenset[str]]) -> list[Rule]:
    """Onward rules that could lead one and the same case back to where it was; empty where none can.

    `leaves`: for each code of a type the types under it that petitions are entered as. Keywords are taken to be
    possible together, and that an earlier rule might win is not counted on: rules are moved.
    """
    onward: dict[str, list[Rule]] = {}
    for rule in sorted(rules, key=lambda r: (r.order, r.id)):
        if rule.from_department_id is not None:
            onward.setdefault(rule.from_department_id, []).append(rule)
    everything = _Held(frozenset().union(*leaves.values()) | frozenset(leaves))

    def walk(at: str, begun: str, held: _Held, path: list[Rule]) -> Iterator[list[Rule]]:
        for rule in onward.get(at, ()):
            narrower = held.narrowed(rule, leaves)
            if narrower is None or rule in path:
                continue
            if rule.department_id == begun:
                yield [*path, rule]
            elif rule.department_id not in {step.department_id for step in path}:
                yield from walk(rule.department_id, begun, narrower, [*path, rule])

    for department in onward:
        for found in walk(department, department, everything, []):
            return found
    return []


def keywords(text: str) -> list[str]:
    """Words parted by commas or lines, as an administrator types them. Raises Mistake."""
    found = [clean(part) for part in text.replace("\n", ",").replace("،", ",").split(",")]
    found = list(dict.fromkeys(word for word in found if word))
    if len(found) > KEYWORDS_MOST:
        raise Mistake("At most {most} words.", field="keywords", most=KEYWORDS_MOST)
    if short := next((word for word in found if len(search_form(word)) < KEYWORD_LEAST), ""):
        raise Mistake("“{word}” is too short: it would be found in almost every text.", field="keywords", word=short)
    return found
