"""Kiosks and clerks at the same moment, on both databases."""

import threading
from collections import Counter as Tally
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from core.db import Database, new_id
from core.errors import Mistake, Refused
from queueing.tickets import queries, rules, service, states
from queueing.tickets.models import CallLog, Counter, HelpRequest, Ticket, TicketPeriod
from tests.unit.queueing.tickets.hall import CENTRE, NOON, ZONE, Hall, build


def at_once(*actions: Callable[[], None]) -> None:
    """Run all in threads that start together; the first error of any is raised here."""
    gate, errors = threading.Barrier(len(actions)), []

    def run(action: Callable[[], None]) -> None:
        try:
            gate.wait(60)
            action()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads), "somebody waits for ever"
    if errors:
        raise errors[0]


def centre(db: Database) -> Hall:
    with db.write() as session:
        return build(session)


def test_no_number_is_given_twice_and_no_ticket_stands_at_two_counters(any_db: Database) -> None:
    hall = centre(any_db)
    served: list[str] = []

    def kiosk() -> None:
        for n in range(12):
            with any_db.write() as session:
                service.issue(
                    session, centre_id=CENTRE, service_point_id=hall.new.id if n % 3 else hall.ask.id,
                    section="men", language="ar", now=NOON + timedelta(seconds=n), zone=ZONE,
                )  # fmt: skip

    def clerk(counter_id: str, staff_id: str) -> None:
        idle = 0
        while idle < 40 and len(served) < 48:
            try:
                with any_db.write() as session:
                    ticket = service.call_next(session, counter_id, staff_id, now=NOON + timedelta(minutes=5))
            except Refused:
                continue  # the other hand of the same clerk is at work
            if ticket is None:
                idle += 1
                threading.Event().wait(0.01)
                continue
            with any_db.write() as session:
                service.start(session, ticket.id, now=NOON + timedelta(minutes=6), counter_id=counter_id)
            with any_db.write() as session:
                service.finish(session, ticket.id, now=NOON + timedelta(minutes=7), counter_id=counter_id)
            served.append(ticket.id)

    first, second = (hall.first.id, "clerk-1"), (hall.second.id, "clerk-2")
    # each clerk presses with both hands: two windows open on one counter
    at_once(*[kiosk] * 4, *[lambda who=who: clerk(*who) for who in (first, first, second, second)])

    with any_db.read() as session:
        labels = session.scalars(select(Ticket.label)).all()
        assert len(labels) == len(set(labels)) == 48
        numbers = Tally(label[0] for label in labels)
        for letter, count in numbers.items():
            assert {int(label[1:]) for label in labels if label[0] == letter} == set(range(1, count + 1))
        calls = Tally(session.scalars(select(CallLog.ticket_id)).all())
        assert set(calls.values()) == {1}
        assert sorted(served) == sorted(calls)
        open_periods = select(func.count()).select_from(TicketPeriod).where(TicketPeriod.to_at.is_(None))
        assert session.scalar(open_periods) == 48


def test_nobody_is_passed_over_because_something_is_noted_on_the_ticket(any_db: Database) -> None:
    hall = centre(any_db)
    with any_db.write() as session:
        first, _ = [
            service.issue(
                session, centre_id=CENTRE, service_point_id=hall.new.id, section="men", language="ar", zone=ZONE,
                now=NOON + timedelta(minutes=n),
            ).id
            for n in range(2)
        ]  # fmt: skip
    held, called = threading.Event(), []

    def desk() -> None:
        with any_db.write() as session:
            service.attach(session, first, visitor_id="v")
            session.flush()
            held.set()
            threading.Event().wait(0.3)

    def clerk() -> None:
        held.wait(10)
        with any_db.write() as session:
            ticket = service.call_next(session, hall.first.id, "clerk-1", now=NOON + timedelta(minutes=5))
            called.append(ticket and (ticket.id, ticket.visitor_id))

    at_once(desk, clerk)
    assert called == [(first, "v")]


def test_eight_hands_press_everything_and_nothing_is_lost(any_db: Database) -> None:
    """Three kiosks and five hands of clerks: calls, forwards, undoings, parkings, urgencies, all at once."""
    hall = centre(any_db)
    with any_db.write() as session:
        more = [hall.first, hall.second]
        for number, clerk in ((3, "clerk-3"), (4, "clerk-4")):
            counter = Counter(
                id=new_id(), centre_id=CENTRE, number=number, name_ar="شباك", name_en="Counter", languages=["ar"],
                service_point_ids=[hall.new.id, hall.ask.id], sections=["men", "women", "family"],
            )  # fmt: skip
            session.add(counter)
            session.flush()
            service.open_counter(session, counter.id, clerk, now=NOON)
            more.append(counter)
        seats = [(counter.id, f"clerk-{n}") for n, counter in enumerate(more, start=1)]
    refusals = Tally[str]()

    def kiosk(seed: int) -> None:
        random = Random(seed)
        for n in range(12):
            with any_db.write() as session:
                service.issue(
                    session, centre_id=CENTRE, service_point_id=random.choice((hall.new.id, hall.ask.id)),
                    section=random.choice(("men", "women")), language="ar", zone=ZONE,
                    now=NOON + timedelta(seconds=n),
                    visitor_class=random.choice(("regular", "elderly", "deaf")),
                )  # fmt: skip

    def hand(counter_id: str, clerk: str, seed: int) -> None:
        random = Random(seed)
        for step in range(60):
            now = NOON + timedelta(minutes=5, seconds=step)
            try:
                with any_db.write() as session:
                    press(session, random, counter_id, clerk, now)
            except (Refused, Mistake) as refusal:
                refusals[refusal.message] += 1

    def press(session: Session, random: Random, counter_id: str, clerk: str, now: datetime) -> None:
        here = queries.current(session, counter_id)
        verb = random.choice(("next", "next", "serve", "forward", "undo", "park", "back", "urgent", "cancel"))
        at: dict[str, Any] = {"counter_id": counter_id, "now": now}
        if verb == "next":
            finish = here.id if here and here.state == states.SERVING else None
            service.call_next(session, counter_id, clerk, now=now, finish=finish)
        elif verb == "undo":
            service.undo(session, counter_id, clerk, now=now)
        elif verb == "serve" and here:
            service.start(session, here.id, **at)
        elif verb == "forward" and here:
            to = hall.ask.id if here.service_point_id == hall.new.id else hall.new.id
            service.forward(session, here.id, to, **at)
        elif verb == "park" and here:
            service.park(session, here.id, reason="papers", **at)
        elif verb == "back":
            for ticket, _ in queries.parked(session, CENTRE, now=now)[:1]:
                service.resume(session, ticket.id, counter_id, clerk, now=now)
        elif verb == "urgent":
            for ticket in queries.waiting(session, CENTRE, now=now)[-1:]:
                agree = service.urgency_pending(session, ticket.id) is not None
                if agree:
                    service.agree_urgent(session, ticket.id, clerk, now=now)
                else:
                    service.propose_urgent(session, ticket.id, clerk, reason="a test of nerves", now=now)
        elif verb == "cancel" and random.random() < 0.2:
            for ticket in queries.waiting(session, CENTRE, now=now)[:1]:
                service.cancel(session, ticket.id, now=now, by=clerk)

    hands = [(*seats[n % 4], n) for n in range(5)]  # one clerk presses with both
    at_once(
        *[lambda seed=seed: kiosk(seed) for seed in (1, 2, 3)],
        *[lambda who=who: hand(*who) for who in hands],
    )

    with any_db.read() as session:
        tickets = session.scalars(select(Ticket)).all()
        assert len(tickets) == 36 == len({t.label for t in tickets})
        for letter in "AB":
            numbers = sorted(t.number for t in tickets if t.label.startswith(letter))
            assert numbers == list(range(1, len(numbers) + 1))
        held = [t.counter_id for t in tickets if t.state in states.AT_COUNTER]
        assert None not in held and len(held) == len(set(held))
        open_periods = session.execute(
            select(TicketPeriod.ticket_id, TicketPeriod.state).where(TicketPeriod.to_at.is_(None))
        ).all()
        assert sorted(map(tuple, open_periods)) == sorted((t.id, t.state) for t in tickets)
        for ticket in tickets:
            periods = session.scalars(select(TicketPeriod).where(TicketPeriod.ticket_id == ticket.id)).all()
            assert Tally(p.to_at for p in periods if p.to_at) == Tally(p.from_at for p in periods if p.verb != "issue")
            agreed = [u for u in service.urgencies(session, ticket.id) if u.agreed]
            assert ticket.urgent == bool(agreed) and all(u.proposed_by != u.decided_by for u in agreed)
        for log in session.scalars(select(CallLog).where(CallLog.kind == "call")):
            assert rules.replay(rules.Reasons.from_json(log.reasons)) == log.ticket_id
    assert sum(refusals.values()) < 300  # most presses did something


def test_the_cost_of_a_call_does_not_grow_with_the_days_finished_tickets(any_db: Database) -> None:
    """Rows that the database looks at for one call and one ticket, on an early day and on a long one."""
    hall = centre(any_db)
    few = rows_looked_at(any_db, hall, finished=40)
    many = rows_looked_at(any_db, hall, finished=2000)
    assert many <= few * 1.5 + 50, (few, many)


def rows_looked_at(db: Database, hall: Hall, *, finished: int) -> int:
    """Steps of SQLite's machine, or rows that PostgreSQL fetched; both are counted, not timed.

    The last hour is the same on both days: forty visits. What differs lies further back.
    """
    now = NOON + timedelta(minutes=30)
    with db.write() as session:
        begun = session.scalar(select(func.count()).select_from(Ticket)) or 0
        for n in range(begun, begun + finished):
            came = now - (timedelta(minutes=20) if n < 40 else timedelta(hours=4, seconds=n))
            ticket = Ticket(
                id=new_id(), centre_id=CENTRE, day=NOON.date(), number=10_000 + n, label=f"A{10_000 + n}",
                service_point_id=hall.new.id, section="men", language="ar", visitor_class="regular",
                state=states.FINISHED, issued_at=came, ranked_from=came, eligible_at=came,
                expires_at=NOON + timedelta(hours=12), counter_id=hall.first.id, also=[], stage=0, recalls=0,
            )  # fmt: skip
            session.add(ticket)
            session.flush()
            for state, verb, ended, begins in (
                ("waiting", "issue", "call", 0), ("called", "call", "start", 2), ("serving", "start", "finish", 3),
                ("finished", "finish", "", 9),
            ):  # fmt: skip
                session.add(
                    TicketPeriod(
                        id=new_id(),
                        ticket_id=ticket.id,
                        state=state,
                        counter_id=None,
                        verb=verb,
                        ended=ended,
                        service_point_id=hall.new.id,
                        reason="",
                        from_at=came + timedelta(minutes=begins),
                        to_at=came + timedelta(minutes=begins + 1) if ended else None,
                    )
                )
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as plain:
        plain.exec_driver_sql("ANALYZE")
    with db.write() as session:
        for _ in range(5):
            hall.take(session, now=now)
    with db.write() as session:
        counted = steps_of(session)
        hall.take(session, now=now)
        called = service.call_next(session, hall.first.id, "clerk-1", now=now)
        looked_at = counted()
    with db.write() as session:
        assert called
        service.start(session, called.id, now=now, counter_id=hall.first.id)
        service.finish(session, called.id, now=now, counter_id=hall.first.id)
    return looked_at


def steps_of(session: Session) -> Callable[[], int]:
    """Counts what this transaction's queries touch from now on."""
    if session.get_bind().dialect.name == "sqlite":
        raw, steps = session.connection().connection.driver_connection, [0]

        def step() -> int:
            steps[0] += 1
            return 0

        raw.set_progress_handler(step, 1)  # type: ignore[union-attr]

        def stop() -> int:
            raw.set_progress_handler(None, 0)  # type: ignore[union-attr]
            return steps[0]

        return stop

    # PostgreSQL reads a table of this size whole rather than by its index; a year's table it doesn't
    session.execute(text("SET LOCAL enable_seqscan = off"))

    def read() -> int:
        return int(
            session.scalar(
                text("SELECT sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_user_tables")
            )
            or 0
        )

    begun = read()
    return lambda: read() - begun


def test_two_clerks_who_call_at_one_moment_get_two_visitors(any_db: Database) -> None:
    hall = centre(any_db)
    with any_db.write() as session:
        for _ in range(2):
            hall.take(session)
    got: list[str | None] = []

    def call(counter_id: str, staff_id: str) -> None:
        with any_db.write() as session:
            ticket = service.call_next(session, counter_id, staff_id, now=NOON)
            got.append(ticket and ticket.label)

    at_once(lambda: call(hall.first.id, "clerk-1"), lambda: call(hall.second.id, "clerk-2"))
    assert sorted(map(str, got)) == ["A1", "A2"]


def test_a_double_press_calls_one_visitor(any_db: Database) -> None:
    hall = centre(any_db)
    with any_db.write() as session:
        for _ in range(4):
            hall.take(session)
    refused: list[Refused] = []

    def call() -> None:
        try:
            with any_db.write() as session:
                service.call_next(session, hall.first.id, "clerk-1", now=NOON)
        except Refused as refusal:
            refused.append(refusal)

    at_once(*[call] * 4)
    assert len(refused) == 3
    with any_db.read() as session:
        assert session.scalars(select(Ticket.label).where(Ticket.state == states.CALLED)).all() == ["A1"]


def test_a_visitor_cancelled_while_being_called_ends_in_one_place(any_db: Database) -> None:
    hall = centre(any_db)
    for _ in range(6):
        with any_db.write() as session:
            ticket = hall.take(session)

        def call() -> None:
            with any_db.write() as session:
                service.call_next(session, hall.first.id, "clerk-1", now=NOON)

        def cancel(ticket_id: str = ticket.id) -> None:
            with any_db.write() as session:
                service.cancel(session, ticket_id, now=NOON)

        at_once(call, cancel)
        with any_db.read() as session:
            assert session.get_one(Ticket, ticket.id).state == states.CANCELLED


def test_clerks_who_swap_counters_at_one_moment_do_not_wait_for_each_other(any_db: Database) -> None:
    hall = centre(any_db)

    def swap(counter_id: str, staff_id: str) -> None:
        try:
            with any_db.write() as session:
                service.open_counter(session, counter_id, staff_id, now=NOON)
        except Refused:
            pass

    for _ in range(5):
        at_once(lambda: swap(hall.second.id, "clerk-1"), lambda: swap(hall.first.id, "clerk-2"))


def test_two_kiosks_asking_for_help_make_one_request(any_db: Database) -> None:
    def ask() -> None:
        with any_db.write() as session:
            service.ask_for_help(session, CENTRE, now=NOON)

    at_once(*[ask] * 4)
    with any_db.read() as session:
        assert session.scalar(select(func.count()).select_from(HelpRequest)) == 1
