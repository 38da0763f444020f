from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.db import Base, new_id
from queueing.appointments.states import HELD, LIVE, MOVED, OPEN

_LIVE = text("state IN ({}) AND NOT for_earlier".format(", ".join(f"'{state}'" for state in LIVE)))
_EARLIER = text(f"state = '{HELD}' AND for_earlier")
_CURRENT = text(f"state != '{MOVED}'")
_CLOSED_FOR = text("closed_for IS NOT NULL")
_FREE = text(f"state = '{OPEN}' AND taken < capacity")


class CalendarDay(Base):
    """One row per UTC day, never read for what it says: it is the lock under which that day's places change hands.

    Everything scarce (place, official, hall, attendant, interpreter) is scarce at a time, so whoever
    holds the day decides alone.
    """

    __tablename__ = "appointment_day"

    day: Mapped[date] = mapped_column(primary_key=True)


class Slot(Base):
    """A time an official offers. A video slot names the centre whose hall it would use; several may compete for it.

    What was promised is a time on the wall: `wall_start` (`2026-10-28T10:00`) in `zone`. The instant is derived from it
    and follows when the zone's rules change (`wall.py`).
    """

    __tablename__ = "appointment_slot"
    __table_args__ = (
        Index("ix_appointment_slot_offer", "state", "starts_at"),
        Index("ix_appointment_slot_free", "starts_at", "id", sqlite_where=_FREE, postgresql_where=_FREE),
        Index("ix_appointment_slot_official", "official_id", "starts_at"),
        Index("ix_appointment_slot_series", "series_id", "starts_at"),
        Index("ix_appointment_slot_closed_for", "closed_for", sqlite_where=_CLOSED_FOR, postgresql_where=_CLOSED_FOR),
        CheckConstraint("taken >= 0 AND taken <= capacity", name="places"),
        CheckConstraint("starts_at < ends_at", name="order"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    official_id: Mapped[str]
    kind: Mapped[str]
    centre_id: Mapped[str | None] = mapped_column(index=True)
    place_ar: Mapped[str]
    place_en: Mapped[str]
    starts_at: Mapped[datetime] = mapped_column(index=True)
    ends_at: Mapped[datetime]
    wall_start: Mapped[str] = mapped_column(default="", server_default="")
    zone: Mapped[str] = mapped_column(default="", server_default="")
    capacity: Mapped[int] = mapped_column(default=1)
    taken: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(default=OPEN)
    reserved_urgent: Mapped[bool] = mapped_column(default=False)
    series_id: Mapped[str | None]
    closed_for: Mapped[str | None]  # a holiday or HOURS, whose end opens it again; the series that gave it up

    def place(self, lang: str) -> str:
        return self.place_ar if lang == "ar" else self.place_en

    @property
    def minutes(self) -> int:
        return int((self.ends_at - self.starts_at).total_seconds() // 60)


class Appointment(Base):
    """One visitor's place in one slot. The public code is what a visitor shows; it survives a move.

    A petition has one live appointment, and beside it at most one hold `for_earlier`: a place that is kept while its
    visitor decides whether to give the other back for it.
    """

    __tablename__ = "appointment"
    __table_args__ = (
        Index("uq_appointment_petition_live", "petition_id", unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE),
        Index("uq_appointment_earlier", "petition_id", unique=True, sqlite_where=_EARLIER, postgresql_where=_EARLIER),
        Index("uq_appointment_code", "code", unique=True, sqlite_where=_CURRENT, postgresql_where=_CURRENT),
        Index("ix_appointment_hold", "state", "held_until"),
        Index("ix_appointment_petition", "petition_id", "created_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    slot_id: Mapped[str] = mapped_column(ForeignKey("appointment_slot.id"), index=True)
    visitor_id: Mapped[str] = mapped_column(index=True)
    petition_id: Mapped[str]
    state: Mapped[str] = mapped_column(default=HELD)
    held_until: Mapped[datetime | None]
    for_earlier: Mapped[bool] = mapped_column(default=False, server_default=false())  # kept beside the one they have
    needs_interpreter: Mapped[bool] = mapped_column(default=False)
    interpreter_id: Mapped[str | None] = mapped_column(index=True)
    attendant_id: Mapped[str | None]
    booked_by: Mapped[str]
    code: Mapped[str]
    reason: Mapped[str | None]
    moved_for: Mapped[str | None]  # why the office moved it, once (rearranging.WHY); a visitor's own move leaves it
    previous_id: Mapped[str | None] = mapped_column(ForeignKey("appointment.id"))
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]

    slot: Mapped[Slot] = relationship(lazy="joined", innerjoin=True)


class Claim(Base):
    """A resource taken for one five-minute step. The primary key is the promise that nobody is in two places at once.

    `resource` is `official:…`, `hall:…`, `attendant:…`, `interpreter:…` or `visitor:…`; the first two belong to
    the slot (its visitors share them), the others to the appointment: `owner_id`.
    """

    __tablename__ = "appointment_claim"

    resource: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(primary_key=True)
    owner_id: Mapped[str] = mapped_column(index=True)
