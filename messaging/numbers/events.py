from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NumberVerified:
    """Somebody has shown that a number reaches them."""

    number: str
    owner_id: str


@dataclass(frozen=True, slots=True)
class NumberStopped:
    number: str


@dataclass(frozen=True, slots=True)
class NumberStarted:
    number: str
