"""The queue's pages over an app of their own: no sockets, a clock of the day, four people."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from core import clock
from core.db import Database, new_id
from core.settings import Settings
from core.staff import service as staff_service
from core.staff.rules import HOTLINE, MANAGER, RECEPTIONIST
from queueing.tickets.models import Counter, ServicePoint
from reception.centres.models import Centre
from web.counter.routes import pages as counter_pages
from web.hall.routes import pages as hall_pages
from web.http import SESSION_COOKIE, Edge
from web.kiosk import pace
from web.kiosk.routes import pages as kiosk_pages
from web.render import Renderer

SECTIONS = ["men", "women", "family"]


@dataclass
class Place:
    """A centre with a service and two counters, and a browser for each person."""

    db: Database
    app: Starlette
    centre_id: str
    point_id: str
    counters: list[str]
    people: dict[str, str]

    def browser(self, person: str | None = None) -> TestClient:
        client = TestClient(self.app, base_url="http://testserver", follow_redirects=True)
        if person:
            client.cookies.set(SESSION_COOKIE, self.people[person])
        return client


@pytest.fixture(autouse=True)
def nobody_has_asked() -> None:
    pace.tickets.forget()
    pace.calls.forget()


@pytest.fixture
def place(db: Database, tmp_path: Path) -> Iterator[Place]:
    now = clock.now()
    settings = Settings(data_dir=tmp_path)
    with db.write() as session:
        centres = [
            Centre(
                id=new_id(), code=code, name_ar=f"مركز {code}", name_en=f"Centre {code}", place_ar="-", place_en="-",
                sections=SECTIONS,
            )
            for code in ("riyadh", "abha")
        ]  # fmt: skip
        session.add_all(centres)
        session.flush()
        here, away = (centre.id for centre in centres)
        point = ServicePoint(
            id=new_id(), centre_id=here, code="new", letter="A", name_ar="طلب جديد", name_en="New petition",
            sections=SECTIONS,
        )  # fmt: skip
        other = ServicePoint(
            id=new_id(), centre_id=here, code="ask", letter="B", name_ar="استفسار", name_en="Inquiry", sections=SECTIONS
        )
        counters = [
            Counter(
                id=new_id(), centre_id=here, number=n, name_ar=f"شباك {n}", name_en=f"Counter {n}", sections=SECTIONS,
                service_point_ids=[point.id, other.id], languages=["ar"],
            )
            for n in (1, 2)
        ]  # fmt: skip
        session.add_all([point, other, *counters])
        people = {}
        for name, role, centre_id in (
            ("huda", RECEPTIONIST, here),
            ("salem", RECEPTIONIST, here),
            ("mona", MANAGER, here),
            ("outsider", RECEPTIONIST, away),
            ("hotline", HOTLINE, here),
        ):
            person = staff_service.create(
                session,
                username=name,
                password="-",
                name_ar=name,
                name_en=name,
                roles=[role],
                centre_id=centre_id,
                now=now,
            )
            people[name] = staff_service.sign_in(session, person, address=None, hours=1, now=now)
    edge = Edge(db, settings, Renderer(settings))
    routes = [*edge.routes(kiosk_pages), *edge.routes(hall_pages), *edge.routes(counter_pages)]
    yield Place(db, Starlette(routes=routes), here, point.id, [c.id for c in counters], people)


@pytest.fixture
def press() -> Callable[..., object]:
    """Press a button of the page as a person does: with the hidden fields of its form."""
    return _press


def _press(client: TestClient, page: str, action: str, **fields: object) -> object:
    import re

    html = client.get(page).text
    form = re.search(rf'<form[^>]*action="{re.escape(action)}"[^>]*>(.*?)</form>', html, re.DOTALL)
    assert form, f"{page} has no button for {action}"
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form.group(1)))
    return client.post(action, data=hidden | fields)
