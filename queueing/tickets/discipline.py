"""What a centre may decide about its queue, and nothing else: the rates of the classes and a few minutes.

Everything here hangs in the hall (docs/queue.md). A rate says how many minutes of rank a minute of waiting is worth;
every rate is positive, so nobody waits for ever (Kleinrock 1964: at any load below one each class's wait is finite).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from math import isfinite
from types import MappingProxyType
from typing import Any

from core.errors import Mistake

REGULAR = "regular"
RETURNING = "returning"  # was here for this matter before: sent for a paper, asked to come again
ELDERLY, DISABLED, DEAF, PREGNANT, INFANT = "elderly", "disabled", "deaf", "pregnant", "infant"
APPOINTMENT = "appointment"  # punctual: who comes later than the grace is a walk-in
CLASSES = (REGULAR, RETURNING, ELDERLY, DISABLED, DEAF, PREGNANT, INFANT, APPOINTMENT)

RATES: Mapping[str, float] = MappingProxyType(
    {
        REGULAR: 1.0,
        RETURNING: 1.5,
        ELDERLY: 1.5,
        INFANT: 1.5,
        APPOINTMENT: 1.5,
        DISABLED: 2.0,
        DEAF: 2.0,
        PREGNANT: 2.0,
    }
)
SLOWEST, FASTEST = 0.1, 10.0  # beyond a hundred to one, "accumulating" would be strict priority under another name

BOUNDS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "grace_minutes": (0, 120),
        "head_start_minutes": (0, 120),
        "recalls": (0, 5),
        "no_show_minutes": (0, 30),
        "patience": (1, 4),
        "target_minutes": (1, 480),
    }
)


@dataclass(frozen=True, slots=True)
class Discipline:
    """The published rule of one centre. Building one that isn't allowed raises Mistake with the field's name.

    `grace_minutes`: so much later than the appointed time still counts as punctual. `head_start_minutes`: a punctual
    appointment starts with the rank of such a wait. Absent is who doesn't come after `recalls` recalls, or within
    `no_show_minutes` of the call; `patience` times as long for whoever may not hear or walks slowly, and one recall
    more. `target_minutes`: what the centre wants every wait to stay under; nothing is decided by it, it is measured.
    """

    rates: Mapping[str, float] = field(default_factory=lambda: RATES)
    grace_minutes: float = 10
    head_start_minutes: float = 20
    recalls: int = 2
    no_show_minutes: float = 3
    patience: float = 2
    target_minutes: float = 15

    def __post_init__(self) -> None:
        if not isinstance(self.rates, Mapping):
            raise Mistake("Please enter a number.", field="rates")
        rates = {name: _rate(name, value) for name, value in {**RATES, **self.rates}.items()}
        object.__setattr__(self, "rates", MappingProxyType(rates))
        for name, (least, most) in BOUNDS.items():
            value = _number(getattr(self, name), name)
            if not least <= value <= most:
                raise Mistake(
                    "Please enter a number from {low} to {high}.", field=name, low=float(least), high=float(most)
                )
        if self.recalls != int(self.recalls):
            raise Mistake("Please enter a whole number.", field="recalls")

    def __hash__(self) -> int:
        return hash((tuple(sorted(self.rates.items())), *(getattr(self, name) for name in BOUNDS)))

    def rate(self, visitor_class: str) -> float:
        """An unknown class (one that the centre no longer has) counts as regular."""
        return self.rates.get(visitor_class, self.rates[REGULAR])

    def as_json(self) -> dict[str, Any]:
        return {**{f.name: getattr(self, f.name) for f in fields(self)}, "rates": dict(self.rates)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any] | None) -> "Discipline":
        """What is missing takes its default, what is unknown is passed over: a stored rule outlives a release."""
        known = {f.name for f in fields(cls)}
        return cls(**{name: value for name, value in (data or {}).items() if name in known})


def _number(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise Mistake("Please enter a number.", field=name)
    return float(value)


def _rate(name: str, value: Any) -> float:
    """Raises Mistake with the field `rates.<class>`."""
    where = f"rates.{name}"
    if not name.isidentifier() or len(name) > 32:
        raise Mistake("A class is named with letters, digits and underscores.", field=where)
    rate = _number(value, where)
    if not SLOWEST <= rate <= FASTEST:
        raise Mistake("Please enter a number from {low} to {high}.", field=where, low=SLOWEST, high=FASTEST)
    return rate


DEFAULT = Discipline()
