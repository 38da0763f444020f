from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.db import Base, new_id
from video.meetings.states import INVITED, SCHEDULED


class Meeting(Base):
    """A private conversation of a visitor with an official. Everything else about it hangs on these ids."""

    __tablename__ = "meeting"
    __table_args__ = (Index("ix_meeting_state_starts", "state", "starts_at"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    appointment_id: Mapped[str] = mapped_column(unique=True)
    petition_id: Mapped[str] = mapped_column(index=True)
    visitor_id: Mapped[str] = mapped_column(index=True)
    centre_id: Mapped[str] = mapped_column(index=True)
    official_id: Mapped[str] = mapped_column(index=True)
    state: Mapped[str] = mapped_column(default=SCHEDULED)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    node: Mapped[str | None]  # address of the media process that carries it
    opened_at: Mapped[datetime | None]
    live_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    recording_lost: Mapped[str | None]

    participants: Mapped[list["Participant"]] = relationship(lazy="selectin", order_by="Participant.id")


class Participant(Base):
    """A place in a meeting. Staff take theirs by sign-in; the visitor's is taken by the hall's device."""

    __tablename__ = "participant"
    __table_args__ = (UniqueConstraint("meeting_id", "staff_id"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    meeting_id: Mapped[str] = mapped_column(ForeignKey("meeting.id", ondelete="CASCADE"), index=True)
    role: Mapped[str]
    staff_id: Mapped[str | None] = mapped_column(index=True)
    name_ar: Mapped[str]
    name_en: Mapped[str]
    state: Mapped[str] = mapped_column(default=INVITED)
    admitted_at: Mapped[datetime | None]
    joined_at: Mapped[datetime | None]
    left_at: Mapped[datetime | None]

    def name(self, lang: str) -> str:
        return self.name_ar if lang == "ar" else self.name_en


class MeetingQuality(Base):
    """How one connection of a participant fared: a row a leg; `LegSummary` of the media plane explains the figures."""

    __tablename__ = "meeting_quality"

    meeting_id: Mapped[str] = mapped_column(ForeignKey("meeting.id", ondelete="CASCADE"), primary_key=True)
    participant_id: Mapped[str] = mapped_column(ForeignKey("participant.id", ondelete="CASCADE"), primary_key=True)
    began_at: Mapped[datetime] = mapped_column(primary_key=True)
    leg: Mapped[str]
    updated_at: Mapped[datetime]
    over: Mapped[bool]
    seconds: Mapped[float]
    packets_in: Mapped[int]
    bytes_in: Mapped[int] = mapped_column(BigInteger)
    packets_out: Mapped[int]
    bytes_out: Mapped[int] = mapped_column(BigInteger)
    lost_in: Mapped[int]
    asked_in: Mapped[int]
    repaired_in: Mapped[int]
    unfilled_in: Mapped[int]
    asked_out: Mapped[int]
    answered_out: Mapped[int]
    worst_loss_out: Mapped[float]
    silences: Mapped[int]
    silent_s: Mapped[float]
    stills: Mapped[int]
    rtt_ms_least: Mapped[float | None]
    rtt_ms_mean: Mapped[float | None]
    rtt_ms_most: Mapped[float | None]
    kbps_in_least: Mapped[float | None]
    kbps_in_most: Mapped[float | None]
    kbps_out_least: Mapped[float | None]
    kbps_out_most: Mapped[float | None]
    link_drops: Mapped[int]


class RoomPass(Base):
    """Lets the hall's big screen, and only it, sit in the visitor's place; only a hash of the secret is kept."""

    __tablename__ = "room_pass"

    secret_hash: Mapped[str] = mapped_column(primary_key=True)
    participant_id: Mapped[str] = mapped_column(ForeignKey("participant.id", ondelete="CASCADE"), index=True)
    expires_at: Mapped[datetime]
