"""The player with known pictures and tones: a picture that breaks off and comes back larger, a side with a voice alone,
two parts; and what an aide does with it: jump, search, write notes, be cut off, lose the leave."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect, sync_playwright
from sqlalchemy import select

from core import clock
from core.db import Database
from core.ids import new_id
from core.settings import Settings
from reception.directives import service as directives
from recordings.archive import service as archive
from recordings.archive.models import Grant, Recording
from recordings.journal import open_journal
from recordings.strip.files import MARKS, STRIP
from tests.recordings.calls import Sender, deliver, pictures, send, sounds
from tests.serving import CHROMIUM, Server, sign_in
from video.meetings.models import Meeting
from web.keys import key_ring

pytestmark = [pytest.mark.browser, pytest.mark.real]
END = 14.0
DELAY = 0.02
STATE = "() => [...document.querySelectorAll('[data-media]')].map(m => [m.currentTime, m.paused, m.readyState])"
BRIGHT = """() => { const v = document.querySelector('video'), c = document.createElement('canvas');
  c.width = 32; c.height = 18; const g = c.getContext('2d'); g.drawImage(v, 0, 0, 32, 18);
  const d = g.getImageData(0, 0, 32, 18).data; let sum = 0;
  for (let i = 0; i < d.length; i += 4) sum += d[i];
  return sum / (d.length / 4); }"""


@dataclass
class Shelf:
    server: Server
    db: Database
    first: str
    second: str


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    with Server(tmp_path_factory.mktemp("demo"), demo=True) as server:
        db = Database(f"sqlite:///{server.data / 'majlis.sqlite3'}")
        now = clock.now() - timedelta(minutes=5)
        first = _recorded(server, db, now, broken=True)
        second = _recorded(server, db, now + timedelta(minutes=1), broken=False)
        yield Shelf(server, db, first, second)
        db.dispose()


def _recorded(server: Server, db: Database, started: datetime, *, broken: bool) -> str:
    """The visitor's picture is away from 4 to 8 s and comes back larger; the official has a voice alone."""
    settings, recording_id = Settings(data_dir=server.data), new_id()
    with db.write() as session:
        meeting = session.scalars(select(Meeting).where(Meeting.ended_at.is_not(None))).first()
        assert meeting is not None
        people = {p.role: p.id for p in meeting.participants}
        archive.start(
            session, recording_id=recording_id, meeting_id=meeting.id, petition_id=meeting.petition_id, now=started
        )
        folder = settings.recordings_dir / recording_id
        folder.mkdir()
        ring = key_ring(settings)
        journal = open_journal(
            folder / "journal", ring, recording_id=recording_id, meeting_id=meeting.id, started_at=started
        )
        visitor, official = people["visitor"], people["official"]
        spans = [(0.0, 4.0, 320, 180), (8.0, END, 640, 360)] if broken else [(0.0, END, 320, 180)]
        sent = []
        for number, (begin, end, width, height) in enumerate(spans):
            face = Sender(20 + number, 96, 90_000, timestamp=3_000_000 * (number + 1))
            leg = f"{visitor}/{number + 1}/video"
            journal.track(leg, visitor, "video", "VP8", 90_000, 0.0)
            keyframes = tuple(t + 0.0 for t in range(int(begin) + 2, int(end), 2))
            film = pictures(begin, end, width, height, keyframes=keyframes)
            sent += send(face, leg, film, delay=DELAY, split=face.frame)
        for number, who in enumerate((visitor, official)):
            leg = f"{who}/1/audio"
            journal.track(leg, who, "audio", "opus", 48_000, 0.0)
            sent += send(Sender(10 + number, 111, 48_000), leg, sounds(0.0, END), delay=DELAY)
        journal.mark(0.1, "connected", {"participant": visitor, "leg": "1"})
        deliver(journal, sent)
        journal.mark(9.0, "text", {"participant": visitor, "text": "إلى لجنة الحقوق"})
        journal.mark(12.0, "text", {"participant": official, "text": "شكرًا لكم"})
        journal.close(END)
        archive.close(session, recording_id, now=started + timedelta(seconds=END))
        if broken:
            at = started + timedelta(seconds=11)
            directives.mark(session, meeting.id, meeting.petition_id, 11.0, by=_official(meeting), now=at)
    return recording_id


def _official(meeting: Meeting) -> str:
    return str(next(p.staff_id for p in meeting.participants if p.role == "official"))


@pytest.fixture(scope="module")
def page(shelf: Shelf) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**CHROMIUM)
        context = browser.new_context(
            base_url=shelf.server.url,
            viewport={"width": 1440, "height": 900},
            permissions=["clipboard-read", "clipboard-write"],
        )
        page = context.new_page()
        page.faults = []  # type: ignore[attr-defined]
        page.on("pageerror", lambda error: page.faults.append(str(error)))  # type: ignore[attr-defined]
        page.on("console", lambda m: page.faults.append(m.text) if "Content Security Policy" in m.text else None)  # type: ignore[attr-defined]
        sign_in(page, "minister")
        until(
            page, lambda: page.goto(f"/library/{shelf.first}").status == 200 and page.locator("[data-player]").count()
        )
        yield page
        browser.close()


def _plays(page: Page, recording_id: str) -> bool:
    answer = page.goto(f"/library/{recording_id}")
    return bool(answer and answer.status == 200 and page.locator("[data-player]").count())


def until(page: Page, condition: Callable[[], Any], seconds: float = 15.0) -> Any:
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, "it did not come about"
        page.wait_for_timeout(60)
    return value


def opened(page: Page, shelf: Shelf, query: str = "?t=0") -> None:
    page.goto(f"/library/{shelf.first}{query}")
    until(page, lambda: all(ready >= 1 for *_, ready in page.evaluate(STATE)))


def at(page: Page) -> float:
    return float(page.evaluate(STATE)[0][0])


def seeks(page: Page, second: float) -> None:
    until(page, lambda: abs(at(page) - second) < 0.06 and page.evaluate(STATE)[0][2] >= 2)


def latin(text: str) -> str:
    return text.translate(str.maketrans("٠١٢٣٤٥٦٧٨٩", "0123456789"))


def test_both_sides_run_in_step_and_the_one_with_a_voice_alone_says_so(page: Page, shelf: Shelf) -> None:
    opened(page, shelf)
    assert page.locator("video[data-media]").count() == 1 and page.locator("audio[data-media]").count() == 1
    expect(page.locator("[data-role=official] [data-dark]")).to_contain_text("صوت فقط")
    page.click("#play")
    until(page, lambda: all(t > 1 and not paused for t, paused, _ in page.evaluate(STATE)))
    page.select_option("#rate", "2")
    page.wait_for_timeout(700)
    times = [t for t, *_ in page.evaluate(STATE)]
    assert max(times) - min(times) < 0.08
    page.select_option("#rate", "1")
    page.click("#play")
    until(page, lambda: all(paused for _, paused, _ in page.evaluate(STATE)))


def test_known_pictures_stand_where_they_were_and_a_gap_is_drawn_told_and_left_again_larger(
    page: Page, shelf: Shelf
) -> None:
    opened(page, shelf, "?t=2.05")
    seeks(page, 2.05)
    assert page.evaluate(BRIGHT) > 150
    opened(page, shelf, "?t=6")
    dark = page.locator("[data-role=visitor] [data-dark]")
    expect(dark).to_be_visible()
    gap = page.locator(".moment--gap")
    expect(gap).to_contain_text("انقطع الاتصال")
    assert latin(gap.locator(".moment__at").inner_text()) in ("0:03", "0:04")
    opened(page, shelf, "?t=10.06")
    seeks(page, 10.06)
    expect(dark).to_be_hidden()
    assert page.evaluate(BRIGHT) > 150
    assert page.evaluate("() => document.querySelector('video').videoWidth") == 640


def test_the_line_of_time_is_drawn_by_itself_reads_from_the_right_and_can_be_pressed(page: Page, shelf: Shelf) -> None:
    opened(page, shelf)
    expect(page.locator("#track[data-drawn]")).to_be_visible(timeout=20_000)
    assert page.locator(".track__cell").count() > 4
    box = page.locator("#seek").bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] * 0.25, box["y"] + 60)
    seeks(page, END * 0.75)
    now = page.locator("#now").bounding_box()
    assert now and abs(now["x"] - (box["x"] + box["width"] * 0.25)) < 5
    folder = shelf.server.data / "recordings" / shelf.first
    assert (folder / STRIP).is_file()
    for name in (STRIP, MARKS):
        raw = (folder / name).read_bytes()
        assert b"WEBP" not in raw and "لجنة".encode() not in raw


def test_keys_go_the_way_they_point(page: Page, shelf: Shelf) -> None:
    opened(page, shelf)
    page.locator("h1").click()
    for key, second in (("ArrowLeft", 5), ("ArrowRight", 0), ("5", 7), ("j", 0), ("l", END - 0.1), ("0", 0)):
        page.keyboard.press(key)
        seeks(page, second)
    page.keyboard.press("3")
    page.keyboard.press("Shift+ArrowRight")
    seeks(page, 0)
    page.keyboard.press("m")  # the order at 11 s would open 15 s before: at the start, where it is already
    for key in (" ", "k"):
        paused = page.evaluate(STATE)[0][1]
        page.keyboard.press(key)
        until(page, lambda was=paused: page.evaluate(STATE)[0][1] is not was)
    page.keyboard.press("?")
    expect(page.locator("#shortcut-sheet")).to_contain_text("اكتب ملاحظة عند هذه اللحظة")
    page.keyboard.press("Escape")


def test_what_was_written_is_a_caption_and_found_in_another_spelling(page: Page, shelf: Shelf) -> None:
    opened(page, shelf, "?t=9.5")
    expect(page.locator("#caption")).to_contain_text("إلى لجنة الحقوق")
    page.keyboard.press("c")
    expect(page.locator("#caption")).to_be_hidden()
    page.keyboard.press("c")
    page.click("#tab-text")
    assert page.locator("#transcript li:visible").count() == 2
    page.fill("#find", "الي لجنه")
    expect(page.locator("#transcript li:visible")).to_have_count(1)
    assert "1 من 2" in latin(page.locator("#found").inner_text())
    page.fill("#find", "")
    page.locator("#transcript button").last.click()
    seeks(page, 12)


def test_a_note_is_written_while_watching_changed_deleted_and_brought_back(page: Page, shelf: Shelf) -> None:
    opened(page, shelf, "?t=6")
    page.locator("h1").click()
    page.keyboard.press("n")
    page.keyboard.type("يراجع مع اللجنة")
    page.keyboard.press("Control+Enter")
    note = page.locator(".note")
    expect(note).to_contain_text("يراجع مع اللجنة")
    assert latin(note.locator(".moment__at").inner_text()) == "0:06"
    note.locator("[data-edit]").click()
    note.locator("textarea").fill("راجعتها")
    note.locator("form button[type=submit]").click()
    expect(note).to_contain_text("راجعتها")
    note.locator("[data-delete]").click()
    expect(note).to_have_count(0)
    page.locator(".toast button", has_text="تراجع").click()
    expect(note).to_contain_text("راجعتها")
    page.keyboard.press("0")
    note.locator(".note__jump").click()
    seeks(page, 6)


def test_it_goes_on_where_one_stopped_and_a_link_leads_to_its_moment(page: Page, shelf: Shelf) -> None:
    db = shelf.db
    with db.read() as session:
        length = session.get_one(Recording, shelf.first).duration_s
    assert length == pytest.approx(END, abs=0.1)
    opened(page, shelf, "?t=3")
    page.click("#copy-moment")
    assert re.search(r"\?t=3$", page.evaluate("() => navigator.clipboard.readText()"))
    page.evaluate("id => localStorage.setItem(`majlis:player:${document.body.dataset.who}:at:${id}`, '5')", shelf.first)
    opened(page, shelf, "")
    assert at(page) < 1, "so near to the beginning it begins"
    page.locator(".orders-list__jump").click()
    seeks(page, 0)


def test_the_pictures_are_arranged_three_ways_and_remembered(page: Page, shelf: Shelf) -> None:
    opened(page, shelf)
    for way in ("one", "pip"):
        page.click(f"[data-way={way}]")
        large, small = (
            page.locator("[data-large]").bounding_box(),
            page.locator("[data-side]:not([data-large])").bounding_box(),
        )
        assert large and small and large["width"] > 2 * small["width"]
    opened(page, shelf)
    assert page.locator("#stage").get_attribute("data-view") == "pip"
    page.click("[data-way=side]")


def test_a_side_that_fails_at_first_is_brought_back(page: Page, shelf: Shelf) -> None:
    tried = []

    def handle(route: Any) -> None:
        tried.append(route.request.url)
        route.abort() if len(tried) <= 2 else route.continue_()

    page.route("**/sides/*", handle)
    opened(page, shelf, "?t=2.05")
    page.unroute("**/sides/*")
    seeks(page, 2.05)
    assert len(tried) > 2
    expect(page.locator("#player-lost")).to_be_hidden()


def test_a_lost_line_is_told_and_played_over_when_it_is_back(page: Page, shelf: Shelf) -> None:
    opened(page, shelf)
    page.select_option("#rate", "0.75")
    page.context.set_offline(True)
    page.click("#play")
    expect(page.locator("#player-lost")).to_contain_text("انقطع الاتصال", timeout=8000)
    page.context.set_offline(False)
    expect(page.locator("#player-lost")).to_be_hidden(timeout=8000)
    page.select_option("#rate", "1")
    page.locator("h1").click()
    page.keyboard.press("0")
    until(page, lambda: all(not paused for _, paused, _ in page.evaluate(STATE)))
    page.click("#play")


def test_one_part_plays_on_into_the_next(page: Page, shelf: Shelf) -> None:
    opened(page, shelf, "?t=13")
    expect(page.locator(".parts__one")).to_have_count(3)  # the demo's own recording is of the same meeting
    page.click("#play")
    page.wait_for_url(re.compile(shelf.second), timeout=9000)
    until(page, lambda: page.evaluate(STATE)[0][0] > 0.3)
    page.goto(f"/library/{shelf.second}?t=13.9")


def test_whoever_loses_the_leave_while_watching_sees_nothing_more(page: Page, shelf: Shelf) -> None:
    opened(page, shelf)
    page.click("#play")
    with shelf.db.write() as session:
        for grant in session.scalars(select(Grant).where(Grant.recording_id == shelf.first)):
            grant.revoked_at = clock.now()
    expect(page.locator(".watch-shut")).to_contain_text("لم يعد لك إذن", timeout=9000)
    assert page.locator("[data-media]").count() == 0
    assert "لجنة الحقوق" not in page.locator("#main").inner_text()
    assert page.request.get(f"/library/{shelf.first}").status == 404


def test_nothing_broke_the_pages_policy_or_threw(page: Page) -> None:
    assert page.faults == []  # type: ignore[attr-defined]
