"""The recording's page in a real browser: signed, checked while one looks on, altered, prepared."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from core import clock
from core.db import Database
from core.ids import new_id
from core.settings import Settings
from recordings.archive import service as archive
from recordings.archive.models import Recording
from tests.recordings.proofs import write_journal
from tests.recordings.scenes import Demo
from tests.serving import Server
from video.meetings.models import Meeting
from web.keys import key_ring

pytestmark = [pytest.mark.browser, pytest.mark.real]
PICTURES = os.environ.get("MAJLIS_PICTURES", "")


@pytest.fixture(scope="module")
def server(demo: Demo) -> Server:
    return demo.server


@pytest.fixture(scope="module")
def page(demo: Demo) -> Page:
    return demo.page("minister", place="proof")


@pytest.fixture
def recording(demo: Demo, page: Page) -> Path:
    """The demo ministry's own recording: its page is open, its folder is returned."""
    with demo.db.read() as session:
        own = session.scalars(select(Recording.id).order_by(Recording.started_at)).first()
    assert own
    page.goto(f"/library/{own}")
    return demo.settings.recordings_dir / own


def picture(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/{name}.png", full_page=True)


def test_a_check_shows_its_result_to_whoever_waits_for_it(page: Page, recording: Path) -> None:
    card = page.locator("#proof")
    expect(card).to_contain_text("مختوم وموقّع")
    picture(page, "signed-ar")
    page.evaluate("window.stayed = true")
    card.locator("form[action$='/check'] button").click()
    page.wait_for_load_state()
    expect(card).to_contain_text("سليم: كل بايت فيه هو ما وُقّع عليه.", timeout=15_000)
    picture(page, "proven-ar")
    journal = recording / "journal"
    kept = recording.parent / "kept"
    shutil.copy2(journal, kept)
    try:
        data = bytearray(journal.read_bytes())
        data[20_000] ^= 1
        journal.write_bytes(data)
        card.locator("form[action$='/check'] button").click()
        page.wait_for_load_state()
        expect(card).to_contain_text("متغيّر: ليس هذا ما وُقّع عليه.", timeout=15_000)
        expect(card).to_contain_text("من ١٦٣٨٤ إلى")
        picture(page, "altered-ar")
        page.goto(f"{page.url}?lang=en")
        expect(page.locator("#proof")).to_contain_text("bytes 16384 to")
        picture(page, "altered-en")
        page.set_viewport_size({"width": 390, "height": 844})
        picture(page, "altered-en-phone")
        page.set_viewport_size({"width": 1440, "height": 1000})
    finally:
        kept.replace(journal)


@pytest.mark.long
def test_a_failed_recording_is_tried_again_and_plays_without_a_reload(page: Page, server: Server) -> None:
    """Its journal was not to be found for a while (a disk that was not mounted, say)."""
    db = Database(f"sqlite:///{server.data / 'majlis.sqlite3'}")
    settings, recording_id, now = Settings(data_dir=server.data), new_id(), clock.now()
    with db.write() as session:
        meeting = session.scalars(select(Meeting).where(Meeting.ended_at.is_not(None))).first()
        assert meeting is not None
        journal = settings.recordings_dir / recording_id / "journal"
        journal.parent.mkdir()
        people = tuple(p.id for p in meeting.participants if p.joined_at)
        archive.start(session, recording_id=recording_id, meeting_id=meeting.id, petition_id="-", now=now)
        write_journal(journal, key_ring(settings), recording_id, who=people)
        hidden = journal.with_name("elsewhere")
        journal.rename(hidden)
        archive.close(session, recording_id, now=now)
    until = time.monotonic() + 30
    while page.goto(f"/library/{recording_id}").status != 200:  # nobody has leave to view it before it has failed
        time.sleep(0.3)
        assert time.monotonic() < until
    expect(page.locator("#preparing")).to_contain_text("يمكن إعادة المحاولة")
    picture(page, "failed-ar")
    hidden.rename(journal)
    page.locator("form[action$='/try-again'] button").click()
    page.wait_for_load_state()
    expect(page.locator("[data-player]")).to_be_visible(timeout=15_000)
    expect(page.locator("#proof")).to_contain_text("مختوم وموقّع", timeout=15_000)
    picture(page, "mended-ar")


def test_a_recording_without_pictures_or_sound_says_so_and_raises_nothing(page: Page, server: Server) -> None:
    db = Database(f"sqlite:///{server.data / 'majlis.sqlite3'}")
    settings, recording_id, now = Settings(data_dir=server.data), new_id(), clock.now()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    with db.write() as session:
        meeting = session.scalars(select(Meeting).where(Meeting.ended_at.is_not(None))).first()
        assert meeting is not None
        journal = settings.recordings_dir / recording_id / "journal"
        journal.parent.mkdir()
        write_journal(journal, key_ring(settings), recording_id, who=())
        archive.start(session, recording_id=recording_id, meeting_id=meeting.id, petition_id="-", now=now)
        archive.close(session, recording_id, now=now)
    until = time.monotonic() + 30
    while page.goto(f"/library/{recording_id}").status != 200:
        time.sleep(0.3)
        assert time.monotonic() < until
    expect(page.locator("main")).to_contain_text("لم يُرَ شيء ولم يُسمع")
    expect(page.locator("#proof")).to_contain_text("مختوم وموقّع", timeout=15_000)
    picture(page, "silent-ar")
    assert faults == []
