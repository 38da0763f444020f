"""The hall's display in a real Chromium: heard, over lost lines, reloads and a killed server, every call once."""

import base64
import json
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from sqlalchemy import select

from core import clock
from core.db import Database, new_id
from core.settings import Settings
from queueing.tickets import service
from queueing.tickets.models import CallLog, Counter, ServicePoint, Ticket
from reception.centres.models import Centre
from tests.children import WebProcess
from tests.serving import CHROMIUM
from web.schema import create_all
from web.voice import engine, sound
from web.voice.clips import voice_of
from web.voice.phrases import of_counter, of_label

EARS = Path(__file__).with_name("hall_ears.js")
SECTIONS = ["men", "women", "family"]
COUNTERS = 12


class House(WebProcess):
    """A web process of its own over a database that the test writes to, as a counter's web process would."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(data_dir=folder, secret_hex="22" * 32)
        self.db = Database(self.settings.database)
        create_all(self.db.engine)
        super().__init__(folder, "22" * 32)


class Hall:
    """One centre, with its counters open and a clerk at each."""

    def __init__(self, house: House) -> None:
        self.db = house.db
        self.code = f"c{new_id()[-8:]}"
        with self.db.write() as session:
            centre = Centre(
                id=new_id(), code=self.code, name_ar="مركز", name_en="Centre", place_ar="-", place_en="-",
                sections=SECTIONS,
            )  # fmt: skip
            session.add(centre)
            session.flush()
            point = ServicePoint(
                id=new_id(), centre_id=centre.id, code="new", letter="A", name_ar="طلب", name_en="Petition",
                sections=SECTIONS,
            )  # fmt: skip
            counters = [
                Counter(
                    id=new_id(), centre_id=centre.id, number=n, name_ar=f"الشباك {n}", name_en=f"Counter {n}",
                    sections=SECTIONS, service_point_ids=[point.id], languages=["ar"], open=True, staff_id=new_id(),
                )
                for n in range(1, COUNTERS + 1)
            ]  # fmt: skip
            session.add_all([point, *counters])
            session.flush()
            self.centre_id, self.point_id = centre.id, point.id
            self.counters = {counter.number: (counter.id, str(counter.staff_id)) for counter in counters}

    def call(self, *numbers: int, language: str = "ar") -> list[str]:
        """A ticket each for these counters, called in one go; their labels."""
        labels = []
        with self.db.write() as session:
            for number in numbers:
                now = clock.now()
                service.issue(
                    session, centre_id=self.centre_id, service_point_id=self.point_id, section="men",
                    language=language, now=now, zone="Asia/Riyadh",
                )  # fmt: skip
                called = service.call_next(session, *self.counters[number], now=now)
                assert called
                labels.append(called.label)
        return labels

    def log(self) -> dict[str, str]:
        """Label by id of call."""
        with self.db.read() as session:
            rows = session.execute(
                select(CallLog.id, Ticket.label)
                .join(Ticket, Ticket.id == CallLog.ticket_id)
                .where(CallLog.centre_id == self.centre_id)
                .order_by(CallLog.at, CallLog.id)
            )
            return dict(rows.all())  # type: ignore[arg-type]

    def age(self, label: str, seconds: int) -> None:
        with self.db.write() as session:
            row = session.scalars(
                select(CallLog).join(Ticket, Ticket.id == CallLog.ticket_id).where(
                    CallLog.centre_id == self.centre_id, Ticket.label == label
                )
            ).one()  # fmt: skip
            row.at -= timedelta(seconds=seconds)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    house = House(tmp_path_factory.mktemp("hall"))
    yield house
    house.kill()
    house.db.dispose()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture
def hall(house: House) -> Hall:
    return Hall(house)


@pytest.fixture
def display(house: House, chromium: Browser, hall: Hall) -> Iterator[Callable[..., Page]]:
    contexts: list[BrowserContext] = []

    def show(*scripts: str, hurried: bool = False) -> Page:
        context = chromium.new_context(base_url=house.url, viewport={"width": 1920, "height": 1080})
        contexts.append(context)
        for script in scripts:
            context.add_init_script(script)
        page = context.new_page()
        if hurried:
            page.add_init_script("window.hurried = true;")
        page.add_init_script(path=EARS)
        page.goto(f"/hall/{hall.code}")
        expect(page.locator("#hall-sound")).to_have_attribute("data-state", "on")
        return page

    yield show
    for context in contexts:
        context.close()


def events(page: Page, name: str = "") -> list[dict[str, Any]]:
    noted = json.loads(page.evaluate("sessionStorage.getItem('test:said')") or "[]")
    return [entry for entry in noted if not name or entry["name"] == name]


def until(seconds: float, what: Callable[[], object], page: Page) -> None:
    over = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < over, f"not within {seconds} s; so far: {events(page)}"
        page.wait_for_timeout(100)


def announced(page: Page, hall: Hall) -> list[str]:
    names = hall.log()
    return [names[entry["id"]] for entry in events(page, "announced")]


def found(tape: "numpy.ndarray[Any, Any]", clip: "numpy.ndarray[Any, Any]") -> tuple[float, float]:
    """Where in the tape the clip is (seconds) and how alike they are there (1: the same sound)."""
    size = len(tape) + len(clip)
    product = numpy.fft.irfft(numpy.fft.rfft(tape, size) * numpy.conj(numpy.fft.rfft(clip, size)), size)[: len(tape)]
    power = numpy.concatenate([[0.0], numpy.cumsum(tape**2)])
    ends = numpy.minimum(numpy.arange(len(tape)) + len(clip), len(tape))
    norm = numpy.sqrt((power[ends] - power[: len(tape)]) * numpy.sum(clip**2)) + 1e-3 * numpy.sum(clip**2)
    alike = product / norm
    at = int(numpy.argmax(alike))
    return at / sound.RATE, float(alike[at])


def samples(source: Path | bytes) -> "numpy.ndarray[Any, Any]":
    return numpy.frombuffer(sound.read(source).tobytes(), dtype=numpy.int16).astype(float) / 32768


@pytest.mark.skipif(not engine.version(), reason="espeak-ng is not installed")
def test_what_leaves_the_loudspeaker_is_the_chime_then_number_and_counter_in_arabic_then_in_english(
    house: House, hall: Hall, display: Callable[..., Page]
) -> None:
    page = display()
    (label,) = hall.call(3)
    until(30, lambda: events(page, "announced"), page)
    tape = samples(base64.b64decode(page.evaluate("tapeOfTheTest()")))
    voice = voice_of(house.settings)
    places = []
    for phrase in (of_label("ar", label), of_counter("ar", 3), of_label("en", label), of_counter("en", 3)):
        assert phrase
        path = voice.clip(phrase)
        assert path
        at, alike = found(tape, samples(path))
        assert alike > 0.6, f"{phrase.name} was not heard: {alike:.2f} at {at:.1f} s"
        places.append(at)
    assert places == sorted(places) and len(set(places)) == 4, places
    other = of_label("ar", "B999")
    assert other
    path = voice.clip(other)
    assert path and found(tape, samples(path))[1] < 0.5  # the control: what was not said is not found
    before = tape[: int(places[0] * sound.RATE)]
    spectrum = numpy.abs(numpy.fft.rfft(before))
    bell = spectrum[int(655 * len(before) / sound.RATE) : int(664 * len(before) / sound.RATE) + 1].max()
    assert bell > 20 * numpy.median(spectrum), "no bell before the first word"
    assert [entry["lang"] for entry in events(page, "heard")] == ["ar", "ar", "en", "en"]


def test_eleven_calls_a_reload_and_a_killed_server_lose_nothing_and_say_nothing_twice(
    house: House, hall: Hall, display: Callable[..., Page]
) -> None:
    page = display(hurried=True)
    labels = hall.call(*range(1, 11))
    until(30, lambda: len(events(page, "announced")) >= 2, page)
    page.reload()  # in the middle of the third
    until(30, lambda: len(events(page, "announced")) >= 5, page)
    house.kill()
    labels += hall.call(11)
    until(15, lambda: len(events(page, "announced")) >= 6, page)  # what it knew it says, server or not
    house.start()
    house.wait()
    back = time.monotonic()
    expect(page.locator(f"#hall-spoken li[data-label={labels[10]}]")).to_have_count(1, timeout=20_000)
    took = time.monotonic() - back
    until(60, lambda: len(events(page, "announced")) >= 11, page)
    control = time.monotonic()
    page.reload()  # what the page costs here and now, on whatever machine this is
    control = time.monotonic() - control
    print(f"the hall had the call {took:.2f} s after the server; the page takes {control:.2f} s")
    assert took < 3 + 3 * control
    labels += hall.call(12)  # calls are said in their order: what is said twice would come before this one
    until(30, lambda: len(events(page, "announced")) >= 12, page)
    assert announced(page, hall) == labels
    assert all(entry["short"] for entry in events(page, "announced")[:8])


@pytest.mark.long
def test_a_call_made_while_the_line_was_lost_is_said_when_it_is_back(hall: Hall, display: Callable[..., Page]) -> None:
    page = display(hurried=True)
    page.context.set_offline(True)
    (missed,) = hall.call(1)
    (old,) = hall.call(2)
    hall.age(old, 95)
    page.wait_for_timeout(3000)
    assert not events(page) and missed not in page.locator("main").inner_text()
    page.context.set_offline(False)
    until(20, lambda: events(page, "announced"), page)
    expect(page.locator("main")).to_contain_text(old)  # shown, not said
    page.wait_for_timeout(1500)
    assert announced(page, hall) == [missed]


def test_without_a_socket_the_display_asks_by_itself(hall: Hall, display: Callable[..., Page]) -> None:
    page = display("window.WebSocket = class { constructor() { throw new Error('shut') } };")
    (label,) = hall.call(4)
    began = time.monotonic()
    expect(page.locator("#hall-call")).to_contain_text(label, timeout=15_000)
    assert time.monotonic() - began < 10  # every 2.5 s; the machine may be slow


@pytest.mark.long
def test_a_device_whose_clock_is_wrong_shows_the_right_time_and_says_its_calls(
    hall: Hall, display: Callable[..., Page]
) -> None:
    wrong = "(() => { const now = Date.now.bind(Date); Date.now = () => now() - 5 * 3600e3; })();"
    page = display(wrong, hurried=True)
    hall.call(5)
    until(15, lambda: events(page, "announced"), page)
    skew = page.evaluate("Number(document.documentElement.dataset.skew)")
    assert abs(skew - 5 * 3600_000) < 60_000
    shown = page.evaluate("import('/static/js/clocks.js').then((m) => m.timeOfDay(new Date(), 'Asia/Riyadh'))")
    assert page.locator(".hall__clock").inner_text() == shown or clock.now().second > 55  # new Date() is not bent


@pytest.mark.long
def test_a_recall_is_said_again_and_a_call_taken_back_is_not_said(hall: Hall, display: Callable[..., Page]) -> None:
    page = display(hurried=True)
    (label,) = hall.call(6)
    until(15, lambda: events(page, "announced"), page)
    with hall.db.write() as session:
        ticket = session.scalars(select(Ticket).where(Ticket.centre_id == hall.centre_id)).one()
        service.recall(session, ticket.id, now=clock.now() + timedelta(seconds=11))
    until(15, lambda: len(events(page, "announced")) == 2, page)
    first, gone = hall.call(7, 8)
    with hall.db.write() as session:
        ticket = session.scalars(select(Ticket).where(Ticket.centre_id == hall.centre_id, Ticket.label == gone)).one()
        service.put_back(session, ticket.id, now=clock.now())
    until(15, lambda: len(events(page, "announced")) == 3, page)
    page.wait_for_timeout(2500)
    assert announced(page, hall) == [label, label, first]


@pytest.mark.long
def test_sound_waits_for_a_hand_and_says_so(house: House, hall: Hall, chromium: Browser) -> None:
    shy = [flag for flag in CHROMIUM["args"] if "autoplay" not in flag]
    browser = chromium.browser_type.launch(**{**CHROMIUM, "args": shy})
    page = browser.new_page(base_url=house.url, viewport={"width": 1920, "height": 1080})
    page.add_init_script("window.hurried = true;")
    page.add_init_script(path=EARS)
    page.goto(f"/hall/{hall.code}")
    expect(page.locator("#hall-sound")).to_have_attribute("data-state", "asleep")
    button = page.locator("[data-wake]")
    expect(button).to_be_visible()
    hall.call(9)
    until(15, lambda: events(page, "announced"), page)  # shown, though nobody hears it
    assert not events(page, "heard")
    button.click()
    expect(page.locator("#hall-sound")).to_have_attribute("data-state", "on")
    expect(button).to_be_hidden()
    browser.close()
