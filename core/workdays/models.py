from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, new_id


class Holiday(Base):
    """Days on which nobody works, both ends included; without a centre, in the whole ministry. Kept when withdrawn."""

    __tablename__ = "holiday"
    __table_args__ = (
        Index("ix_holiday_days", "last_day", "first_day"),
        CheckConstraint("first_day <= last_day", name="order"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    centre_id: Mapped[str | None]
    first_day: Mapped[date]
    last_day: Mapped[date]
    name_ar: Mapped[str]
    name_en: Mapped[str]
    kind: Mapped[str]
    declared_at: Mapped[datetime]
    declared_by: Mapped[str | None]
    withdrawn_at: Mapped[datetime | None]

    def name(self, lang: str) -> str:
        return self.name_ar if lang == "ar" else self.name_en


class WorkingHours(Base):
    """Hours of the week and of Ramadan as `week.py` explains them; `place` is a centre, or empty for the ministry."""

    __tablename__ = "working_hours"

    place: Mapped[str] = mapped_column(primary_key=True)
    week: Mapped[dict[str, Any]]
    ramadan: Mapped[dict[str, Any]]  # empty: as in the rest of the year
