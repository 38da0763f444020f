"""What gateways tell in two transactions at once, each made to happen between the other's look and its commit."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.db import Database
from messaging import entering, incoming, outbox, service
from messaging.models import Dispatch, InboundPart, InboundText, Message, MessagePart
from messaging.providers import Answer, Inbound, Receipt
from messaging.states import DELIVERED, SENT, UNKNOWN
from messaging.work import Work

TWO_PARTS = "مكتب " * 20
pytestmark = pytest.mark.parametrize("any_db", ["postgresql"], indirect=True)  # on SQLite there is nothing between


def in_hand(session: Session, now: datetime, body: str = "") -> Work:
    message = service.queue(
        session, to="+966501234567", template="petition_to_office", fields={"case": "48-1"}, language="ar", key="k",
        subject=("petition", "p"), now=now,
    )  # fmt: skip
    session.flush()
    if body:
        session.get_one(Dispatch, message.id).body, message.parts = body, 2
        session.flush()
    return again(session, now)


def again(session: Session, now: datetime) -> Work:
    (work,) = outbox.take(session, "me", room=1, manners=outbox.Manners(), now=now)
    return work


def answered(session: Session, work: Work, now: datetime, state: str = SENT) -> None:
    work.answers = {part.number: ("way", Answer(state, f"id{part.number}")) for part in work.parts()}
    if state == UNKNOWN:
        work.answers = {number: ("way", Answer(UNKNOWN, error="no answer")) for number in work.answers}
    outbox.record(session, "me", [work], now=now)


def told(identity: str, state: str = DELIVERED) -> list[tuple[str, Receipt]]:
    return [("way", Receipt(identity, state, "", "+966501234567"))]


def meanwhile(db: Database, first: Callable[[Session], object], second: Callable[[Session], object]) -> None:
    """The second transaction does what it can before the first one commits: all, or as far as a lock lets it."""

    def other() -> None:
        with db.write() as session:
            second(session)

    with ThreadPoolExecutor(1) as pool:
        with db.write() as session:
            first(session)
            session.flush()
            done = pool.submit(other)
            wait_for(db, done)
        done.result(timeout=30)


def wait_for(db: Database, done: Future[None]) -> None:
    waits = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    until = time.monotonic() + 30
    while not done.done():
        with db.read() as session:
            if session.scalar(waits):
                return
        assert time.monotonic() < until, "it neither ends nor waits"
        time.sleep(0.01)


def state(db: Database) -> str:
    with db.read() as session:
        return session.scalars(select(Message)).one().state


def test_the_receipts_of_two_parts_at_once_make_a_text_delivered(any_db: Database, now: datetime) -> None:
    with any_db.write() as session:
        answered(session, in_hand(session, now, TWO_PARTS), now)
    meanwhile(
        any_db,
        lambda session: entering.receipts(session, told("id1"), now=now),
        lambda session: entering.receipts(session, told("id2"), now=now),
    )
    assert state(any_db) == DELIVERED


def test_a_receipt_that_tells_less_takes_nothing_back_from_one_that_comes_at_once(
    any_db: Database, now: datetime
) -> None:
    with any_db.write() as session:
        answered(session, in_hand(session, now), now)
    meanwhile(
        any_db,
        lambda session: entering.receipts(session, told("id1"), now=now),
        lambda session: entering.receipts(session, told("id1", UNKNOWN), now=now),
    )
    with any_db.read() as session:
        assert session.scalars(select(MessagePart)).one().state == DELIVERED
    assert state(any_db) == DELIVERED


def test_a_receipt_that_comes_while_its_part_is_written_down_is_found_a_moment_later(
    any_db: Database, now: datetime
) -> None:
    """Neither transaction sees the other's row."""
    with any_db.write() as session:
        work = in_hand(session, now)
    with any_db.write() as session:
        assert entering.receipts(session, told("id1"), now=now) == 1
        with any_db.write() as other:
            answered(other, work, now)
    assert state(any_db) == SENT
    with any_db.write() as session:
        assert entering.match_late(session, now=now + timedelta(seconds=10)) == 1
    assert state(any_db) == DELIVERED
    with any_db.write() as session:
        assert entering.match_late(session, now=now + timedelta(seconds=20)) == 0


def test_a_text_that_arrived_is_not_put_back_by_the_answer_to_its_second_attempt(
    any_db: Database, now: datetime
) -> None:
    later = now + timedelta(minutes=1)
    with any_db.write() as session:
        answered(session, in_hand(session, now), now, UNKNOWN)
    with any_db.write() as session:
        work = again(session, later)
    key = [("way", Receipt("", DELIVERED, "", key=f"{work.message_id}.1"))]
    meanwhile(
        any_db,
        lambda session: entering.receipts(session, key, now=later),
        lambda session: answered(session, work, later),
    )
    assert state(any_db) == DELIVERED


def part(number: int) -> Inbound:
    octets = ("إيقا", "ف")[number - 1].encode("utf-16-be")
    return Inbound("+966501234567", "1234", octets, "UCS-2", of=(7, 2, number))


def test_two_parts_of_a_text_to_us_at_once_are_joined_by_the_next_look(any_db: Database, now: datetime) -> None:
    meanwhile(
        any_db,
        lambda session: incoming.inbound(session, "way", part(1), now=now),
        lambda session: incoming.inbound(session, "way", part(2), now=now),
    )
    soon = now + timedelta(seconds=10)
    meanwhile(
        any_db,
        lambda session: incoming.join_late(session, now=soon),
        lambda session: incoming.join_late(session, now=soon),
    )
    with any_db.read() as session:
        (row,) = session.scalars(select(InboundText)).all()
        assert (row.body, row.complete) == ("إيقاف", True)
        assert not session.scalars(select(InboundPart)).all()
