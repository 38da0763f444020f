"""The player with known pictures and tones: a picture that breaks off and comes back larger, a side with a voice alone,
two parts; and what an aide does with it: jump, search, write notes, be cut off, lose the leave."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from core import clock
from core.db import Database
from reception.directives import service as directives
from recordings.archive.models import Grant, Recording
from recordings.journal import JournalWriter
from recordings.strip.files import MARKS, STRIP
from tests.recordings import scenes
from tests.recordings.scenes import STATE, Demo, Shown, latin, until
from tests.serving import Server
from video.meetings.models import Meeting

pytestmark = [pytest.mark.browser, pytest.mark.real]
END = 14.0
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
def shelf(demo: Demo) -> Shelf:
    now = clock.now() - timedelta(minutes=5)
    first, meeting = _recorded(demo, now, broken=True)
    second, _ = _recorded(demo, now + timedelta(minutes=1), broken=False, meeting_id=meeting)
    return Shelf(demo.server, demo.db, demo.settle(first), demo.settle(second))


def _recorded(demo: Demo, started: datetime, *, broken: bool, meeting_id: str = "") -> tuple[str, str]:
    """The visitor's picture is away from 4 to 8 s and comes back larger; the official has a voice alone."""

    def mark(journal: JournalWriter, people: dict[str, str]) -> None:
        journal.mark(9.0, "text", {"participant": people["visitor"], "text": "إلى لجنة الحقوق"})
        journal.mark(12.0, "text", {"participant": people["official"], "text": "شكرًا لكم"})

    seen = ((0.0, 4.0, 320, 180), (8.0, END, 640, 360)) if broken else ((0.0, END, 320, 180),)
    sides = [Shown("visitor", seen, hue=(128, 128)), Shown("official", ())]
    id_ = demo.record(sides, length=END, started=started, meeting_id=meeting_id, mark=mark)
    with demo.db.write() as session:
        meeting = session.get_one(Meeting, session.get_one(Recording, id_).meeting_id)
        if broken:
            at = started + timedelta(seconds=11)
            directives.mark(session, meeting.id, meeting.petition_id, 11.0, by=_official(meeting), now=at)
        return id_, meeting.id


def _official(meeting: Meeting) -> str:
    return str(next(p.staff_id for p in meeting.participants if p.role == "official"))


@pytest.fixture(scope="module")
def page(demo: Demo, shelf: Shelf) -> Page:
    return demo.page("minister")


def opened(page: Page, shelf: Shelf, query: str = "?t=0") -> None:
    scenes.opened(page, shelf.first, query)


def at(page: Page) -> float:
    return float(page.evaluate(STATE)[0][0])


def seeks(page: Page, second: float) -> None:
    until(page, lambda: abs(at(page) - second) < 0.06 and page.evaluate(STATE)[0][2] >= 2)


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


def test_one_goes_picture_by_picture_and_the_link_leads_to_that_one(page: Page, shelf: Shelf) -> None:
    opened(page, shelf, "?t=2")
    page.click("#play")
    until(page, lambda: at(page) > 2.2)
    page.locator("h1").click()
    page.keyboard.press(".")
    until(page, lambda: page.evaluate(STATE)[0][1])
    first = round(at(page) * 25)
    for key, steps in ((".", 1), (".", 2), (",", 1), (",", 0), (",", -1)):
        page.keyboard.press(key)
        until(page, lambda want=first + steps: abs(at(page) - want / 25) < 0.005)
    assert latin(page.locator("#time").inner_text()) == f"0:{(first - 1) / 25:05.2f}"
    page.click("#copy-moment")
    assert page.evaluate("() => navigator.clipboard.readText()").endswith(f"?t={(first - 1) / 25:.2f}")
    page.keyboard.press("ArrowRight")
    assert "." not in page.locator("#time").inner_text(), "who goes on by seconds reads seconds"


def test_the_text_is_printed_with_its_times_and_without_pictures(page: Page, shelf: Shelf) -> None:
    opened(page, shelf)
    page.emulate_media(media="print")
    try:
        expect(page.locator("#transcript li").first).to_be_visible()
        assert "0:09" in latin(page.locator("#transcript").inner_text())
        expect(page.locator(".moment").first).to_be_visible()
        for away in ("#stage", "#note-form", ".watch-more", ".panel__tabs", "#find"):
            expect(page.locator(away).first).to_be_hidden()
    finally:
        page.emulate_media(media="screen")


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
    page.locator("#transcript li button").last.click()
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
    expect(page.locator(".parts__one")).to_have_count(2)
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


def test_nothing_broke_the_pages_policy_or_threw(demo: Demo) -> None:
    assert demo.faults == []
