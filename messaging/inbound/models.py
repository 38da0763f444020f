from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class Dialogue(Base):
    """Where an exchange with one number stands: the question that waits, and how many texts came in this hour."""

    __tablename__ = "dialogue"

    number: Mapped[str] = mapped_column(primary_key=True)
    question: Mapped[str] = mapped_column(default="")
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)
    expires_at: Mapped[datetime | None]
    window_at: Mapped[datetime | None]
    count: Mapped[int] = mapped_column(default=0)
    warned_at: Mapped[datetime | None]
    helped_at: Mapped[datetime | None]
    seen_at: Mapped[datetime] = mapped_column(index=True)


class InboundAnswer(Base):
    """What was understood of a text, and what came of it. `outcome` is a word of `reception/answers`."""

    __tablename__ = "inbound_answer"
    __table_args__ = (
        Index("ix_inbound_answer_number", "number", "at"),
        Index("ix_inbound_answer_open", "needs_person", "done_at", "at"),
    )

    inbound_id: Mapped[str] = mapped_column(ForeignKey("inbound_text.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[str]
    command: Mapped[str]
    outcome: Mapped[str]
    needs_person: Mapped[bool] = mapped_column(default=False)
    at: Mapped[datetime] = mapped_column(index=True)
    done_by: Mapped[str | None]
    done_at: Mapped[datetime | None]
    note: Mapped[str] = mapped_column(default="")
