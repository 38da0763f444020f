"""A decision with its numbers: written to the log of calls, told to whoever asks, decided again from the log alone."""

from dataclasses import dataclass
from typing import Any, NamedTuple

# Why one ticket came before another.
ONLY, URGENT, LONGEST, FASTER_RATE, APPOINTED = "only", "urgent", "longest", "faster_rate", "appointed"


class Weighed(NamedTuple):
    """An eligible ticket with the numbers of its turn, unrounded, so that they decide again as they decided.

    `visitor_class` is the class whose rate counted. With `appointment` the minutes count from the appointed time and
    contain the head start. (Tuples, not dataclasses: a full hall makes hundreds for one call.)
    """

    id: str
    label: str
    urgent: bool
    visitor_class: str
    rate: float
    waited: float
    appointment: bool = False

    @property
    def score(self) -> float:
        return self.waited * self.rate


class PassedOver(NamedTuple):
    id: str
    label: str
    why: str


@dataclass(frozen=True, slots=True)
class Reasons:
    """The whole decision: the eligible in their order (the first was called), and who could not be taken here."""

    weighed: tuple[Weighed, ...]
    passed_over: tuple[PassedOver, ...]

    def as_json(self) -> dict[str, Any]:
        """Rows of plain values in the order of the fields: the log of a full hall stays small."""
        return {"weighed": [list(row) for row in self.weighed], "passed_over": [list(row) for row in self.passed_over]}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Reasons":
        """Reads rows with named values too: calls logged by earlier releases stay explained."""

        def values(row: Any, names: tuple[str, ...]) -> list[Any]:
            return [row[name] for name in names if name in row] if isinstance(row, dict) else row

        return cls(
            tuple(Weighed(*values(row, Weighed._fields)) for row in data.get("weighed", ())),
            tuple(PassedOver(*values(row, PassedOver._fields)) for row in data.get("passed_over", ())),
        )


@dataclass(frozen=True, slots=True)
class Because:
    """`label` was called before `than` because of `code`; the numbers are minutes that counted, and rates."""

    code: str
    label: str
    than: str = ""
    waited: float = 0
    rate: float = 1
    than_waited: float = 0
    than_rate: float = 1


def replay(reasons: Reasons) -> str | None:
    """Decide a logged call again from its own numbers: the id that should have been called.

    Equal scores were told apart by arrival; the logged order is that order.
    """
    order = sorted(enumerate(reasons.weighed), key=lambda pair: (not pair[1].urgent, -pair[1].score, pair[0]))
    return order[0][1].id if order else None


def explain(reasons: Reasons, *, most: int = 3, than: str | None = None) -> list[Because]:
    """Why the first came before the next in turn, and before whoever has waited longer.

    With `than` (a ticket's id) only why it came before that one; nothing if that one wasn't weighed.
    """
    if not reasons.weighed:
        return []
    first, rest = reasons.weighed[0], reasons.weighed[1:]
    if than is not None:
        told = [other for other in rest if other.id == than]
    elif not rest:
        return [Because(ONLY, first.label, waited=first.waited, rate=first.rate)]
    else:
        told = [rest[0], *(other for other in rest[1:] if other.waited > first.waited)]
    return [
        Because(_why(first, other), first.label, other.label, first.waited, first.rate, other.waited, other.rate)
        for other in told[:most]
    ]


def _why(first: Weighed, other: Weighed) -> str:
    if first.urgent and not other.urgent:
        return URGENT
    if first.appointment and not other.appointment:
        return APPOINTED
    return LONGEST if first.waited >= other.waited else FASTER_RATE
