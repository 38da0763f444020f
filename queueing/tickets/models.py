from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.db import Base, new_id
from core.ids import new_code
from queueing.tickets.rules import Candidate, Desk


class ServicePoint(Base):
    """What one queues for: "a new petition", "ask about my petition". `letter` begins its tickets' labels."""

    __tablename__ = "service_point"
    __table_args__ = (UniqueConstraint("centre_id", "code"), UniqueConstraint("centre_id", "letter"))

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    centre_id: Mapped[str] = mapped_column(index=True)
    code: Mapped[str]
    letter: Mapped[str]
    name_ar: Mapped[str]
    name_en: Mapped[str]
    icon: Mapped[str] = mapped_column(default="document")
    sections: Mapped[list[str]]
    active: Mapped[bool] = mapped_column(default=True)
    order: Mapped[int] = mapped_column(default=0)

    def name(self, lang: str) -> str:
        return self.name_ar if lang == "ar" else self.name_en


class Counter(Base):
    """Where a clerk serves. Open means: a clerk sits there and takes visitors; `staff_id` is that clerk."""

    __tablename__ = "counter"
    __table_args__ = (UniqueConstraint("centre_id", "number"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    centre_id: Mapped[str] = mapped_column(index=True)
    number: Mapped[int]
    name_ar: Mapped[str]
    name_en: Mapped[str]
    service_point_ids: Mapped[list[str]]
    sections: Mapped[list[str]]
    languages: Mapped[list[str]]
    sign_language: Mapped[bool] = mapped_column(default=False)
    open: Mapped[bool] = mapped_column(default=False)
    staff_id: Mapped[str | None] = mapped_column(unique=True)

    def name(self, lang: str) -> str:
        return self.name_ar if lang == "ar" else self.name_en

    def desk(self) -> Desk:
        return Desk(
            id=self.id,
            service_point_ids=frozenset(self.service_point_ids),
            sections=frozenset(self.sections),
            languages=frozenset(self.languages),
            sign_language=self.sign_language,
        )


class TicketSeries(Base):
    """The last number given for a letter on a local day. The row is the lock: tickets are never counted for it."""

    __tablename__ = "ticket_series"

    centre_id: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    letter: Mapped[str] = mapped_column(primary_key=True)
    last: Mapped[int] = mapped_column(default=0)


class Ticket(Base):
    """One visitor's turn. It carries no name: whose it is, is known to reception only (`visitor_id`, `petition_id`).

    `label` is what everybody reads and hears (A12); `code` opens the public page and nothing else. `counter_id` is the
    present counter, or the last one. `ranked_from` and `eligible_at` are explained in rules.py.
    """

    __tablename__ = "ticket"
    __table_args__ = (
        UniqueConstraint("centre_id", "day", "label"),
        Index("ix_ticket_line", "centre_id", "state", "expires_at"),
        Index("ix_ticket_day", "centre_id", "expires_at"),
        Index(
            "ix_ticket_one_at_a_counter",
            "counter_id",
            unique=True,
            sqlite_where=text("state IN ('called', 'serving')"),
            postgresql_where=text("state IN ('called', 'serving')"),
        ),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    code: Mapped[str] = mapped_column(unique=True, default=new_code)
    centre_id: Mapped[str]
    day: Mapped[date]
    number: Mapped[int]
    label: Mapped[str]
    service_point_id: Mapped[str] = mapped_column(ForeignKey("service_point.id"))
    section: Mapped[str]
    language: Mapped[str]
    sign_language: Mapped[bool] = mapped_column(default=False)
    visitor_class: Mapped[str]
    urgent: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str]
    issued_at: Mapped[datetime]
    ranked_from: Mapped[datetime]
    eligible_at: Mapped[datetime]
    expires_at: Mapped[datetime]  # end of the local day: nobody is called from yesterday's line
    called_at: Mapped[datetime | None]  # the latest call or recall
    first_called_at: Mapped[datetime | None]
    recalls: Mapped[int] = mapped_column(default=0)
    counter_id: Mapped[str | None] = mapped_column(ForeignKey("counter.id"))
    appointment_id: Mapped[str | None] = mapped_column(index=True)
    petition_id: Mapped[str | None] = mapped_column(index=True)
    visitor_id: Mapped[str | None] = mapped_column(index=True)
    promised_low: Mapped[int | None]  # minutes said at the kiosk, kept to publish how often they held
    promised_high: Mapped[int | None]

    service_point: Mapped[ServicePoint] = relationship(lazy="joined", innerjoin=True)

    def candidate(self) -> Candidate:
        return Candidate(
            id=self.id,
            label=self.label,
            service_point_id=self.service_point_id,
            section=self.section,
            language=self.language,
            sign_language=self.sign_language,
            visitor_class=self.visitor_class,
            urgent=self.urgent,
            ranked_from=self.ranked_from,
            eligible_at=self.eligible_at,
        )


class TicketPeriod(Base):
    """One stay of a ticket in one state, so that waiting and serving times are queries. The open one has no end."""

    __tablename__ = "ticket_period"
    __table_args__ = (
        Index("ix_ticket_period_of_ticket", "ticket_id", "from_at"),
        Index(
            "ix_ticket_period_one_open",
            "ticket_id",
            unique=True,
            sqlite_where=text("to_at IS NULL"),
            postgresql_where=text("to_at IS NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    ticket_id: Mapped[str] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"))
    state: Mapped[str]
    counter_id: Mapped[str | None]
    service_point_id: Mapped[str]
    reason: Mapped[str] = mapped_column(default="")  # why parked, from service.PARK_REASONS
    from_at: Mapped[datetime]
    to_at: Mapped[datetime | None]


class CallLog(Base):
    """Every call and recall. A call keeps the tickets that were weighed: the choice can be explained and replayed."""

    __tablename__ = "call_log"
    __table_args__ = (Index("ix_call_log_centre", "centre_id", "at"), Index("ix_call_log_ticket", "ticket_id", "at"))

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    centre_id: Mapped[str]
    ticket_id: Mapped[str] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"))
    counter_id: Mapped[str] = mapped_column(ForeignKey("counter.id"))
    staff_id: Mapped[str | None]
    kind: Mapped[str]  # call | recall
    at: Mapped[datetime]
    reasons: Mapped[dict[str, Any]]


class HelpRequest(Base):
    """Somebody at a kiosk asked for a human."""

    __tablename__ = "help_request"
    __table_args__ = (
        Index(
            "ix_help_request_one_open",
            "centre_id",
            unique=True,
            sqlite_where=text("answered_at IS NULL"),
            postgresql_where=text("answered_at IS NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    centre_id: Mapped[str]
    at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    staff_id: Mapped[str | None]
