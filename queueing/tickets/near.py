"""Few are ahead: told once, when a call brings somebody near the front.

Worked out after a call, for the first of the line that this counter takes; the rest can't have come that near by it.
"""

from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.events import emit
from queueing.tickets import course, events, rules, standing
from queueing.tickets.models import Counter, TicketNear
from queueing.tickets.queries import Line, open_counters, waiting

LOOKED_AT = course.NEAR + 2  # who stands further back for this counter may stand nearer for another: that one's call


def tell_near(session: Session, counter_id: str, *, now: datetime) -> list[str]:
    """Emit TicketNearing for whoever has come near by this counter's call; their ids. For the reaction to a call."""
    counter = session.get(Counter, counter_id)
    if counter is None:
        return []
    discipline = standing.discipline_at(session, counter.centre_id, now=now)
    tickets = {ticket.id: ticket for ticket in waiting(session, counter.centre_id, now=now, discipline=discipline)}
    line = Line.of([t.candidate() for t in tickets.values()], open_counters(session, counter.centre_id), discipline)
    desk = counter.desk()
    first = [c for c in line.candidates if rules.why_not(c, desk, now=now, others=line.others) is None][:LOOKED_AT]
    told = []
    for candidate in sorted(first, key=lambda c: c.id):  # one order, so that no two workers wait for each other
        place = line.ahead_of(candidate, now=now) + 1
        ticket = tickets[candidate.id]
        if place > course.NEAR or session.get(TicketNear, (ticket.id, ticket.stage)) is not None:
            continue
        try:
            with session.begin_nested():
                session.add(TicketNear(ticket_id=ticket.id, stage=ticket.stage, at=now))
        except IntegrityError:
            continue  # another worker was first
        emit(session, events.TicketNearing(ticket.id, ticket.centre_id, place), now=now)
        told.append(ticket.id)
    return told
