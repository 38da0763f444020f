"""A day done with the queue's own verbs is read back from its periods, and played again it comes out as it was."""

from datetime import date, datetime, timedelta
from random import Random

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import Refused
from queueing.simulation.day import with_rates, without_counter
from queueing.simulation.run import simulate
from queueing.tickets import leaving, rebuilt, recorded, service, undo
from queueing.tickets.discipline import DEFAULT
from queueing.tickets.models import Ticket, TicketPeriod
from tests.unit.queueing.tickets.hall import CENTRE, NOON, ZONE, Hall, build, minutes

DAY = date(2026, 10, 27)
LATER = NOON + timedelta(hours=8)


@pytest.fixture
def hall(session: Session) -> Hall:
    return build(session)


def stays(session: Session, ticket: Ticket, *, now: datetime = LATER) -> list[tuple[str, float, float | None, float]]:
    """(point, joined, called, minutes at the counter), instants as minutes after noon."""
    (visit,) = [one for one in recorded.visits(session, CENTRE, DAY, now=now) if one.candidate.id == ticket.id]

    def after(at: datetime) -> float:
        return (at - NOON) / minutes(1)

    return [(s.point, after(s.joined), after(s.called) if s.called else None, s.minutes) for s in visit.stays]


def called(session: Session, hall: Hall, at: float) -> Ticket:
    ticket = hall.next(session, now=NOON + minutes(at))
    assert ticket
    return ticket


def test_a_visit_is_its_wait_and_its_stay_with_the_way_to_the_counter(session: Session, hall: Hall) -> None:
    ticket = hall.take(session)
    called(session, hall, 4)
    service.start(session, ticket.id, now=NOON + minutes(5))
    service.finish(session, ticket.id, now=NOON + minutes(11))
    assert stays(session, ticket) == [(hall.new.id, 0, 4, 7)]


def test_a_call_taken_back_leaves_no_trace(session: Session, hall: Hall) -> None:
    ticket = hall.take(session)
    called(session, hall, 4)
    undo.undo(session, hall.first.id, "clerk-1", now=NOON + minutes(4.2))
    assert stays(session, ticket) == [(hall.new.id, 0, None, 0)]
    called(session, hall, 9)
    service.finish(session, service.start(session, ticket.id, now=NOON + minutes(9)).id, now=NOON + minutes(12))
    assert stays(session, ticket) == [(hall.new.id, 0, 9, 3)]


def test_a_pause_is_no_service_and_no_wait(session: Session, hall: Hall) -> None:
    ticket = hall.take(session)
    called(session, hall, 1)
    service.start(session, ticket.id, now=NOON + minutes(1))
    service.park(session, ticket.id, reason="papers", now=NOON + minutes(3))
    service.resume(session, ticket.id, hall.second.id, "clerk-2", now=NOON + minutes(20))
    service.finish(session, ticket.id, now=NOON + minutes(24))
    assert stays(session, ticket) == [(hall.new.id, 0, 1, 6)]


def test_who_comes_back_into_the_line_waits_anew_and_was_away_before(session: Session, hall: Hall) -> None:
    ticket = hall.take(session)
    called(session, hall, 1)
    service.start(session, ticket.id, now=NOON + minutes(1))
    service.park(session, ticket.id, reason="papers", now=NOON + minutes(3))
    service.put_back(session, ticket.id, now=NOON + minutes(20))
    called(session, hall, 26)
    assert stays(session, ticket) == [(hall.new.id, 0, 1, 2), (hall.new.id, 20, 26, 0)]
    (visit,) = recorded.visits(session, CENTRE, DAY, now=LATER)
    assert visit.stays[1].away == 17


def test_the_wrong_line_is_one_wait_and_the_next_point_another(session: Session, hall: Hall) -> None:
    ticket = hall.take(session)
    service.transfer(session, ticket.id, hall.ask.id, now=NOON + minutes(5))
    called(session, hall, 8)
    service.start(session, ticket.id, now=NOON + minutes(8))
    service.forward(session, ticket.id, hall.new.id, now=NOON + minutes(10), counter_id=hall.first.id)
    called(session, hall, 15)
    assert stays(session, ticket)[0] == (hall.ask.id, 0, 8, 2)
    assert stays(session, ticket)[1][:3] == (hall.new.id, 10, 15)
    (visit,) = recorded.visits(session, CENTRE, DAY, now=LATER)
    assert visit.candidate.ranked_from == NOON  # of the first line, though the second one changed it


def test_who_leaves_is_told_from_who_was_never_called(session: Session, hall: Hall) -> None:
    left, stayed = hall.take(session), hall.take(session)
    leaving.leave(session, left.id, now=NOON + minutes(30))
    rows = recorded.waits(recorded.visits(session, CENTRE, DAY, now=LATER), discipline=DEFAULT)
    assert {wait.label: wait.fate for wait in rows} == {left.label: "gave_up", stayed.label: "unserved"}
    service.close_day(session, now=NOON + timedelta(days=1))
    rows = recorded.waits(recorded.visits(session, CENTRE, DAY, now=LATER), discipline=DEFAULT)
    assert {wait.label: wait.fate for wait in rows} == {left.label: "gave_up", stayed.label: "unserved"}


def test_what_happened_at_one_instant_is_read_in_the_order_of_a_visit(session: Session, hall: Hall) -> None:
    """Come, called and served within one moment: identifiers alone don't tell which came first."""
    ticket = hall.take(session)
    called(session, hall, 0)
    service.start(session, ticket.id, now=NOON)
    rows = session.scalars(select(TicketPeriod).where(TicketPeriod.ticket_id == ticket.id)).all()
    for key, row in zip("zyx", sorted(rows, key=lambda one: one.id), strict=True):
        row.id = key
    session.flush()
    service.finish(session, ticket.id, now=NOON + minutes(5))
    assert stays(session, ticket) == [(hall.new.id, 0, 0, 5)]


def work_through(session: Session, hall: Hall, *, visitors: int, seed: int = 5, until: float = 400) -> None:
    """A busy day by the verbs: classes, two services, some go on to the other, a minute between two visitors."""
    chance = Random(seed)
    come = sorted(chance.uniform(0, 220) for _ in range(visitors))
    busy: dict[str, tuple[float, str | None]] = {c.id: (0.0, None) for c in (hall.first, hall.second)}
    for tick in range(int(until * 2)):
        at = tick / 2
        now = NOON + minutes(at)
        while come and come[0] <= at:
            come.pop(0)
            hall.take(
                session,
                now=now,
                service_point_id=chance.choice((hall.new.id, hall.new.id, hall.ask.id)),
                section=chance.choice(("men", "women")),
                visitor_class=chance.choice(("regular", "regular", "elderly", "disabled")),
            )
        for counter in (hall.first, hall.second):
            free_at, ticket_id = busy[counter.id]
            if free_at > at:
                continue
            if ticket_id:
                other = hall.ask.id if session.get_one(Ticket, ticket_id).service_point_id == hall.new.id else None
                if other and chance.random() < 0.2:
                    service.forward(session, ticket_id, other, now=now, counter_id=counter.id)
                else:
                    service.finish(session, ticket_id, now=now)
                busy[counter.id] = (at + 1, None)
            elif (ticket := hall.next(session, counter, now=now)) is not None:
                service.start(session, ticket.id, now=now)
                busy[counter.id] = (at + round(chance.uniform(2, 11) * 2) / 2, ticket.id)


def test_a_day_played_again_without_a_change_is_the_day_as_it_was(session: Session, hall: Hall) -> None:
    work_through(session, hall, visitors=60)
    was = rebuilt.recorded_day(session, CENTRE, DAY, zone=ZONE, now=LATER)
    met = rebuilt.faithful(was, simulate(was.day))
    assert was.day.turnover_minutes == pytest.approx(1, abs=0.2)
    assert was.outcome.served == met.compared > 60
    assert met.good and met.near > 0.85
    assert met.played == pytest.approx(met.real, rel=0.15, abs=2)


def test_a_counter_less_makes_it_longer_and_a_faster_class_shortens_its_own(session: Session, hall: Hall) -> None:
    work_through(session, hall, visitors=60)
    was = rebuilt.recorded_day(session, CENTRE, DAY, zone=ZONE, now=LATER)
    same = simulate(was.day)
    less = simulate(without_counter(was.day, hall.second.id, from_at=NOON + minutes(60)))
    faster = simulate(with_rates(was.day, {"elderly": 9}))
    assert less.all.p90 > same.all.p90 * 1.3
    assert faster.by_class["elderly"].mean < same.by_class["elderly"].mean


def test_a_counter_nobody_sat_at_is_not_counted_as_manned(session: Session, hall: Hall) -> None:
    """Forty minutes of a long line and an open counter without a clerk: the play must not serve with it."""
    service.close_counter(session, hall.second.id, now=NOON)
    for number in range(14):
        hall.take(session, now=NOON + minutes(number / 10))
    at = 0.0
    for number in range(14):
        at += 40 if number == 7 else 0
        ticket = called(session, hall, at)
        service.start(session, ticket.id, now=NOON + minutes(at))
        service.finish(session, ticket.id, now=NOON + minutes(at + 4))
        at += 4.5
    was = rebuilt.recorded_day(session, CENTRE, DAY, zone=ZONE, now=LATER)
    assert len(was.day.spans) == 2
    assert was.day.turnover_minutes == pytest.approx(0.5)
    played = simulate(was.day)
    assert played.all.mean == pytest.approx(was.outcome.all.mean, abs=2)
    assert played.all.longest == pytest.approx(was.outcome.all.longest, abs=2)


@pytest.mark.parametrize(
    ("day", "said"),
    [
        (date(2026, 10, 28), "has not come yet"),
        (date(2026, 10, 26), "No ticket was taken"),
        (DAY, "too few to tell anything from"),
    ],
)
def test_a_day_that_tells_nothing_says_why(session: Session, hall: Hall, day: date, said: str) -> None:
    hall.take(session)
    with pytest.raises(Refused, match=said):
        rebuilt.recorded_day(session, CENTRE, day, zone=ZONE, now=NOON + minutes(60))


def test_whoever_is_still_here_is_played_until_now_and_not_beyond(session: Session, hall: Hall) -> None:
    work_through(session, hall, visitors=60, until=120)
    now = NOON + minutes(120)
    was = rebuilt.recorded_day(session, CENTRE, DAY, zone=ZONE, now=now)
    assert was.unfinished and was.until == now
    assert all(span.to_at <= now for span in was.day.spans)
    waiting = sum(wait.fate == "unserved" for wait in was.outcome.waits)
    assert waiting and abs(simulate(was.day).unserved - waiting) <= 2


def test_the_told_range_is_held_against_the_first_call(session: Session, hall: Hall) -> None:
    ticket = hall.take(session)
    ticket.promised_low, ticket.promised_high = 5, 10
    called(session, hall, 7)
    late = hall.take(session)
    late.promised_low, late.promised_high = 0, 2
    service.call_next(session, hall.second.id, "clerk-2", now=NOON + minutes(40))
    held = recorded.promise_kept(recorded.visits(session, CENTRE, DAY, now=LATER))
    assert held and (held.told, held.inside, held.later) == (2, 0.5, 0.5)
