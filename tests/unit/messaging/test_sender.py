"""The sender with gateways that do as they are told: no socket, real threads, a real database."""

import asyncio
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from core import clock
from core.db import Database
from core.settings import Settings
from messaging import outbox, seen, service
from messaging.journal import Journal, left_behind
from messaging.models import Dispatch, GatewayState, InboundText, Message
from messaging.outbox import Manners
from messaging.pipeline import Handle
from messaging.providers import Answer, Heard, Inbound, Line, Part, Receipt, Setup
from messaging.sending import Sender
from messaging.states import CREATED, DELIVERED, FAILED, SENT, TEMPORARY

Say = Callable[[Part], Answer]


class Scripted:
    """Answers as `say` does; `None` for a gateway that is away."""

    kind = "scripted"
    trouble = ""

    def __init__(self, name: str, say: Say | None = None, delay: float = 0.0) -> None:
        self.name, self.say, self.delay = name, say or (lambda part: Answer(SENT, f"{name}-{part.key}")), delay
        self.ready = True
        self.seen: list[Part] = []
        self.line: Line | None = None

    async def run(self, line: Line) -> None:
        self.line = line
        await asyncio.Event().wait()

    async def submit(self, part: Part) -> Answer:
        self.seen.append(part)
        await asyncio.sleep(self.delay)
        return self.say(part)


def handle(gateway: Scripted, **setup: object) -> Handle:
    return Handle(gateway, Setup(gateway.name, "scripted", **setup))  # type: ignore[arg-type]


@pytest.fixture
def sender(db: Database, tmp_path: Path) -> Iterator[Callable[..., Sender]]:
    made: list[Sender] = []

    def make(*handles: Handle) -> Sender:
        one = Sender(db, handles, manners=Manners(), data_dir=tmp_path, clock=clock.now)
        made.append(one)
        return one

    yield make
    for one in made:
        one.close()


def write(db: Database, count: int, template: str = "petition_to_office", since: str = "t") -> list[str]:
    fields = {"code": "482913"} if template == "one_time_code" else {"case": "48-000123"}
    with db.write() as session:
        return [
            service.queue(
                session, to=f"+9665012{n:05d}", template=template, fields=fields, language="en", key=f"{since}{n}",
                subject=("petition", "p"), now=clock.now(),
            ).id
            for n in range(count)
        ]  # fmt: skip


def work_until(sender: Sender, done: Callable[[], bool], seconds: float = 20.0) -> None:
    until = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < until, "it took too long"
        sender.step()
        time.sleep(0.005)


def states(db: Database) -> dict[str, int]:
    with db.read() as session:
        return dict(session.execute(select(Message.state, func.count()).group_by(Message.state)).all())


def test_all_arrive_each_once_and_nothing_is_left(db: Database, sender: Callable[..., Sender], tmp_path: Path) -> None:
    gateway = Scripted("a")
    one = sender(handle(gateway))
    write(db, 120)
    work_until(one, lambda: states(db) == {SENT: 120})
    assert len({part.key for part in gateway.seen}) == len(gateway.seen) == 120
    with db.read() as session:
        assert session.scalar(select(func.count()).select_from(Dispatch)) == 0
    one.close()
    assert list((tmp_path / "sending").iterdir()) == [], "a sender that ends in peace leaves no notes"


def test_an_idle_sender_looks_again_only_for_a_commit_or_when_what_it_saw_falls_due(
    db: Database, sender: Callable[..., Sender], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[datetime] = []

    def due(session: Session, *, now: datetime) -> int | None:
        looked.append(now)
        return real(session, now=now)

    real = outbox.due
    monkeypatch.setattr(outbox, "due", due)
    one = sender(handle(Scripted("a")))
    one._begin()
    at = clock.now()
    assert one._due(at) is None and one._due(at) is None and len(looked) == 1
    write(db, 1)
    assert one._due(clock.now()) is not None and len(looked) == 2
    later = clock.now() + timedelta(hours=8)
    with db.write() as session:
        session.execute(update(Dispatch).values(run_at=later))
    assert one._due(at) is None and one._due(later - timedelta(seconds=1)) is None and len(looked) == 3
    assert one._due(later) is not None


def test_a_code_overtakes_what_waits(db: Database, sender: Callable[..., Sender]) -> None:
    gateway = Scripted("a", delay=0.02)
    one = sender(handle(gateway, window=1))
    write(db, 30)
    work_until(one, lambda: len(gateway.seen) >= 3)
    write(db, 1, "one_time_code", "o")
    work_until(one, lambda: states(db) == {SENT: 31})
    place = [part.message_class for part in gateway.seen].index("otp")
    assert place < 15, f"the code went as number {place}"


def test_the_other_gateway_takes_over_and_gives_back(db: Database, sender: Callable[..., Sender]) -> None:
    broken = [True]
    first = Scripted("first", lambda part: Answer(TEMPORARY, error="RSYSERR") if broken[0] else Answer(SENT, part.key))
    second = Scripted("second")
    one = sender(handle(first, priority=1, window=4), handle(second, priority=2, window=4))
    write(db, 40)
    work_until(one, lambda: len(second.seen) >= 30)
    assert len(first.seen) < 30
    broken[0] = False
    work_until(one, lambda: states(db) == {SENT: 40}, 60)
    one.handles[0].health = type(one.handles[0].health)()  # a minute's healing, without the minute
    before = len(second.seen)
    write(db, 20, since="later")
    work_until(one, lambda: states(db).get(SENT) == 60)
    assert len(second.seen) == before, "who comes first has them all again"


def test_nothing_is_taken_in_hand_while_no_gateway_is_there(db: Database, sender: Callable[..., Sender]) -> None:
    gateway = Scripted("a")
    gateway.ready = False
    one = sender(handle(gateway))
    write(db, 5)
    for _ in range(5):
        assert one.step() is False
    assert states(db) == {CREATED: 5} and gateway.seen == []
    gateway.ready = True
    work_until(one, lambda: states(db) == {SENT: 5})


def test_a_gateway_that_raises_loses_nothing(db: Database, sender: Callable[..., Sender]) -> None:
    def explode(part: Part) -> Answer:
        raise RuntimeError("boom")

    one = sender(handle(Scripted("a", explode)))
    ids = write(db, 1)
    work_until(one, lambda: states(db) == {TEMPORARY: 1})
    with db.read() as session:
        message = service.get(session, ids[0])
        assert message.doubts == 1 and "boom" in (message.error or "")
        assert [part.state for part in service.parts(session, ids[0])] == ["unknown"]


def test_a_rate_is_kept(db: Database, sender: Callable[..., Sender]) -> None:
    gateway = Scripted("a")
    one = sender(handle(gateway, rate=20.0, window=50))
    write(db, 10)
    began = time.monotonic()
    work_until(one, lambda: states(db) == {SENT: 10})
    assert time.monotonic() - began > 0.3, "ten at twenty a second take most of half a second"


def test_what_is_heard_is_kept_before_it_is_acknowledged(
    db: Database, sender: Callable[..., Sender], monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = Scripted("a")
    one = sender(handle(gateway))
    ids = write(db, 1)
    work_until(one, lambda: states(db) == {SENT: 1})
    acknowledged: list[str] = []
    assert gateway.line is not None
    told = Receipt(f"a-{ids[0]}.1", DELIVERED, "DELIVRD")
    gateway.line.heard(Heard("a", told, lambda: acknowledged.append("receipt")))
    text = Inbound("+966501234567", "1234", "نعم".encode("utf-16-be"), "UCS-2")
    gateway.line.heard(Heard("a", text, lambda: acknowledged.append("text")))
    broken = monkeypatch.context()
    with broken as patch:
        patch.setattr("messaging.entering.receipts", lambda *_a, **_k: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            one.step()
    assert acknowledged == []
    work_until(one, lambda: len(acknowledged) == 2)
    assert states(db) == {DELIVERED: 1}
    with db.read() as session:
        assert [row.body for row in session.scalars(select(InboundText))] == ["نعم"]


def test_the_screens_see_how_gateways_fare(db: Database, sender: Callable[..., Sender]) -> None:
    one = sender(handle(Scripted("good")), handle(Scripted("bad", lambda _p: Answer(FAILED, ours=True)), priority=3))
    write(db, 3)
    work_until(one, lambda: states(db) == {SENT: 3})
    with db.write() as session:
        seen.write(session, one.handles, now=clock.now())
    with db.read() as session:
        rows = seen.gateways(session)
    assert [(row.name, row.ready, row.taken) for row in rows] == [("good", True, 3), ("bad", True, 0)]
    assert isinstance(rows[0], GatewayState) and rows[0].health == 1.0


def test_a_dead_senders_notes_are_found_and_a_living_ones_are_not(tmp_path: Path, now: datetime) -> None:
    living, dead = Journal(tmp_path), Journal(tmp_path)
    for journal in (living, dead):
        journal.hand("m1.1", "way")
        journal.answer("m1.1", "way", Answer(SENT, "17"))
        journal.hand("m1.2", "way")
        journal.hand("m2.1", "way")
        journal.answer("m2.1", "way", Answer(TEMPORARY, error="two\nlines"))
    import os

    dead.flush()
    os.write(dead._file, b"A m1.2 way se")  # killed within a line
    os.close(dead._file)
    with left_behind(tmp_path) as found:
        (notes,) = found
    assert notes.claim == dead.claim and notes.complete
    assert notes.handed == {"m1.1": "way", "m1.2": "way", "m2.1": "way"}
    assert notes.answered["m1.1"] == ("way", Answer(SENT, "17"))
    assert notes.answered["m2.1"][1] == Answer(TEMPORARY, error="two lines") and "m1.2" not in notes.answered
    with left_behind(tmp_path) as found:
        assert found == []
    living.recorded({"m1", "m2"})
    living.close()
    assert list((tmp_path / "sending").iterdir()) == []


def test_a_journal_starts_afresh_and_keeps_what_is_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("messaging.journal.LARGE", 20_000)
    journal = Journal(tmp_path)
    for n in range(2000):
        journal.hand(f"m{n}.1", "way")
        journal.answer(f"m{n}.1", "way", Answer(SENT, str(n)))
        if n != 7:
            journal.recorded({f"m{n}"})
    path = next((tmp_path / "sending").iterdir())
    assert path.stat().st_size < 30_000
    with left_behind(tmp_path) as found:
        assert found == [], "it lives, under its old name"
    import os

    journal.flush()
    os.close(journal._file)
    with left_behind(tmp_path) as found:
        assert found[0].answered["m7.1"][1].provider_id == "7"


def test_a_gateway_that_is_set_up_wrongly_is_shown_and_stops_no_other(db: Database, tmp_path: Path) -> None:
    entries = [{"name": "good", "kind": "null"}, {"name": "bad", "kind": "smpp", "host": "h"}]
    settings = Settings(data_dir=tmp_path, sms_providers=json.dumps(entries), sms_quiet="{}")
    with capture_logs() as logs:
        one = Sender.of(settings, db, clock.now)
    assert [log["gateway"] for log in logs if log["event"] == "a gateway is set up wrongly"] == ["bad"]
    write(db, 1)
    try:
        work_until(one, lambda: states(db) == {SENT: 1})
    finally:
        one.close()
    with db.read() as session:
        rows = {row.name: row for row in seen.gateways(session)}
    assert rows["good"].ready and not rows["bad"].ready and "system_id" in (rows["bad"].trouble or "")


def test_without_any_gateway_texts_wait_and_the_worker_goes_on(db: Database, tmp_path: Path) -> None:
    one = Sender.of(Settings(data_dir=tmp_path, sms_providers="no JSON", sms_quiet="{}"), db, clock.now)
    write(db, 1)
    try:
        for _ in range(5):
            one.step()
    finally:
        one.close()
    assert states(db) == {CREATED: 1}
    with db.read() as session:
        (row,) = seen.gateways(session)
    assert row.name == "MAJLIS_SMS_PROVIDERS" and "JSON" in (row.trouble or "")


def test_notes_of_another_container_on_this_machine_are_found_and_old_ones_of_another_machine_go(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "sending"
    for name in ("elsewhere-1", "far-2", "far-3"):
        journal = Journal(tmp_path)
        journal.hand(f"{name}.1", "line")
        journal.flush()
        journal.close()
        next(folder.glob(f"{os.uname().nodename}-*.journal")).rename(folder / f"{name}.journal")
    for name in ("far-2", "far-3"):
        path = folder / f"{name}.journal"
        path.write_text("B another-boot\n" + path.read_text().split("\n", 1)[1])
    os.utime(folder / "far-3.journal", (0, 0))
    with left_behind(tmp_path, now=clock.now()) as found:
        assert [notes.claim for notes in found] == ["elsewhere-1"] and found[0].complete
    assert [path.name for path in folder.iterdir()] == ["far-2.journal"]


class Given:
    """A clock that stands until it is put forward, a little ahead of what is written by the other one."""

    def __init__(self) -> None:
        self.at = clock.now() + timedelta(minutes=1)

    def __call__(self) -> datetime:
        return self.at

    def forward(self, by: timedelta) -> None:
        self.at += by


def test_what_is_in_hand_for_longer_than_a_lease_is_handed_over_once(
    db: Database, sender: Callable[..., Sender], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow gateway with a narrow window and many parts before it."""
    gateway = Scripted("a")
    one = sender(handle(gateway, window=1))
    one.clock = time_ = Given()
    monkeypatch.setattr(gateway, "submit", slow := Slow(gateway))
    write(db, 2)
    work_until(one, lambda: states(db) == {"sending": 2} and len(gateway.seen) == 1)
    for _ in range(7):
        time_.forward(timedelta(minutes=1))
        one.step()
    slow.open.set()
    work_until(one, lambda: states(db) == {SENT: 2})
    assert len(gateway.seen) == 2, "each once"
    with db.read() as session:
        assert [row.doubts for row in session.scalars(select(Message))] == [0, 0]


def test_what_waits_in_hand_beyond_its_hour_does_not_leave(
    db: Database, sender: Callable[..., Sender], monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = Scripted("a")
    one = sender(handle(gateway, window=1))
    one.clock = time_ = Given()
    monkeypatch.setattr(gateway, "submit", slow := Slow(gateway))
    write(db, 1)
    work_until(one, lambda: len(gateway.seen) == 1)
    write(db, 1, "one_time_code", "o")
    work_until(one, lambda: states(db) == {"sending": 2})
    time_.forward(timedelta(minutes=11))
    slow.open.set()
    work_until(one, lambda: time_.forward(timedelta(seconds=2)) or states(db) == {SENT: 1, "expired": 1})
    assert len(gateway.seen) == 1


class Slow:
    """Hands over as the gateway does, once it is let."""

    def __init__(self, gateway: Scripted) -> None:
        self.gateway, self.open = gateway, threading.Event()

    async def __call__(self, part: Part) -> Answer:
        self.gateway.seen.append(part)
        while not self.open.is_set():
            await asyncio.sleep(0.01)
        return self.gateway.say(part)
