from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, true
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, new_id


class Series(Base):
    """What an official offers on certain weekdays. Times are minutes since midnight on the clock of `zone`.

    Most sessions lie within the working hours and follow them when these change; one with `own_hours` was set outside
    them on purpose, and stays as it is. `made_until` is the last day for which slots stand; the sweep goes on from
    there. Nothing is deleted: a series that ended keeps its past.
    """

    __tablename__ = "appointment_series"
    __table_args__ = (Index("ix_appointment_series_made", "ended_at", "made_until"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    official_id: Mapped[str] = mapped_column(index=True)
    kind: Mapped[str]
    centre_id: Mapped[str | None]
    place_ar: Mapped[str]
    place_en: Mapped[str]
    zone: Mapped[str]
    weekdays: Mapped[list[str]]  # "0" is Monday
    every_weeks: Mapped[int] = mapped_column(default=1)  # counted from the week of `first_day`
    start: Mapped[int]
    end: Mapped[int]
    ramadan_start: Mapped[int | None]  # without: cut to the working hours of that day
    ramadan_end: Mapped[int | None]
    minutes: Mapped[int]
    pause: Mapped[int] = mapped_column(default=0)
    capacity: Mapped[int] = mapped_column(default=1)
    reserved_urgent: Mapped[int] = mapped_column(default=0)
    own_hours: Mapped[bool] = mapped_column(default=False, server_default=true())  # set outside the working hours
    first_day: Mapped[date]
    last_day: Mapped[date | None]
    made_until: Mapped[date]
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    ended_at: Mapped[datetime | None]

    def place(self, lang: str) -> str:
        return self.place_ar if lang == "ar" else self.place_en


class SeriesException(Base):
    """One day that differs: other times, or with none no session at all."""

    __tablename__ = "appointment_series_exception"

    series_id: Mapped[str] = mapped_column(ForeignKey("appointment_series.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    start: Mapped[int | None]
    end: Mapped[int | None]
    reason: Mapped[str]
    made_at: Mapped[datetime]
    made_by: Mapped[str]
