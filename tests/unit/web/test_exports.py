"""The pages of an export: who sees them, what they say in every state, in both languages."""

from datetime import timedelta

import pytest

from core import clock
from core.db import Database
from core.ids import new_id
from recordings.archive import service as archive
from recordings.archive.service import Side
from recordings.export import rules, service
from recordings.export.models import Export
from recordings.export.states import AGREED, ASKED, FAILED, MACHINE, MAKING, READY
from recordings.journal_records import Mark
from tests.unit.web.conftest import Cast
from tests.unit.web.test_library import _csrf
from video.meetings import service as meetings
from web.demo.people import Ministry
from web.exports import words
from web.exports.film import lines_of, switched_off, why_dark

PURPOSE = "عرضه على المحكمة العامة"


@pytest.fixture(scope="module")
def recording(house: tuple[Database, Ministry]) -> str:
    """Ready, with one side; the minister and the aide may view it."""
    db, ministry = house
    now, recording_id, minister = clock.now(), new_id(), ministry.people["minister"]
    with db.write() as session:
        meeting = meetings.schedule(
            session,
            appointment_id=new_id(),
            petition_id="-",
            visitor_id="v",
            visitor_name=("سارة الحربي", "Sara al-Harbi"),
            official=(minister.id, minister.name_ar, minister.name_en),
            centre_id=ministry.centres["central"].id,
            starts_at=now,
            ends_at=now + timedelta(minutes=20),
            now=now,
        )
        archive.start(session, recording_id=recording_id, meeting_id=meeting.id, petition_id="-", now=now)
        archive.close(session, recording_id, now=now)
        side = Side("a", "visitor", "سارة", "Sara", "x", 60.0, 640, 360, True, True, [])
        archive.finish(session, recording_id, [side], [minister.id, ministry.people["aide"].id], now=now)
    return recording_id


@pytest.fixture
def export(house: tuple[Database, Ministry], recording: str) -> str:
    """One that the aide has asked for; no other is open."""
    db, ministry = house
    with db.write() as session:
        for other in service.of_recording(session, recording):
            other.state = "cancelled"
    with db.write() as session:
        aide = ministry.people["aide"].id
        return service.ask(session, recording, by=aide, purpose=PURPOSE, format="mp4", lang="ar", now=clock.now()).id


def put(db: Database, export_id: str, **values: object) -> None:
    with db.write() as session:
        row = session.get_one(Export, export_id)
        for name, value in values.items():
            setattr(row, name, value)


@pytest.mark.parametrize("lang", ["ar", "en"])
@pytest.mark.parametrize("state", sorted(MACHINE.states))
def test_every_state_has_its_page(
    cast: Cast, house: tuple[Database, Ministry], export: str, state: str, lang: str
) -> None:
    put(house[0], export, state=state, problem=rules.OTHER, size=5_000_000, sha256="ab" * 32, percent=40)
    for who in ("minister", "aide"):
        answer = cast(who).get(f"/exports/{export}?lang={lang}")
        assert answer.status_code == 200 and PURPOSE in answer.text
        offered = answer.text
        assert (f"/exports/{export}/agree" in offered) == (state == ASKED and who == "minister")
        assert (f"/exports/{export}/file" in offered) == (state == READY and who == "aide")
        assert (f"/exports/{export}/cancel" in offered) == (who == "aide" and MACHINE.allows(state, "cancel"))
        assert (f"/exports/{export}/try-again" in offered) == (state == FAILED and who == "aide")
        assert cast(who).get(f"/exports?lang={lang}").status_code == 200
    if state in (AGREED, MAKING):
        assert "data-live" in offered


@pytest.mark.parametrize("problem", rules.PROBLEMS)
def test_every_failure_is_told_with_a_way_on(
    cast: Cast, house: tuple[Database, Ministry], export: str, problem: str
) -> None:
    put(house[0], export, state=FAILED, problem=problem)
    text = cast("aide").get(f"/exports/{export}?lang=en").text.replace("&#39;", "'")
    what, way_on = words.PROBLEMS[problem]
    assert what in text and way_on in text and "/try-again" in text


def test_the_card_on_the_recordings_page_names_its_exports(cast: Cast, recording: str, export: str) -> None:
    page = cast("minister").get(f"/library/{recording}").text
    assert f"/exports/{export}" in page and f"/library/{recording}/export" in page


def test_who_could_agree_is_named_before_one_asks(cast: Cast, house: tuple[Database, Ministry], recording: str) -> None:
    minister = house[1].people["minister"]
    assert minister.name_ar in cast("aide").get(f"/library/{recording}/export?lang=ar").text
    assert cast("officer").get(f"/library/{recording}/export").status_code == 404


def test_what_was_typed_wrong_stays_in_the_form(cast: Cast, recording: str) -> None:
    aide = cast("aide")
    csrf = _csrf(aide.get("/exports").text)
    form = {"csrf": csrf, "purpose": "", "format": "avi", "lang": "en"}
    answer = aide.post(f"/library/{recording}/export", data=form)
    assert answer.status_code == 422 and 'id="f-purpose-error"' in answer.text and 'id="f-format-error"' in answer.text
    long = aide.post(f"/library/{recording}/export", data={**form, "purpose": "غرض " * 60, "format": "mp4"})
    assert long.status_code == 422 and "غرض غرض" in long.text


def test_only_the_two_stop_it_and_nobody_agrees_to_their_own(cast: Cast, export: str) -> None:
    aide, minister = cast("aide"), cast("minister")
    csrf = _csrf(aide.get("/exports").text)
    assert aide.post(f"/exports/{export}/agree", data={"csrf": csrf}).status_code == 409
    theirs = _csrf(minister.get("/exports").text)
    assert minister.post(f"/exports/{export}/cancel", data={"csrf": theirs}).status_code == 404
    assert aide.post(f"/exports/{export}/cancel", data={"csrf": csrf}).status_code == 303


def test_a_gap_is_called_by_its_cause() -> None:
    marks = [
        Mark(10.0, "media", {"participant": "a", "audio": True, "video": False, "held": False}),
        Mark(20.0, "media", {"participant": "a", "audio": True, "video": True, "held": False}),
        Mark(15.0, "media", {"participant": "b", "audio": False, "video": True, "held": False}),
    ]
    marks.sort(key=lambda mark: mark.at)
    assert switched_off(marks, "a", "video", 12.0) and not switched_off(marks, "a", "video", 21.0)
    assert switched_off(marks, "b", "audio", 30.0) and not switched_off(marks, "b", "video", 30.0)
    assert why_dark(0.0, 3.0, 60.0, False) == words.NOT_YET
    assert why_dark(10.0, 20.0, 60.0, True) == words.CAMERA_OFF
    assert why_dark(10.0, 20.0, 60.0, False) == words.INTERRUPTED
    assert why_dark(50.0, 60.0, 60.0, False) == words.NO_LONGER


def test_marks_of_any_shape_make_no_captions_but_text() -> None:
    marks = [Mark(1.0, "text", {"participant": "a", "line": 1, "text": "مرحبا"}), Mark(2.0, "text", {"text": 7})]
    marks += [Mark(3.0, "text", {"participant": None, "text": "  "}), Mark(4.0, "started", {})]
    marks += [Mark(5.0, "text", {"participant": {}, "text": "x"})]
    assert [(line.name, line.text) for line in lines_of(marks, {"a": "سارة"})] == [("سارة", "مرحبا"), ("—", "x")]
