"""Hints: every committed change once, however late; for sockets of our own pages; nothing ends the follower."""

import asyncio
import contextlib
from datetime import timedelta
from typing import Any

import anyio
import pytest
from sqlalchemy import event

from core import clock
from core.db import Database
from core.events import OutboxEvent, emit
from core.staff import accounts, service
from core.staff.events import SignedIn
from core.staff.models import Staff, StaffRole
from web import live
from web.live import Live
from web.tail import MOST, PATIENCE, Tail


def write(db: Database, who: str, **given: Any) -> None:
    with db.write() as session:
        if given:
            session.add(OutboxEvent(name="x", payload={"who": who}, occurred_at=clock.now(), **given))
        else:
            emit(session, SignedIn(who), now=clock.now() - timedelta(hours=1))  # waited long, or another's clock


def look(db: Database, tail: Tail) -> list[str]:
    with db.read() as session:
        return [payload.get("staff_id") or payload["who"] for _, payload in tail.fresh(session)]


def test_what_was_there_before_is_no_news_and_what_comes_is_told_once(db: Database) -> None:
    write(db, "before")
    tail = Tail()
    assert look(db, tail) == []
    write(db, "one")
    write(db, "two")
    assert look(db, tail) == ["one", "two"]
    assert look(db, tail) == []


def test_a_row_seen_after_a_later_one_is_told_and_a_gap_is_given_up_in_the_end(db: Database) -> None:
    now = [0.0]
    tail = Tail(lambda: now[0])
    look(db, tail)
    write(db, "later", id=7)
    assert look(db, tail) == ["later"]
    now[0] += PATIENCE - 1
    write(db, "earlier", id=3)
    assert look(db, tail) == ["earlier"]
    now[0] += 2
    look(db, tail)
    assert not tail._missing
    write(db, "much later", id=7 + 10 * MOST)
    assert look(db, tail) == ["much later"]
    assert len(tail._missing) <= MOST


def test_a_gap_at_the_start_may_still_be_filled(db: Database) -> None:
    write(db, "seen", id=5)
    tail = Tail()
    assert look(db, tail) == []
    write(db, "was on its way", id=4)
    assert look(db, tail) == ["was on its way"]


async def follows(db: Database, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    told: list[str] = []
    subject = Live(db)

    async def emit_hint(_event: str, data: dict[str, str], room: str) -> None:
        told.append(room)
        if len(told) == 1:
            raise RuntimeError("a socket in a bad state")

    real_sleep = asyncio.sleep
    monkeypatch.setattr(live.asyncio, "sleep", lambda _s: real_sleep(0))
    monkeypatch.setattr(subject.sio, "emit", emit_hint)
    monkeypatch.setattr(live, "topics_of", lambda name, payload: {payload["staff_id"]})
    task = asyncio.create_task(subject.follow())
    for who in ("first", "second"):
        await real_sleep(0.4)
        await asyncio.to_thread(write, db, who)
        subject.wake()
    await real_sleep(0.5)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    return told


def test_a_hint_that_fails_does_not_end_the_follower(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    assert asyncio.run(follows(db, monkeypatch)) == ["first", "second"]


@pytest.mark.parametrize(
    ("origin", "ours"),
    [("http://majlis.test", True), ("https://majlis.example", True), ("https://evil.example", False), ("null", False)],
)
def test_only_pages_of_ours_open_a_socket(db: Database, origin: str, ours: bool) -> None:
    eio = Live(db, "https://majlis.example").sio.eio
    environ = {"HTTP_ORIGIN": origin, "HTTP_HOST": "majlis.test"}
    assert eio.cors_allowed_origins != []  # which would mean that nobody asks
    assert (origin in eio._cors_allowed_origins(environ)) is ours


def test_a_socket_watches_so_many_topics_and_no_more(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    subject = Live(db)
    rooms = ["sid"]

    async def session(_sid: str) -> dict[str, Any]:
        return {}

    async def enter(_sid: str, room: str) -> None:
        rooms.append(room)

    monkeypatch.setattr(subject.sio, "get_session", session)
    monkeypatch.setattr(subject.sio, "enter_room", enter)
    monkeypatch.setattr(subject.sio, "rooms", lambda _sid: rooms)

    async def ask() -> None:
        for n in range(5):
            await subject._watch("sid", {"topics": [f"queue:{n}-{i}" for i in range(30)]})
        assert (await subject._watch("sid", {"topics": "queue:a"}))["topics"] == []

    asyncio.run(ask())
    assert len(rooms) == live.TOPICS
    rooms[:] = ["sid"]
    assert asyncio.run(subject._watch("sid", {"topics": ["queue:" + "x" * 200, 7, "queue:c", "office"]})) == {
        "topics": ["queue:c"]
    }


def test_a_socket_that_leaves_while_it_is_let_in_disturbs_nobody(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before its session is read, before it enters a room, and as the last of all: with the library's own errors."""
    subject = Live(db)
    monkeypatch.setattr(subject, "_allowed", lambda token, wished: (wished, None))
    watch = {"topics": ["queue:a"]}

    async def scene() -> None:
        assert await subject._watch("gone", watch) == {"topics": []}
        await subject._connect("gone", {"HTTP_COOKIE": "majlis=secret"})

        async def session(_sid: str) -> dict[str, Any]:
            return {}

        monkeypatch.setattr(subject.sio, "get_session", session)
        assert await subject._watch("gone", watch) == {"topics": []}
        here = await subject.sio.manager.connect("somebody", "/")
        assert await subject._watch("gone", watch) == {"topics": []}
        assert await subject._watch(here, watch) == watch

    asyncio.run(scene())


def test_a_foreign_cookie_beside_ours_does_not_hide_it(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    subject = Live(db)
    kept: dict[str, Any] = {}

    async def save(_sid: str, data: dict[str, Any]) -> None:
        kept.update(data)

    monkeypatch.setattr(subject.sio, "save_session", save)
    asyncio.run(subject._connect("sid", {"HTTP_COOKIE": 'a={"b": 1}; majlis=secret'}))
    assert kept == {"token": "secret"}


HOUSE = ["signs-out", "deactivated", "loses-a-role", "moves", "session-ends", *(f"stays-{n}" for n in range(20))]


def people(db: Database) -> dict[str, str]:
    """A secret for each of HOUSE, all of them aides of the same desk."""
    tokens = {}
    with db.write() as session:
        session.add(_person("admin", "admin"))
        for name in HOUSE:
            session.add(person := _person(name, "aide", "officer"))
            session.flush()
            tokens[name] = service.sign_in(session, person, address=None, hours=1, now=clock.now())
    return tokens


def _person(name: str, *roles: str) -> Staff:
    rows = [StaffRole(role=role) for role in roles]
    return Staff(
        id=name, username=name, password_hash="-", name_ar="-", name_en="-", department_id="rights", role_rows=rows
    )


def changes(db: Database, tokens: dict[str, str]) -> None:
    now = clock.now()
    with db.write() as session:
        service.sign_out(session, tokens["signs-out"], now=now)
        accounts.deactivate(session, "deactivated", now=now)
        accounts.end_sessions(session, "session-ends")
        fewer = session.get_one(Staff, "loses-a-role")
        fewer.role_rows = [row for row in fewer.role_rows if row.role != "aide"]
        session.get_one(Staff, "moves").department_id = "roads"


def test_who_may_not_be_there_any_more_leaves_the_rooms_and_is_told(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject, tokens = Live(db), people(db)
    tokens["gone"] = tokens["stays-0"]
    sids: dict[str, str] = {}
    told: list[str] = []
    asked: list[str] = []

    async def session_of(sid: str) -> dict[str, Any]:
        return {"token": next((tokens[name] for name, one in sids.items() if one == sid and name in tokens), None)}

    async def emit_hint(_event: str, _data: dict[str, Any], room: str) -> None:
        told.append(next(name for name, sid in sids.items() if sid == room))

    monkeypatch.setattr(subject.sio, "get_session", session_of)
    monkeypatch.setattr(subject.sio, "emit", emit_hint)

    def rooms(name: str) -> set[str]:
        return set(subject.sio.rooms(sids[name])) - {sids[name]}

    async def scene() -> None:
        thread = anyio.CapacityLimiter(1)
        for name in [*HOUSE, "hall", "gone"]:
            sids[name] = await subject.sio.manager.connect(f"line of {name}", "/")
            await subject._watch(sids[name], {"topics": ["queue:c", "office", "department:rights"]})
        await subject.sio.manager.disconnect(sids["gone"], "/")
        await subject._look_again(thread)
        assert not told and rooms("signs-out") == {"queue:c", "office", "department:rights"}
        changes(db, tokens)
        event.listen(db.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
        await subject._look_again(thread)

    asyncio.run(scene())
    gone = {"signs-out", "deactivated", "session-ends"}
    assert sorted(told) == sorted({*gone, "loses-a-role", "moves"})
    assert all(rooms(name) == {"queue:c"} for name in gone), "the hall is everybody's"
    assert rooms("loses-a-role") == {"queue:c", "department:rights"}
    assert rooms("moves") == {"queue:c", "office"}
    assert rooms("stays-0") == {"queue:c", "office", "department:rights"} and rooms("hall") == {"queue:c"}
    assert sids["gone"] not in subject._let_in and len(asked) < len(HOUSE), "not one question for each"
    asked.clear()
    asyncio.run(subject._look_again(anyio.CapacityLimiter(1)))
    assert len(told) == 5, "once"
    assert len([words for words in asked if words != "BEGIN"]) == 1
