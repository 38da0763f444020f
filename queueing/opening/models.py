from datetime import date
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class OpeningHours(Base):
    """A centre's weekly hours in the shape that rules.py explains. No row: it receives at any time."""

    __tablename__ = "opening_hours"

    centre_id: Mapped[str] = mapped_column(primary_key=True)
    hours: Mapped[dict[str, Any]]


class ClosedDay(Base):
    """A day on which the centre stays closed, whatever the week says, and why."""

    __tablename__ = "closed_day"

    centre_id: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    name_ar: Mapped[str]
    name_en: Mapped[str]

    def name(self, lang: str) -> str:
        return self.name_ar if lang == "ar" else self.name_en
