from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, new_id
from recordings.notes.states import KEPT


class Note(Base):
    """A viewer's words at a moment of a recording, read by whoever may view it."""

    __tablename__ = "recording_note"
    __table_args__ = (Index("ix_recording_note_place", "recording_id", "at_s"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    recording_id: Mapped[str] = mapped_column(ForeignKey("recording.id", ondelete="CASCADE"))
    state: Mapped[str] = mapped_column(default=KEPT)
    at_s: Mapped[float]
    text: Mapped[str]
    written_by: Mapped[str]
    written_at: Mapped[datetime]
    changed_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
