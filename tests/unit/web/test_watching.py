"""What the player is given, and to whom: chapters, notes, strip, and whether it may go on."""

from datetime import datetime, timedelta

import pytest

from core import clock
from core.db import Database
from core.ids import new_id
from core.settings import Settings
from recordings.archive import service
from recordings.archive.service import Side
from recordings.journal import open_journal
from recordings.notes import service as notes
from recordings.strip import files
from recordings.strip import service as strips
from recordings.strip.files import Strip
from tests.unit.web.conftest import Cast
from video.meetings import service as meetings
from web.demo.people import Ministry
from web.library.broken import broke_off
from web.recording import key_ring


@pytest.fixture(scope="module")
def shelf(settings: Settings, house: tuple[Database, Ministry]) -> dict[str, str]:
    """A finished recording of 24 seconds that the minister may view."""
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
        people = {p.role: p.id for p in meeting.participants}
        service.start(session, recording_id=recording_id, meeting_id=meeting.id, petition_id="-", now=now)
        service.close(session, recording_id, now=now)
        gaps, path = [["video", 5.0, 12.0]], f"{recording_id}/p"
        side = Side(people["visitor"], "visitor", "زائر", "Visitor", path, 24.0, 640, 480, True, True, gaps)
        service.finish(session, recording_id, [side], [minister.id], now=now)
        meeting_id = meeting.id
    folder = settings.recordings_dir / recording_id
    folder.mkdir(parents=True)
    keys = key_ring(settings)
    journal = open_journal(folder / "journal", keys, recording_id=recording_id, meeting_id=meeting_id, started_at=now)
    journal.mark(3.0, "text", {"participant": people["visitor"], "text": "أطلب النظر <b>هنا</b>"})
    journal.close(24.0)
    return {"id": recording_id, "page": f"/library/{recording_id}", "visitor": people["visitor"]}


def _csrf(text: str) -> str:
    return text.split('name="csrf" content="')[1].split('"')[0]


def test_the_page_works_before_anything_is_drawn_and_asks_once_for_it(
    cast: Cast, shelf: dict[str, str], house: tuple[Database, Ministry]
) -> None:
    from core.jobs import Job

    minister = cast("minister")
    for _ in range(2):
        page = minister.get(shelf["page"])
        assert page.status_code == 200 and "data-player" in page.text and "انقطع الاتصال" in page.text
    assert minister.get(f"{shelf['page']}/strip").status_code == 204
    with house[0].read() as session:
        asked = [job.kind for job in session.query(Job) if job.payload.get("recording_id") == shelf["id"]]
    assert sorted(kind for kind in asked if kind in (strips.LIST, strips.DRAW)) == sorted([strips.LIST, strips.DRAW])


def test_words_and_stills_come_through_the_door_and_leave_their_trace(
    cast: Cast, shelf: dict[str, str], settings: Settings, house: tuple[Database, Ministry]
) -> None:
    from core.audit import AuditEntry
    from recordings.strip.making import read_marks

    folder, keys = settings.recordings_dir / shelf["id"], key_ring(settings)
    files.write_marks(folder, read_marks(folder / "journal", shelf["id"], keys), keys)
    files.write_strip(folder, Strip({"x": b"\x01"}, (1.0,), (), 12, (96, 72), b"picture"), keys)
    minister = cast("minister")
    page = minister.get(shelf["page"]).text
    assert "أطلب النظر &lt;b&gt;" in page and "<b>هنا" not in page
    assert minister.get(f"{shelf['page']}/strip").json()["moments"] == [1.0]
    stills = minister.get(f"{shelf['page']}/stills")
    assert stills.content == b"picture" and "no-store" in stills.headers["cache-control"]
    with house[0].read() as session:
        rows = session.query(AuditEntry).filter_by(action="view", subject_id=shelf["id"]).all()
    told = " ".join(str(row.detail) for row in rows)
    assert "'marks'" in told and "'strip'" in told


@pytest.mark.parametrize("who", ["aide", "officer", "admin", "receptionist", "hotline", None])
def test_nobody_else_gets_words_stills_notes_or_an_answer(cast: Cast, shelf: dict[str, str], who: str | None) -> None:
    client = cast(who)
    for path in ("", "/strip", "/stills", "/leave"):
        answer = client.get(shelf["page"] + path)
        assert answer.status_code in (303, 404) and b"picture" not in answer.content
    token = _csrf(client.get("/sign-in" if who is None else "/account/password").text) if who else ""
    answer = client.post(f"{shelf['page']}/notes", data={"csrf": token, "at": "1", "text": "x"})
    assert answer.status_code in (303, 403, 404)


def test_a_note_is_written_changed_deleted_and_brought_back_by_its_writer_alone(
    cast: Cast, shelf: dict[str, str], house: tuple[Database, Ministry]
) -> None:
    db, ministry = house
    minister, aide = cast("minister"), cast("aide")
    csrf = {"csrf": _csrf(minister.get(shelf["page"]).text)}
    assert minister.get(f"{shelf['page']}/leave").status_code == 204
    made = minister.post(f"{shelf['page']}/notes", data={**csrf, "at": "7.25", "text": " يراجع مع اللجنة "})
    assert made.status_code == 200
    note = made.json()["id"]
    for wrong in ({"at": "x", "text": "y"}, {"at": "nan", "text": "y"}, {"at": "1", "text": " "}):
        assert minister.post(f"{shelf['page']}/notes", data={**csrf, **wrong}).status_code == 422
    others = {"csrf": _csrf(aide.get("/library").text)}
    assert aide.post(f"/library/notes/{note}/change", data={**others, "text": "z"}).status_code == 404
    assert "يراجع مع اللجنة" in minister.get(shelf["page"]).text
    assert minister.post(f"/library/notes/{note}/change", data={**csrf, "text": "غيّرتها"}).status_code == 200
    assert minister.post(f"/library/notes/{note}/delete", data=csrf).status_code == 200
    assert "غيّرتها" not in minister.get(shelf["page"]).text
    assert minister.post(f"/library/notes/{note}/change", data={**csrf, "text": "y"}).status_code == 409
    assert minister.post(f"/library/notes/{note}/restore", data=csrf).status_code == 200
    assert "غيّرتها" in minister.get(shelf["page"]).text
    with db.read() as session:
        (kept,) = notes.of_recording(session, shelf["id"])
        assert (kept.at_s, kept.written_by) == (7.2, ministry.people["minister"].id)


def test_a_recording_that_broke_off_in_the_middle_of_its_meeting_says_so(
    cast: Cast, shelf: dict[str, str], house: tuple[Database, Ministry]
) -> None:
    db, minister = house[0], cast("minister")
    told = {shelf["page"]: "انقطع هذا التسجيل قبل انتهاء اللقاء", "/library": "انقطع قبل انتهاء اللقاء."}
    assert not [words for page, words in told.items() if words in minister.get(page).text]
    with db.write() as session:
        recording = service.get(session, shelf["id"])
        meeting = meetings.get(session, recording.meeting_id)
        meeting.ended_at = recording.started_at + timedelta(minutes=40)
        meetings.recording_lost(session, meeting.id, "writer failed", now=recording.started_at + timedelta(seconds=25))
        for person in meeting.participants:
            person.joined_at = recording.started_at
    assert [words for page, words in told.items() if words in minister.get(page).text] == list(told.values())
    page = minister.get(shelf["page"]).text
    assert "moment--broken" in page and page.index("moment--broken") == page.rindex('class="moment moment--') + 14
    with db.write() as session:
        for person in meetings.get(session, service.get(session, shelf["id"]).meeting_id).participants:
            person.left_at = recording.started_at + timedelta(seconds=24)
    assert told[shelf["page"]] not in minister.get(shelf["page"]).text, "nobody was there any more"


def test_what_of_a_meeting_went_on_without_being_recorded() -> None:
    zero = clock.now()

    def at(seconds: float) -> datetime:
        return zero + timedelta(seconds=seconds)

    ended, until = at(720), at(2400)
    assert broke_off(ended, [], [None, at(2390)], until)
    assert broke_off(ended, [], [], until), "who was there is not known"
    assert not broke_off(ended, [], [at(719), at(725)], until), "all had left; nobody pressed the button"
    assert not broke_off(at(2399), [], [None], until)
    assert not broke_off(ended, [at(0), at(731)], [None], until), "a media process died, and another went on"
    assert broke_off(ended, [at(0), at(1800)], [None], until), "it could be recorded again only much later"
