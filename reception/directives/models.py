from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, new_id


class Directive(Base):
    """An order of the official. `marked_at_offset_s` is its place in the meeting's recording, in seconds.

    Given elsewhere (at the weekly audience, by telephone) it is written by the office: `meeting_id` is empty, and
    `given_by` says whose word it is.
    """

    __tablename__ = "directive"
    __table_args__ = (
        Index("ix_directive_meeting", "meeting_id", "marked_at_offset_s"),
        Index("ix_directive_petition", "petition_id", "marked_at"),
        Index("ix_directive_department", "department_id", "state", "due_at"),
        Index("ix_directive_state", "state", "due_at"),
        Index("ix_directive_age", "state", "marked_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    meeting_id: Mapped[str]
    petition_id: Mapped[str] = mapped_column(ForeignKey("petition.id"))
    state: Mapped[str]
    text: Mapped[str] = mapped_column(default="")
    marked_at_offset_s: Mapped[float]
    given_by: Mapped[str | None]
    marked_by: Mapped[str]
    marked_at: Mapped[datetime]
    written_by: Mapped[str | None]
    written_at: Mapped[datetime | None]
    signed_by: Mapped[str | None]
    signed_at: Mapped[datetime | None]
    department_id: Mapped[str | None] = mapped_column(ForeignKey("department.id"))
    assigned_by: Mapped[str | None]
    assigned_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    fulfilled_by: Mapped[str | None]
    fulfilled_at: Mapped[datetime | None]
    proof: Mapped[str] = mapped_column(default="")
    proof_file_id: Mapped[str | None]


class DirectiveReport(Base):
    """How far it is, in the words of those who carry it out."""

    __tablename__ = "directive_report"
    __table_args__ = (Index("ix_directive_report_directive", "directive_id", "at"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    directive_id: Mapped[str] = mapped_column(ForeignKey("directive.id", ondelete="CASCADE"))
    text: Mapped[str]
    staff_id: Mapped[str]
    at: Mapped[datetime]
