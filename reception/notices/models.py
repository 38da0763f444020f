from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, new_id
from reception.notices.rules import USUAL_VOLUME


class Notice(Base):
    """A line for the halls. Without a centre it is the ministry's, shown in all of them."""

    __tablename__ = "notice"
    __table_args__ = (Index("ix_notice_shown", "state", "until_at"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    centre_id: Mapped[str | None] = mapped_column(ForeignKey("centre.id"), index=True)
    text_ar: Mapped[str]
    text_en: Mapped[str]
    urgent: Mapped[bool] = mapped_column(default=False)
    from_at: Mapped[datetime]
    until_at: Mapped[datetime]
    state: Mapped[str]
    author_id: Mapped[str]
    created_at: Mapped[datetime]

    def text(self, lang: str) -> str:
        return self.text_ar if lang == "ar" else self.text_en


class HallScreen(Base):
    """How a centre's hall sounds. Quiet hours are minutes of the local day; `ways` tells where a counter lies."""

    __tablename__ = "hall_screen"

    centre_id: Mapped[str] = mapped_column(ForeignKey("centre.id"), primary_key=True)
    volume: Mapped[int] = mapped_column(default=USUAL_VOLUME)
    english: Mapped[bool] = mapped_column(default=True)
    quiet_from: Mapped[int | None]
    quiet_until: Mapped[int | None]
    ways: Mapped[dict[str, Any]]
