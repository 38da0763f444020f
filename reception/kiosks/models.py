from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, new_id
from core.ids import new_code
from reception.kiosks.states import READY, WANTED


class Kiosk(Base):
    """A device in the hall. `key` stands in the address that makes a browser this device; it opens nothing else.

    `condition` is how the printer was when it was last asked (`asked_at`) or printed, since `condition_since`.
    """

    __tablename__ = "kiosk"
    __table_args__ = (UniqueConstraint("centre_id", "code"), Index("ix_kiosk_asked", "active", "asked_at"))

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    centre_id: Mapped[str] = mapped_column(ForeignKey("centre.id"))
    code: Mapped[str]
    name_ar: Mapped[str]
    name_en: Mapped[str]
    key: Mapped[str] = mapped_column(unique=True, default=lambda: new_code(20))
    printer: Mapped[str]
    address: Mapped[str] = mapped_column(default="")
    paper_mm: Mapped[int] = mapped_column(default=80)
    active: Mapped[bool] = mapped_column(default=True)
    condition: Mapped[str] = mapped_column(default=READY)
    condition_since: Mapped[datetime | None]
    asked_at: Mapped[datetime | None]

    def name(self, lang: str) -> str:
        return self.name_ar if lang == "ar" else self.name_en


class Slip(Base):
    """A ticket on paper, at most one for each: pressing twice and loading again find the same row."""

    __tablename__ = "slip"
    __table_args__ = (Index("ix_slip_kiosk", "kiosk_id", "asked_at"),)

    ticket_id: Mapped[str] = mapped_column(primary_key=True)
    kiosk_id: Mapped[str] = mapped_column(ForeignKey("kiosk.id"))
    lang: Mapped[str]
    state: Mapped[str] = mapped_column(default=WANTED)
    problem: Mapped[str] = mapped_column(default="")  # a condition, where it failed
    asked_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=1)


class TurnPhone(Base):
    """The number that the text "few are ahead" goes to, if the visitor wants one; gone when the turn is over."""

    __tablename__ = "turn_phone"

    ticket_id: Mapped[str] = mapped_column(primary_key=True)
    phone: Mapped[str]
    lang: Mapped[str]
    asked_at: Mapped[datetime]
