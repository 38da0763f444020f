"""A provider's limit holds for all workers together: slots of its line are lent out of one row.

Each worker takes a tenth of a second's worth at a time, one worker after the other, so nobody counts workers, and one
that died holds nothing back. What is lent and not used is lost, as it is with the provider.
"""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from messaging.models import GatewayLine

LENT_S = 0.1
AHEAD = timedelta(seconds=0.2)
"""So far ahead slots are given out: a code that another worker has waits no longer for its turn."""
JUMP = timedelta(seconds=5)  # a line can't be lent out further: somebody's clock was put back


def lend(session: Session, name: str, *, rate: float, now: datetime) -> tuple[datetime, int]:
    """From when, and how many; (when to ask again, 0) while others have what there is."""
    row = session.scalar(select(GatewayLine).where(GatewayLine.name == name).with_for_update())
    if row is None:
        row = GatewayLine(name=name, free_at=now)
        try:
            with session.begin_nested():
                session.add(row)
        except IntegrityError:  # another worker was first
            return now, 0
    begin = max(row.free_at, now)
    if begin - now > max(JUMP, timedelta(seconds=2 / rate)):
        begin = now
    if begin - now > AHEAD:
        return begin - AHEAD, 0
    count = max(1, int(rate * LENT_S))
    row.free_at = begin + timedelta(seconds=count / rate)
    return begin, count
