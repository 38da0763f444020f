"""The audit trail: a row for every read and change of a person's data. Rows are only ever added.

Changes are noted in their own transaction. Reads happen in read-only transactions, or beside a change that is given
up; so they are collected on the session and written by the edge before the response leaves (`pending`).
"""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped, Session, mapped_column

from core.db import Base, new_id

READS = frozenset({"read", "list", "find", "open"})
"""They stay true when the change that they were noted beside is given up: what was shown was seen."""


class AuditEntry(Base):
    __tablename__ = "audit_entry"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    at: Mapped[datetime] = mapped_column(index=True)
    actor_id: Mapped[str | None] = mapped_column(index=True)
    actor_name: Mapped[str]
    action: Mapped[str]
    subject_kind: Mapped[str]
    subject_id: Mapped[str] = mapped_column(index=True)
    detail: Mapped[dict[str, Any]]
    address: Mapped[str | None]


def note(
    session: Session,
    action: str,
    kind: str,
    subject_id: str,
    *,
    now: datetime,
    detail: dict[str, Any] | None = None,
) -> None:
    """Record that the acting person did `action` (a verb, "read" included) to a subject.

    Who acts comes from the edge through `session.info`: actor_id, actor_name, address.
    """
    entry = {
        "at": now,
        "actor_id": session.info.get("actor_id"),
        "actor_name": session.info.get("actor_name", "system"),
        "action": action,
        "subject_kind": kind,
        "subject_id": subject_id,
        "detail": detail or {},
        "address": session.info.get("address"),
    }
    reading = session.info.get("read_only")
    if not reading:
        session.add(AuditEntry(**entry))
    if reading or action in READS:
        session.info.setdefault("audit", []).append(entry)


def pending(session: Session) -> list[dict[str, Any]]:
    """What was noted on a read-only session, or read in a transaction that was given up, for the edge to write."""
    return list(session.info.get("audit", []))
