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
