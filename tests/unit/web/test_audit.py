"""Every page that a member of staff opens leaves a row, with what was searched for."""

import pytest

from core.audit import AuditEntry
from core.db import Database
from tests.unit.web.conftest import Cast
from tests.unit.web.test_doors import ASKS_FOR_A_CASE, OPEN, ROLE_OF
from web.demo.people import Ministry
from web.http import Page


@pytest.mark.parametrize("page", [p for p in OPEN if p.path not in ASKS_FOR_A_CASE], ids=lambda p: p.path)
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


def test_a_live_refresh_of_a_list_adds_nothing(cast: Cast, house: tuple[Database, Ministry]) -> None:
    db, aide = house[0], cast("aide")
    with db.read() as session:
        before = session.query(AuditEntry).count()
    aide.get("/office", headers={"x-fragment": "1"})
    with db.read() as session:
        assert session.query(AuditEntry).count() == before
