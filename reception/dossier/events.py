from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DossierOpened:
    petition_id: str
    staff_id: str
