"""An appointment as its visitor has it: booked at the counter, read on a phone, moved by link; a freed place offered to
who waits for it; and a holiday declared late.

Chapters of one story, in order. Texts are read where the gateway of a first evening writes them: in the log.
"""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from sqlalchemy import select

from core.calendar import at_local, day_name, local_day
from core.db import Database
from core.staff.models import Staff
from queueing.appointments import calendar, service
from queueing.appointments.models import Appointment
from queueing.appointments.states import BOOKED, LIVE
from reception.petitions.models import Petition
from reception.petitions.states import SETTLED
from tests.journey.test_axe import AXE, RUN, TAGS
from tests.serving import CHROMIUM, Server, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.timeout(150)]
ZONE = "Asia/Riyadh"
LINK = re.compile(r"/a/([A-Za-z0-9]{22})")


@dataclass
class Story:
    server: Server
    browser: Browser
    db: Database
    petitions: list[str]  # of visitors with no appointment, of the receptionist's centre
    lonely: str  # a slot on a day on which there is no other
    day: str
    desks: dict[str, Page] = field(default_factory=dict)
    links: list[str] = field(default_factory=list)

    def desk(self, who: str) -> Page:
        if who not in self.desks:
            context = self.browser.new_context(base_url=self.server.url, viewport={"width": 1440, "height": 900})
            self.desks[who] = context.new_page()
            sign_in(self.desks[who], who)
        return self.desks[who]

    def phone(self) -> Page:
        """One that runs no script, as slow phones may."""
        context = self.browser.new_context(
            base_url=self.server.url, viewport={"width": 390, "height": 844}, java_script_enabled=False
        )
        return context.new_page()

    def next_link(self) -> str:
        """The path in the next text that has one."""
        until = time.monotonic() + 30
        while True:
            found = list(dict.fromkeys(LINK.findall(self.server.log.read_text())))
            if fresh := [token for token in found if token not in self.links]:
                self.links.append(fresh[0])
                return f"/a/{fresh[0]}"
            assert time.monotonic() < until, "no text with a link came"
            time.sleep(0.1)

    def appointment(self, petition_id: str) -> Appointment | None:
        with self.db.read() as session:
            return calendar.current(session, petition_id)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    with Server(tmp_path_factory.mktemp("majlis"), demo=True) as server, sync_playwright() as playwright:
        db = Database(f"sqlite:///{next(server.data.glob('*.sqlite3'))}")
        browser = playwright.chromium.launch(**CHROMIUM)
        yield Story(server, browser, db, *_far_day(db))
        browser.close()
        db.dispose()


def _far_day(db: Database) -> tuple[list[str], str, str]:
    """Petitions to play with, and one audience five weeks ahead, in a zone where it is day now: nobody is asked at
    night, whatever the hour at which the test runs."""
    now = datetime.now(UTC)
    with db.write() as session:
        centre = session.scalars(select(Staff.centre_id).where(Staff.username == "receptionist")).one()
        minister = session.scalars(select(Staff.id).where(Staff.username == "minister")).one()
        busy = select(Appointment.petition_id).where(Appointment.state.in_(LIVE))
        petitions = session.scalars(
            select(Petition)
            .where(Petition.centre_id == centre, Petition.id.not_in(busy), Petition.state.not_in(SETTLED))
            .order_by(Petition.received_at)
        ).all()
        by_visitor = {
            row.visitor_id: row.id
            for row in petitions
            if row.visitor.language == "ar" and not row.visitor.sign_language
        }
        taken = {local_day(slot.starts_at, ZONE) for slot in calendar.slots_between(session, now, now + timedelta(99))}
        day = local_day(now, ZONE) + timedelta(days=35)
        while day in taken or day.weekday() in (4, 5):  # Friday and Saturday
            day += timedelta(days=1)
        at = at_local(day, 12, 0, ZONE)
        offset = max(-10, 13 - now.hour)
        zone = f"Etc/GMT{-offset:+d}"
        wall = at + timedelta(hours=offset)
        later = timedelta(days=1 if day.weekday() < 3 or day.weekday() == 6 else 3)  # where a holiday moves it to
        slot, _ = (
            calendar.add_session(
                session, official_id=minister, kind="audience", centre_id=None, place_ar="المجلس", place_en="Hall",
                day=at_.date(), start=at_.time(), end=(at_ + timedelta(minutes=20)).time(), minutes=20, zone=zone,
                now=now,
            )[0]
            for at_ in (wall, wall + later)
        )  # fmt: skip
        return list(by_visitor.values()), slot.id, day.isoformat()


def no_fault(story: Story, path: str) -> None:
    """The same page with scripts, for the checker's own."""
    context = story.browser.new_context(
        base_url=story.server.url, viewport={"width": 390, "height": 844}, bypass_csp=True
    )
    page = context.new_page()
    page.goto(path)
    page.add_script_tag(path=Path(AXE))
    assert page.evaluate(RUN, TAGS) == []
    context.close()


def test_booked_at_the_counter_while_the_visitor_stands_there(story: Story) -> None:
    desk, petition = story.desk("receptionist"), story.petitions[0]
    desk.goto(f"/cases/{petition}")
    with desk.expect_navigation():
        desk.locator("form[action$='/first'] button").first.click()
    promised = desk.locator(".held .sms").inner_text()
    with desk.expect_navigation():
        desk.locator("form[action$='/book'] button").click()
    expect(desk.locator(".held--booked")).to_be_visible()
    booked = story.appointment(petition)
    assert booked is not None and booked.state == BOOKED and booked.code in promised


def test_the_visitor_says_they_come_and_moves_it_by_the_link_of_the_text(story: Story) -> None:
    here, phone = story.next_link(), story.phone()
    before = story.appointment(story.petitions[0])
    phone.goto(here)
    expect(phone.locator(".appointed__code")).to_contain_text(before.code)
    phone.locator(f"form[action='{here}/come'] button").click()
    expect(phone.locator("[role=status]")).to_contain_text("نحن بانتظاركم")
    no_fault(story, here)
    aide = story.desk("aide")
    aide.goto(f"/office/appointments/{before.id}")
    expect(aide.locator("main")).to_contain_text("قال إنه سيحضر")
    phone.locator(f"a[href='{here}/times']").click()
    phone.locator("a[href*='/move?slot=']").last.click()
    phone.locator(f"form[action='{here}/move'] button").click()
    expect(phone.locator("[role=status]")).to_contain_text("نُقل موعدكم")
    after = story.appointment(story.petitions[0])
    assert after.code == before.code and after.slot_id != before.slot_id and after.previous_id == before.id
    fresh = story.next_link()
    phone.goto(fresh)
    expect(phone.locator(f"form[action='{fresh}/come']")).to_be_visible()
    phone.goto(here)
    expect(phone.locator(".appointed__code")).to_contain_text(after.code)


def test_a_cancelled_place_is_offered_to_who_waits_and_taken_by_link(story: Story) -> None:
    _, waits, gives_up = story.petitions[:3]
    now = datetime.now(UTC)
    with story.db.write() as session:  # five weeks ago, say
        visitor = session.get_one(Petition, gives_up).visitor_id
        service.book(session, slot_id=story.lonely, visitor_id=visitor, petition_id=gives_up, by="aide", now=now)
    other = story.next_link()
    aide = story.desk("aide")
    aide.goto(f"/waitlist/{waits}")
    aide.select_option("#f-kind", "audience")
    aide.fill("#f-earliest", story.day)
    aide.fill("#f-latest", story.day)
    with aide.expect_navigation():
        aide.locator("form[action$='/join'] button[type=submit]").click()
    expect(aide.locator("#waiting")).to_contain_text("ينتظر وقتًا")
    phone = story.phone()
    phone.goto(f"{other}/cancel")
    phone.locator("input[name=reason][value=ill]").check()
    phone.locator(f"form[action='{other}/cancel'] button").click()
    expect(phone.locator("[role=status]")).to_contain_text("أُلغي موعدكم")
    here = story.next_link()
    phone.goto(here)
    expect(phone.locator("h1")).to_have_text("تيسّر لكم وقت")
    no_fault(story, here)
    aide.goto("/waitlist")
    expect(aide.locator("#line")).to_contain_text("عُرض عليه وقت")
    phone.locator(f"form[action='{here}/accept'] button").click()
    expect(phone.locator("[role=status]")).to_contain_text("صار هذا الوقت لكم")
    taken = story.appointment(waits)
    assert (taken.state, taken.slot_id) == (BOOKED, story.lonely)
    story.next_link()  # of the confirmation
    aide.goto("/waitlist")
    expect(aide.locator("#line")).not_to_contain_text("عُرض عليه وقت")


def test_a_holiday_declared_late_moves_them_in_one_step_and_they_are_told(story: Story) -> None:
    aide, waits = story.desk("aide"), story.petitions[1]
    before = story.appointment(waits)
    aide.goto("/office/holidays")
    aide.fill("#f-first_day", story.day)
    aide.fill("#f-name_ar", "عطلة معلنة متأخرة")
    aide.fill("#f-name_en", "A late holiday")
    with aide.expect_navigation():
        aide.locator("#declare form button[type=submit]").click()
    with story.db.read() as session:
        name = session.get_one(Petition, waits).visitor.name
    expect(aide.locator("#hit")).to_contain_text(name)
    with aide.expect_navigation():
        aide.locator("form.move-all button[type=submit]").click()
    after = story.appointment(waits)
    assert after.id != before.id and after.code == before.code and after.previous_id == before.id
    phone = story.phone()
    phone.goto(story.next_link())
    day = day_name(local_day(after.slot.starts_at, ZONE), "ar").split(" ", 1)[1]
    expect(phone.locator(".appointed__day")).to_contain_text(day)
    expect(phone.locator(".appointed__code")).to_contain_text(before.code)
