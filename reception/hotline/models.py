from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, new_id


class HotlineCall(Base):
    """Who called about what, and what was told. `caller` is free words where no record was found."""

    __tablename__ = "hotline_call"
    __table_args__ = (
        Index("ix_hotline_call_petition", "petition_id", "at"),
        Index("ix_hotline_call_visitor", "visitor_id", "at"),
        Index("ix_hotline_call_at", "at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    visitor_id: Mapped[str | None] = mapped_column(ForeignKey("visitor.id"))
    petition_id: Mapped[str | None] = mapped_column(ForeignKey("petition.id"))
    caller: Mapped[str] = mapped_column(default="")
    asked: Mapped[str]
    told: Mapped[str] = mapped_column(default="")
    staff_id: Mapped[str]
    at: Mapped[datetime]


class CallBack(Base):
    """Somebody to be called: promised on the phone, or because a text about an appointment did not arrive."""

    __tablename__ = "call_back"
    __table_args__ = (Index("ix_call_back_open", "state", "due_at"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    visitor_id: Mapped[str] = mapped_column(ForeignKey("visitor.id"))
    petition_id: Mapped[str | None] = mapped_column(ForeignKey("petition.id"), index=True)
    reason: Mapped[str]
    state: Mapped[str]
    due_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(default=0)
    asked_by: Mapped[str | None]
    asked_at: Mapped[datetime]
    done_by: Mapped[str | None]
    done_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(default="")
    unique_key: Mapped[str | None] = mapped_column(unique=True)


class CallerCheck(Base):
    """Whether a caller could say what only the visitor knows. Before one has passed, nothing personal is shown."""

    __tablename__ = "hotline_check"
    __table_args__ = (Index("ix_hotline_check_visitor", "visitor_id", "at"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    visitor_id: Mapped[str] = mapped_column(ForeignKey("visitor.id"))
    staff_id: Mapped[str]
    passed: Mapped[bool]
    at: Mapped[datetime]


class Concern(Base):
    """A complaint about the service, or a case that an agent raises. It lies with a centre's manager or the office."""

    __tablename__ = "hotline_concern"
    __table_args__ = (
        Index("ix_hotline_concern_state", "state", "due_at"),
        Index("ix_hotline_concern_centre", "centre_id", "state"),
        Index("ix_hotline_concern_petition", "petition_id"),
        Index("ix_hotline_concern_raised_by", "raised_by", "raised_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[str]
    about: Mapped[str]
    text: Mapped[str]
    state: Mapped[str]
    visitor_id: Mapped[str | None] = mapped_column(ForeignKey("visitor.id"))
    petition_id: Mapped[str | None] = mapped_column(ForeignKey("petition.id"))
    centre_id: Mapped[str | None]
    raised_by: Mapped[str]
    raised_at: Mapped[datetime]
    due_at: Mapped[datetime]
    zone: Mapped[str]  # in whose working time it is due
    answer: Mapped[str] = mapped_column(default="")
    answered_by: Mapped[str | None]
    answered_at: Mapped[datetime | None]


class PhoneCall(Base):
    """A call that the telephone system announced to an agent."""

    __tablename__ = "hotline_phone_call"
    __table_args__ = (Index("ix_hotline_phone_call_staff", "staff_id", "at"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    external_id: Mapped[str] = mapped_column(unique=True)
    number: Mapped[str]
    staff_id: Mapped[str]
    at: Mapped[datetime]
    taken_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
