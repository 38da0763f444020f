"""The edges of the library: the longest grant, and readings that begin in the middle."""

from sqlalchemy import select

from core.audit import AuditEntry
from core.db import Database
from recordings.archive.models import Grant
from tests.unit.web.conftest import Cast
from tests.unit.web.test_library import BYTES, _csrf, shelf
from web.demo.people import Ministry

__all__ = ["shelf"]  # the fixture, for this module's own ministry


def test_a_year_is_the_longest_grant_and_can_be_given(
    cast: Cast, shelf: dict[str, str], house: tuple[Database, Ministry]
) -> None:
    db, ministry = house
    minister = cast("minister")
    form = {
        "staff_id": ministry.people["officer"].id,
        "purpose": "متابعة",
        "csrf": _csrf(minister.get("/library").text),
    }
    assert minister.post(f"{shelf['page']}/grants", data={**form, "days": "365"}).status_code == 303
    assert minister.post(f"{shelf['page']}/grants", data={**form, "days": "366"}).status_code == 422
    with db.read() as session:
        given = session.scalars(select(Grant).where(Grant.granted_by.is_not(None))).one()
        assert given.until and 364 <= (given.until - given.granted_at).days <= 365


def test_nobody_reads_from_the_second_byte_on_unseen(
    cast: Cast, shelf: dict[str, str], house: tuple[Database, Ministry]
) -> None:
    def views() -> int:
        with house[0].read() as session:
            query = select(AuditEntry).where(AuditEntry.action == "view", AuditEntry.subject_id == shelf["id"])
            return len(session.scalars(query).all())

    minister = cast("minister")
    seen = minister.get(shelf["side"], headers={"range": "bytes=1-"})
    assert seen.status_code == 206 and seen.content == BYTES[1:]
    assert views() == 1
    for asked in ("bytes=-5000", "bytes=70000-", "bytes= 0-"):
        minister.get(shelf["side"], headers={"range": asked})
    assert views() == 1, "one playing is one view"
    minister.get(shelf["side"], headers={"range": "bytes=0-"})
    assert views() == 2
