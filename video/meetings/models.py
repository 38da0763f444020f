from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
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


class RoomPass(Base):
    """Lets the hall's big screen, and only it, sit in the visitor's place; only a hash of the secret is kept."""

    __tablename__ = "room_pass"

    secret_hash: Mapped[str] = mapped_column(primary_key=True)
    participant_id: Mapped[str] = mapped_column(ForeignKey("participant.id", ondelete="CASCADE"), index=True)
    expires_at: Mapped[datetime]
