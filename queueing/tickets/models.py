from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.db import Base, new_id
from core.ids import new_code
from queueing.tickets.rules import Candidate, Desk


class ServicePoint(Base):
    """What one queues for: "a new petition", verification, the video hall. `letter` begins its tickets' labels.

    `kind` is what happens there (setup.KINDS in words); checked-in video appointments go to the point of kind `video`.
    """

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
    kind: Mapped[str] = mapped_column(default="reception")
    kiosk: Mapped[bool] = mapped_column(default=True)  # else one comes here from another point, or through a clerk
    first_number: Mapped[int] = mapped_column(default=1)
    daily_limit: Mapped[int | None]  # numbers a day; None: as many as come
    target_minutes: Mapped[int] = mapped_column(default=15)  # the wait the centre means to keep here
    hours: Mapped[dict[str, Any]] = mapped_column(default=dict)  # see queueing.opening.rules; empty: the centre's
    then: Mapped[list[str]] = mapped_column(default=list)  # ids of the points one usually goes on to from here

    def name(self, lang: str) -> str:
        return self.name_ar if lang == "ar" else self.name_en


class Counter(Base):
    """Where a clerk serves. Open means: a clerk sits there and takes visitors; `staff_id` is that clerk.

    With `back_at` the clerk has gone for a while and said until when (breaks.py): nobody is called here meanwhile.
    """

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
    back_at: Mapped[datetime | None]

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
    """The last number given for a letter on a local day. The row is the lock: tickets are never counted for it.

    `first` is the number that the day began with, so that the numbers given are `last - first + 1`.
    """

    __tablename__ = "ticket_series"

    centre_id: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    letter: Mapped[str] = mapped_column(primary_key=True)
    last: Mapped[int] = mapped_column(default=0)
    first: Mapped[int] = mapped_column(default=1)


class Ticket(Base):
    """One visitor's turn. It carries no name: whose it is, is known to reception only (`visitor_id`, `petition_id`).

    `label` is what everybody reads and hears (A12); `code` opens the public page and nothing else. `counter_id` is the
    present counter, or the last one. `ranked_from` and `eligible_at` are explained in rules.py; `also` are further
    classes that hold for this visitor. `stage` counts the points that are done with: one number for the whole visit.
    """

    __tablename__ = "ticket"
    __table_args__ = (
        UniqueConstraint("centre_id", "day", "label"),
        Index("ix_ticket_line", "centre_id", "state", "expires_at"),
        Index("ix_ticket_day", "centre_id", "expires_at"),
        Index("ix_ticket_came", "centre_id", "issued_at"),
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
    also: Mapped[list[str]] = mapped_column(default=list)
    urgent: Mapped[bool] = mapped_column(default=False)  # two people agreed: `TicketUrgency`
    state: Mapped[str]
    issued_at: Mapped[datetime]
    ranked_from: Mapped[datetime]
    eligible_at: Mapped[datetime]
    expires_at: Mapped[datetime]  # end of the local day: nobody is called from yesterday's line
    called_at: Mapped[datetime | None]  # the latest call or recall
    first_called_at: Mapped[datetime | None]
    recalls: Mapped[int] = mapped_column(default=0)
    stage: Mapped[int] = mapped_column(default=0)
    counter_id: Mapped[str | None] = mapped_column(ForeignKey("counter.id"))
    appointment_id: Mapped[str | None] = mapped_column(index=True)
    petition_id: Mapped[str | None] = mapped_column(index=True)
    visitor_id: Mapped[str | None] = mapped_column(index=True)
    # minutes from the issue, as told first (places.note_told): how often they held is published
    promised_low: Mapped[int | None]
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
            also=tuple(self.also),
        )


class TicketPeriod(Base):
    """One stay of a ticket in one state, so that waiting and serving times are queries. The open one has no end.

    `verb` began it and `ended` ended it: a ticket issued, recalled, transferred or forwarded shows here as such, though
    each of these leads into a state that others lead into too. `staff_id` is who pressed.
    """

    __tablename__ = "ticket_period"
    __table_args__ = (
        Index("ix_ticket_period_of_ticket", "ticket_id", "from_at"),
        Index("ix_ticket_period_point", "service_point_id", "to_at", "ended"),
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
    verb: Mapped[str] = mapped_column(default="")
    ended: Mapped[str] = mapped_column(default="")
    staff_id: Mapped[str | None]
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
    discipline_id: Mapped[str | None] = mapped_column(ForeignKey("queue_discipline.id"))  # None: the product's own


class QueueDiscipline(Base):
    """The rates and minutes that a centre decided by from a moment on (`rules.Discipline.as_json`). Only ever added."""

    __tablename__ = "queue_discipline"
    __table_args__ = (Index("ix_queue_discipline_centre", "centre_id", "valid_from"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    centre_id: Mapped[str]
    valid_from: Mapped[datetime]
    set_by: Mapped[str]
    set_at: Mapped[datetime]
    content: Mapped[dict[str, Any]]


class TicketPress(Base):
    """What a clerk pressed and what the ticket was before, so that a slip can be taken back within seconds.

    `number` counts the presses of a counter; presses of one `group` (finish and call next) are taken back together.
    `before` are columns of the ticket, instants in ISO 8601.
    """

    __tablename__ = "ticket_press"
    __table_args__ = (
        Index("ix_ticket_press_counter", "counter_id", "number"),
        Index("ix_ticket_press_period", "period_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    counter_id: Mapped[str] = mapped_column(ForeignKey("counter.id", ondelete="CASCADE"))
    number: Mapped[int]
    group: Mapped[str]
    staff_id: Mapped[str | None]
    ticket_id: Mapped[str] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"))
    period_id: Mapped[str]  # that it began
    verb: Mapped[str]
    at: Mapped[datetime]
    before: Mapped[dict[str, Any]]
    undone_at: Mapped[datetime | None]


class TicketUrgency(Base):
    """One person says why a turn can't wait; it counts once a second one agrees. Both names and both times stay."""

    __tablename__ = "ticket_urgency"
    __table_args__ = (
        Index("ix_ticket_urgency_ticket", "ticket_id", "proposed_at"),
        Index(
            "ix_ticket_urgency_one_open",
            "ticket_id",
            unique=True,
            sqlite_where=text("decided_at IS NULL"),
            postgresql_where=text("decided_at IS NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    ticket_id: Mapped[str] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"))
    reason: Mapped[str]
    proposed_by: Mapped[str]
    proposed_at: Mapped[datetime]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    agreed: Mapped[bool | None]


class TicketNear(Base):
    """This ticket was told that few are ahead, once for each point of its visit."""

    __tablename__ = "ticket_near"

    ticket_id: Mapped[str] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"), primary_key=True)
    stage: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]


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
