"""The main job, end to end, as its people do it: kiosk, hall, counter, petition, appointment, meeting, recording.

One server (`majlis run` with the demo ministry), real Chromiums, known picture and sound on both sides. These tests are
the chapters of one story and run in order; each looks at what the earlier ones left.
"""

import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.journey.known import script
from tests.journey.measure import Measured, measure
from tests.serving import CHROMIUM, Server, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

VISITOR_COLOUR, VISITOR_TONE = "#b03020", 440
OFFICIAL_COLOUR, OFFICIAL_TONE = "#2040c0", 660
IDENTITY, PHONE, NAME = "1000000511", "٠٥٠٠٠٠٠٠٥١", "سالم بن غانم الرحلة"
SUBJECT = "التماس عاجل في حق خاص"
ORDER = "يُحال الملف إلى لجنة الحقوق خلال ثلاثة أيام."


@dataclass
class Story:
    """What one chapter leaves for the next."""

    server: Server
    browser: Browser
    pages: dict[str, Page] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    def page(self, name: str, who: str | None = None, *, size: tuple[int, int] = (1440, 900), known: str = "") -> Page:
        """The page of that name, opened (and signed in) the first time."""
        if name not in self.pages:
            context = self.browser.new_context(base_url=self.server.url, viewport={"width": size[0], "height": size[1]})
            context.set_default_timeout(15_000)
            if known:
                context.add_init_script(known)
            page = context.new_page()
            self.facts[f"errors of {name}"] = errors = []
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.on("console", lambda m: errors.append(m.text) if "Content Security Policy" in m.text else None)
            if who:
                sign_in(page, who)
            self.pages[name] = page
        return self.pages[name]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    with (
        Server(tmp_path_factory.mktemp("majlis"), demo=True) as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(**CHROMIUM)
        yield Story(server, browser)
        browser.close()


def until(page: Page, condition: Callable[[], Any], seconds: float = 15.0) -> Any:
    """Wait for `condition` without evaluating strings in the page, which its policy forbids."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, "it did not come about"
        page.wait_for_timeout(50)
    return value


def plays(page: Page) -> Callable[[], bool]:
    """True once the first remote face shows moving pictures."""
    js = "() => document.querySelector('#stage video')?.getVideoPlaybackQuality().totalVideoFrames ?? 0"
    return lambda: page.evaluate(js) > 15


def latin(text: str) -> str:
    return text.translate(str.maketrans("٠١٢٣٤٥٦٧٨٩", "0123456789"))


def test_a_visitor_takes_a_ticket_at_the_kiosk_and_a_double_tap_takes_only_one(story: Story) -> None:
    kiosk = story.page("kiosk", size=(1080, 1920))
    kiosk.goto("/kiosk/central")
    kiosk.locator("main a[href*='lang=ar']").first.click()
    kiosk.locator("main a[href*='section=men']").click()
    kiosk.locator("main a[href*='service=']").first.click()
    kiosk.locator("label:has(input[name=need][value=sign])").click()
    button = kiosk.locator("form[action$='/ticket'] button[type=submit]")
    button.dblclick()
    kiosk.wait_for_url("**/ticket/*")
    label = re.search(r"[A-Z]\d+", latin(kiosk.locator("main").inner_text()))
    assert label
    story.facts["label"] = label.group()
    assert re.search(r"\d", latin(kiosk.locator("main").inner_text()).replace(label.group(), "")), (
        "place and wait are told"
    )
    code = kiosk.url.split("/ticket/")[1].split("?")[0]
    story.facts["code"] = code
    phone = story.page("phone", size=(390, 844))
    phone.goto(f"/t/{code}")
    expect(phone.locator("main")).to_contain_text(label.group())


def test_counter_and_hall_change_at_once_when_the_visitor_is_called(story: Story) -> None:
    hall = story.page("hall", size=(1920, 1080))
    hall.goto("/hall/central")
    desk, colleague = story.page("desk", "receptionist"), story.page("colleague", "receptionist2")
    desk.goto("/counter")
    desk.locator("form[action='/counter/open'] button").first.click()
    colleague.goto("/counter")
    label = story.facts["label"]
    for _ in range(40):  # those before in the line are served first
        desk.goto("/counter")
        desk.locator("form[action='/counter/next'] button").first.click()
        desk.locator("form[action$='/start'] button").wait_for()
        if label in latin(desk.locator(".served__number").inner_text()):
            break
        desk.locator("form[action$='/start'] button").click()
        desk.locator("form[action$='/finish'] button").first.click()
        desk.locator("form[action$='/finish']").first.wait_for(state="detached")
    expect(desk.locator(".served__number")).to_contain_text(label)
    pressed = time.monotonic()
    expect(hall.locator("main")).to_contain_text(label, timeout=3000)
    assert time.monotonic() - pressed < 3
    expect(colleague.locator("#line")).not_to_contain_text(label, timeout=3000)
    expect(story.page("phone").locator("main")).to_contain_text("الشباك ١", timeout=3000)
    desk.locator("form[action$='/start'] button").click()


def test_wrong_and_missing_fields_are_told_beside_them_and_nothing_typed_is_lost(story: Story) -> None:
    desk = story.page("desk")
    desk.locator("a[href^='/intake?ticket=']").click()
    desk.wait_for_url("**/intake?**")
    desk.fill("#f-identity_number", "1234567890")
    desk.fill("#f-name", NAME)
    desk.fill("#f-phone", "12")
    desk.fill("#f-body", "نص الطلب كما رواه المراجع.")
    desk.click("#send")
    expect(desk.locator("#f-identity_number-error")).to_be_visible()
    expect(desk.locator("#f-phone-error")).to_be_visible()
    expect(desk.locator("#f-subject-error")).to_be_visible()
    expect(desk.locator("#f-type-error")).to_be_visible()
    assert desk.input_value("#f-name") == NAME
    assert desk.input_value("#f-body") == "نص الطلب كما رواه المراجع."
    story.facts["intake"] = desk.url


def test_a_file_that_is_not_what_it_claims_is_refused_with_the_reason(story: Story, tmp_path: Path) -> None:
    desk = story.page("desk")
    false = tmp_path / "scan.pdf"
    false.write_bytes(b"MZ\x90\x00" + b"\x00" * 4000)
    empty = tmp_path / "empty.png"
    empty.touch()
    desk.wait_for_load_state("load")
    before = desk.locator("#papers li").count()
    for path in (false, empty):
        desk.set_input_files("#f-papers", path)
        expect(desk.locator("#paper-box .field__error").first).to_be_visible()
    assert desk.locator("#papers li").count() == before


def test_the_petition_is_taken_with_its_paper_and_routed_with_the_reason_shown(story: Story, tmp_path: Path) -> None:
    desk = story.page("desk")
    scan = tmp_path / "deed.png"
    Image.new("RGB", (800, 1100), (240, 236, 225)).save(scan)
    desk.fill("#f-identity_number", IDENTITY)
    desk.fill("#f-name", NAME)
    desk.fill("#f-phone", PHONE)
    desk.locator("label.leaf", has_text="قصاص").click()
    desk.locator("label[for='f-urgent']").click()
    desk.fill("#f-urgent_reason", "موعد التنفيذ بعد أيام")
    desk.fill("#f-subject", SUBJECT)
    desk.set_input_files("#f-papers", scan)
    expect(desk.locator("#papers li")).to_have_count(1)
    desk.locator("#send").dblclick()
    desk.wait_for_url("**/intake/done/*")
    text = desk.locator("body").inner_text()
    case = re.search(r"\d\d-\d{6}", latin(text))
    assert case, text
    story.facts["case"] = case.group()
    story.facts["petition"] = desk.url.rsplit("/", 1)[1].split("?")[0]
    assert "مكتب الوزير" in text and "قضايا القصاص والحقوق الخاصة ينظر فيها مكتب الوزير" in text


def test_a_second_person_agrees_that_it_is_urgent_and_verifies_it(story: Story) -> None:
    page = story.page("verifier", "verifier")
    page.goto(f"/verification/{story.facts['petition']}")
    page.locator("form[action$='/agree_urgent'] button[type=submit]").click()
    with page.expect_navigation():
        page.locator("dialog[open] button.button--primary, dialog[open] button.button--danger").first.click()
    page.goto(f"/verification/{story.facts['petition']}")
    with page.expect_navigation():
        page.locator("button[name=decision][value=pass]").click()
    page.goto("/verification")
    expect(page.locator("main")).not_to_contain_text(SUBJECT)


def test_the_office_books_a_video_slot_and_the_visitor_is_told_weekday_both_dates_time_and_place(story: Story) -> None:
    aide = story.page("aide", "aide")
    aide.goto("/office")
    expect(aide.locator("main")).to_contain_text(SUBJECT)
    aide.goto(f"/office/book?petition={story.facts['petition']}&kind=video&filtered=1&centre=")
    soonest = aide.locator("input[name=slot]").first
    soonest.check(force=True)
    promised = aide.locator(".preview__text:not([hidden])").inner_text()
    with aide.expect_navigation(url=re.compile("/office/appointments/|/office$|/office/book")):
        aide.locator("form[action='/office/book'] button[type=submit]").last.dblclick()
    assert "/office/appointments/" in aide.url or NAME in aide.locator("main").inner_text()
    messages = _messages(aide, "لقاؤكم المرئي")
    text = messages[0]
    weekday = r"(السبت|الأحد|الاثنين|الثلاثاء|الأربعاء|الخميس|الجمعة)"
    assert re.search(weekday + r" \S+ .*?هـ \(.*?م\) \S+ \S+", text), text
    assert "هـ" in text and "م)" in text and "المركز" not in text[:5]
    assert re.search(r"مركز الاستقبال بالمنطقة الوسطى", text), "the place is named"
    assert text.split("رمز")[0].strip()[:30] in " ".join(promised.split()), "what was previewed is what was sent"
    assert len(messages) == 1, "a double click books and texts once"


def _messages(page: Page, about: str) -> list[str]:
    """Texts of this case that contain `about`, as the outbox page shows them; waits for the worker."""

    def look() -> list[str]:
        page.goto("/messages?q=0500000051")
        return [text for text in page.locator(".outbox__body").all_inner_texts() if about in text]

    return until(page, look)


def test_the_attendant_gives_the_screen_to_the_visitor_who_waits_in_the_lobby(story: Story) -> None:
    room = story.page("room", "attendant", size=(1920, 1080), known=script(VISITOR_COLOUR, VISITOR_TONE))
    room.goto("/video-hall")
    row = room.locator("li.row", has_text=NAME)
    expect(row).to_have_count(1)
    row.locator("[data-dialog-open]").click()
    room.locator("dialog[open] form button[type=submit]").click()
    room.wait_for_url("**/room")
    expect(room.locator("#join")).to_be_enabled()
    room.click("#join")
    expect(room.locator("#waiting")).to_be_visible()
    for path in ("/video-hall", "/counter", "/office"):
        assert room.request.get(path, max_redirects=0).status in (303, 404), "the attendant's sign-in is gone"


def test_a_browser_without_camera_or_leave_to_use_it_is_told_what_to_do(story: Story) -> None:
    def room(known: str) -> Page:
        page = story.browser.new_context(base_url=story.server.url).new_page()
        page.add_init_script(known)
        sign_in(page, "minister")
        page.goto("/office")
        page.goto(str(page.locator("a[href^='/meeting/']").first.get_attribute("href")))
        return page

    for error, told in (
        ("NotFoundError", "صِل أحدهما"),
        ("NotAllowedError", "«السماح»"),
        ("NotReadableError", "برنامج آخر"),
    ):
        page = room(f"navigator.mediaDevices.getUserMedia = async () => {{ throw new DOMException('', '{error}') }}")
        expect(page.locator("#lobby-text")).to_contain_text(told)
        expect(page.locator("#join")).to_be_disabled()
        expect(page.locator("#retry")).to_be_visible()
        page.context.close()


def test_the_minister_reads_the_dossier_joins_and_admits_and_both_see_and_hear_each_other(story: Story) -> None:
    minister = story.page("minister", "minister", known=script(OFFICIAL_COLOUR, OFFICIAL_TONE))
    minister.goto(f"/dossier/{story.facts['petition']}")
    expect(minister.locator("main")).to_contain_text(NAME)
    expect(minister.locator("main")).to_contain_text("نص الطلب كما رواه المراجع")
    minister.goto("/office")
    href = minister.locator("a[href^='/meeting/']").evaluate_all(
        "links => links.map(link => link.getAttribute('href'))"
    )
    story.facts["meeting"] = _meeting_of(story, minister, href)
    minister.goto(story.facts["meeting"])
    expect(minister.locator("#join")).to_be_enabled()
    minister.click("#join")
    expect(minister.locator("[data-admit]")).to_have_count(1)
    room = story.page("room")
    assert room.locator("#stage video").count() == 0, "nothing flows before admission"
    minister.locator("[data-admit]").dblclick()
    until(minister, plays(minister))
    until(room, plays(room))
    expect(minister.locator("#recording-text")).to_have_text("تسجيل")
    story.facts["live"] = time.monotonic()
    for page, colour in ((minister, VISITOR_COLOUR), (room, OFFICIAL_COLOUR)):
        assert _near(_corner(page), colour), f"{_corner(page)} is not {colour}"


def _meeting_of(story: Story, minister: Page, links: list[str]) -> str:
    for link in dict.fromkeys(links):
        minister.goto(link)
        if NAME in minister.locator("body").inner_text() or story.facts["case"] in latin(minister.content()):
            return link
    raise AssertionError(f"no meeting with {NAME} among {links}")


def _corner(page: Page) -> list[int]:
    """The colour of the remote picture beside its middle."""
    return page.evaluate(
        """() => { const v = document.querySelector('#stage video'); const c = document.createElement('canvas');
        c.width = 8; c.height = 8; const x = c.getContext('2d'); x.drawImage(v, 0, 0, 8, 8);
        return [...x.getImageData(1, 1, 1, 1).data].slice(0, 3); }"""
    )


def _near(rgb: list[int], colour: str, apart: int = 40) -> bool:
    wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return all(abs(a - b) <= apart for a, b in zip(rgb, wanted, strict=True))


def test_an_order_is_marked_at_its_moment_and_written_while_the_meeting_goes_on(story: Story) -> None:
    minister = story.page("minister")
    minister.wait_for_timeout(4000)
    minister.click("#order")
    story.facts["order at"] = time.monotonic() - story.facts["live"]
    minister.fill(".orders__form textarea", ORDER)
    minister.locator(".orders__form button").click()
    expect(minister.locator("#orders")).to_contain_text("تم الحفظ")


def test_what_one_writes_the_other_reads_letter_by_letter(story: Story) -> None:
    minister, room = story.page("minister"), story.page("room")
    room.click("#write")
    line = room.locator("#rtt-line")
    line.press_sequentially("أطلب ال")
    expect(minister.locator("#captions")).to_contain_text("أطلب ال")
    line.press_sequentially("نظر")
    expect(minister.locator("#captions")).to_contain_text("أطلب النظر")
    line.press("Enter")
    assert line.input_value() == ""
    minister.screenshot(path=story.server.folder / "text.png")
    room.click("#write")


def test_an_uninvited_colleague_and_a_stranger_get_neither_page_nor_token_nor_socket_nor_media(story: Story) -> None:
    meeting = story.facts["meeting"]
    outsider, stranger = story.page("outsider", "officer"), story.page("stranger")
    stranger.goto("/")
    for page in (outsider, stranger):
        answer = page.request.get(meeting, max_redirects=0)
        assert answer.status in (303, 404)
        assert NAME not in answer.text()
        assert page.request.get("/room", max_redirects=0).status == 404
        for path in (f"{meeting}/token", "/room/token"):
            answer = page.request.post(path, headers={"x-csrf": _csrf(page)}, max_redirects=0)
            assert answer.status in (303, 403, 404), path
            assert '"token"' not in answer.text()
        heard = page.evaluate(_LISTEN, [meeting.rsplit("/", 1)[1], story.facts["petition"]])
        assert heard == {"topics": [], "media": "bad_token"}, heard


_LISTEN = """async ([meeting, petition]) => {
  const { io } = await import("/static/vendor/socket.io/socket.io.esm.min.js");
  const socket = io({ transports: ["websocket"] });
  const wished = [`meeting:${meeting}`, `petition:${petition}`, "office", "messages"];
  const topics = await new Promise((done) =>
    socket.on("connect", () => socket.emit("watch", { topics: wished }, (answer) => done(answer.topics))));
  socket.close();
  const media = await new Promise((done) => {
    const ws = new WebSocket(`/media/ws/${meeting}`.replace(/^/, location.origin.replace("http", "ws")));
    ws.onopen = () => ws.send(JSON.stringify({ type: "join", token: "made.up" }));
    ws.onmessage = ({ data }) => { const m = JSON.parse(data); done(m.type === "close" ? m.reason : m.type); };
    ws.onclose = () => done("closed");
  });
  return { topics, media };
}"""


def _csrf(page: Page) -> str:
    return page.locator("meta[name=csrf]").get_attribute("content") or ""


def test_the_meeting_ends_for_everybody(story: Story) -> None:
    minister, room = story.page("minister"), story.page("room")
    minister.wait_for_timeout(max(0, 12_000 - int(1000 * (time.monotonic() - story.facts["live"]))))
    began = _recording_began(story)
    minister.click("#end")
    minister.click("#end-sure")
    story.facts["length"] = time.time() - began
    story.facts["ended"] = time.monotonic()
    expect(minister.locator("#over")).to_be_visible()
    expect(room.locator("#over")).to_be_visible()


def _recording_began(story: Story) -> float:
    """The wall clock at second 0 of the running recording."""
    with closing(sqlite3.connect(story.server.data / "majlis.sqlite3")) as base:
        (began,) = base.execute("SELECT started_at FROM recording WHERE state = 'recording'").fetchone()
    return datetime.fromisoformat(began).replace(tzinfo=UTC).timestamp()


def test_within_seconds_the_recording_plays_from_the_mark_of_the_order(story: Story) -> None:
    minister = story.page("minister")

    def shelf() -> str | None:
        minister.goto("/library")
        links = minister.locator("main a[href^='/library/']", has_text=NAME)
        return links.first.get_attribute("href") if links.count() else None

    story.facts["recording"] = until(minister, shelf)

    def player() -> int:
        minister.goto(story.facts["recording"])
        return minister.locator("[data-player]").count()

    until(minister, player)
    assert time.monotonic() - story.facts["ended"] < 15
    minister.locator(".orders-list__jump").click()
    minister.click("#play")
    js = "() => [...document.querySelectorAll('[data-media]')].map(m => [m.currentTime, m.paused, m.readyState])"
    until(minister, lambda: all(t > 0.5 and not paused and ready >= 2 for t, paused, ready in minister.evaluate(js)))
    times = [t for t, *_ in minister.evaluate(js)]
    assert max(times) - min(times) < 0.3, "both sides run in step"


def test_the_recording_holds_both_pictures_both_tones_the_length_and_the_lips_in_step(
    story: Story, tmp_path: Path
) -> None:
    minister = story.page("minister")
    sides = minister.locator("[data-media]").evaluate_all(
        "all => all.map(m => [m.closest('[data-role]').dataset.role, m.getAttribute('src')])"
    )
    assert sorted(role for role, _ in sides) == ["official", "visitor"]
    known = {"visitor": (VISITOR_COLOUR, VISITOR_TONE), "official": (OFFICIAL_COLOUR, OFFICIAL_TONE)}
    found: dict[str, Measured] = {}
    for role, src in sides:
        path = tmp_path / f"{role}.webm"
        path.write_bytes(minister.request.get(src).body())
        found[role] = measure(path)
    for role, got in found.items():
        colour, tone = known[role]
        assert _near(list(got.colour), colour), (role, got)
        assert abs(got.tone_hz - tone) < 8, (role, got)
        assert abs(got.duration_s - story.facts["length"]) < 0.5, (role, got, story.facts["length"])
        assert got.flashes >= 5 and got.offset_s is not None
        assert abs(got.offset_s) < 0.1, (role, got)
    lengths = [got.duration_s for got in found.values()]
    assert max(lengths) - min(lengths) < 0.1


def test_nobody_else_can_open_the_recording(story: Story) -> None:
    minister = story.page("minister")
    src = minister.locator("[data-media]").first.get_attribute("src") or ""
    people = {name: story.page(name) for name in ("outsider", "stranger", "desk", "verifier", "room", "aide")}
    people["admin"] = story.page("admin", "admin")
    for name, page in people.items():
        for path in (story.facts["recording"], src):
            answer = page.request.get(path, max_redirects=0)
            assert answer.status in (303, 404), (name, path, answer.status)
            assert answer.headers.get("content-type", "") != "video/webm"


def test_no_picture_or_sound_lies_open_on_the_disk(story: Story) -> None:
    files = [path for path in (story.server.data / "recordings").rglob("*") if path.is_file()]
    assert files
    for path in files:
        raw = path.read_bytes()
        assert b"\x1aE\xdf\xa3" not in raw[:64] and b"OpusHead" not in raw, path
    papers = [path for path in (story.server.data / "files").rglob("*") if path.is_file()]
    assert papers and all(b"\x89PNG" not in path.read_bytes() for path in papers)


def test_the_case_shows_each_step_and_each_step_sent_its_message(story: Story) -> None:
    aide = story.page("aide")
    aide.goto(f"/cases/{story.facts['petition']}")
    told = aide.locator("body").inner_text()
    for step in ("استُلم", "رُفع", "عاجل", "موعد", "لقاء", "توجيه"):
        assert step in told, f"{step} is not in the story"
    for text in ("وصلنا طلبكم", "لقاؤكم المرئي", "شكرًا لحضوركم"):
        assert _messages(aide, text), text


def test_no_page_broke_its_policy_or_threw(story: Story) -> None:
    broken = {name: errors for name, errors in story.facts.items() if name.startswith("errors of") and errors}
    assert not broken
