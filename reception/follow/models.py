from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, new_id


class FollowDoor(Base):
    """The wrong tries at a visitor's page since the last right one. Without a row there was none."""

    __tablename__ = "follow_door"

    petition_id: Mapped[str] = mapped_column(ForeignKey("petition.id", ondelete="CASCADE"), primary_key=True)
    wrong: Mapped[int] = mapped_column(default=0)
    paused_until: Mapped[datetime | None]


class Satisfaction(Base):
    """What a visitor thought of it at the end: 1 (badly) to 5 (very well), and words. One for each settling."""

    __tablename__ = "follow_satisfaction"
    __table_args__ = (
        CheckConstraint("score BETWEEN 1 AND 5", name="score"),
        Index("ix_follow_satisfaction_at", "at"),
        Index("ix_follow_satisfaction_petition", "petition_id", "settled_at", unique=True),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    petition_id: Mapped[str] = mapped_column(ForeignKey("petition.id", ondelete="CASCADE"))
    settled_at: Mapped[datetime]
    centre_id: Mapped[str]
    department_id: Mapped[str | None]
    type_id: Mapped[str]
    score: Mapped[int]
    words: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime]
