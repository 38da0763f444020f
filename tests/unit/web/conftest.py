"""The web application in this process, over a founded ministry, and a cast that signs in."""

from collections.abc import Callable, Iterator
from datetime import datetime

import pytest
from starlette.testclient import TestClient

from core import clock
from core.db import Database
from core.settings import Settings
from core.staff import service as staff_service
from tests.blank import blank
from web.app import create_app
from web.demo.people import Ministry, found
from web.http import SESSION_COOKIE

Cast = Callable[[str | None], TestClient]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(data_dir=tmp_path_factory.mktemp("data"), secret_hex="11" * 32)


@pytest.fixture(scope="module")
def house(settings: Settings) -> Iterator[tuple[Database, Ministry]]:
    db = blank(settings.data_dir / "majlis.sqlite3")
    with db.write() as session:
        ministry = found(session, now=clock.now())
        session.expunge_all()
    yield db, ministry
    db.dispose()


@pytest.fixture(scope="module")
def cast(settings: Settings, house: tuple[Database, Ministry]) -> Iterator[Cast]:
    """`cast("aide")` is a client signed in as that account; `cast(None)` a stranger."""
    db, ministry = house
    app = create_app(settings, db)
    clients: dict[str | None, TestClient] = {}

    def client(who: str | None) -> TestClient:
        if who not in clients:
            clients[who] = TestClient(app, base_url="http://majlis.test", follow_redirects=False)
            if who:
                with db.write() as session:
                    person = session.merge(ministry.people[who], load=False)
                    token = staff_service.sign_in(session, person, address=None, hours=1, now=clock.now())
                clients[who].cookies.set(SESSION_COOKIE, token)
        return clients[who]

    yield client


@pytest.fixture
def at() -> datetime:
    return clock.now()
