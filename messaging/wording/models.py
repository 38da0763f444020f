from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, new_id
from messaging.wording.states import IN_FORCE

_ONE = text(f"state = '{IN_FORCE}'")


class Wording(Base):
    """A version of the words of one text. Versions are never changed once they were in force, and never deleted."""

    __tablename__ = "wording"
    __table_args__ = (
        UniqueConstraint("template", "version"),
        Index("uq_wording_in_force", "template", unique=True, sqlite_where=_ONE, postgresql_where=_ONE),
        Index("ix_wording_state", "state", "template"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    template: Mapped[str]
    version: Mapped[int]
    words: Mapped[dict[str, Any]]  # language → text
    state: Mapped[str]
    written_by: Mapped[str]
    written_at: Mapped[datetime]
    proposed_at: Mapped[datetime | None]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(default="")
