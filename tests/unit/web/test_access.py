"""The one door, tried from every side: each role against each address of a recording, and views without a trace."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from core import clock
from core.db import Database
from core.errors import NotFound
from core.ids import new_id
from core.settings import Settings
from recordings import access
from recordings.archive import leave
from recordings.archive.models import Grant, Recording, View
from recordings.export.models import Export
from recordings.export.states import READY
from recordings.notes.models import Note
from recordings.ranges import ByteRange
from recordings.retention.models import Hold
from tests.unit.web.conftest import Cast
from tests.unit.web.test_doors import NAME, PAGES, ROLE_OF
from tests.unit.web.test_library import BYTES, _csrf, _seal, shelf
from web.demo.people import Ministry
from web.http import Page
from web.keys import key_ring

__all__ = ["shelf"]
KINDS = ("recording_id", "rendition_id", "grant_id", "export_id", "note_id")
OF_A_RECORDING = [
    page
    for page in PAGES
    if any(f"{{{kind}" in page.path for kind in KINDS) and not page.path.startswith(("/messages", "/admin"))
]
RETENTION = "/retention/"  # the office decides the end of recordings that it may not watch: dates, no content
SECRET = "كلمة لا يعرفها غير أهلها"


@pytest.fixture(scope="module")
def ids(settings: Settings, house: tuple[Database, Ministry], shelf: dict[str, str]) -> dict[str, str]:
    db, ministry = house
    minister = ministry.people["minister"].id
    with db.write() as session:
        export = Export(
            id=new_id(),
            recording_id=shelf["id"],
            state=READY,
            format="mp4",
            lang="ar",
            purpose=SECRET,
            asked_by=minister,
            asked_at=clock.now(),
            until=clock.now() + timedelta(days=7),
        )
        note = Note(
            id=new_id(), recording_id=shelf["id"], at_s=1.0, text=SECRET, written_by=minister, written_at=clock.now()
        )
        session.add_all([export, note])
        grant = session.scalars(select(Grant).where(Grant.recording_id == shelf["id"])).one().id
        file = export.file
    _seal(settings.exports_dir / file, key_ring(settings), shelf["id"])
    return {
        "recording_id": shelf["id"],
        "rendition_id": shelf["side"].rsplit("/", 1)[1],
        "grant_id": grant,
        "export_id": export.id,
        "note_id": note.id,
    }


def _address(page: Page, ids: dict[str, str]) -> str:
    return NAME.sub(lambda found: ids.get(found[0].strip("{}").split(":")[0], "propose"), page.path)


def test_the_addresses_of_a_recording_are_known() -> None:
    paths = {page.path for page in OF_A_RECORDING}
    for wanted in ("/library/{recording_id}", "/library/{recording_id}/sides/{rendition_id}", "/exports/{export_id}"):
        assert wanted in paths
    assert len(paths) > 12


@pytest.mark.parametrize("page", OF_A_RECORDING, ids=lambda p: f"{p.method} {p.path}")
def test_every_role_against_every_address(
    cast: Cast, house: tuple[Database, Ministry], ids: dict[str, str], page: Page
) -> None:
    before = _changes(house[0], ids["recording_id"])
    for who in [*(name for name in ROLE_OF if name != "minister"), None]:
        client = cast(who)
        if page.path.startswith(RETENTION) and who is not None and ROLE_OF[who] in ("aide", "official"):
            continue
        data = None
        if who and page.method == "POST":
            data = {"csrf": _csrf(client.get("/account/password").text), "at": "1", "text": "x", "reason": "x"}
        answer = client.request(page.method, _address(page, ids), data=data)
        assert answer.status_code in (303, 404), (who, answer.status_code)
        if answer.status_code == 303:
            assert who is None and answer.headers["location"].startswith("/sign-in"), who
        assert BYTES[:64] not in answer.content and SECRET not in answer.text
    assert _changes(house[0], ids["recording_id"]) == before


def _changes(db: Database, recording_id: str) -> list[tuple[object, ...]]:
    """What a stranger's try must not change."""
    with db.read() as session:
        rows: list[tuple[object, ...]] = [(g.id, g.revoked_at) for g in session.scalars(select(Grant))]
        rows += [(v.id, v.spans) for v in session.scalars(select(View).where(View.recording_id == recording_id))]
        rows += [(e.id, e.state) for e in session.scalars(select(Export))]
        rows += [(n.id, n.text, n.state) for n in session.scalars(select(Note))]
        rows += [(h.id, h.state) for h in session.scalars(select(Hold))]
        recording = session.get_one(Recording, recording_id)
        return [*rows, (recording.id, recording.state)]


@pytest.mark.parametrize("table", ["recording_view", "audit_entry"])
def test_what_cannot_be_noted_is_not_opened(
    cast: Cast, house: tuple[Database, Ministry], shelf: dict[str, str], table: str
) -> None:
    db, ministry = house
    with db.write() as session:  # another sitting than any before
        for row in session.scalars(select(View)):
            row.last_at -= timedelta(hours=2)
    assert cast("minister").get("/library").status_code == 200

    def refuse(_conn: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("INSERT INTO " + table):
            raise OSError("the trail can't be written")

    event.listen(db.engine, "before_cursor_execute", refuse)
    try:
        with pytest.raises(OSError, match="trail"):
            _open(db, ministry, shelf, cast)
    finally:
        event.remove(db.engine, "before_cursor_execute", refuse)


def test_the_row_is_committed_before_the_first_byte(
    cast: Cast, house: tuple[Database, Ministry], settings: Settings, shelf: dict[str, str]
) -> None:
    db, ministry = house
    opened = _opened(db, ministry, settings, shelf)
    with db.read() as session:
        row = session.scalars(
            select(View).where(View.recording_id == shelf["id"]).order_by(View.last_at.desc())
        ).first()
        assert row and row.staff_id == ministry.people["minister"].id
    bytes_ = opened.read(ByteRange(0, opened.size))
    next(bytes_)
    with db.read() as session:
        assert session.get_one(View, row.id).spans, "the part is noted before it is given out"
    bytes_.close()


def test_a_leave_taken_back_ends_what_is_being_watched(
    house: tuple[Database, Ministry], settings: Settings, shelf: dict[str, str]
) -> None:
    db, ministry = house
    officer, minister, now = ministry.people["officer"].id, ministry.people["minister"].id, clock.now()
    with db.write() as session:
        row = leave.give(
            session, shelf["id"], staff_id=officer, purpose="x", by=minister, until=now + timedelta(days=1), now=now
        ).id
    times = [now]
    opened = _opened(db, ministry, settings, shelf, who="officer", times=times)
    bytes_ = opened.read(ByteRange(0, opened.size))
    assert next(bytes_)
    with db.write() as session:
        leave.take_back(session, row, by=minister, now=now)
    times[0] += timedelta(seconds=2)
    assert list(bytes_) == []
    with pytest.raises(NotFound):
        _opened(db, ministry, settings, shelf, who="officer")


def test_leave_for_a_role_and_a_case_is_given_shown_and_taken_back_on_the_page(
    cast: Cast, house: tuple[Database, Ministry], shelf: dict[str, str]
) -> None:
    minister, aide = cast("minister"), cast("aide")
    csrf = _csrf(minister.get(f"{shelf['page']}/access").text)
    form = {"csrf": csrf, "staff_id": "role:aide", "purpose": "كتابة التوجيه", "days": "7", "whole_case": "1"}
    assert aide.get(shelf["page"]).status_code == 404
    assert minister.post(f"{shelf['page']}/grants", data={**form, "purpose": "took part"}).status_code == 422
    mine = {**form, "staff_id": house[1].people["minister"].id}
    assert minister.post(f"{shelf['page']}/grants", data=mine).status_code == 422
    assert minister.post(f"{shelf['page']}/grants", data=form).status_code == 303
    assert aide.get(shelf["page"]).status_code == 200
    assert "كتابة التوجيه" in aide.get("/library").text
    assert aide.get(shelf["side"]).content == BYTES
    page = minister.get(f"{shelf['page']}/access").text
    assert house[1].people["aide"].name_ar in page and "كتابة التوجيه" in page
    own = _csrf(aide.get("/library").text)
    again = {**form, "csrf": own, "staff_id": house[1].people["officer"].id}
    assert aide.post(f"{shelf['page']}/grants", data=again).status_code == 404, "leave is not handed on"
    with house[0].read() as session:
        row = session.scalars(select(Grant).where(Grant.role == "aide", Grant.revoked_at.is_(None))).one().id
    assert aide.post(f"/library/grants/{row}/revoke", data={"csrf": own}).status_code == 404
    assert minister.post(f"/library/grants/{row}/revoke", data={"csrf": csrf}).status_code == 303
    assert aide.get(shelf["side"]).status_code == 404 and aide.get(shelf["page"]).status_code == 404


def _open(db: Database, ministry: Ministry, shelf: dict[str, str], cast: Cast) -> None:
    answer = cast("minister").get(shelf["side"])
    assert BYTES[:64] not in answer.content


def _opened(
    db: Database,
    ministry: Ministry,
    settings: Settings,
    shelf: dict[str, str],
    *,
    who: str = "minister",
    times: list[object] | None = None,
) -> access.Opened:
    @contextmanager
    def write() -> Iterator[Session]:
        with db.write() as session:
            session.info.update(actor_id=ministry.people[who].id, actor_name=who)
            yield session

    return access.watch(
        write,
        ministry.people[who].id,
        shelf["side"].rsplit("/", 1)[1],
        folder=settings.recordings_dir,
        keyring=key_ring(settings),
        clock=(lambda: times[0]) if times else clock.now,  # type: ignore[arg-type, return-value]
        first=True,
    )
