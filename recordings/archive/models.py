from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.db import Base, new_id
from recordings.archive.states import RECORDING


class Recording(Base):
    """What the recorder of one meeting wrote without a break. A media process that dies leaves two of them."""

    __tablename__ = "recording"
    __table_args__ = (Index("ix_recording_state_started", "state", "started_at"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    meeting_id: Mapped[str] = mapped_column(index=True)
    petition_id: Mapped[str] = mapped_column(index=True)
    state: Mapped[str] = mapped_column(default=RECORDING)
    started_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    duration_s: Mapped[float | None]
    journal: Mapped[str]  # path below the recordings folder
    problem: Mapped[str | None]
    signing_problem: Mapped[str | None]  # why the last try to sign it was given up

    renditions: Mapped[list["Rendition"]] = relationship(lazy="selectin", order_by="Rendition.role")
    grants: Mapped[list["Grant"]] = relationship(lazy="selectin")


class Rendition(Base):
    """One participant's picture and sound as a sealed WebM on the recording's timeline."""

    __tablename__ = "rendition"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    recording_id: Mapped[str] = mapped_column(ForeignKey("recording.id", ondelete="CASCADE"), index=True)
    participant_id: Mapped[str]
    role: Mapped[str]
    name_ar: Mapped[str]
    name_en: Mapped[str]
    path: Mapped[str]
    duration_s: Mapped[float]
    width: Mapped[int]
    height: Mapped[int]
    has_audio: Mapped[bool]
    has_video: Mapped[bool]
    gaps: Mapped[list[Any]] = mapped_column(JSON)

    def name(self, lang: str) -> str:
        return self.name_ar if lang == "ar" else self.name_en


class Grant(Base):
    """Leave to view one recording, given to one person for one purpose."""

    __tablename__ = "recording_grant"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    recording_id: Mapped[str] = mapped_column(ForeignKey("recording.id", ondelete="CASCADE"), index=True)
    staff_id: Mapped[str] = mapped_column(index=True)
    purpose: Mapped[str]
    granted_by: Mapped[str | None]
    granted_at: Mapped[datetime]
    until: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
