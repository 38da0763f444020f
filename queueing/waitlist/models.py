from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.db import Base, new_id
from queueing.appointments.models import Appointment, Slot
from queueing.waitlist.states import IN_LINE, OPEN, WAITING

_IN_LINE = text("state IN ({})".format(", ".join(f"'{state}'" for state in IN_LINE)))
_OPEN = text(f"state = '{OPEN}'")


class Waiting(Base):
    """One petition in line for an appointment. Empty wishes (`kind`, centre, official, days) mean that any will do.

    `label` is what staff call the case; `joined_at` is what the waiting counts from, and stays through every offer.
    """

    __tablename__ = "waitlist"
    __table_args__ = (
        Index("uq_waitlist_petition", "petition_id", unique=True, sqlite_where=_IN_LINE, postgresql_where=_IN_LINE),
        Index("ix_waitlist_line", "state", "joined_at"),
        Index("ix_waitlist_visitor", "visitor_id", "state"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    petition_id: Mapped[str] = mapped_column(index=True)
    visitor_id: Mapped[str]
    label: Mapped[str]
    kind: Mapped[str] = mapped_column(default="")
    centre_id: Mapped[str | None]
    official_id: Mapped[str | None]
    needs_interpreter: Mapped[bool] = mapped_column(default=False)
    earliest: Mapped[datetime | None]
    latest: Mapped[datetime | None]
    visitor_class: Mapped[str]
    urgent: Mapped[bool] = mapped_column(default=False)
    for_earlier: Mapped[bool] = mapped_column(default=False, server_default=false())  # has an appointment already
    state: Mapped[str] = mapped_column(default=WAITING)
    joined_at: Mapped[datetime]
    joined_by: Mapped[str]
    changed_at: Mapped[datetime]
    unanswered: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str] = mapped_column(default="")


class Offer(Base):
    """A place kept for somebody who waits, by a hold of the calendar; `reasons` are the numbers that decided it."""

    __tablename__ = "waitlist_offer"
    __table_args__ = (
        Index("uq_waitlist_offer_open", "waiting_id", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ix_waitlist_offer_state", "state", "until"),
        Index("ix_waitlist_offer_slot", "slot_id", "waiting_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    waiting_id: Mapped[str] = mapped_column(ForeignKey("waitlist.id"), index=True)
    slot_id: Mapped[str] = mapped_column(ForeignKey("appointment_slot.id"))
    appointment_id: Mapped[str] = mapped_column(ForeignKey("appointment.id"), unique=True)
    state: Mapped[str] = mapped_column(default=OPEN)
    offered_at: Mapped[datetime]
    until: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    reasons: Mapped[dict[str, Any]]

    waiting: Mapped[Waiting] = relationship(lazy="joined", innerjoin=True)
    appointment: Mapped[Appointment] = relationship(lazy="joined", innerjoin=True)

    @property
    def slot(self) -> Slot:
        return self.appointment.slot
