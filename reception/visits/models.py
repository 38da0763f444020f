from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, new_id


class Visit(Base):
    """One coming of one person to one centre. Ids of other packages are plain: they know nothing of visits."""

    __tablename__ = "visit"
    __table_args__ = (
        Index("ix_visit_visitor", "visitor_id", "at"),
        Index("ix_visit_ticket", "ticket_id"),
        Index("ix_visit_petition", "petition_id", "at"),
        Index("ix_visit_appointment", "appointment_id"),
        Index("ix_visit_meeting", "meeting_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    centre_id: Mapped[str]
    visitor_id: Mapped[str | None]
    ticket_id: Mapped[str | None]
    petition_id: Mapped[str | None]
    appointment_id: Mapped[str | None]
    meeting_id: Mapped[str | None]
    at: Mapped[datetime]
