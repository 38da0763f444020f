"""A media node in its own process, and Chromiums with a known picture and sound."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.children import ROOT, die_with_parent, free_port

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
]


class Rig:
    """The test's hand on the node: plays the database, looks into the recorder, breaks things."""

    def __init__(self, base: str) -> None:
        self.base = base

    def ask(self, path: str, method: str = "GET", body: Any = None, headers: dict[str, str] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.base + path, data, {"content-type": "application/json"} | (headers or {}), method=method
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def meeting(self, meeting: str, **changes: Any) -> None:
        self.ask(f"/rig/meetings/{meeting}", "PUT", changes)

    def token(self, meeting: str, who: str) -> str:
        return self.ask(f"/rig/meetings/{meeting}/token?who={who}")

    def journals(self, meeting: str) -> list[dict[str, Any]]:
        return [journal for journal in self.ask("/rig/shelf") if journal["meeting"] == meeting]

    def set(self, **values: Any) -> None:
        self.ask("/rig/shelf", "POST", values)

    def told(self, meeting: str) -> list[list[Any]]:
        return [entry for entry in self.ask("/rig/told") if entry[1] == meeting]

    def fared(self, meeting: str, who: str) -> list[dict[str, Any]]:
        return [entry[2] for entry in self.ask("/rig/fared") if entry[:2] == [meeting, who]]

    def sync(self, meeting: str) -> None:
        self.ask(f"/media/control/meetings/{meeting}/sync", "POST", {}, {"x-majlis-control": "control"})


class Person:
    """One participant's browser page."""

    def __init__(self, rig: Rig, who: str, page: Any) -> None:
        self.rig, self.who, self.page = rig, who, page
        self.open()

    def open(self) -> None:
        self.page.goto(self.rig.base + "/")
        self.until("window.rig?.ready")

    def join(self, meeting: str, token: str | None = "fresh", **options: Any) -> None:
        given = self.rig.token(meeting, self.who) if token == "fresh" else token
        self.page.evaluate("([token, options]) => rig.join(token, options)", [given, options])

    def until(self, expression: str, timeout: float = 15) -> None:
        """Polls from outside: the page's policy forbids evaluating strings inside."""
        try:
            wait_until(lambda: self.page.evaluate(f"Boolean({expression})"), timeout)
        except AssertionError:
            events = self.page.evaluate("JSON.stringify(window.rig?.events.slice(-8))")
            raise AssertionError(f"{self.who}: not in time: {expression}; last events: {events}") from None

    def state(self, state: str, timeout: float = 15) -> None:
        self.until(f"rig.client.state === '{state}'", timeout)

    def do(self, call: str) -> Any:
        return self.page.evaluate(call)

    def numbers(self) -> dict[str, Any]:
        return self.page.evaluate("rig.numbers()")

    def last(self, event: str) -> dict[str, Any] | None:
        return self.page.evaluate("type => rig.last(type)", event)

    def sees_someone(self, more: int = 20, timeout: float = 20) -> None:
        """Waits until `more` further frames were decoded and sound came."""
        before = self.numbers()

        def came() -> bool:
            now = self.numbers()
            return now["framesDecoded"] >= before["framesDecoded"] + more and now["audioEnergy"] > before["audioEnergy"]

        wait_until(came, timeout)


def wait_until(holds: Callable[[], Any], timeout: float = 10) -> None:
    deadline = time.monotonic() + timeout
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


@pytest.fixture
def eventually() -> Callable[..., None]:
    return wait_until


@contextlib.contextmanager
def running_rig(*arguments: str, module: str = "tests.media.rig") -> Iterator[Rig]:
    """The node's process, with more arguments of its module if need be."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", module, str(port), *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        preexec_fn=die_with_parent,
    )
    rig = Rig(f"http://127.0.0.1:{port}")
    try:
        for _ in range(100):
            try:
                rig.ask("/media/healthz")
                break
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        yield rig
    finally:
        process.terminate()
        process.wait(timeout=20)


@pytest.fixture(scope="module")
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    with running_rig(*getattr(request, "param", ())) as rig:
        yield rig


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Path]]:
    """A moving picture and a tone for each person."""
    folder = tmp_path_factory.mktemp("films")
    made = {}
    for index, who in enumerate(("minister", "sara", "signer")):
        video, audio = folder / f"{who}.y4m", folder / f"{who}.wav"
        subprocess.run(
            ["ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=30:duration=4",
             "-vf", f"hue=h={120 * index}", "-pix_fmt", "yuv420p", str(video)],
            check=True,
        )  # fmt: skip
        subprocess.run(
            ["ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", f"sine=frequency={330 * (index + 1)}:duration=4",
             "-ar", "48000", "-ac", "1", str(audio)],
            check=True,
        )  # fmt: skip
        made[who] = (video, audio)
    return made


@pytest.fixture(scope="module")
def browsers(films: dict[str, tuple[Path, Path]]) -> Iterator[Callable[[str], Any]]:
    """A Chromium for each person, started when first wanted."""
    playwright = pytest.importorskip("playwright.sync_api")
    running: dict[str, Any] = {}
    with playwright.sync_playwright() as player:

        def browser(who: str) -> Any:
            if who not in running:
                video, audio = films[who]
                running[who] = player.chromium.launch(
                    executable_path="/usr/bin/chromium",
                    args=[
                        *FLAGS,
                        f"--use-file-for-fake-video-capture={video}",
                        f"--use-file-for-fake-audio-capture={audio}",
                    ],
                )
            return running[who]

        yield browser
        for one in running.values():
            one.close()


@contextlib.contextmanager
def _opening(rig: Rig, browsers: Callable[[str], Any]) -> Iterator[Callable[[str], Person]]:
    contexts = []

    def open_page(who: str) -> Person:
        context = browsers(who).new_context()
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: print(who, "page error:", error))
        return Person(rig, who, page)

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def person(rig: Rig, browsers: Callable[[str], Any]) -> Iterator[Callable[..., Person]]:
    """`person("sara")` opens a page of the person's browser; every page is closed after the test."""
    with _opening(rig, browsers) as open_page:
        yield open_page


@contextlib.contextmanager
def _held(rig: Rig, name: str) -> Iterator[str]:
    name = f"m-{name[:40]}-{time.monotonic_ns()}"
    rig.meeting(name, state="open")
    rig.set(broken=False, stalled=False, dark=False, loss=0, mute="")
    yield name
    rig.set(broken=False, stalled=False, dark=False, loss=0, mute="")
    rig.meeting(name, state="ended")
    rig.sync(name)


@pytest.fixture
def meeting(rig: Rig, request: pytest.FixtureRequest) -> Iterator[str]:
    with _held(rig, request.node.name) as name:
        yield name


@pytest.fixture
def couple(meeting: str, person: Callable[..., Person]) -> tuple[Person, Person]:
    """The minister and Sara, admitted and seeing each other."""
    return _together(meeting, person)


@dataclass(frozen=True)
class OneCall:
    meeting: str
    minister: Person
    sara: Person


@pytest.fixture(scope="class")
def one_call(rig: Rig, browsers: Callable[[str], Any], request: pytest.FixtureRequest) -> Iterator[OneCall]:
    """A couple whom the tests of a class find as the ones before left them: together, and seeing each other."""
    with _held(rig, request.node.name) as meeting, _opening(rig, browsers) as person:
        yield OneCall(meeting, *_together(meeting, person))


def _together(meeting: str, person: Callable[..., Person]) -> tuple[Person, Person]:
    minister, sara = person("minister"), person("sara")
    minister.join(meeting)
    minister.state("here")
    sara.join(meeting)
    sara.state("lobby")
    minister.do("rig.client.admit('sara')")
    sara.state("here")
    minister.sees_someone(5)
    sara.sees_someone(5)
    return minister, sara
