"""The hall's display: what it shows, what it has to say, and to whom it answers."""

import re
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from core import clock
from core.audit import AuditEntry
from queueing.tickets import service
from queueing.tickets.models import CallLog, Counter, Ticket
from reception.notices import service as notices
from tests.unit.web.design.sheets import colours, contrast
from tests.unit.web.meeting.test_line_rules import run
from tests.unit.web.queue.conftest import Place
from web.hall import waits
from web.voice import engine

HALL = "/hall/riyadh"


@pytest.fixture
def hall(place: Place) -> TestClient:
    return place.browser()


@pytest.fixture
def counters(place: Place) -> list[str]:
    with place.db.write() as session:
        for counter_id, clerk in zip(place.counters, ("huda", "salem"), strict=True):
            counter = session.get_one(Counter, counter_id)
            counter.open, counter.staff_id = True, clerk
    return place.counters


def take(place: Place, *, language: str = "ar", section: str = "men") -> str:
    with place.db.write() as session:
        return service.issue(
            session, centre_id=place.centre_id, service_point_id=place.point_id, section=section, language=language,
            now=clock.now(), zone="Asia/Riyadh",
        ).label  # fmt: skip


def call(place: Place, counter_id: str, clerk: str = "huda") -> Ticket:
    with place.db.write() as session:
        ticket = service.call_next(session, counter_id, clerk, now=clock.now())
        assert ticket
        session.expunge(ticket)
        return ticket


def spoken(html: str) -> list[dict[str, str]]:
    listed = html.split('id="hall-spoken"', 1)[1].split("</ol>", 1)[0]
    rows = re.findall(r"<li ([^>]*)>", listed)
    return [dict(re.findall(r'data-([\w-]+)="([^"]*)"', row)) for row in rows]


def test_every_call_and_recall_of_the_last_minute_and_a_half_is_there_to_be_said(
    place: Place, hall: TestClient, counters: list[str]
) -> None:
    for _ in range(2):
        take(place)
    first, second = call(place, counters[0]), call(place, counters[1], "salem")
    with place.db.write() as session:
        service.recall(session, first.id, now=clock.now() + timedelta(seconds=15))
    rows = spoken(hall.get(HALL).text)
    assert [row["label"] for row in rows] == [first.label, second.label, first.label]
    assert len({row["key"] for row in rows}) == 3 and {row["counter"] for row in rows} == {"1", "2"}
    pulse = hall.get(f"{HALL}/pulse").json()
    assert set(pulse["calls"]) == {row["key"] for row in rows}
    assert abs(pulse["now"] / 1000 - clock.now().timestamp()) < 30


def test_what_is_old_is_shown_and_no_longer_said(place: Place, hall: TestClient, counters: list[str]) -> None:
    label = take(place)
    call(place, counters[0])
    with place.db.write() as session:
        session.execute(select(CallLog)).scalar_one().at -= timedelta(seconds=95)
    html = hall.get(HALL).text
    assert spoken(html) == [] and f'<bdi dir="ltr">{label}</bdi>' in html
    assert hall.get(f"{HALL}/pulse").json()["calls"] == []


def test_a_call_taken_back_is_said_no_more(place: Place, hall: TestClient, counters: list[str]) -> None:
    take(place)
    ticket = call(place, counters[0])
    assert spoken(hall.get(HALL).text)
    with place.db.write() as session:
        service.put_back(session, ticket.id, now=clock.now())
    assert spoken(hall.get(HALL).text) == [] and hall.get(f"{HALL}/pulse").json()["calls"] == []


def test_the_board_stands_in_both_languages_at_once(place: Place, hall: TestClient, counters: list[str]) -> None:
    take(place, section="women")
    call(place, counters[0])
    html = hall.get(HALL).text
    for word in (
        "مركز riyadh",
        "Centre riyadh",
        "شباك 1",
        "Counter 1",
        "النداء الآن",
        "Now calling",
        "نساء",
        "Women",
        "أ ١",
    ):
        assert word in html, word
    assert 'dir="rtl"' in html and 'dir="ltr"' in hall.get(f"{HALL}?lang=en").text.split("<body", 1)[0]


@pytest.mark.skipif(not engine.version(), reason="espeak-ng is not installed")
def test_a_call_brings_the_addresses_of_its_clips_and_they_are_kept_for_ever(
    place: Place, hall: TestClient, counters: list[str]
) -> None:
    take(place)
    call(place, counters[0])
    row = spoken(hall.get(HALL).text)[0]
    for lang in ("ar", "en"):
        label, counter = row[lang].split()
        assert f"/{lang}-label-A1." in label and f"/{lang}-counter-1." in counter
        answer = hall.get(label)
        assert answer.status_code == 200 and answer.headers["content-type"] == "audio/mpeg"
        assert "immutable" in answer.headers["cache-control"]
        assert hall.get(label).content == answer.content
    assert hall.get("/hall/voice/ar-label-A1.000000000000.000000000000000000000000.mp3").status_code == 404


def test_without_a_voice_the_hall_works_and_says_that_it_only_rings(
    place: Place, hall: TestClient, counters: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "version", lambda: "")
    take(place)
    call(place, counters[0])
    html = hall.get(HALL).text
    row = spoken(html)[0]
    assert row["ar"] == "" and row["en"] == "" and 'data-voices=""' in html


def test_notices_stand_in_both_languages_and_the_urgent_one_has_a_sign(place: Place, hall: TestClient) -> None:
    now = clock.now()
    assert "Please keep your ticket" in hall.get(HALL).text  # what stands where nothing else does
    with place.db.write() as session:
        for text, urgent in (("تغلق القاعة عند الثانية", True), ("وصل المترجم", False)):
            notices.publish(
                session, centre_id=place.centre_id, text_ar=text, text_en=f"en {text}", urgent=urgent, from_at=now,
                until_at=now + timedelta(hours=1), author_id="mona", now=now,
            )  # fmt: skip
    html = hall.get(HALL).text
    told = html.split('id="hall-told"', 1)[1]
    assert told.index("تغلق القاعة") < told.index("وصل المترجم")
    assert "told--urgent" in told and "#warning" in told and "en وصل المترجم" in told
    assert "Please keep your ticket" not in html


def test_the_strip_tells_the_wait_of_every_service_and_where_nobody_serves(place: Place, counters: list[str]) -> None:
    with place.db.write() as session:
        for counter_id in counters:
            counter = session.get_one(Counter, counter_id)
            counter.service_point_ids = [place.point_id]
    with place.db.read() as session:
        served, not_served = waits.counted(session, place.centre_id, now=clock.now())
    assert served.served and served.high >= served.low + 2 and served.name("en") == "New petition"
    assert not not_served.served and not_served.name("ar") == "استفسار"
    assert [len(group) for group in waits.shown([served] * 5, 4)] == [3, 2] and waits.shown([], 4) == []


def test_a_call_never_waits_for_the_count_of_the_waits(
    place: Place, hall: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, go_on = threading.Event(), threading.Event()

    def slow(*_: object, **__: object) -> list[waits.Wait]:
        began.set()
        go_on.wait(60)
        return [waits.Wait("خدمة بعيدة", "A far service", 5, 20, True)]

    monkeypatch.setattr(waits, "counted", slow)
    for _ in range(3):
        assert "A far service" not in hall.get(HALL).text  # answered, though the count stands still
    assert began.wait(60)
    go_on.set()
    over = time.monotonic() + 60
    while "A far service" not in hall.get(HALL).text:
        assert time.monotonic() < over


def test_quiet_hours_and_loudness_reach_the_screen(place: Place, hall: TestClient) -> None:
    def set_quiet(start: int | None, end: int | None) -> None:
        with place.db.write() as session:
            notices.set_screen(
                session, place.centre_id, volume=35, english=False, quiet_from=start, quiet_until=end, ways={},
                now=clock.now(),
            )  # fmt: skip

    set_quiet(None, None)
    html = hall.get(HALL).text
    assert 'data-volume="35"' in html and 'data-english=""' in html and 'data-quiet=""' in html
    set_quiet(0, 1439)
    assert 'data-quiet="1"' in hall.get(HALL).text or clock.now().minute == 59  # but for one minute of the day


def test_the_way_to_a_counter_is_as_one_stands_before_the_screen(
    place: Place, hall: TestClient, counters: list[str]
) -> None:
    take(place)
    call(place, counters[0])
    assert "way--" not in hall.get(HALL).text
    with place.db.write() as session:
        notices.set_screen(
            session, place.centre_id, volume=80, english=True, quiet_from=None, quiet_until=None,
            ways={counters[0]: "left"}, now=clock.now(),
        )  # fmt: skip
    for lang in ("ar", "en"):  # a wall doesn't turn round with the writing
        html = hall.get(f"{HALL}?lang={lang}").text
        assert "way--left" in html and "icon--pointing" not in html.split("way--left", 1)[1].split("</span>", 1)[0]


def test_a_screen_that_asks_every_few_seconds_fills_no_audit_trail(place: Place) -> None:
    manager = place.browser("mona")
    for _ in range(3):
        manager.get(f"{HALL}/pulse", headers={"x-fragment": "1"})
    with place.db.read() as session:
        assert not [row for row in session.scalars(select(AuditEntry)) if "pulse" in row.subject_id]


@pytest.mark.parametrize(
    ("text", "ground"),
    [
        ("--info-text", "--info-wash"),
        ("--ink", "--sand-wash"),
        ("--good-text", "--good-wash"),
        ("--wait-text", "--wait-wash"),
    ],
)
def test_signs_of_sections_and_urgent_notices_are_read_across_the_room(text: str, ground: str) -> None:
    tokens = colours("night")
    assert contrast(tokens[text], tokens[ground]) >= 7


@pytest.fixture(scope="module")
def line() -> Iterator[Any]:
    yield lambda script: run("js/hall-line.js", script)


CALLS = """
const call = (id, ticket, counter, more = {}) => ({ id, ticket, counter, at: 0, language: 'ar', ...more });
const ids = (line) => line.map((one) => one.id);
"""


def test_calls_queue_in_their_order_and_the_known_ones_do_not(line: Any) -> None:
    assert line(
        CALLS + "const calls = [call('a', 't1', 1), call('b', 't2', 2), call('c', 't3', 1)];"
        "return ids(m.queue([], calls, new Set(['b']), undefined));"
    ) == ["a", "c"]


def test_a_call_that_waits_or_is_being_said_is_not_queued_again(line: Any) -> None:
    assert line(
        CALLS + "const calls = [call('a', 't1', 1), call('b', 't2', 2)];"
        "return ids(m.queue(m.queue([], calls, new Set(), 'a'), calls, new Set(), 'a'));"
    ) == ["b"]


def test_a_recall_takes_the_turn_of_its_unsaid_call_and_a_said_one_is_said_again(line: Any) -> None:
    told = line(
        CALLS + "const first = m.queue([], [call('a', 't1', 1), call('b', 't2', 2)], new Set(), undefined);"
        "const calls = [call('a', 't1', 1), call('b', 't2', 2), call('c', 't1', 1)];"
        "const merged = m.queue(first, calls, new Set(), undefined);"
        "const again = m.queue([], calls, new Set(['a', 'b']), undefined);"
        "const during = m.queue([], calls, new Set(), 'a');"
        "const twice = m.queue(merged, calls, new Set(), undefined);"
        "return [ids(merged), merged[0].covers, ids(twice), ids(again), ids(during)];"
    )
    assert told == [["c", "b"], ["a"], ["c", "b"], ["c"], ["b", "c"]]


def test_ten_at_once_are_shortened_and_one_or_two_are_not(line: Any) -> None:
    assert line("return [1, 2, 3, 10].map(m.isShort);") == [False, False, True, True]


def test_arabic_comes_first_unless_the_visitor_speaks_another_language(line: Any) -> None:
    assert line(
        "const to = (language, english, short) => m.tongues({ language }, { english, short });"
        "const asked = [['ar', true, false], ['ur', true, false], ['ar', true, true], ['ur', true, true],"
        " ['ar', false, false], ['en', false, false]];"
        "return asked.map((given) => to(...given));"
    ) == [["ar", "en"], ["en", "ar"], ["ar"], ["en"], ["ar"], ["en", "ar"]]


def test_a_call_taken_back_while_it_waits_is_left_out_and_an_aged_one_is_not(line: Any) -> None:
    assert line(
        "const call = { id: 'a', at: 1000 };"
        "return [[['a'], 5000], [[], 5000], [[], 120000]].map(([ids, now]) => m.withdrawn(call, new Set(ids), now));"
    ) == [False, True, False]


def test_what_is_remembered_stays_small_and_keeps_the_newest(line: Any) -> None:
    kept = line("return m.remembered(new Set(Array.from({ length: 1000 }, (_, n) => String(n))));")
    assert len(kept) <= 300 and kept[-1] == "999"
