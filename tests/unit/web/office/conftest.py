"""The office of a founded ministry with two petitions that came up to it and a week of slots."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from httpx import Response
from sqlalchemy import select
from starlette.testclient import TestClient

from core.calendar import local_day
from core.db import Database
from queueing.appointments import calendar
from reception.petitions import catalogue
from reception.petitions import service as petitions
from reception.visitors import service as visitors
from web.demo.cases import check_digit
from web.demo.people import Ministry

ZONE = "Asia/Riyadh"


@dataclass
class Office:
    db: Database
    ministry: Ministry
    now: datetime

    def petition(self, number: int, name: str = "سالم بن أحمد الأول", *, sign_language: bool = False) -> str:
        """A petition to the minister in person, of a visitor of its own."""
        nine = f"1{number:08d}"
        with self.db.write() as session:
            visitor = visitors.register(
                session,
                identity_number=nine + check_digit(nine),
                name=name,
                phone=f"05{number:08d}",
                sign_language=sign_language,
                now=self.now,
            )
            return petitions.receive(
                session,
                visitor=visitor,
                type=catalogue.by_code(session, "minister"),
                subject=f"طلب لقاء رقم {number}",
                body="أرجو من معاليكم النظر في طلبي.",
                centre_id=self.ministry.centres["central"].id,
                staff_id=self.ministry.people["receptionist"].id,
                now=self.now,
            ).id

    def slots(self, days: int = 2, *, hour: int = 10, kind: str = "video", **more: Any) -> list[str]:
        centre = self.ministry.centres["central"]
        with self.db.write() as session:
            rows = calendar.add_session(
                session,
                official_id=self.ministry.people["minister"].id,
                kind=kind,
                centre_id=centre.id if kind == "video" else None,
                place_ar=centre.place_ar,
                place_en=centre.place_en,
                day=local_day(self.now, ZONE) + timedelta(days=days),
                start=time(hour),
                end=time(hour + 1),
                minutes=20,
                zone=ZONE,
                now=self.now,
                **more,
            )
            return [row.id for row in rows]

    def one(self, model: Any, *where: Any) -> Any:
        with self.db.read() as session:
            found = session.scalars(select(model).where(*where)).unique().all()
            assert len(found) == 1, found
            session.expunge_all()
            return found[0]

    def count(self, model: Any, *where: Any) -> int:
        with self.db.read() as session:
            return len(session.scalars(select(model).where(*where)).unique().all())


@pytest.fixture(scope="module")
def office(house: tuple[Database, Ministry]) -> Office:
    from core import clock

    return Office(*house, clock.now())


Send = Callable[..., Response]


@pytest.fixture
def send() -> Send:
    """Post a form as the page at `page` would: with its csrf and, unless given, its own once-key."""

    def post(client: TestClient, address: str, *, page: str = "/office", **fields: str) -> Response:
        html = client.get(page).text
        csrf = re.search(r'name="csrf" (?:content|value)="([^"]+)"', html)
        assert csrf, html[:500]
        return client.post(address, data={"csrf": csrf[1], **fields})

    return post
