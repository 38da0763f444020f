"""What the database counts of a day is what one counts by hand, on both databases."""

from datetime import timedelta
from random import Random
from statistics import median

import pytest
from sqlalchemy import select

from core.db import Database
from queueing.tickets import halls, queries, service, states
from queueing.tickets.forecast import AT_LEAST
from queueing.tickets.models import Ticket
from tests.unit.queueing.tickets.hall import CENTRE, NOON, build, minutes


def test_the_days_numbers_are_those_of_its_tickets(any_db: Database) -> None:
    random = Random(5)
    now = NOON
    with any_db.write() as session:
        hall = build(session)
        for step in range(60):
            now += timedelta(seconds=random.randrange(20, 140))
            wishes = {"appointment_id": f"a{step}", "appointment_at": now + minutes(7)} if step % 9 == 0 else {}
            point = random.choice((hall.new, hall.ask))
            service.tell_wait(session, hall.take(session, now=now, service_point_id=point.id, **wishes), now=now)
            if step < 5 or random.random() < 0.3:
                continue
            counter = random.choice((hall.first, hall.second))
            if current := queries.current(session, counter.id):
                service.start(session, current.id, now=now, counter_id=counter.id)
                if random.random() < 0.3:
                    other = hall.ask if current.service_point_id == hall.new.id else hall.new
                    service.forward(session, current.id, other.id, now=now, counter_id=counter.id)
                else:
                    service.finish(session, current.id, now=now, counter_id=counter.id)
            hall.next(session, counter, now=now)
        hall.take(session, now=NOON - timedelta(days=1))  # yesterday's: not of today's numbers
    with any_db.read() as session:
        told = queries.day(session, CENTRE, now=now)
        tickets = [t for t in session.scalars(select(Ticket)) if t.expires_at > now]
    called = [t for t in tickets if t.first_called_at]
    waits = []
    for one in called:
        assert one.first_called_at and one.promised_low is not None and one.promised_high is not None
        due = one.eligible_at if one.eligible_at <= one.first_called_at else one.issued_at
        waits.append((one.first_called_at - due) / minutes(1))
    assert any(t.stage for t in tickets) and any(t.eligible_at > t.issued_at for t in called), "the day is a mixed one"
    assert told.issued == len(tickets) == 60
    assert told.served == sum(t.state == states.FINISHED for t in tickets)
    assert told.at_counters == sum(t.state in states.AT_COUNTER for t in tickets)
    assert told.median_wait == pytest.approx(median(waits), abs=0.001) and told.median_wait > 0
    inside = [t.promised_low <= (t.first_called_at - t.issued_at) / minutes(1) <= t.promised_high for t in called]  # type: ignore[operator]
    assert told.promise_kept == pytest.approx(sum(inside) / len(inside)) and 0 < sum(inside) < len(inside)


def test_who_comes_is_counted_by_kind_over_the_last_hour(any_db: Database) -> None:
    with any_db.write() as session:
        hall = build(session)
        hall.take(session, now=NOON - timedelta(days=1))
        hall.take(session, now=NOON - minutes(61))
        for n in range(30):
            hall.take(session, now=NOON - minutes(30 - n))
        for n in range(6):
            hall.take(session, now=NOON - minutes(6 - n), visitor_class="elderly", also=["returning"])
    with any_db.read() as session:
        streams = halls.hall_of(session, CENTRE, now=NOON).streams
        told = {(s.like.visitor_class, s.like.also): s.per_minute for s in streams}
        span = max(AT_LEAST / minutes(1), 30)  # since the first of the hour came
        assert told == {("regular", ()): pytest.approx(30 / span), ("elderly", ("returning",)): pytest.approx(6 / span)}
        later = NOON + timedelta(seconds=halls.GRAIN - 1)
        assert halls.hall_of(session, CENTRE, now=later).streams == streams, "one count serves all who ask"
