"""Every page that a member of staff opens leaves a row, with what was searched for."""

from datetime import UTC, datetime, timedelta

import pytest
from starlette.testclient import TestClient

from core import clock
from core.audit import AuditEntry
from core.db import Database
from core.settings import Settings
from core.staff import service as staff_service
from tests.unit.web.conftest import Cast
from tests.unit.web.test_doors import ASKS_FOR_A_CASE, OPEN, ROLE_OF
from web import opened
from web.app import create_app
from web.demo.people import Ministry
from web.http import SESSION_COOKIE, Page
from web.opened import Opened

AGAIN = {"x-fragment": "1"}


@pytest.mark.parametrize(
    "page", [p for p in OPEN if p.path not in ASKS_FOR_A_CASE and p.personal], ids=lambda p: p.path
)
def test_opening_a_page_is_written_down(cast: Cast, house: tuple[Database, Ministry], page: Page) -> None:
    db, ministry = house
    who = next(u for u, role in ROLE_OF.items() if not page.audience.roles or role in page.audience.roles)

    def rows() -> int:
        with db.read() as session:
            return session.query(AuditEntry).filter_by(actor_id=ministry.people[who].id).count()

    before = rows()
    answer = cast(who).get(page.path)
    if answer.status_code == 200:
        assert rows() > before


def test_the_words_of_a_search_stand_in_the_trail(cast: Cast, house: tuple[Database, Ministry]) -> None:
    cast("hotline").get("/hotline", params={"q": "0500000001"})
    with house[0].read() as session:
        found = [
            row for row in session.query(AuditEntry).filter_by(actor_name="hotline") if "0500000001" in str(row.detail)
        ]
    assert found


def count(db: Database) -> int:
    with db.read() as session:
        return session.query(AuditEntry).count()


def test_a_live_refresh_of_a_list_adds_nothing(cast: Cast, house: tuple[Database, Ministry]) -> None:
    db, aide = house[0], cast("aide")
    aide.get("/office")
    before = count(db)
    for _ in range(3):
        assert aide.get("/office", headers=AGAIN).status_code == 200
    assert count(db) == before


@pytest.mark.parametrize(
    ("who", "address"),
    [("aide", "/office"), ("aide", "/office/directives"), ("officer", "/department"), ("aide", "/office/calendar")],
)
def test_a_header_hides_no_list(house: tuple[Database, Ministry], settings: Settings, who: str, address: str) -> None:
    """That a page only renews itself is the browser's word: it counts where this sign-in has opened that address."""
    db, ministry = house
    client = TestClient(create_app(settings, db), base_url="http://majlis.test", follow_redirects=False)
    with db.write() as session:
        person = session.merge(ministry.people[who], load=False)
        token = staff_service.sign_in(session, person, address=None, hours=1, now=clock.now())
    client.cookies.set(SESSION_COOKIE, token)
    for asked in (address, f"{address}?show=done&week=2026-10-25"):
        before = count(db)
        assert client.get(asked, headers=AGAIN).status_code == 200
        assert count(db) == before + 1
        assert client.get(asked, headers=AGAIN).status_code == 200
        assert count(db) == before + 1


def test_words_that_are_typed_leave_no_row_for_each_letter(cast: Cast, house: tuple[Database, Ministry]) -> None:
    aide = cast("aide")
    before = count(house[0])
    for text in ("a", "ab"):
        shown = aide.get("/messages/campaigns/preview", params={"text": text, "language": "en"}, headers=AGAIN)
        assert shown.status_code == 200
    assert count(house[0]) == before


def test_what_was_opened_is_known_an_hour_and_for_so_many_screens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opened, "MOST", 2)
    pages, now = Opened(), datetime(2026, 10, 25, 9, tzinfo=UTC)
    pages.keep("mine", "/office", now=now)
    assert pages.lately("mine", "/office", now=now + timedelta(minutes=59))
    assert not pages.lately("mine", "/office", now=now + timedelta(minutes=60))
    assert not pages.lately("another's", "/office", now=now) and not pages.lately("mine", "/office?q=x", now=now)
    pages.keep("mine", "/messages", now=now)
    pages.keep("mine", "/office", now=now)  # again: it is now the later one
    pages.keep("mine", "/department", now=now)
    assert [p for p in ("/office", "/messages", "/department") if pages.lately("mine", p, now=now)] == [
        "/office",
        "/department",
    ]
