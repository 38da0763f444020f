"""A clerk goes for a while and says when the counter is back: prayer, a meal, a paper from upstairs.

The counter keeps its clerk and calls nobody. Until it is back it isn't there for a language or for signing either, so
that nobody waits for it who could be served by another; the forecast counts on it from the time that was said.
"""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from core.errors import Mistake
from core.events import emit
from queueing.tickets import events
from queueing.tickets.models import Counter
from queueing.tickets.steps import lock_counter, need_free, own_counter

LONGEST = timedelta(hours=3)  # who stays away longer closes the counter
OFFERED = (5, 10, 15, 20, 30, 60)  # minutes


def take_break(session: Session, counter_id: str, staff_id: str, *, back_at: datetime, now: datetime) -> Counter:
    """Away until `back_at`; said again, it is another time. Refused with a visitor at the counter, who comes first."""
    counter = own_counter(session, counter_id, staff_id)
    need_free(session, counter)
    if not now < back_at <= now + LONGEST:
        raise Mistake("Choose a time within the next three hours. For longer, close the counter.", field="back_at")
    counter.back_at = back_at
    emit(session, events.CounterPaused(counter.id, counter.centre_id), now=now)
    return counter


def come_back(session: Session, counter_id: str, *, now: datetime) -> Counter:
    """The counter takes visitors again, earlier or later than was said. Pressed twice it changes nothing."""
    counter = lock_counter(session, counter_id)
    if counter.open and counter.back_at is not None:
        counter.back_at = None
        emit(session, events.CounterReturned(counter.id, counter.centre_id), now=now)
    return counter
