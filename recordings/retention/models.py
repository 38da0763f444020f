from datetime import datetime

from sqlalchemy import ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, new_id
from recordings.retention.states import IN_FORCE, PROPOSED


class Term(Base):
    """How many years recordings of a type of case are kept, and why. The empty code stands for all other types."""

    __tablename__ = "retention_term"

    type_code: Mapped[str] = mapped_column(primary_key=True)
    years: Mapped[int]
    reason_ar: Mapped[str] = mapped_column(default="")
    reason_en: Mapped[str] = mapped_column(default="")
    changed_by: Mapped[str]
    changed_at: Mapped[datetime]

    def reason(self, lang: str) -> str:
        return self.reason_ar if lang == "ar" else self.reason_en


class Hold(Base):
    """Forbids destruction, of one recording or (`petition_id`) of a case's: set by one person, lifted by two.

    `recording_id` is always the recording on whose page it was set.
    """

    __tablename__ = "recording_hold"
    __table_args__ = (Index("ix_recording_hold_petition", "petition_id", "state"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    recording_id: Mapped[str] = mapped_column(ForeignKey("recording.id", ondelete="CASCADE"), index=True)
    petition_id: Mapped[str | None]
    state: Mapped[str] = mapped_column(default=IN_FORCE)
    reason: Mapped[str]
    set_by: Mapped[str]
    set_at: Mapped[datetime]
    lift_reason: Mapped[str] = mapped_column(default="")
    lift_asked_by: Mapped[str | None]
    lift_asked_at: Mapped[datetime | None]
    lifted_by: Mapped[str | None]
    lifted_at: Mapped[datetime | None]


class Destruction(Base):
    """The end of one recording: proposed by one person, agreed to by another, carried out on the keys.

    `certificate` is two lines, as `certificate.py` writes them: what was destroyed, signed by the proof key.
    """

    __tablename__ = "recording_destruction"
    __table_args__ = (
        Index("ix_recording_destruction_recording", "recording_id", "proposed_at"),
        Index("ix_recording_destruction_state", "state", "proposed_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    recording_id: Mapped[str] = mapped_column(ForeignKey("recording.id", ondelete="CASCADE"))
    state: Mapped[str] = mapped_column(default=PROPOSED)
    reason: Mapped[str]
    kept_until: Mapped[datetime]
    years: Mapped[int]
    proposed_by: Mapped[str]
    proposed_at: Mapped[datetime]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    problem: Mapped[str | None]
    certificate: Mapped[str | None] = mapped_column(Text)
    removal: Mapped[str | None] = mapped_column(Text)  # signed likewise: what the bucket still had then is gone, too
