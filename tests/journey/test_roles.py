"""One case through the hands of those who never meet the visitor: hotline, manager, officer, office, minister."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from core import clock
from tests.serving import CHROMIUM, Server, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.real, pytest.mark.long]

PHONE, IDENTITY = "0500000002", "1000000024"  # of the demo: her case is in work at Rights and Follow-up


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("roles"), demo=True) as started:
        yield started


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(**CHROMIUM)
        expect.set_options(timeout=25_000)  # the machine of the tests may be busy with others
        yield opened
        expect.set_options(timeout=5_000)
        opened.close()


@pytest.fixture(scope="module")
def number(server: Server) -> str:
    """Of her case: the demo's cases are numbered in the order in which they came in."""
    with closing(sqlite3.connect(server.data / "majlis.sqlite3")) as rows:
        found = rows.execute(
            "SELECT case_number FROM petition JOIN visitor ON visitor.id = visitor_id WHERE phone LIKE ?",
            [f"%{PHONE[1:]}"],
        )
        return str(found.fetchone()[0])


def page_of(browser: Browser, server: Server, who: str) -> Page:
    page = browser.new_context(base_url=server.url, viewport={"width": 1440, "height": 900}).new_page()
    page.set_default_timeout(25_000)
    sign_in(page, who)
    return page


def pressed(page: Page, selector: str) -> None:
    with page.expect_navigation():
        page.locator(selector).first.click()


def test_a_caller_is_checked_told_where_it_stands_and_complains(server: Server, browser: Browser, number: str) -> None:
    page = page_of(browser, server, "hotline")
    page.goto("/hotline")
    page.fill("#q", PHONE)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    case = page.url
    expect(page.locator(".code")).to_have_text(number)
    expect(page.locator(".aloud")).to_have_count(0)
    page.goto(case.replace("/hotline", ""))
    expect(page.locator("[name=identity]")).to_be_visible()  # the whole case asks who is calling, too
    page.fill("[name=identity]", "0000")
    page.fill("[name=called]", PHONE[-4:])
    pressed(page, ".caller-check__form button[type=submit]")
    expect(page.locator(".mark--late")).to_be_visible()
    page.fill("[name=identity]", IDENTITY[-4:])
    page.fill("[name=called]", PHONE[-4:])
    pressed(page, ".caller-check__form button[type=submit]")
    expect(page.locator(".aloud__words").first).to_contain_text("قيد العمل")
    page.locator("[data-dialog-open=complaint]").click()
    page.select_option("#about-complaint", "delay")
    page.fill("#concern-complaint", "لم يتصل بي أحد منذ شهر")
    pressed(page, "#complaint button[type=submit]")
    page.fill("[name=asked]", "أين وصلت معاملتي؟")
    pressed(page, "#call button[type=submit]")
    assert page.url.endswith("/hotline")
    page.goto(case)
    expect(page.locator("[name=identity]")).to_be_visible()  # the next caller is somebody else


def test_the_manager_answers_the_complaint_and_the_hotline_has_whom_to_call(server: Server, browser: Browser) -> None:
    page = page_of(browser, server, "manager")
    page.goto("/concerns")
    complaint = page.locator(".concern", has_text="لم يتصل بي أحد منذ شهر")
    complaint.locator("summary").click()
    complaint.locator("textarea[name=answer]").fill("نعتذر، وقد خُصص موظف للمتابعة.")
    with page.expect_navigation():
        complaint.locator("form[action$='/answer'] button[type=submit]").click()
    caller = page_of(browser, server, "hotline")
    caller.goto("/hotline")
    expect(caller.locator(".callback", has_text="خُصص موظف")).to_be_visible()


def test_an_order_is_written_signed_assigned_reported_on_and_proved_and_only_then_the_case_closes(
    server: Server, browser: Browser, number: str
) -> None:
    aide = page_of(browser, server, "aide")
    aide.goto(f"/office/directives/new?case={number}")
    aide.fill("[name=text]", "يُنجز نقل الملكية خلال أسبوع.")
    with aide.expect_navigation():
        aide.locator("form[action='/office/directives'] button[type=submit]").click()
    order = aide.url
    expect(aide.locator("form[action$='/sign']")).to_have_count(0)

    minister = page_of(browser, server, "minister")
    minister.goto(order)
    expect(minister.locator(".order-words")).to_have_text("يُنجز نقل الملكية خلال أسبوع.")
    pressed(minister, "form[action$='/sign'] button[type=submit]")

    aide.goto(order)
    aide.select_option("[name=department]", label="الحقوق والمتابعة")
    aide.fill("[name=due]", str((clock.now() + timedelta(days=7)).date()))
    pressed(aide, "form[action$='/assign'] button[type=submit]")

    officer = page_of(browser, server, "officer")
    officer.goto("/department")
    officer.locator("#orders summary").first.click()
    officer.locator("textarea[name=progress]").fill("طُلب الصك من الفرع.")
    pressed(officer, "form[action$='/report'] button[type=submit]")
    aide.goto("/office/directives")
    expect(aide.locator(".order__progress", has_text="طُلب الصك من الفرع.")).to_be_visible()

    officer.goto("/department?shelf=at-work")
    pressed(officer, f".case-line__link:has-text('{number}')")
    _close(officer)
    expect(officer.locator("main")).to_contain_text("توجيه الوزير")
    officer.evaluate("import('/static/js/live.js').then((live) => live.refresh())")
    expect(officer.locator(".lost")).to_have_count(0)  # a refused form's address leads back: nobody was signed out
    officer.goto("/department")
    officer.locator("#orders summary").last.click()
    officer.locator("textarea[name=proof]").fill("نُقلت الملكية بالصك ٤٤١.")
    pressed(officer, "form[enctype] button[type=submit]")
    minister.goto(order)
    expect(minister.locator("main")).to_contain_text("نُقلت الملكية بالصك ٤٤١.")


def test_the_officer_decides_and_answers_and_the_visitor_was_told_of_both(
    server: Server, browser: Browser, number: str
) -> None:
    page = page_of(browser, server, "officer")
    page.goto("/department?shelf=at-work")
    pressed(page, f".case-line__link:has-text('{number}')")
    page.locator("[data-dialog-open=do-decide]").click()
    page.select_option("#decide-outcome", index=1)
    page.fill("#decide-reason", "استوفى الشروط.")
    pressed(page, "#do-decide button[type=submit]")
    page.locator("[data-dialog-open=do-answer]").click()
    page.fill("#answer-answer", "نُقلت الملكية، ويمكنكم استلام الصك.")
    pressed(page, "#do-answer button[type=submit]")
    told = page.locator("#texts")
    for words in ("اكتملت دراسة طلبكم", "صدر الرد على طلبكم"):
        for _ in range(60):
            if words in told.inner_text():
                break
            page.wait_for_timeout(500)
            page.reload()
        expect(told).to_contain_text(words)
    _close(page)
    expect(page.locator(".case-head__marks")).to_contain_text("مغلق")


def test_an_administrator_opens_the_rules_and_no_case(server: Server, browser: Browser) -> None:
    page = page_of(browser, server, "admin")
    page.goto("/admin/routing")
    pressed(page, "main table a, main [href*='/admin/routing/']")
    expect(page.locator("main form").first).to_be_visible()
    answer = page.goto("/department")
    assert answer is not None and answer.status == 404


def _close(page: Page) -> None:
    more = page.locator(".verbs__more summary")
    if more.count():
        more.click()
    page.locator("[data-dialog-open=do-close]").click()
    page.select_option("#close-close_reason", "settled")
    pressed(page, "#do-close button[type=submit]")
