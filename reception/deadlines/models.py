from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, new_id


class Clock(Base):
    """One deadline of a petition: of the whole, of a hand-over, of the work, of an opinion.

    `due_at` follows from the columns before it and the working calendar, so a holiday declared late changes it and
    nothing else. `next_at` is when the ladder's next rung is due; empty where there is none, or while it stands still.
    """

    __tablename__ = "petition_clock"
    __table_args__ = (
        Index("ix_petition_clock_petition", "petition_id", "step"),
        Index("ix_petition_clock_next", "ended_at", "next_at"),
        Index("ix_petition_clock_due", "ended_at", "due_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    petition_id: Mapped[str] = mapped_column(ForeignKey("petition.id", ondelete="CASCADE"))
    step: Mapped[str]
    subject_id: Mapped[str] = mapped_column(default="")  # the referral or opinion it belongs to
    department_id: Mapped[str | None]  # whose turn it is
    started_at: Mapped[datetime]
    days: Mapped[int] = mapped_column(default=0)  # working days; with 0 `minutes` count
    minutes: Mapped[int] = mapped_column(default=0)
    by_the_clock: Mapped[bool] = mapped_column(default=False)  # minutes of the clock on the wall: the urgent lane's
    pauses: Mapped[list[list[str]]] = mapped_column(JSON, default=list)  # [from, to] as ISO 8601; an open one: [from]
    due_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    kept: Mapped[bool | None]  # whether it ended in time
    rung: Mapped[int] = mapped_column(default=0)  # how many rungs have been climbed
    next_at: Mapped[datetime | None]


class Rung(Base):
    """A step of the ladder, as data: so long after (or before, when negative) a deadline, this person is told."""

    __tablename__ = "deadline_rung"
    __table_args__ = (UniqueConstraint("step", "place"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    step: Mapped[str]
    place: Mapped[int]
    hours: Mapped[int]  # of working time, counted from the deadline
    whom: Mapped[str]  # a key of rules.LADDER


class Escalation(Base):
    """Somebody was told that a deadline nears or has passed. `seen_at`: that person has taken note of it."""

    __tablename__ = "petition_escalation"
    __table_args__ = (
        Index("ix_petition_escalation_petition", "petition_id", "at"),
        Index("ix_petition_escalation_staff", "staff_id", "seen_at", "at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    clock_id: Mapped[str] = mapped_column(ForeignKey("petition_clock.id", ondelete="CASCADE"))
    petition_id: Mapped[str] = mapped_column(ForeignKey("petition.id", ondelete="CASCADE"))
    staff_id: Mapped[str]
    step: Mapped[str]
    whom: Mapped[str]
    hours: Mapped[int]
    due_at: Mapped[datetime]
    at: Mapped[datetime]
    seen_at: Mapped[datetime | None]


class DepartmentHead(Base):
    """Who is told when a department is late. Without a row: everybody of the department."""

    __tablename__ = "department_head"

    department_id: Mapped[str] = mapped_column(ForeignKey("department.id", ondelete="CASCADE"), primary_key=True)
    staff_id: Mapped[str]
