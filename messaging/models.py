from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, new_id
from messaging.states import CREATED


class Message(Base):
    """One text to one number. The body is what was written, not what a template would say today."""

    __tablename__ = "message"
    __table_args__ = (
        Index("ix_message_subject", "subject_kind", "subject_id", "created_at"),
        Index("ix_message_outbox", "state", "created_at"),
        Index("ix_message_provider", "provider", "provider_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    key: Mapped[str] = mapped_column(unique=True)
    to_number: Mapped[str] = mapped_column(index=True)
    language: Mapped[str]
    template: Mapped[str]
    message_class: Mapped[str]
    body: Mapped[str]
    encoding: Mapped[str]
    parts: Mapped[int]
    state: Mapped[str] = mapped_column(default=CREATED)
    provider: Mapped[str | None]
    provider_id: Mapped[str | None]
    subject_kind: Mapped[str]
    subject_id: Mapped[str]
    visitor_id: Mapped[str | None] = mapped_column(index=True)
    created_at: Mapped[datetime] = mapped_column(index=True)
    due_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    error: Mapped[str | None]
