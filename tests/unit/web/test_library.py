"""Who may view a recording, seen from the pages."""

from datetime import timedelta
from pathlib import Path

import pytest

from core import clock
from core.db import Database
from core.ids import new_id
from core.settings import Settings
from recordings.archive import service
from recordings.archive.service import Side
from recordings.keys import KeyRing
from recordings.sealed import SealedWriter
from tests.unit.web.conftest import Cast
from video.meetings import service as meetings
from web.demo.people import Ministry
from web.recording import key_ring

BYTES = bytes(range(256)) * 600  # longer than two chunks


@pytest.fixture(scope="module")
def shelf(settings: Settings, house: tuple[Database, Ministry]) -> dict[str, str]:
    """A finished recording that the minister may view."""
    db, ministry = house
    now, recording_id = clock.now(), new_id()
    minister = ministry.people["minister"]
    with db.write() as session:
        meeting = meetings.schedule(
            session,
            appointment_id=new_id(),
            petition_id="-",
            visitor_id="-",
            visitor_name=("زائر", "Visitor"),
            official=(minister.id, minister.name_ar, minister.name_en),
            centre_id=ministry.centres["central"].id,
            starts_at=now,
            ends_at=now + timedelta(minutes=20),
            now=now,
        )
        service.start(session, recording_id=recording_id, meeting_id=meeting.id, petition_id="-", now=now)
        service.close(session, recording_id, now=now)
        side = Side("p", "visitor", "زائر", "Visitor", f"{recording_id}/p.webm", 4.0, 640, 480, True, True, [])
        row = service.finish(session, recording_id, [side], [minister.id], now=now)
        session.refresh(row)
        rendition = row.renditions[0].id
    _seal(settings.recordings_dir / recording_id / "p.webm", key_ring(settings), recording_id)
    return {
        "page": f"/library/{recording_id}",
        "side": f"/library/{recording_id}/sides/{rendition}",
        "id": recording_id,
    }


def _seal(path: Path, keys: KeyRing, owner: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with SealedWriter(path, keys, owner=owner) as sealed:
        sealed.write(BYTES)


def test_the_holder_of_a_grant_gets_the_page_and_any_range(cast: Cast, shelf: dict[str, str]) -> None:
    minister = cast("minister")
    assert minister.get(shelf["page"]).status_code == 200
    whole = minister.get(shelf["side"])
    assert whole.status_code == 200 and whole.content == BYTES
    part = minister.get(shelf["side"], headers={"range": "bytes=65530-131080"})
    assert part.status_code == 206 and part.content == BYTES[65530:131081]
    assert part.headers["content-range"] == f"bytes 65530-131080/{len(BYTES)}"
    assert minister.get(shelf["side"], headers={"range": f"bytes={len(BYTES)}-"}).status_code == 416


@pytest.mark.parametrize("who", ["aide", "officer", "admin", "receptionist", "manager", "hotline", "interpreter", None])
def test_nobody_else_gets_page_or_bytes(cast: Cast, shelf: dict[str, str], who: str | None) -> None:
    for path in (shelf["page"], shelf["side"]):
        answer = cast(who).get(path)
        assert answer.status_code in (303, 404)
        assert BYTES[:64] not in answer.content


def _csrf(text: str) -> str:
    return text.split('name="csrf" content="')[1].split('"')[0]


def test_a_grant_opens_it_for_one_person_and_taking_it_back_shuts_it(
    cast: Cast, shelf: dict[str, str], house: tuple[Database, Ministry]
) -> None:
    db, ministry = house
    minister, officer = cast("minister"), cast("officer")
    csrf = _csrf(minister.get(shelf["page"]).text)
    form = {"csrf": csrf, "staff_id": ministry.people["officer"].id, "purpose": "تنفيذ التوجيه", "days": "٣"}
    wrong = minister.post(f"{shelf['page']}/grants", data={**form, "days": "999"})
    assert wrong.status_code == 422 and "تنفيذ التوجيه" in wrong.text and 'id="f-days-error"' in wrong.text
    assert minister.post(f"{shelf['page']}/grants", data=form).status_code == 303
    assert officer.get(shelf["side"]).status_code == 200
    assert cast("officer2").get(shelf["side"]).status_code == 404
    with db.read() as session:
        grants = service.viewable(session, shelf["id"], ministry.people["minister"].id, now=clock.now()).grants
        given = next(g for g in grants if g.granted_by)
    officers = _csrf(officer.get("/library").text)
    assert officer.post(f"/library/grants/{given.id}/revoke", data={"csrf": officers}).status_code == 404
    assert minister.post(f"/library/grants/{given.id}/revoke", data={"csrf": csrf}).status_code == 303
    assert officer.get(shelf["side"]).status_code == 404


def test_each_view_leaves_its_row_and_the_ranges_of_one_playing_do_not(
    cast: Cast, shelf: dict[str, str], house: tuple[Database, Ministry]
) -> None:
    from core.audit import AuditEntry

    db, _ministry = house

    def views() -> int:
        with db.read() as session:
            return session.query(AuditEntry).filter_by(action="view", subject_id=shelf["id"]).count()

    before = views()
    cast("minister").get(shelf["side"], headers={"range": "bytes=0-"})
    cast("minister").get(shelf["side"], headers={"range": "bytes=70000-70010"})
    assert views() == before + 1
