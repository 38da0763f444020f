"""A provider's limit holds for all workers together."""

import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from core import clock
from core.db import Database
from messaging import lent
from messaging.models import Message
from messaging.outbox import Manners
from messaging.providers import Part
from messaging.sending import Sender
from messaging.states import SENT
from tests.unit.messaging.test_sender import Answer, Scripted, handle, write

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_slots_are_lent_one_after_the_other_and_not_far_ahead(db: Database) -> None:
    def ask(at_ms: int, rate: float = 100.0) -> tuple[float, int]:
        with db.write() as session:
            begin, count = lent.lend(session, "line", rate=rate, now=NOON + timedelta(milliseconds=at_ms))
        return (begin - NOON).total_seconds() * 1000, count

    assert [ask(0), ask(0), ask(0)] == [(0, 10), (100, 10), (200, 10)]
    assert ask(0) == (100, 0), "no further ahead: ask again then"
    assert ask(100) == (300, 10)
    assert ask(5_000) == (5_000, 10), "what nobody used is lost"
    assert ask(-60_000) == (-60_000, 10), "a clock that was put back stops nobody"


def test_a_slow_line_has_a_slot_at_a_time(db: Database) -> None:
    with db.write() as session:
        first = lent.lend(session, "slow", rate=0.5, now=NOON)
        second = lent.lend(session, "slow", rate=0.5, now=NOON + timedelta(seconds=1.9))
    assert first == (NOON, 1) and second == (NOON + timedelta(seconds=2), 1)


@pytest.mark.timeout(60)
def test_two_workers_together_keep_the_rate_of_the_provider(db: Database, tmp_path: Path) -> None:
    rate, texts = 100.0, 160
    went: list[tuple[str, float]] = []

    def note(name: str) -> Scripted:
        def say(part: Part) -> Answer:
            went.append((name, time.monotonic()))
            return Answer(SENT, f"{name}-{part.key}")

        return Scripted("line", say)

    stop = threading.Event()
    senders = [
        Sender(db, [handle(note(name), rate=rate, window=10)], manners=Manners(), data_dir=tmp_path, clock=clock.now)
        for name in ("one", "other")
    ]
    threads = [threading.Thread(target=sender.run, args=(stop,)) for sender in senders]
    for thread in threads:
        thread.start()
    while not all(sender._pipeline for sender in senders):
        time.sleep(0.01)
    write(db, texts)  # each takes forty in hand, four windows
    until = time.monotonic() + 40
    while time.monotonic() < until and len(went) < texts:
        time.sleep(0.02)
    stop.set()
    for thread in threads:
        thread.join()
    times = sorted(at for _name, at in went)
    assert len(times) == texts and {name for name, _at in went} == {"one", "other"}, "both had some"
    burst = 2 * rate * 0.1 + 2  # what each may use late
    for place, begin in enumerate(times):
        within = sum(begin <= at < begin + 0.5 for at in times[place:])
        assert within <= rate * 0.5 + burst, "in no half second more than the provider takes"
    assert times[-1] - times[0] > (texts - burst) / rate * 0.9, "two that each kept the rate would take half of that"
    with db.read() as session:
        assert session.scalar(select(func.count()).where(Message.state == SENT)) == texts
