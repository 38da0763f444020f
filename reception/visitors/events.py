from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class VisitorRegistered:
    visitor_id: str
