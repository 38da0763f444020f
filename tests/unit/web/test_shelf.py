"""The shelf: what is found by whom, and what even counts don't tell."""

import re
from datetime import date, datetime, timedelta
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import literal, select
from sqlalchemy.orm import Session

from core import clock
from core.calendar import day_of, hijri_of
from core.db import Database
from core.ids import new_id
from core.settings import Settings
from core.text import search_form
from recordings.archive import service
from recordings.archive.models import Recording
from recordings.archive.states import FAILED
from recordings.journal import open_journal
from recordings.journal_records import Mark
from recordings.notes.models import Note
from recordings.strip import files
from tests.unit.web.conftest import Cast
from video.meetings import service as meetings
from web.demo.people import Ministry
from web.keys import key_ring
from web.library import finding


@pytest.fixture(scope="module")
def shelf(settings: Settings, house: tuple[Database, Ministry]) -> dict[str, str]:
    """Two recordings of like words: the minister's, and one in which nobody of this cast took part."""
    return {
        name: _recording(settings, house, viewers, visitor, at)
        for name, viewers, visitor, at in (
            ("mine", ["minister"], ("أحمد القرني", "Ahmad"), clock.now() - timedelta(days=40)),
            ("other", [], ("أحمد الغامدي", "Ahmad"), clock.now() - timedelta(days=39)),
        )
    }


def _recording(
    settings: Settings, house: tuple[Database, Ministry], viewers: list[str], visitor: tuple[str, str], at: datetime
) -> str:
    db, ministry = house
    id_, minister = new_id(), ministry.people["minister"]
    folder = settings.recordings_dir / id_
    folder.mkdir(parents=True)
    with db.write() as session:
        meeting = meetings.schedule(
            session,
            appointment_id=new_id(),
            petition_id="-",
            visitor_id="-",
            visitor_name=visitor,
            official=(minister.id, minister.name_ar, minister.name_en),
            centre_id=ministry.centres["central"].id,
            starts_at=at,
            ends_at=at + timedelta(minutes=20),
            now=at,
        )
        service.start(session, recording_id=id_, meeting_id=meeting.id, petition_id="-", now=at)
        service.close(session, id_, now=at)
        service.finish(session, id_, [], [ministry.people[one].id for one in viewers], now=at, duration_s=600.0)
        session.add(
            Note(id=new_id(), recording_id=id_, at_s=70.0, text="رقم الصك ٤٥٥", written_by=minister.id, written_at=at)
        )
    open_journal(folder / "journal", key_ring(settings), recording_id=id_, meeting_id=meeting.id, started_at=at).close(
        1.0
    )
    marks = [Mark(31.0, "text", {"participant": "p", "text": "أُريد إعادةَ النظر في قضيّة أخي"})]
    files.write_marks(folder, marks, key_ring(settings))
    return id_


def _way(cast: Cast, way: str, who: str = "officer2", **query: str | None) -> str | None:
    """Where the page leads on to."""
    text = cast(who).get("/library", params={k: v for k, v in query.items() if v}).text
    links = [
        parse_qs(urlsplit(unescape(link)).query).get(way) for link in re.findall(r'href="(/library\?[^"]*)"', text)
    ]
    return next((link[0] for link in links if link), None)


def _found(cast: Cast, who: str, **query: str | None) -> list[str]:
    answer = cast(who).get("/library", params=query)
    assert answer.status_code == 200
    return re.findall(r'class="row"[^>]*data-key="(\w+)"', answer.text)


@pytest.mark.parametrize(
    ("q", "at"),
    [
        ("احمد", None),
        ("القرنى", None),
        ("قضيه اخي", "t=31"),
        ("اعاده النظر", "t=31"),
        ("صك 455", "t=70"),
        ("لا شيء كهذا", "none"),
    ],
)
def test_words_are_found_as_people_write_them_and_only_in_ones_own(
    cast: Cast, shelf: dict[str, str], q: str, at: str | None
) -> None:
    assert _found(cast, "minister", q=q) == ([] if at == "none" else [shelf["mine"]])
    page = cast("minister").get("/library", params={"q": q}).text
    assert shelf["other"] not in page and "الغامدي" not in page
    if at and at != "none":
        assert f"/library/{shelf['mine']}?{at}" in page


def test_those_without_leave_learn_nothing_not_even_how_many(cast: Cast, shelf: dict[str, str]) -> None:
    for query in ({"q": "احمد"}, {"q": "قضية"}, {}, {"state": "ready"}):
        texts = {}
        for q in (query, {**query, "q": "zzzz"} if query.get("q") else query):
            text = cast("aide").get("/library", params=q).text
            assert shelf["mine"] not in text and "القرني" not in text
            texts[str(q)] = re.sub(
                r"zzzz|احمد|قضية|%\w\w|[?&=\w]*once[^>]*", "", text.split("<main")[1].split("</main")[0]
            )
        assert len(set(texts.values())) == 1, "what exists elsewhere changes nothing here"


def test_days_of_both_calendars_narrow_the_shelf(
    cast: Cast, shelf: dict[str, str], house: tuple[Database, Ministry]
) -> None:
    with house[0].read() as session:
        day = session.get_one(Recording, shelf["mine"]).started_at.date()
    hijri = "/".join(str(part) for part in hijri_of(day - timedelta(days=2)))
    assert _found(cast, "minister", since=hijri) == [shelf["mine"]]
    assert _found(cast, "minister", until=hijri) == []
    assert _found(cast, "minister", since=str(day + timedelta(days=2))) == []
    wrong = cast("minister").get("/library", params={"since": "الأمس"})
    assert wrong.status_code == 200 and 'id="f-since-error"' in wrong.text


def test_a_failure_is_said_on_the_shelf(cast: Cast, shelf: dict[str, str], house: tuple[Database, Ministry]) -> None:
    with house[0].write() as session:
        session.get_one(Recording, shelf["mine"]).state = FAILED
    try:
        assert _found(cast, "minister", state="failed") == [shelf["mine"]]
        assert _found(cast, "minister", state="ready") == []
        assert "It could not be prepared" in cast("minister").get("/library?lang=en").text
    finally:
        with house[0].write() as session:
            session.get_one(Recording, shelf["mine"]).state = "ready"


def test_twenty_to_a_page(
    cast: Cast, settings: Settings, house: tuple[Database, Ministry], shelf: dict[str, str]
) -> None:
    for n in range(21):
        _recording(settings, house, ["officer2"], (f"زائر {n}", "V"), clock.now() - timedelta(days=n))
    for query in ({}, {"q": "زائر"}, {"q": "ﺯائِـر", "state": "ready"}):
        first = _found(cast, "officer2", **query)
        second = _found(cast, "officer2", **query, older=_way(cast, "older", **query))
        assert (len(first), len(second)) == (20, 1) and not set(first) & set(second)
        older = _way(cast, "older", **query)
        assert _found(cast, "officer2", **query, newer=_way(cast, "newer", **query, older=older)) == first
        assert _way(cast, "older", **query, older=older) is None and _way(cast, "newer", **query) is None
    # what is added meanwhile shifts nothing
    older = _way(cast, "older")
    before = _found(cast, "officer2", older=older)
    _recording(settings, house, ["officer2"], ("زائر جديد", "V"), clock.now())
    assert _found(cast, "officer2", older=older) == before
    for nonsense in ("x", "~", "1e9~a", "9" * 70 + "~a", "-1~a", "%00"):
        assert cast("officer2").get("/library", params={"older": nonsense}).status_code == 200


@pytest.fixture(scope="module")
def written(settings: Settings, house: tuple[Database, Ministry]) -> set[str]:
    """Three in which the words were written, one after the other, on the shelf of somebody who has no others."""
    return {
        _recording(settings, house, ["officer"], ("زائر", "V"), clock.now() - timedelta(days=days)) for days in range(3)
    }


def test_words_written_long_ago_are_found_by_looking_further(
    cast: Cast, shelf: dict[str, str], written: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the latest are opened at once; the page says how far it went, and goes on from there."""
    monkeypatch.setattr(finding, "LOOK", 1)
    monkeypatch.setattr(finding, "LOOK_FURTHER", 1)
    query, reader = {"q": "اعادة النظر"}, cast("officer")
    page = reader.get("/library", params={**query, "lang": "en"})
    assert page.status_code == 200 and "was looked through back to" in page.text
    seen, link, steps = _found(cast, "officer", **query), _way(cast, "further", "officer", **query), 0
    assert len(seen) == 1
    while link:
        seen += _found(cast, "officer", **query, further=link)
        link, steps = _way(cast, "further", "officer", **query, further=link), steps + 1
    assert len(seen) == 3 <= steps and set(seen) == written and shelf["mine"] not in seen


@pytest.mark.parametrize(
    "text", ["مُحَمَّد الأحمدي", "إعادةُ النَظَر", "آل ثاني", "Émile Zola", "case 1448-٠٠١٢", "۴۵۵", "مـحـمـد", "لؤي", "a_b"]
)
def test_a_database_leaves_out_nothing_that_the_search_form_finds(text: str, session: Session) -> None:
    """Its patterns may find too much, which is looked through again, but never too little."""
    for word in search_form(text).split():
        hits = [session.scalar(select(literal(text).ilike(pattern))) for pattern in finding.patterns(word)]
        assert any(hits), (word, finding.patterns(word))


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-10-27", date(2026, 10, 27)),
        ("27/10/2026", date(2026, 10, 27)),
        ("١٤٤٨/٥/١٦", date(2026, 10, 27)),
        ("١٦-٥-١٤٤٨هـ", date(2026, 10, 27)),
        ("1448 5 16", date(2026, 10, 27)),
    ],
)
def test_a_day_is_understood_in_either_calendar(text: str, day: date) -> None:
    assert day_of(text) == day


@pytest.mark.parametrize("text", ["", "2026", "2026-13-01", "1448/13/1", "31/2/2026", "a/b/c", "1/1/1", "9999999/1/1"])
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        day_of(text)
