"""The player for those who came: three sides, voices alone, and one who never came."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from recordings.strip.files import STRIP
from tests.recordings.scenes import STATE, Demo, Shown, opened, seeks, until

pytestmark = [pytest.mark.browser, pytest.mark.real]
LENGTH = 6.0
ROLES = ("official", "visitor", "interpreter")
COLOURS = """() => Object.fromEntries([...document.querySelectorAll('[data-side]')].map((side) => {
  const c = document.createElement('canvas'); c.width = 32; c.height = 18;
  const g = c.getContext('2d', { willReadFrequently: true });
  g.drawImage(side.querySelector('video'), 0, 0, 32, 18);
  const d = g.getImageData(0, 0, 32, 18).data, sum = [0, 0, 0];
  for (let i = 0; i < d.length; i += 4) for (const n of [0, 1, 2]) sum[n] += d[i + n] / (d.length / 4);
  return [side.dataset.role, sum];
}))"""


def boxes(page: Page) -> dict[str, dict[str, float]]:
    return {role: page.locator(f"[data-role={role}]").bounding_box() for role in ROLES}  # type: ignore[misc]


@pytest.fixture(scope="module")
def three(demo: Demo) -> str:
    return demo.settle(demo.record([Shown(role) for role in ROLES], length=LENGTH))


def test_three_sides_run_in_step_each_with_its_own_picture_at_the_moment_asked_for(demo: Demo, three: str) -> None:
    page = demo.page("minister")
    opened(page, three)
    assert page.locator("video[data-media]").count() == 3
    expect(page.locator("[data-role=interpreter] .watch__name")).to_contain_text("مترجم لغة الإشارة")
    strongest = {"official": 2, "visitor": 0, "interpreter": 1}  # blue, red, green
    for second, white in ((2.06, True), (4.5, False), (1.06, True)):
        page.locator("h1").click()
        page.goto(f"/library/{three}?t={second}")
        seeks(page, second)
        for role, rgb in page.evaluate(COLOURS).items():
            assert max(range(3), key=lambda n: rgb[n]) == strongest[role], (second, role, rgb)
            assert (sum(rgb) / 3 > 150) is white, (second, role, rgb)
    page.keyboard.press("0")
    page.select_option("#rate", "2")
    page.click("#play")
    until(page, lambda: all(t > 1.5 and not paused for t, paused, _ in page.evaluate(STATE)))
    times = [t for t, *_ in page.evaluate(STATE)]
    assert max(times) - min(times) < 0.15
    page.click("#play")
    page.select_option("#rate", "1")


def test_the_interpreter_stays_large_enough_to_be_read_however_they_are_arranged(demo: Demo, three: str) -> None:
    page = demo.page("minister")
    opened(page, three)
    page.click("[data-way=side]")
    places = boxes(page)
    assert max(p["width"] for p in places.values()) - min(p["width"] for p in places.values()) < 3
    assert places["official"]["x"] > places["visitor"]["x"] > places["interpreter"]["x"], "in reading order"
    for way in ("one", "pip"):
        page.click(f"[data-way={way}]")
        places, stage = boxes(page), page.locator("#stage").bounding_box()
        assert stage
        assert places["visitor"]["width"] > 2 * places["official"]["width"]
        hands = places["interpreter"]
        assert hands["width"] >= 0.2 * stage["width"], way
        assert hands["width"] * hands["height"] >= places["official"]["width"] * places["official"]["height"], way
        for place in places.values():
            assert place["y"] >= stage["y"] - 1 and place["y"] + place["height"] <= stage["y"] + stage["height"] + 1
    page.hover("[data-role=interpreter]")
    page.locator("[data-role=interpreter] [data-enlarge]").click()
    assert boxes(page)["interpreter"]["width"] > 2 * boxes(page)["visitor"]["width"]
    page.click("[data-way=side]")
    page.set_viewport_size({"width": 390, "height": 844})
    try:
        places = boxes(page)
        assert places["official"]["y"] < places["visitor"]["y"] < places["interpreter"]["y"], "one below the other"
        until(page, lambda: page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"))
    finally:
        page.set_viewport_size({"width": 1440, "height": 900})


def test_voices_alone_are_played_drawn_and_said_to_be_so(demo: Demo) -> None:
    page = demo.page("minister")
    sides = [Shown("official", ()), Shown("visitor", (), voice=(1.0, LENGTH))]
    recording = demo.settle(demo.record(sides, length=LENGTH))
    opened(page, recording)
    assert page.locator("audio[data-media]").count() == 2 and page.locator("video").count() == 0
    for role in ("official", "visitor"):
        expect(page.locator(f"[data-role={role}] [data-dark]")).to_contain_text("صوت فقط")
    assert page.locator(".moment--gap").count() == 0, "a picture that never was is no gap"
    expect(page.locator("#track[data-drawn]")).to_be_visible(timeout=20_000)
    assert (demo.settings.recordings_dir / recording / STRIP).is_file()
    expect(page.locator("#stills")).to_be_hidden()
    page.click("#play")
    until(page, lambda: all(t > 0.6 and not paused for t, paused, _ in page.evaluate(STATE)))
    page.click("#play")


def test_one_who_never_came_is_named_and_the_other_is_played_alone(demo: Demo) -> None:
    page = demo.page("minister")
    opened(page, demo.settle(demo.record([Shown("official")], length=LENGTH)))
    expect(page.locator(".watch__absent")).to_have_count(1)
    expect(page.locator(".watch__absent")).to_contain_text("لم يُرَ ولم يُسمع")
    assert page.locator("[data-side]").count() == 1
    assert page.locator("[data-way]").count() == 0 and page.locator("[data-enlarge]").count() == 0
    page.keyboard.press("v")
    assert page.locator("#stage").get_attribute("data-view") == "side"
    page.click("#play")
    until(page, lambda: page.evaluate(STATE)[0][0] > 0.5)
    page.click("#play")


def test_nothing_broke_the_pages_policy_or_threw(demo: Demo) -> None:
    assert demo.faults == []
