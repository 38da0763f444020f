"""Kiosks and clerks at the same moment, on both databases."""

import threading
from collections import Counter as Tally
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import func, select

from core.db import Database
from core.errors import Refused
from queueing.tickets import service, states
from queueing.tickets.models import CallLog, HelpRequest, Ticket, TicketPeriod
from tests.unit.queueing.tickets.hall import CENTRE, NOON, ZONE, Hall, build


def at_once(*actions: Callable[[], None]) -> None:
    """Run all in threads that start together; the first error of any is raised here."""
    gate, errors = threading.Barrier(len(actions)), []

    def run(action: Callable[[], None]) -> None:
        try:
            gate.wait(10)
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
