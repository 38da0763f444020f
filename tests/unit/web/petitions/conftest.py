"""The whole web application over a small ministry, without a socket; `as_(who)` is a signed-in person's browser."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from core.db import Database
from core.settings import Settings
from core.staff import service as staff_service
from core.staff.models import Staff
from tests.unit.reception.conftest import Ministry, build, identity, photo  # noqa: F401
from web.app import create_app
from web.http import SESSION_COOKIE


class Browser(TestClient):
    """Posts carry the page's token, as a form would."""

    csrf = ""

    def send_form(self, path: str, data: dict[str, Any] | None = None, **more: Any) -> Any:
        return self.post(path, data={"csrf": self.csrf, **(data or {})}, **more)


@dataclass
class Desk:
    db: Database
    app: Any
    settings: Settings
    ids: dict[str, str]

    def as_(self, who: str | None) -> Browser:
        browser = Browser(self.app, follow_redirects=False, raise_server_exceptions=False)
        browser.headers["accept-language"] = "en"
        browser.cookies.set("majlis_language", "en")
        if who:
            with self.db.write() as session:
                person = session.get_one(Staff, self.ids[who])
                token = staff_service.sign_in(session, person, address=None, hours=1, now=datetime.now(UTC))
                browser.csrf = staff_service.session_of(session, token, now=datetime.now(UTC))[1].csrf
            browser.cookies.set(SESSION_COOKIE, token)
        return browser

    def with_(self, **settings: Any) -> "Desk":
        """The same house under other settings."""
        changed = self.settings.model_copy(update=settings)
        return Desk(self.db, create_app(changed, self.db), changed, self.ids)

    def do(self, work: Callable[[Session], Any]) -> Any:
        with self.db.write() as session:
            return work(session)


@pytest.fixture
def desk(db: Database, build: Callable[[Session], Ministry], tmp_path: Path) -> Desk:  # noqa: F811
    settings = Settings(data_dir=tmp_path / "data", upload_limit=512 * 1024, secret_hex="11" * 32)
    with db.write() as session:
        ministry = build(session)
        ids = {name: person.id for name, person in ministry.staff.items()}
    return Desk(db, create_app(settings, db), settings, ids)


@pytest.fixture
def enter(desk: Desk) -> Callable[..., str]:
    """Enter a petition as a receptionist would; returns its id."""
    serial = iter(range(1, 1000))

    def make(code: str = "violation", *, by: str = "receptionist", **more: Any) -> str:
        from reception.centres.models import Centre
        from reception.petitions import catalogue, service
        from reception.visitors import service as visitors

        def work(session: Session) -> str:
            now = datetime.now(UTC)
            visitor = visitors.register(
                session, identity_number=identity(next(serial)), name="سالم بن أحمد الحربي", phone="0501234567", now=now
            )
            values = {
                "subject": "Objection to a violation",
                "body": "SECRET-BODY: I never drove there.",
                "centre_id": session.query(Centre).filter_by(code="riyadh").one().id,
                "staff_id": desk.ids[by],
            }
            kind = catalogue.by_code(session, code)
            return service.receive(session, visitor=visitor, type=kind, now=now, **(values | more)).id

        return desk.do(work)

    return make


def draft_of(html: str) -> str:
    return re.search(r'name="draft" value="([a-z0-9]{26})"', html)[1]
