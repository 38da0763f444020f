from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WordingProposed:
    wording_id: str
    template: str


@dataclass(frozen=True, slots=True)
class WordingApproved:
    """From now on the text has these words."""

    wording_id: str
    template: str


@dataclass(frozen=True, slots=True)
class WordingDeclined:
    wording_id: str
    template: str
