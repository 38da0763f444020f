"""The counter by keyboard alone, on an Arabic layout too; two clerks at one moment; a line that breaks."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from sqlalchemy import update

from core import clock
from queueing.tickets.models import Ticket, TicketPress
from tests.queue.counters import Desks
from tests.serving import CHROMIUM, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.timeout(150)]


@pytest.fixture(scope="module")
def desks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desks]:
    built = Desks(tmp_path_factory.mktemp("counter"))
    yield built
    built.kill()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**CHROMIUM)
        yield browser
        browser.close()


def clerk(desks: Desks, chromium: Browser, name: str) -> Page:
    context = chromium.new_context(base_url=desks.url, viewport={"width": 1440, "height": 900})
    context.add_cookies([{"name": "majlis_language", "value": "en", "url": desks.url}])
    page = context.new_page()
    page.set_default_timeout(10_000)
    sign_in(page, name)
    page.goto("/counter")
    page.locator("html[data-ready]").wait_for()
    return page


def long_ago(desks: Desks, ticket_id: str) -> None:
    """The hall has been saying this number for a while, and was told to twice."""
    with desks.db.write() as session:
        then = clock.now() - timedelta(seconds=30)
        session.execute(update(Ticket).where(Ticket.id == ticket_id).values(called_at=then))
        session.execute(update(TicketPress).where(TicketPress.ticket_id == ticket_id).values(at=then))


def press(page: Page, key: str) -> None:
    """As a person does: a second press right behind the first is taken for a slip."""
    page.wait_for_timeout(700)
    page.keyboard.press(key)


def test_a_day_at_the_counter_by_keyboard_alone(desks: Desks, chromium: Browser) -> None:
    desks.clear()
    first, second, third = desks.take(3, ago=20)
    page = clerk(desks, chromium, "huda")
    big, strip, said = page.locator("[data-act]"), page.locator(".pressed"), page.locator("#said")
    expect(big).to_contain_text("Call \u2066E1\u2069")
    expect(big).to_be_focused()
    press(page, "Enter")
    expect(big).to_contain_text("has come")
    expect(big).to_be_focused()
    expect(said).to_contain_text("was called")
    press(page, "r")
    expect(page.locator(".toast--wait")).to_contain_text("has just been called")
    long_ago(desks, first.id)
    press(page, "r")
    expect(page.locator(".turn__times")).to_contain_text("called 2 times")
    press(page, "Enter")
    expect(page.locator("#turn-title")).to_have_text("Being served")
    press(page, "f")  # the usual next point: one press
    expect(strip).to_contain_text("goes on to Verification")
    assert desks.state(first.id) == "waiting"
    press(page, " ")
    expect(big).to_contain_text("has come")
    expect(page.locator(".turn__number")).to_contain_text("E2")
    # an Arabic layout: the key writes ح and is P by its place
    page.evaluate(
        "() => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', "
        "{ key: 'ح', code: 'KeyP', bubbles: true, cancelable: true }))"
    )
    expect(page.locator("#park")).to_be_visible()
    press(page, "2")
    expect(page.locator("#parked")).to_contain_text("Waits for an interpreter")
    assert desks.state(second.id) == "parked"
    press(page, "c")
    expect(page.locator("#turn-title")).to_have_text("Being served")
    press(page, "e")
    expect(strip).to_contain_text("is finished")
    assert desks.state(second.id) == "finished"
    press(page, "z")
    expect(page.locator("#turn-title")).to_have_text("Being served")
    assert desks.state(second.id) == "serving"
    press(page, "Enter")  # finish and call the next
    expect(big).to_contain_text("has come")
    waiting = {first.id: desks.state(first.id), third.id: desks.state(third.id)}
    here = next(key for key, state in waiting.items() if state == "called")
    press(page, "n")  # not yet: nothing happens
    assert desks.state(here) == "called"
    with desks.db.write() as session:
        session.execute(update(Ticket).where(Ticket.id == here).values(recalls=2))
    page.reload()
    page.locator("html[data-ready]").wait_for()
    press(page, "n")
    expect(strip).to_contain_text("did not come")
    assert desks.state(here) == "no_show"
    page.context.close()


def test_two_clerks_at_one_moment_never_get_one_ticket(desks: Desks, chromium: Browser) -> None:
    desks.clear()
    one, two = desks.take(2, ago=9)
    pages = [clerk(desks, chromium, name) for name in ("huda", "salem")]
    for page in pages:
        expect(page.locator("[data-act]")).to_contain_text(one.label)
    for page in pages:  # both pages name E1; neither waits for the other's answer
        page.evaluate("() => document.querySelector('[data-act]').click()")
    for page in pages:
        expect(page.locator("[data-act]")).to_contain_text("has come")
    got = {page.locator(".turn__number").inner_text().strip() for page in pages}
    assert got == {one.label, two.label} and {desks.state(one.id), desks.state(two.id)} == {"called"}
    for page in pages:
        page.context.close()


def test_a_double_click_is_one_press_and_a_broken_line_is_waited_for(desks: Desks, chromium: Browser) -> None:
    desks.clear()
    (ticket,) = desks.take(1, ago=9)
    page = clerk(desks, chromium, "huda")
    page.locator("[data-act]").dblclick()
    expect(page.locator("[data-act]")).to_contain_text("has come")
    assert desks.state(ticket.id) == "called"
    page.wait_for_timeout(500)
    page.context.set_offline(True)
    page.locator("[data-act]").click()
    expect(page.locator(".act__lost")).to_be_visible()
    assert desks.state(ticket.id) == "called"
    page.context.set_offline(False)
    expect(page.locator("#turn-title")).to_have_text("Being served", timeout=15_000)
    assert desks.state(ticket.id) == "serving"
    page.context.close()
