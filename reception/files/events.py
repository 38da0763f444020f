from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PaperInfected:
    """The scanner came back, and found something in a paper that had been taken without it."""

    file_id: str
    petition_id: str
    found: str
