"""One call told through all pages of recordings: official, visitor and interpreter with known pictures and tones, a
picture that grows, five seconds of a line that is dark, words, an order; then watching, finding, noting, and taking a
film away. The tests are the chapters of one story and run in order."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from recordings.archive.models import Recording
from recordings.export.layout import CAPTIONS_END, HEADER, HEIGHT, NAME, WIDTH, boxes
from tests.journey.known import CLOCK, script, shown_at
from tests.journey.measure import RATE, loudness, measure, rises
from tests.media.lines import lead
from tests.media.proxy import running_proxy
from tests.recordings.films import captions, clock, lit
from tests.recordings.scenes import STATE, Demo, latin, opened, seeks, until

pytestmark = [pytest.mark.browser, pytest.mark.real, pytest.mark.timeout(600), pytest.mark.long]
GAP_S = 5.0
SAID = "السلام عليكم، ملفي عند لجنة الحقوق"
ORDER = "يُحال الملف إلى لجنة الحقوق خلال ثلاثة أيام."
NOTE = "يراجع مع اللجنة"
PURPOSE = "عرضه على المحكمة العامة"
KNOWN = {  # role: colour, tone, pitch of its beep, size of its picture
    "official": ("#2040c0", 660, 2000, (320, 240)),
    "visitor": ("#b03020", 440, 2400, (320, 240)),
    "interpreter": ("#208040", 880, 1600, (320, 240)),
}
LARGE = (640, 480)
READ = """(fields) => Object.fromEntries([...document.querySelectorAll('[data-side]')].map((side) => {
  const video = side.querySelector('video'), c = document.createElement('canvas');
  c.width = 640; c.height = 480;
  const g = c.getContext('2d', { willReadFrequently: true });
  g.drawImage(video, 0, 0, 640, 480);
  const at = (x, y) => [...g.getImageData(Math.round(x * 640), Math.round(y * 480), 1, 1).data].slice(0, 3);
  const shown = { fields: fields.map(([x, y]) => at(x, y)[1]), colour: at(0.1, 0.5), wide: video.videoWidth };
  return [side.dataset.role, shown];
}))"""


@dataclass(frozen=True)
class Course:
    """When what happens, in seconds since everybody sees everybody; and which films are made of it."""

    gap: float
    larger: float
    order: float
    end: float
    films: tuple[str, ...] = ("mp4", "webm")


@dataclass
class Told:
    demo: Demo
    course: Course
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def page(self) -> Page:
        return self.demo.page("minister")

    @property
    def gap(self) -> tuple[float, float]:
        """In seconds of the recording, as the line was dark."""
        begin = self.facts["dark"] - self.facts["started"]
        return begin, begin + GAP_S

    def moments(self) -> list[float]:
        """At which all three are seen."""
        begin, end = self.gap
        length = self.facts["length"]
        return [begin - 1.5, end + 4.0, length - 6.0, length - 3.0, begin - 3.0]


SHORT = Course(gap=5, larger=13, order=18, end=25, films=("mp4",))
LONG = Course(gap=20, larger=40, order=55, end=75)


@pytest.fixture(scope="module", params=[SHORT, LONG], ids=["short", "long"])
def told(request: pytest.FixtureRequest, demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    if request.param is SHORT:
        yield Told(demo, SHORT)
        return
    demo.shut()
    with Demo(tmp_path_factory.mktemp("long")) as own:
        yield Told(own, request.param)


def test_three_meet_and_everything_happens_that_may(told: Told) -> None:
    demo, course, facts = told.demo, told.course, told.facts
    with running_proxy() as proxy:
        line = proxy.line("hall")

        def known(role: str) -> str:
            colour, tone, pitch, size = KNOWN[role]
            return script(colour, tone, pitch=pitch, size=size)

        def in_the_hall(page: Page) -> None:
            page.add_init_script(known("visitor"))
            lead(page, line)

        hall = demo.page("attendant", place="room", prepare=in_the_hall)
        desk = demo.page("minister", place="room", prepare=lambda page: page.add_init_script(known("official")))
        third = demo.page("interpreter", place="room", prepare=lambda page: page.add_init_script(known("interpreter")))
        hall.goto("/video-hall")
        hall.locator("main li [data-dialog-open]").first.click()
        hall.locator("dialog[open] form button[type=submit]").click()
        hall.locator("#join:not([disabled])").click()
        expect(hall.locator("#waiting")).to_be_visible(timeout=20_000)
        desk.goto("/office")
        desk.goto(str(desk.locator("a[href^='/meeting/']").first.get_attribute("href")))
        meeting = desk.url.rsplit("/", 1)[1]
        desk.locator("#join:not([disabled])").click()
        desk.locator("[data-admit]").click()
        third.goto(f"/meeting/{meeting}")
        third.locator("#join:not([disabled])").click()
        desk.locator("[data-admit]").click()
        for page in (desk, hall, third):
            expect(page.locator("#stage video")).to_have_count(2, timeout=20_000)
        live = time.time()

        def rest(until_: float) -> None:
            desk.wait_for_timeout(max(0, 1000 * (live + until_ - time.time())))

        rest(1.5)
        hall.click("#write")
        hall.locator("#rtt-line").press_sequentially(SAID)
        hall.locator("#rtt-line").press("Enter")
        facts["said"] = time.time()
        rest(course.gap)
        facts["dark"] = time.time()
        line.blackout(GAP_S)
        rest(course.larger)
        desk.evaluate("([wide, high]) => known.resize(wide, high)", list(LARGE))
        facts["larger"] = time.time()
        rest(course.order)
        desk.click("#order")
        facts["order"] = time.time()
        desk.fill(".orders__form textarea", ORDER)
        desk.locator(".orders__form button").click()
        rest(course.end)
        desk.click("#end")
        desk.click("#end-sure")
        facts["ended"] = time.time()
        expect(hall.locator("#over")).to_be_visible()
    with demo.db.read() as session:
        parts = list(session.scalars(select(Recording).where(Recording.meeting_id == meeting)))
        (facts["recording"],) = [part.id for part in parts]
        facts["started"] = parts[0].started_at.replace(tzinfo=UTC).timestamp()
    for page in (hall, desk, third):
        page.context.close()


def test_it_plays_within_seconds_and_is_as_long_as_the_call(told: Told) -> None:
    facts, began = told.facts, time.monotonic()
    told.demo.settle(facts["recording"])
    assert time.monotonic() - began < 20
    with told.demo.db.read() as session:
        row = session.get_one(Recording, facts["recording"])
        facts["length"] = row.duration_s
        assert sorted(side.role for side in row.renditions) == ["interpreter", "official", "visitor"]
    assert facts["length"] == pytest.approx(facts["ended"] - facts["started"], abs=0.5)


def test_the_player_shows_each_side_as_it_was_at_the_moment_asked_for(told: Told) -> None:
    page = told.page
    opened(page, told.facts["recording"])
    apart = []
    for moment in told.moments():
        page.goto(f"/library/{told.facts['recording']}?t={moment:.2f}")
        seeks(page, moment)
        seen = page.evaluate(READ, CLOCK)
        assert set(seen) == set(KNOWN)
        times = {role: shown_at(side["fields"], told.facts["started"]) for role, side in seen.items()}
        for role, side in seen.items():
            wanted = [int(KNOWN[role][0][n : n + 2], 16) for n in (1, 3, 5)]
            assert max(abs(a - b) for a, b in zip(side["colour"], wanted, strict=True)) < 50, (role, side)
            assert times[role] == pytest.approx(moment, abs=0.6), (moment, times)
        apart.append(max(times.values()) - min(times.values()))
    print("sides apart at each moment:", [round(one, 2) for one in apart])
    assert sorted(apart)[len(apart) // 2] < 0.3, "one instant on all sides"


def test_a_dark_line_is_shown_told_and_drawn_on_its_side_alone(told: Told) -> None:
    page = told.page
    begin, end = told.gap
    page.goto(f"/library/{told.facts['recording']}?t={(begin + end) / 2 + 0.5:.2f}")
    expect(page.locator("[data-role=visitor] [data-dark]")).to_be_visible()
    for role in ("official", "interpreter"):
        expect(page.locator(f"[data-role={role}] [data-dark]")).to_be_hidden()
    name = page.locator("[data-role=visitor]").get_attribute("data-name")
    assert all(str(name) in words for words in page.locator(".moment--gap").all_inner_texts())
    gap = page.locator(".moment--gap", has_text="انقطع الاتصال").first
    assert abs(float(gap.get_attribute("data-at") or 0) - begin) < 1.5
    gap.locator(".moment__jump").click()
    until(page, lambda: abs(page.evaluate(STATE)[0][0] - (begin - 2)) < 1.5)


def test_a_picture_that_grew_is_larger_from_then_on(told: Told) -> None:
    page, larger = told.page, told.facts["larger"] - told.facts["started"]
    wide = []
    for moment in (larger - 2.0, min(larger + 8.0, told.facts["length"] - 2.0)):
        page.goto(f"/library/{told.facts['recording']}?t={moment:.2f}")
        seeks(page, moment)
        wide.append(page.evaluate(READ, CLOCK)["official"]["wide"])
    assert wide[1] > wide[0], wide


def test_what_was_written_is_a_caption_and_found_and_a_note_keeps_its_moment(told: Told) -> None:
    page, said = told.page, told.facts["said"] - told.facts["started"]
    opened(page, told.facts["recording"], f"?t={said + 1:.2f}")
    expect(page.locator("#caption")).to_contain_text("ملفي عند لجنة الحقوق")
    page.keyboard.press("0")
    page.click("#tab-text")
    page.fill("#find", "لجنه الحقوق")
    expect(page.locator("#transcript li:visible")).to_have_count(1)
    page.locator("#transcript li:visible button").click()
    until(page, lambda: abs(page.evaluate(STATE)[0][0] - said) < 1.0)
    page.goto(f"/library/{told.facts['recording']}?t=9")
    seeks(page, 9)
    page.locator("h1").click()
    page.keyboard.press("n")
    page.keyboard.type(NOTE)
    page.keyboard.press("Control+Enter")
    expect(page.locator(".note")).to_contain_text(NOTE)
    assert latin(page.locator(".note .moment__at").inner_text()) == "0:09"


def test_the_directives_page_leads_to_fifteen_seconds_before_the_order(told: Told) -> None:
    page = told.page
    order = told.facts["order"] - told.facts["started"]
    page.click("#tab-moments")
    page.locator(".moment--order .moment__more").click()
    expect(page.locator("main")).to_contain_text(ORDER)
    link = page.locator(f"a[href*='/library/{told.facts['recording']}']").first
    at = float(re.search(r"t=([\d.]+)", str(link.get_attribute("href")))[1])  # type: ignore[index]
    assert at == pytest.approx(max(order - 15, 0), abs=1.5)
    link.click()
    seeks(page, at, 0.5)
    assert shown_at(page.evaluate(READ, CLOCK)["official"]["fields"], told.facts["started"]) == pytest.approx(
        at, abs=1.0
    )


def test_a_film_is_asked_for_by_one_agreed_to_by_another_and_fetched_by_the_first_alone(told: Told) -> None:
    minister, aide = told.page, told.demo.page("aide")
    shelf = f"/library/{told.facts['recording']}"
    assert aide.request.get(shelf, max_redirects=0).status == 404
    minister.goto(f"{shelf}/access")
    minister.select_option("select[name=staff_id]", told.demo.staff("aide"))
    minister.fill("input[name=purpose]", "كتابة التوجيه")
    with minister.expect_navigation():
        minister.locator("form[action$='/grants'] button[type=submit]").click()
    films: dict[str, str] = {}
    for format_ in told.course.films:
        aide.goto(f"{shelf}/export")
        aide.fill("input[name=purpose]", PURPOSE)
        aide.locator(f"input[name=format][value={format_}]").check(force=True)
        with aide.expect_navigation(url=re.compile("/exports/")):
            aide.locator("form[action$='/export'] button[type=submit]").click()
        films[format_] = aide.url.split("?")[0]
        expect(aide.locator("#export")).to_contain_text("يلزم أن يوافق شخص ثانٍ")
        minister.goto("/exports")
        minister.locator(f"a[href='/exports/{films[format_].rsplit('/', 1)[1]}']").click()
        with minister.expect_navigation():
            minister.locator("form[action$='/agree'] button").click()
    for format_, address in films.items():
        ready = aide.locator("a[href$='/file']")
        until(aide, lambda to=address, link=ready: aide.goto(to) and link.count(), 60 + 4 * told.facts["length"])
        assert minister.request.get(f"{address}/file", max_redirects=0).status == 404
        told.facts[format_] = aide.request.get(f"{address}/file").body()


@dataclass
class Seen:
    """What a film shows: the pictures at some moments, and of all pictures how bright each side's middle is."""

    at: dict[float, np.ndarray]
    middles: dict[str, list[tuple[float, float]]]
    sound: np.ndarray
    length: float


def places() -> dict[str, tuple[int, int, int, int]]:
    """Where each side's picture of four to three lies: x, y, width, height."""
    found = {}
    for role, box in zip(KNOWN, boxes(3, rtl=True), strict=True):
        high = box.width * 3 // 4
        found[role] = (box.x, box.y + (box.height - high) // 2, box.width, high)
    return found


def look(data: bytes, moments: list[float]) -> Seen:
    at: dict[float, np.ndarray] = {}
    middles: dict[str, list[tuple[float, float]]] = {role: [] for role in KNOWN}
    with av.open(io.BytesIO(data)) as film:
        for frame in film.decode(video=0):
            picture = frame.to_ndarray(format="gray")
            for moment in moments:
                if moment not in at and frame.time >= moment - 0.021:
                    at[moment] = picture
            for role, (x, y, wide, high) in places().items():
                part = picture[y + high * 9 // 20 : y + high * 11 // 20, x + wide * 9 // 20 : x + wide * 11 // 20]
                middles[role].append((frame.time, float(part.mean())))
    with av.open(io.BytesIO(data)) as film:
        made = av.AudioResampler(format="flt", layout="mono", rate=RATE)
        first, parts = None, []
        for frame in film.decode(audio=0):
            first = frame.time if first is None else first
            parts += [one.to_ndarray()[0] for one in made.resample(frame)]
    sound = np.concatenate([np.zeros(max(0, round((first or 0.0) * RATE)), np.float32), *parts])
    return Seen(at, middles, sound, middles["official"][-1][0])


def flashes(seen: Seen, role: str) -> list[float]:
    return [b[0] for a, b in pairwise(seen.middles[role]) if a[1] < 140 <= b[1]]


def beeps(seen: Seen, role: str) -> list[float]:
    level = loudness(seen.sound, KNOWN[role][2])
    return [float(one) / 200 for one in rises(level > 0.4 * np.quantile(level, 0.98))]


def offsets(seen: Seen, role: str, begin: float, end: float) -> list[float]:
    """Picture after sound, of each flash that has its beep."""
    heard = beeps(seen, role)
    pairs = [f - min(heard, key=lambda b, f=f: abs(b - f)) for f in flashes(seen, role) if begin < f < end]
    return [one for one in pairs if abs(one) < 0.4]


@pytest.fixture(scope="module")
def seen(told: Told) -> dict[str, Seen]:
    begin, end = told.gap
    second = -told.facts["started"] % 1  # when the clock on the wall jumps
    ticks = [n + second + part for n in (3, 4, 12) for part in (-0.12, 0.12, 0.8)]
    others = [(begin + end) / 2 + 0.5, told.facts["said"] - told.facts["started"] + 0.7, told.facts["length"] - 3.5]
    wanted = [*told.moments(), *others, *ticks]
    return {format_: look(told.facts[format_], wanted) for format_ in told.course.films}


def test_the_film_shows_all_sides_at_their_times(told: Told, seen: dict[str, Seen]) -> None:
    for format_, film in seen.items():
        assert told.facts[format_][:4] == b"\x1a\x45\xdf\xa3" or told.facts[format_][4:8] == b"ftyp"
        assert film.length == pytest.approx(told.facts["length"], abs=0.5)
        assert len(film.sound) / RATE == pytest.approx(told.facts["length"], abs=0.5)
        for moment in told.moments():
            for role, (x, y, wide, high) in places().items():
                fields = [film.at[moment][y + round(fy * high), x + round(fx * wide)] for fx, fy in CLOCK]
                assert shown_at(fields, told.facts["started"]) == pytest.approx(moment, abs=0.6), (role, moment)


def test_lips_stay_with_voices_before_and_behind_the_gap(told: Told, seen: dict[str, Seen], tmp_path: Path) -> None:
    """What the camera put between picture and sound is still between them, to within 80 ms; so it is behind the gap."""
    begin, end = told.gap
    told.page.goto(f"/library/{told.facts['recording']}")
    source = told.page.locator("[data-role=official] video").get_attribute("src")
    side = tmp_path / "official.webm"
    side.write_bytes(told.page.request.get(str(source)).body())
    own = -(measure(side).offset_s or 0.0)
    for format_, film in seen.items():
        assert abs(np.median(offsets(film, "official", 1.0, told.facts["length"])) - own) <= 0.08, own
        for role in KNOWN:
            before, behind = offsets(film, role, 1.0, begin), offsets(film, role, end + 2.5, told.facts["length"])
            assert len(before) >= 2 and len(behind) >= 4, (role, before, behind)
            print(
                format_,
                role,
                f"picture after sound: {np.median(before):.3f} s, behind the gap {np.median(behind):.3f} s",
            )
            assert abs(np.median(before + behind)) <= 0.15, (role, before, behind)
            assert abs(np.median(behind) - np.median(before)) <= 0.08, (role, before, behind)


def test_names_case_clock_words_mark_and_plate_are_burnt_in(told: Told, seen: dict[str, Seen]) -> None:
    begin, end = told.gap
    for film in seen.values():
        picture = film.at[told.facts["length"] - 3.5]
        assert lit(picture, WIDTH - 424, 0, WIDTH - 24, HEADER) > 300, "the case's number"
        assert lit(picture, 40, CAPTIONS_END, WIDTH - 40, HEIGHT) > 500, "for whom and what for"
        strips = []
        for box in boxes(3, rtl=True):
            top = box.y + box.height
            assert lit(picture, box.x, top, box.x + box.width, top + NAME) > 150, "a name below each"
            strips.append(picture[top : top + NAME, box.x : box.x + box.width] > 150)
        assert all((a != b).sum() > 100 for a, b in pairwise(strips)), "another name below each"
        second = -told.facts["started"] % 1
        for n in (3, 4, 12):
            before, after, late = (clock(film.at[n + second + part]) for part in (-0.12, 0.12, 0.8))
            assert before.sum() > 100
            assert (before != after).sum() > 15 >= (after != late).sum(), f"the clock at {n}"
        assert captions(film.at[told.facts["said"] - told.facts["started"] + 0.7]) > 500
        assert captions(picture) == 0
        x, y, wide, high = places()["visitor"]
        plate = film.at[(begin + end) / 2 + 0.5][y : y + high, x : x + wide]
        assert np.median(plate) < 60
        assert lit(plate, wide // 4, high // 2 - 24, wide * 3 // 4, high // 2 + 24) > 200, "why there is no picture"


def test_the_mark_lies_across_every_side_of_the_film_and_of_no_recording(told: Told, seen: dict[str, Seen]) -> None:
    """Beside the square each camera shows one colour alone: whatever stands out there was laid over it."""

    def stands_out(picture: np.ndarray, x: int, y: int, wide: int, high: int) -> int:
        part = picture[y + high // 8 : y + high * 7 // 8, x + 6 : x + wide * 3 // 10].astype(int)
        return int((np.abs(part - np.median(part)) > 14).sum())

    moment = told.facts["length"] - 3.0
    for film in seen.values():
        for role, place in places().items():
            assert stands_out(film.at[moment], *place) > 150, role
    shelf = f"/library/{told.facts['recording']}"
    told.page.goto(shelf)
    source = told.page.locator("[data-role=official] video").get_attribute("src")
    with av.open(io.BytesIO(told.page.request.get(str(source)).body())) as side:
        bare = next(f.to_ndarray(format="gray") for f in side.decode(video=0) if f.time and f.time >= moment)
    assert stands_out(bare, 0, 0, bare.shape[1], bare.shape[0]) < 100


def test_nothing_broke_the_pages_policy_or_threw(told: Told) -> None:
    assert told.demo.faults == []
