from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.db import Base, new_id
from recordings.archive.models import Recording
from recordings.export.states import ASKED


class Export(Base):
    """One film of one recording, for one person and purpose. The sealed file is named after it while there is one."""

    __tablename__ = "recording_export"
    __table_args__ = (
        Index("ix_recording_export_recording", "recording_id", "asked_at"),
        Index("ix_recording_export_state_until", "state", "until"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    recording_id: Mapped[str] = mapped_column(ForeignKey("recording.id", ondelete="CASCADE"))
    state: Mapped[str] = mapped_column(default=ASKED)
    format: Mapped[str]
    lang: Mapped[str]  # of the words on the film
    purpose: Mapped[str]
    asked_by: Mapped[str] = mapped_column(index=True)
    asked_at: Mapped[datetime]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    percent: Mapped[int] = mapped_column(default=0)
    begun_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    until: Mapped[datetime | None]  # of being asked, of the film, of trying again
    problem: Mapped[str | None]  # one of rules.PROBLEMS
    size: Mapped[int | None] = mapped_column(BigInteger)
    sha256: Mapped[str | None]  # of the film in clear, as the requester has it
    proof: Mapped[str | None] = mapped_column(Text)  # two lines that say so, signed (proof.py)

    recording: Mapped[Recording] = relationship(lazy="joined")

    @property
    def file(self) -> str:
        """Below the exports folder."""
        return f"{self.id}.{self.format}.sealed"
