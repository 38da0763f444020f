"""Idempotency keys: a form carries a fresh key; sent twice, the second time answers with the first result."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.db import Base


class OnceKey(Base):
    __tablename__ = "once_key"

    key: Mapped[str] = mapped_column(primary_key=True)
    location: Mapped[str]
    at: Mapped[datetime] = mapped_column(index=True)


def earlier(session: Session, key: str) -> str | None:
    """Where the first use of `key` led, if it was used."""
    return session.scalar(select(OnceKey.location).where(OnceKey.key == key))


def keep(session: Session, key: str, location: str, *, now: datetime) -> None:
    """Remember the result in the transaction of the change; a rival's commit makes this one fail (IntegrityError)."""
    session.add(OnceKey(key=key, location=location, at=now))
    session.flush()
