"""Requests at once, on both databases: a form sent twice, guesses in parallel, many readers, what can't be stored."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from starlette.responses import Response
from starlette.testclient import TestClient

from core import clock
from core.db import THREADS, Database
from core.errors import Mistake, Refused
from core.settings import Settings
from core.staff import service as staff_service
from core.staff.models import SignInPace, Staff
from web import app as web_app
from web.http import Context, Pages, everyone

pytestmark = pytest.mark.real


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, secret_hex="11" * 32)


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pages]:
    """A route table of the test's own, served instead of the areas'."""
    mine = Pages()
    monkeypatch.setattr(web_app, "areas", lambda: [mine])
    return mine


def account(db: Database) -> str:
    with db.write() as session:
        return staff_service.create(
            session, username="amal", password="right", name_ar="أمل", name_en="Amal", roles=["aide"], now=clock.now()
        ).id


def at_once(count: int, act: Callable[[int], Any]) -> list[Any]:
    gate = threading.Barrier(count)

    def start(n: int) -> Any:
        gate.wait(60)
        return act(n)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(start, range(count)))


@pytest.mark.parametrize("answer", ["refused", "mistake"])
def test_the_second_of_two_equal_forms_gets_the_firsts_answer_though_it_finds_the_thing_done(
    any_db: Database, settings: Settings, pages: Pages, answer: str
) -> None:
    staff_id = account(any_db)

    @pages.post("/close", audience=everyone)
    def close(ctx: Context) -> Response:
        row = ctx.session.scalar(
            select(Staff).where(Staff.id == staff_id).with_for_update().execution_options(populate_existing=True)
        )
        assert row
        if row.title_en == "closed":
            raise Refused("It is closed.") if answer == "refused" else Mistake("It is closed.")
        if ctx.session.get_bind().dialect.name == "postgresql":
            ctx.session.execute(text("SELECT pg_sleep(0.5)"))
        row.title_en = "closed"
        return ctx.redirect("/closed")

    app = web_app.create_app(settings, any_db)
    client = TestClient(app, follow_redirects=False)
    answers = at_once(2, lambda _n: client.post("/close", data={"once": "k" * 150}))
    assert [(a.status_code, a.headers.get("location")) for a in answers] == [(303, "/closed")] * 2
    assert client.post("/close", data={"once": "another"}).status_code in (409, 422)


@pytest.mark.parametrize("name", ["amal", "nobody"])
def test_guesses_sent_at_once_count_each(any_db: Database, name: str) -> None:
    account(any_db)

    def guess(n: int) -> str:
        try:
            with any_db.write() as session:
                found = staff_service.check_password(session, name, f"guess {n}", now=clock.now())
                return "in" if found else "wrong"
        except Mistake:
            return "paused"

    answers = at_once(12, guess)
    with any_db.read() as session:
        left = session.scalars(select(SignInPace.free_at)).one() - clock.now()
    assert timedelta(minutes=4) < left <= timedelta(minutes=5)
    assert sorted(answers) == ["paused"] * 7 + ["wrong"] * 5


def test_as_many_as_may_work_at_once_read_at_once(any_db: Database) -> None:
    gate = threading.Barrier(THREADS)

    def read(_n: int) -> bool:
        with any_db.read() as session:
            session.execute(text("SELECT 1"))
            gate.wait(60)  # everybody has a connection, or nobody passes
            return True

    with ThreadPoolExecutor(THREADS) as pool:
        assert all(pool.map(read, range(THREADS)))


def test_an_address_with_what_no_column_holds_is_a_page_that_is_not_there(any_db: Database, settings: Settings) -> None:
    client = TestClient(web_app.create_app(settings, any_db), follow_redirects=False)
    assert client.get("/t/%00").status_code == 404
    assert client.post("/sign-in", data={"username": "a", "password": "b", "once": "\0"}).status_code == 422
