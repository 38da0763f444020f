"""Rates that managers proposed and nobody has decided on yet: a number at the navigation, a word at the centre."""

from collections import Counter
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.audit import AuditEntry
from queueing.tickets import standing
from reception.centres.models import Centre

PROPOSED = "propose discipline"


def waiting(session: Session, *, now: datetime) -> dict[str, int]:
    """By centre, the proposals made since its rates were last set. Setting them, as proposed or not, answers all."""
    rows = session.execute(
        select(AuditEntry.subject_id, AuditEntry.at).where(
            AuditEntry.subject_id.in_(select(Centre.id)),
            AuditEntry.subject_kind == "centre",
            AuditEntry.action == PROPOSED,
        )
    ).all()
    decided = {key: standing.version_at(session, key, now=now) for key in {key for key, _ in rows}}
    return dict(Counter(key for key, at in rows if (last := decided[key]) is None or at >= last.set_at))
