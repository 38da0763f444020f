"""How the gateways fare, for the screens: the sender writes it down every few seconds."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from messaging.models import GatewayState
from messaging.pipeline import Handle
from messaging.providers.config import Wrong

AGAIN = timedelta(seconds=10)
FORGOTTEN = timedelta(days=7)
LAST = 99  # the place of what can't be used at all


def write(session: Session, handles: Sequence[Handle], *, now: datetime, wrong: Sequence[Wrong] = ()) -> None:
    """Rows that changed, and the others now and then; gateways that nobody has seen for long are taken out."""
    rows = {row.name: row for row in session.scalars(select(GatewayState))}
    for handle in handles:
        row = rows.get(handle.name)
        ready = handle.gateway.ready and not handle.resting
        if row is None:
            row = GatewayState(name=handle.name, ready=not ready, taken=0, refused=0, unanswered=0)
            session.add(row)
        trouble = handle.gateway.trouble[:300] or None
        fresh = handle.fresh()
        if row.ready == ready and row.trouble == trouble and not any(fresh) and now - row.seen_at < AGAIN:
            continue
        if row.ready != ready:
            row.changed_at = now
        row.kind, row.priority, row.ready, row.trouble = handle.setup.kind, handle.priority, ready, trouble
        row.health, row.rate, row.in_flight, row.seen_at = handle.share, handle.pace.now_rate, handle.in_flight, now
        row.taken, row.refused, row.unanswered = (
            row.taken + fresh[0],
            row.refused + fresh[1],
            row.unanswered + fresh[2],
        )
    for one in wrong:
        _unusable(session, rows.get(one.name), one, now)
    session.execute(delete(GatewayState).where(GatewayState.seen_at < now - FORGOTTEN))


def _unusable(session: Session, row: GatewayState | None, one: Wrong, now: datetime) -> None:
    """One that is set up wrongly stands among the others, with the reason."""
    trouble = str(one.why)[:300]
    if row is not None and row.trouble == trouble and not row.ready and now - row.seen_at < AGAIN:
        return
    if row is None:
        row = GatewayState(name=one.name, ready=True, taken=0, refused=0, unanswered=0)
        session.add(row)
    if row.ready:
        row.changed_at = now
    row.kind, row.priority, row.ready, row.trouble = one.kind, LAST, False, trouble
    row.health, row.rate, row.in_flight, row.seen_at = 0.0, None, 0, now


def gateways(session: Session) -> list[GatewayState]:
    """In the order in which they are asked."""
    return list(session.scalars(select(GatewayState).order_by(GatewayState.priority, GatewayState.name)))
