from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, new_id
from messaging.numbers.states import OPEN


class PhoneNumber(Base):
    """What is wished for on one number. Without a row: nothing was said yet."""

    __tablename__ = "phone_number"

    number: Mapped[str] = mapped_column(primary_key=True)
    language: Mapped[str | None]
    stopped_at: Mapped[datetime | None]
    campaigns_at: Mapped[datetime | None] = mapped_column(index=True)  # since when campaigns are welcome
    changed_at: Mapped[datetime]


class VerifiedNumber(Base):
    """`owner_id` has shown at `place` that the number reaches them. A family may share one."""

    __tablename__ = "verified_number"
    __table_args__ = (Index("ix_verified_number_owner", "owner_id"),)

    number: Mapped[str] = mapped_column(primary_key=True)
    owner_id: Mapped[str] = mapped_column(primary_key=True)
    place: Mapped[str]
    at: Mapped[datetime]
    by_staff: Mapped[str | None]


class NumberCode(Base):
    """One code that was sent. Of its digits only a keyed hash is kept."""

    __tablename__ = "number_code"
    __table_args__ = (
        Index("ix_number_code_number", "number", "made_at"),
        Index("ix_number_code_device", "device", "made_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    number: Mapped[str]
    owner_id: Mapped[str]
    device: Mapped[str]
    place: Mapped[str]
    code_hash: Mapped[str]
    state: Mapped[str] = mapped_column(default=OPEN)
    tries: Mapped[int] = mapped_column(default=0)
    made_at: Mapped[datetime] = mapped_column(index=True)
    expires_at: Mapped[datetime]
