from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.db import Base, new_id
from recordings.archive.states import RECORDING


class Recording(Base):
    """What the recorder of one meeting wrote without a break. A media process that dies leaves two of them."""

    __tablename__ = "recording"
    __table_args__ = (
        Index("ix_recording_state_started", "state", "started_at"),
        Index("ix_recording_started", "started_at", "id"),
    )

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
    """Leave to view, for one purpose, until a day: to a person, or to a role (officers: of one department).

    It covers one recording, or with `petition_id` every recording of a case in which its giver took part. Rows without
    `granted_by` are the archive's own: they say who took part.
    """

    __tablename__ = "recording_grant"
    __table_args__ = (Index("ix_recording_grant_petition", "petition_id"), Index("ix_recording_grant_role", "role"))

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    recording_id: Mapped[str | None] = mapped_column(ForeignKey("recording.id", ondelete="CASCADE"), index=True)
    petition_id: Mapped[str | None]
    staff_id: Mapped[str | None] = mapped_column(index=True)
    role: Mapped[str | None]
    department_id: Mapped[str | None]
    purpose: Mapped[str]
    granted_by: Mapped[str | None]
    granted_at: Mapped[datetime]
    until: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[str | None]


class View(Base):
    """One sitting of one person before one recording: when, by which leave, and which parts were given out.

    `spans` are [from, to] in whole seconds, `what` the sides (participant ids) and other pieces that were opened.
    """

    __tablename__ = "recording_view"
    __table_args__ = (
        Index("ix_recording_view_recording", "recording_id", "began_at"),
        Index("ix_recording_view_staff", "staff_id", "recording_id", "last_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    recording_id: Mapped[str] = mapped_column(ForeignKey("recording.id", ondelete="CASCADE"))
    staff_id: Mapped[str]
    purpose: Mapped[str]
    began_at: Mapped[datetime]
    last_at: Mapped[datetime]
    address: Mapped[str | None]
    spans: Mapped[list[Any]] = mapped_column(JSON, default=list)
    what: Mapped[list[Any]] = mapped_column(JSON, default=list)
