from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SatisfactionGiven:
    """A visitor said how it was, from 1 to 5."""

    petition_id: str
    centre_id: str
    department_id: str
    score: int


@dataclass(frozen=True, slots=True)
class PaperSent:
    """A visitor sent a paper from the page of the receipt."""

    petition_id: str
    department_id: str
    centre_id: str
