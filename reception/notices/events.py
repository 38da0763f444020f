from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NoticeChanged:
    """Published, changed or withdrawn. One event for each centre whose hall is concerned."""

    notice_id: str
    centre_id: str


@dataclass(frozen=True, slots=True)
class HallScreenChanged:
    """Its loudness, its quiet hours or the ways to its counters."""

    centre_id: str
