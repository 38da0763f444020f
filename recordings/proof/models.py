from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, new_id


class Witness(Base):
    """The latest head of a journal's hash chain: kept apart from the journal, so that a tail cut off it is noticed."""

    __tablename__ = "recording_witness"

    recording_id: Mapped[str] = mapped_column(ForeignKey("recording.id", ondelete="CASCADE"), primary_key=True)
    frames: Mapped[int]
    size: Mapped[int] = mapped_column(BigInteger)
    head: Mapped[str]
    at: Mapped[datetime]


class SignedManifest(Base):
    """A manifest that was signed: its hash here tells whether the one on the disk is the newest and ours."""

    __tablename__ = "recording_manifest"
    __table_args__ = (UniqueConstraint("recording_id", "revision"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    recording_id: Mapped[str] = mapped_column(ForeignKey("recording.id", ondelete="CASCADE"), index=True)
    revision: Mapped[int]
    sha256: Mapped[str]
    key: Mapped[str]
    signed_at: Mapped[datetime]


class Check(Base):
    """One reading of a recording against its manifest. `verdict` None: not done yet; `asked_by` None: the audit."""

    __tablename__ = "recording_check"
    __table_args__ = (Index("ix_recording_check_latest", "recording_id", "asked_at"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    recording_id: Mapped[str] = mapped_column(ForeignKey("recording.id", ondelete="CASCADE"))
    asked_by: Mapped[str | None]
    asked_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    percent: Mapped[int] = mapped_column(default=0)
    verdict: Mapped[str | None]
    findings: Mapped[list[Any]] = mapped_column(JSON, default=list)
    bytes: Mapped[int] = mapped_column(BigInteger, default=0)
