from datetime import datetime

from sqlalchemy import ForeignKey, Index
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
        Index("ix_message_sent", "state", "sent_at"),
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
    provider_id: Mapped[str | None]  # of the first part; every part has its own in `MessagePart`
    subject_kind: Mapped[str]
    subject_id: Mapped[str]
    visitor_id: Mapped[str | None] = mapped_column(index=True)
    created_at: Mapped[datetime] = mapped_column(index=True)
    due_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    error: Mapped[str | None]
    expires_at: Mapped[datetime | None]  # it is not sent after this
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    doubts: Mapped[int] = mapped_column(default=0, server_default="0")
    """How often it was sent again though it may have left before: its reader may have it once more for each."""
    sender: Mapped[str | None]  # the name or number it went out under


class Dispatch(Base):
    """A text that has yet to leave: its whole words and number, gone from here as soon as a gateway has it.

    `run_at` is when it is next due; while `claim` names a sender's journal it is the end of that sender's lease.
    """

    __tablename__ = "message_dispatch"
    __table_args__ = (Index("ix_message_dispatch_due", "held", "lane", "run_at"),)

    message_id: Mapped[str] = mapped_column(ForeignKey("message.id"), primary_key=True)
    to_number: Mapped[str]
    body: Mapped[str]
    message_class: Mapped[str]
    lane: Mapped[int]
    run_at: Mapped[datetime]
    expires_at: Mapped[datetime | None] = mapped_column(index=True)
    attempts: Mapped[int] = mapped_column(default=0)
    claim: Mapped[str | None] = mapped_column(index=True)
    avoid: Mapped[str | None]  # the gateway that last failed it: another one is tried first
    held: Mapped[bool] = mapped_column(default=False)
    released: Mapped[bool] = mapped_column(default=False)  # a person let it go, pilot or not


class MessagePart(Base):
    """One part of a text as one attempt handed it to a gateway. `provider_key` is the id in the form receipts find."""

    __tablename__ = "message_part"
    __table_args__ = (
        Index("ix_message_part_message", "message_id", "number"),
        Index("ix_message_part_provider", "provider", "provider_key"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    message_id: Mapped[str] = mapped_column(ForeignKey("message.id"))
    number: Mapped[int]  # 1 is the first; 0: the whole text, handed over uncut
    attempt: Mapped[int]
    provider: Mapped[str]
    provider_id: Mapped[str | None]  # as the gateway gave it
    provider_key: Mapped[str | None]
    state: Mapped[str]
    error: Mapped[str | None]
    at: Mapped[datetime]
    settled_at: Mapped[datetime | None]


class MessageReceipt(Base):
    """What a gateway told of a part later. One that fits nothing yet is kept: its part may be recorded in a moment."""

    __tablename__ = "message_receipt"
    __table_args__ = (
        Index("ix_message_receipt_message", "message_id", "received_at"),
        Index("ix_message_receipt_open", "part_id", "provider", "provider_key"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    provider: Mapped[str]
    provider_id: Mapped[str]
    provider_key: Mapped[str]
    from_number: Mapped[str]
    message_id: Mapped[str | None]
    part_id: Mapped[str | None]
    state: Mapped[str]
    code: Mapped[str]
    repeated: Mapped[bool] = mapped_column(default=False)  # told before, or overtaken by a later state
    received_at: Mapped[datetime] = mapped_column(index=True)


class InboundText(Base):
    """A text somebody sent to us, whole. `handled_at` is set by whoever answers it."""

    __tablename__ = "inbound_text"
    __table_args__ = (Index("ix_inbound_text_number", "from_number", "received_at"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    key: Mapped[str] = mapped_column(unique=True)  # the same text told twice is one
    provider: Mapped[str]
    from_number: Mapped[str]  # +966…; as it came where it is no complete number
    to_number: Mapped[str]  # our number or short code
    body: Mapped[str]
    complete: Mapped[bool] = mapped_column(default=True)  # False: a part never came, or the bytes were no text
    received_at: Mapped[datetime] = mapped_column(index=True)
    handled_at: Mapped[datetime | None]


class InboundPart(Base):
    """A part of a longer text that waits for the others."""

    __tablename__ = "inbound_part"
    __table_args__ = (Index("ix_inbound_part_of", "provider", "from_number", "reference"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    provider: Mapped[str]
    from_number: Mapped[str]
    to_number: Mapped[str]
    reference: Mapped[int]
    total: Mapped[int]
    number: Mapped[int]
    encoding: Mapped[str]
    octets: Mapped[str]  # in hex: a character may lie across two parts
    received_at: Mapped[datetime] = mapped_column(index=True)


class AllowedNumber(Base):
    """In a pilot, the numbers that get real texts."""

    __tablename__ = "allowed_number"

    number: Mapped[str] = mapped_column(primary_key=True)
    note: Mapped[str]
    added_by: Mapped[str]
    added_at: Mapped[datetime]


class GatewayState(Base):
    """How a gateway fares, as the sender last saw it (some seconds ago; `seen_at` says how many)."""

    __tablename__ = "gateway_state"

    name: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    priority: Mapped[int]
    ready: Mapped[bool]
    health: Mapped[float]  # 0 … 1: the share of late hand-overs that went well
    rate: Mapped[float | None]  # parts a second that it may get; None: as many as it takes
    in_flight: Mapped[int]
    taken: Mapped[int] = mapped_column(default=0)  # parts since the row was made
    refused: Mapped[int] = mapped_column(default=0)
    unanswered: Mapped[int] = mapped_column(default=0)
    trouble: Mapped[str | None]
    changed_at: Mapped[datetime]
    seen_at: Mapped[datetime]


class GatewayLine(Base):
    """How far a limited gateway's throughput is given out to workers."""

    __tablename__ = "gateway_line"

    name: Mapped[str] = mapped_column(primary_key=True)
    free_at: Mapped[datetime]
