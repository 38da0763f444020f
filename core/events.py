"""Events: frozen dataclasses in the past tense, written to the outbox in the transaction of their change.

`emit` is the one way for a change to become known. Nothing else notifies anybody.
"""

from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any, get_type_hints

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.db import Base


class OutboxEvent(Base):
    """One thing that happened. `id` grows with time; `fanned_out_at` is set once its deliveries exist."""

    __tablename__ = "outbox_event"
    __table_args__ = (Index("ix_outbox_event_waiting", "fanned_out_at", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    name: Mapped[str]
    payload: Mapped[dict[str, Any]]
    occurred_at: Mapped[datetime] = mapped_column(index=True)
    actor_id: Mapped[str | None]
    fanned_out_at: Mapped[datetime | None]


class EventDelivery(Base):
    """One reaction owed to one event; it and its effect commit together, and each is tried again on its own."""

    __tablename__ = "event_delivery"
    __table_args__ = (Index("ix_event_delivery_due", "done_at", "due_at"),)

    event_id: Mapped[int] = mapped_column(primary_key=True)
    reaction: Mapped[str] = mapped_column(primary_key=True)
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    done_at: Mapped[datetime | None]
    last_error: Mapped[str | None]


def name_of(event: type) -> str:
    """`queueing.tickets.events.TicketCalled` is known as `queueing.tickets.TicketCalled`, wherever the row is read."""
    return f"{event.__module__.removesuffix('.events')}.{event.__qualname__}"


def encode(event: object) -> dict[str, Any]:
    """The event's fields as JSON values; instants as ISO 8601."""
    if not is_dataclass(event):
        raise TypeError(f"{event!r} is not an event")
    values = {field.name: getattr(event, field.name) for field in fields(event)}
    return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in values.items()}


def decode(event: type, payload: dict[str, Any]) -> Any:
    """The reverse of `encode`. Fields added since the row was written take their defaults."""
    hints = get_type_hints(event)
    known = {field.name for field in fields(event)}
    return event(
        **{
            key: datetime.fromisoformat(value) if "datetime" in str(hints[key]) and value else value
            for key, value in payload.items()
            if key in known
        }
    )


def emit(session: Session, event: object, *, now: datetime) -> None:
    """Write `event` beside its change. The actor is whoever the edge put into `session.info["actor_id"]`."""
    session.add(
        OutboxEvent(
            name=name_of(type(event)),
            payload=encode(event),
            occurred_at=now,
            actor_id=session.info.get("actor_id"),
        )
    )
