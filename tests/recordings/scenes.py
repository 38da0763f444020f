"""Recordings prepared for pages, in a demo ministry that runs: who was seen and heard when, without a live call.

with Demo(folder) as demo:
    recording = demo.record([Shown("visitor"), Shown("official", pictures=())], length=14.0)
    page = demo.page("minister")
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright
from sqlalchemy import select

from core import clock
from core.db import Database
from core.ids import new_id
from core.settings import Settings
from core.staff.models import Staff
from recordings.archive import service as archive
from recordings.archive.models import Recording
from recordings.archive.states import SETTLED
from recordings.journal import JournalWriter, open_journal
from tests.recordings.calls import Sender, Sent, deliver, pictures, send, sounds
from tests.serving import CHROMIUM, Server, sign_in
from video.meetings import service as meetings
from video.meetings.models import Meeting
from web.keys import key_ring

DELAY = 0.02
HUES = {"official": (200, 90), "visitor": (90, 200), "interpreter": (90, 90)}  # U, V: blue, red, green
STATE = "() => [...document.querySelectorAll('[data-media]')].map(m => [m.currentTime, m.paused, m.readyState])"


@dataclass(frozen=True, slots=True)
class Shown:
    """One side: `pictures` are (from, to, width, height), `voice` is (from, to); None is all the time."""

    role: str
    pictures: tuple[tuple[float, float, int, int], ...] | None = None
    voice: tuple[float, float] | None = None
    hue: tuple[int, int] | None = None


@dataclass
class Demo:
    """`majlis run` with the demo ministry, its database, and browsers in front of it."""

    folder: Path
    faults: list[str] = field(default_factory=list)

    def __enter__(self) -> Demo:
        self._all = ExitStack()
        self.server = self._all.enter_context(Server(self.folder, demo=True))
        self.db = Database(f"sqlite:///{self.server.data / 'majlis.sqlite3'}")
        self._all.callback(self.db.dispose)
        self.settings = Settings(data_dir=self.server.data)
        self._browsing = ExitStack()
        self._browser: Browser | None = None
        self._pages: dict[tuple[str, ...], Page] = {}
        return self

    def __exit__(self, *_: object) -> None:
        self.shut()
        self._all.close()

    def shut(self) -> None:
        """Close all pages; the next one starts another browser."""
        self._browsing.close()
        self._browser, self.faults = None, []
        self._pages.clear()

    def page(
        self, who: str, *, lang: str = "ar", place: str = "", prepare: Callable[[Page], None] | None = None
    ) -> Page:
        """The page of that person, signed in the first time; another one at another `place`. `prepare` comes first."""
        if (who, lang, place) not in self._pages:
            if self._browser is None:
                playwright = self._browsing.enter_context(sync_playwright())
                self._browser = playwright.chromium.launch(**CHROMIUM)
                self._browsing.callback(self._browser.close)
            context = self._browser.new_context(
                base_url=self.server.url,
                viewport={"width": 1440, "height": 900},
                permissions=["clipboard-read", "clipboard-write"],
            )
            context.add_cookies([{"name": "majlis_language", "value": lang, "url": self.server.url}])
            page = context.new_page()
            page.on("pageerror", lambda error: self.faults.append(str(error)))
            page.on("console", lambda m: self.faults.append(m.text) if "Content Security Policy" in m.text else None)
            if prepare:
                prepare(page)
            sign_in(page, who)
            self._pages[who, lang, place] = page
        return self._pages[who, lang, place]

    def staff(self, username: str) -> str:
        with self.db.read() as session:
            return session.scalars(select(Staff.id).where(Staff.username == username)).one()

    def meeting(self, *roles: str, started: datetime) -> str:
        """One more meeting about the case of the demo's own, with an interpreter if asked for, as good as over."""
        with self.db.write() as session:
            past = session.scalars(select(Meeting).where(Meeting.ended_at.is_not(None)).order_by(Meeting.ended_at))
            like = past.first()
            assert like is not None
            official = session.get_one(Staff, like.official_id)
            visitor = next(p for p in like.participants if p.role == "visitor")
            made = meetings.schedule(
                session,
                appointment_id=new_id(),
                petition_id=like.petition_id,
                visitor_id=like.visitor_id,
                visitor_name=(visitor.name_ar, visitor.name_en),
                official=(official.id, official.name_ar, official.name_en),
                centre_id=like.centre_id,
                starts_at=started,
                ends_at=started + timedelta(minutes=20),
                now=started,
            )
            for role in roles:
                one = session.scalars(select(Staff).where(Staff.username == role)).one()
                meetings.seat(
                    session, made, role=role, staff_id=one.id, name_ar=one.name_ar, name_en=one.name_en, now=started
                )
            for participant in made.participants:
                participant.joined_at = started
            made.state, made.live_at, made.ended_at = "ended", started, started + timedelta(minutes=1)
            return made.id

    def record(
        self,
        sides: Iterable[Shown],
        *,
        length: float = 14.0,
        started: datetime | None = None,
        meeting_id: str = "",
        mark: Callable[[JournalWriter, dict[str, str]], None] = lambda _journal, _people: None,
    ) -> str:
        """A journal written and closed; the worker makes it playable. `mark` is given the participants by role."""
        sides = list(sides)
        started = started or clock.now() - timedelta(minutes=5)
        roles = [side.role for side in sides if side.role not in ("visitor", "official")]
        meeting_id = meeting_id or self.meeting(*roles, started=started)
        recording_id, ring = new_id(), key_ring(self.settings)
        with self.db.write() as session:
            meeting = session.get_one(Meeting, meeting_id)
            people = {p.role: p.id for p in meeting.participants}
            archive.start(
                session, recording_id=recording_id, meeting_id=meeting.id, petition_id=meeting.petition_id, now=started
            )
        folder = self.settings.recordings_dir / recording_id
        folder.mkdir()
        journal = open_journal(
            folder / "journal", ring, recording_id=recording_id, meeting_id=meeting_id, started_at=started
        )
        sent: list[Sent] = []
        for number, side in enumerate(sides):
            sent += _sent(journal, people[side.role], number, side, length)
            journal.mark(0.1, "connected", {"participant": people[side.role], "leg": "1"})
        deliver(journal, sent)
        mark(journal, people)
        journal.close(length)
        with self.db.write() as session:
            archive.close(session, recording_id, now=started + timedelta(seconds=length))
        return recording_id

    def settle(self, recording_id: str, seconds: float = 30.0) -> str:
        """Wait until the worker has made it playable."""
        end = time.monotonic() + seconds
        while True:
            with self.db.read() as session:
                if session.get_one(Recording, recording_id).state in SETTLED:
                    return recording_id
            assert time.monotonic() < end, "it was not made playable"
            time.sleep(0.1)


def _sent(journal: JournalWriter, who: str, number: int, side: Shown, length: float) -> list[Sent]:
    sent: list[Sent] = []
    spans = ((0.0, length, 320, 180),) if side.pictures is None else side.pictures
    for part, (begin, end, width, height) in enumerate(spans):
        face = Sender(100 * number + part + 20, 96, 90_000, timestamp=3_000_000 * (part + 1))
        leg = f"{who}/{part + 1}/video"
        journal.track(leg, who, "video", "VP8", 90_000, 0.0)
        keyframes = tuple(float(t) for t in range(int(begin) + 2, int(end), 2))
        film = pictures(begin, end, width, height, keyframes=keyframes, hue=side.hue or HUES[side.role])
        sent += send(face, leg, film, delay=DELAY, split=face.frame)
    begin, end = side.voice or (0.0, length)
    if end > begin:
        leg = f"{who}/1/audio"
        journal.track(leg, who, "audio", "opus", 48_000, 0.0)
        sent += send(Sender(100 * number + 10, 111, 48_000), leg, sounds(begin, end), delay=DELAY)
    return sent


def until(page: Page, condition: Callable[[], Any], seconds: float = 15.0) -> Any:
    """Wait without evaluating strings in the page, which its policy forbids."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, "it did not come about"
        page.wait_for_timeout(60)
    return value


def opened(page: Page, recording_id: str, query: str = "?t=0") -> None:
    """The player with every side ready to be played."""
    page.goto(f"/library/{recording_id}{query}")
    until(page, lambda: all(ready >= 1 for *_, ready in page.evaluate(STATE)))


def seeks(page: Page, second: float, apart: float = 0.06) -> None:
    until(page, lambda: all(abs(t - second) < apart and r >= 2 for t, _, r in page.evaluate(STATE)))


def latin(text: str) -> str:
    return text.translate(str.maketrans("٠١٢٣٤٥٦٧٨٩", "0123456789"))
