from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class AppointmentLink(Base):
    """One link that was sent. Of its token only the hash is kept: whoever reads this table can open nothing.

    It opens until the appointment begins, is moved or ends; `spent_at` is when it was the link that did so.
    """

    __tablename__ = "appointment_link"

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    appointment_id: Mapped[str] = mapped_column(index=True)
    made_at: Mapped[datetime]
    spent_at: Mapped[datetime | None]


class AppointmentWord(Base):
    """The visitor has said: I will come."""

    __tablename__ = "appointment_word"

    appointment_id: Mapped[str] = mapped_column(primary_key=True)
    said_at: Mapped[datetime]


class CalendarFeed(Base):
    """An official's address for a calendar program; one at a time, of its token only the hash."""

    __tablename__ = "calendar_feed"

    staff_id: Mapped[str] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    made_at: Mapped[datetime]
