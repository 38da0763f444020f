from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CheckTaken:
    """A verifier has a case in hand: it goes from the others' lists."""

    petition_id: str
    centre_id: str
    staff_id: str


@dataclass(frozen=True, slots=True)
class CheckLeft:
    petition_id: str
    centre_id: str
