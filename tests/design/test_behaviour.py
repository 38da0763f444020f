"""The scripts in a real Chromium. No server and no socket: every request is answered from memory and our own files."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, sync_playwright

from tests.unit.web.design.sheets import WEB
from tests.unit.web.design.test_markup import environment
from web.security import HEADERS

CHROMIUM = "/usr/bin/chromium"
ARGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync"]  # fmt: skip
ORIGIN = "https://majlis.test"  # secure, as in production; nothing leaves the process
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield launched
        launched.close()


class Site:
    """What `/page` answers may be changed while the test runs; posts are counted."""

    def __init__(self, page: Page, source: str, frame: str = "desk.html") -> None:
        self.page = page
        self.source = source
        self.frame = frame
        self.posts: list[str] = []
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda message: self.complaints.append(message.text) if "Policy" in message.text else None)
        page.route("**/*", self.answer)

    def html(self) -> str:
        head = f'{{% extends "{self.frame}" %}}{{% import "components.html" as ui with context %}}'
        return environment().from_string(head + self.source).render()

    def answer(self, route: Route) -> None:
        path = re.sub(r"\?.*", "", route.request.url.removeprefix(ORIGIN))
        file = WEB / path.lstrip("/")
        if route.request.method == "POST":
            self.posts.append(route.request.post_data or "")
            route.fulfill(status=204)
        elif path.startswith("/static/vendor/"):
            route.abort()
        elif path.startswith("/static/"):
            route.fulfill(body=file.read_text(), content_type=TYPES[file.suffix], headers=dict(HEADERS))
        else:
            route.fulfill(body=self.html(), content_type="text/html; charset=utf-8", headers=dict(HEADERS))

    def open(self, path: str = "/page") -> Page:
        self.page.goto(ORIGIN + path)
        self.page.wait_for_selector("html[data-ready]")
        return self.page

    def refresh(self) -> None:
        self.page.evaluate("import('/static/js/live.js').then((live) => live.refresh())")


@pytest.fixture
def site(browser: Browser) -> Iterator[Callable[..., Site]]:
    context = browser.new_context(locale="ar")
    made: list[Site] = []

    def make(source: str, frame: str = "desk.html") -> Site:
        made.append(Site(context.new_page(), source, frame))
        return made[-1]

    yield make
    context.close()
    assert not [line for one in made for line in one.complaints]


def main(inside: str) -> str:
    return "{% block main %}" + inside + "{% endblock %}"


def queue(*numbers: int) -> str:
    rows = "".join(f"{{{{ ui.row(title='T{n}', key='{n}', href='#{n}') }}}}" for n in numbers)
    return main(
        "{% call ui.rows(id='queue', region=true) %}" + rows + "{% endcall %}"
        "<section id='form' data-region><form method='post' action='/do'>{{ ui.csrf_field() }}"
        f"{{{{ ui.field(name='note', label='Note', value='{len(numbers)}') }}}}</form></section>"
    )


def test_a_live_change_adds_what_is_new_and_keeps_what_was_there(site: Callable[..., Site]) -> None:
    one = site(queue(1, 2, 3))
    page = one.open()
    page.evaluate("document.querySelector('[data-key=\"2\"]').marked = true")
    one.source = queue(4, 2, 3)
    one.refresh()
    page.wait_for_selector("[data-key='4'].is-new")
    assert page.locator("#queue [data-key]").evaluate_all("all => all.map(e => e.dataset.key)") == ["4", "2", "3"]
    assert page.evaluate("document.querySelector('[data-key=\"2\"]').marked") is True
    assert page.locator("[data-key='2'].is-new").count() == 0


def test_a_live_change_leaves_a_half_written_form_alone(site: Callable[..., Site]) -> None:
    one = site(queue(1))
    page = one.open()
    page.locator("#f-note").fill("half a sen")
    page.locator("#queue a").focus()
    one.source = queue(1, 2)
    one.refresh()
    page.wait_for_selector("[data-key='2']")
    assert page.locator("#f-note").input_value() == "half a sen"
    assert page.evaluate("document.activeElement.textContent.trim()") == "T1"


def test_a_fresh_once_token_alone_is_no_change(site: Callable[..., Site]) -> None:
    page = site(queue(1)).open()
    changed = page.evaluate(
        """async () => {
            const seen = new Promise((done) =>
                document.addEventListener('majlis:refreshed', (event) => done(event.detail.changed), { once: true }));
            (await import('/static/js/live.js')).refresh();
            return seen;
        }"""
    )
    assert changed is False


def test_an_ended_session_is_said_in_words(site: Callable[..., Site]) -> None:
    one = site(queue(1))
    page = one.open()
    page.route("**/page", lambda route: route.fulfill(status=401, body=""))
    one.refresh()
    assert page.locator(".lost a").inner_text() == "Sign in"


def test_a_page_that_is_gone_is_left_alone_and_one_that_fails_is_asked_ever_more_seldom(
    site: Callable[..., Site],
) -> None:
    one = site(queue(1))
    page = one.open()
    page.clock.install()
    asked: list[int] = []
    status = [404]

    def answer(route: Route) -> None:
        asked.append(status[0])
        route.fulfill(status=status[0], body="")

    def minutes(count: int) -> int:
        before = len(asked)
        for _ in range(24 * count):
            page.clock.run_for(2500)
            page.wait_for_timeout(15)
        return len(asked) - before

    page.route("**/page", answer)
    one.refresh()
    minutes(3)
    assert len(asked) == 4 and minutes(1) == 0, "once, three times more, and never again"
    status[0] = 503
    one.refresh()
    assert 1 <= minutes(3) < 20, "a server in trouble is not asked 24 times a minute"
    page.unroute("**/page")
    one.source = queue(1, 2)
    page.clock.run_for(60_000)
    page.wait_for_selector("[data-key='2']")


def test_a_form_is_sent_once_however_often_one_presses(site: Callable[..., Site]) -> None:
    one = site(main("{{ ui.post_button(action='/do', label='Do', hidden={'n': 1}) }}"))
    page = one.open()
    for _ in range(4):
        page.evaluate("document.querySelector('form[action=\"/do\"] button').click()")
        page.wait_for_timeout(60)
    page.wait_for_timeout(200)
    assert len(one.posts) == 1


def test_a_confirmed_form_waits_for_yes(site: Callable[..., Site]) -> None:
    one = site(main("{{ ui.post_button(action='/do', label='Do', kind='danger', confirm='Really?') }}"))
    page = one.open()
    page.get_by_role("button", name="Do").click()
    page.get_by_role("button", name="Cancel").click()
    page.wait_for_timeout(100)
    assert one.posts == []
    page.get_by_role("button", name="Do").click()
    page.get_by_role("button", name="Yes, go on").click()
    page.wait_for_timeout(200)
    assert len(one.posts) == 1


KEYS = main("{{ ui.post_button(action='/next', label='Next', shortcut='n') }}{{ ui.search_box(label='Find') }}")


def press(page: Page, key: str, code: str, **more: Any) -> None:
    page.evaluate(
        "init => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {bubbles: true, ...init}))",
        {"key": key, "code": code, **more},
    )
    page.wait_for_timeout(150)


def test_shortcuts_work_on_an_arabic_keyboard(site: Callable[..., Site]) -> None:
    one = site(KEYS)
    press(one.open(), "ى", "KeyN")
    assert len(one.posts) == 1


def test_shortcuts_are_silent_while_one_types_and_when_switched_off(site: Callable[..., Site]) -> None:
    one = site(KEYS)
    page = one.open()
    press(page, "/", "Slash")
    assert page.evaluate("document.activeElement.type") == "search"
    press(page, "n", "KeyN")
    page.evaluate("document.activeElement.blur(); localStorage.setItem('majlis:shortcuts', 'off')")
    press(page, "n", "KeyN")
    press(page, "n", "KeyN", ctrlKey=True)
    assert one.posts == []


def test_the_sheet_of_shortcuts_opens_on_either_question_mark(site: Callable[..., Site]) -> None:
    page = site(KEYS).open()
    press(page, "؟", "Slash", shiftKey=True)
    assert page.locator("#shortcut-sheet .keys__pair").all_inner_texts() == ["Show this sheet\n?", "Next\nN", "Find\n/"]


DRAFT = main(
    "<form method='post' action='/do' data-autosave='petition'>{{ ui.csrf_field() }}"
    "{{ ui.textarea(name='text', label='T') }}"
    "{{ ui.field(name='secret', label='S', type='password') }}{{ ui.button(label='Send', type='submit') }}</form>"
)


def test_a_draft_survives_and_goes_once_it_was_taken(site: Callable[..., Site]) -> None:
    one = site(DRAFT)
    page = one.open()
    page.fill("#f-text", "to His Excellency")
    page.fill("#f-secret", "hush")
    page.wait_for_timeout(600)
    stored = page.evaluate("JSON.stringify(localStorage)")
    assert "Excellency" in stored
    assert "hush" not in stored
    one.open()
    assert page.locator("#f-text").input_value() == "to His Excellency"
    page.fill("#f-secret", "hush")
    page.get_by_role("button", name="Send").click()
    page.wait_for_timeout(200)
    one.open()
    assert page.locator("#f-text").input_value() == ""


def test_a_draft_is_not_shown_to_the_next_person_at_the_desk(site: Callable[..., Site]) -> None:
    one = site(DRAFT)
    page = one.open()
    page.evaluate(
        "localStorage.setItem('majlis:draft:99:petition', JSON.stringify({at: Date.now(), values: {text: 'private'}}))"
    )
    one.open()
    assert page.locator("#f-text").input_value() == ""
    assert "private" not in page.evaluate("JSON.stringify(localStorage)")


def test_the_kiosk_counts_down_and_starts_again(site: Callable[..., Site]) -> None:
    source = (
        "{% block scope %}kiosk{% endblock %}"
        "{% block frame_attrs %}data-idle-reset='2' data-idle-to='/again'{% endblock %}" + main("<h1>Q</h1>")
    )
    one = site(source, "fullscreen.html")
    page = one.open()
    page.wait_for_selector(".idle__count")
    assert page.locator(".idle__count").inner_text() in ("٢", "١")
    page.get_by_role("button", name="I am still here").click()
    assert page.locator(".idle").count() == 0 or page.locator(".idle__count").inner_text() == "٢"
    page.wait_for_url("**/again", timeout=5000)


def test_the_number_pad_writes_and_erases(site: Callable[..., Site]) -> None:
    source = main("{{ ui.field(name='id', label='I', attrs={'maxlength': 3}) }}{{ ui.number_pad(target='f-id') }}")
    page = site(source, "fullscreen.html").open()
    for key in ("1", "0", "8", "2"):
        page.click(f"[data-pad='{key}']")
    assert page.locator("#f-id").input_value() == "108"
    page.click("[data-pad='back']")
    assert page.locator("#f-id").input_value() == "10"
    page.click("[data-pad='clear']")
    assert page.locator("#f-id").input_value() == ""


def test_chosen_files_are_shown_and_can_be_taken_back(site: Callable[..., Site]) -> None:
    page = site(main("<form>{{ ui.file_field(name='papers', label='P', multiple=true, max_mb=1) }}</form>")).open()
    page.set_input_files(
        "#f-papers",
        [
            {"name": "هوية.pdf", "mimeType": "application/pdf", "buffer": b"x" * 3000},
            {"name": "big.pdf", "mimeType": "application/pdf", "buffer": b"x" * 1_200_000},
        ],
    )
    page.wait_for_selector(".drop__file >> nth=1")
    assert page.evaluate("document.querySelector('#f-papers').validity.customError") is True
    page.click("[data-file-remove='1']")
    page.wait_for_function("document.querySelectorAll('.drop__file').length === 1")
    assert page.evaluate("document.querySelector('#f-papers').validity.valid") is True


def test_a_dialog_opens_takes_the_focus_and_closes(site: Callable[..., Site]) -> None:
    page = site(
        main(
            "{{ ui.button(label='Open', attrs={'data-dialog-open': 'd'}) }}"
            "{% call ui.dialog(id='d', title='Title') %}{{ ui.field(name='x', label='X') }}{% endcall %}"
        )
    ).open()
    page.get_by_role("button", name="Open").click()
    assert page.evaluate("document.activeElement.id") == "f-x"
    page.keyboard.press("Escape")
    assert page.locator("dialog[open]").count() == 0


def test_a_refused_dialog_is_open_again_at_the_field_that_was_refused(site: Callable[..., Site]) -> None:
    page = site(
        main(
            "{% call ui.dialog(id='d', title='Title', open=true) %}{{ ui.field(name='x', label='X') }}"
            "{{ ui.field(name='y', label='Y', error='No such day') }}{% endcall %}"
        )
    ).open()
    assert page.locator("dialog[open]").count() == 1
    assert page.evaluate("document.activeElement.id") == "f-y"


def test_the_time_of_day_is_written_as_the_calendar_writes_it(site: Callable[..., Site]) -> None:
    page = site(main("")).open()
    said = page.evaluate(
        "import('/static/js/clocks.js').then((c) => c.timeOfDay(new Date('2026-10-27T13:30:00Z'), 'Asia/Riyadh'))"
    )
    assert said == "٤:٣٠ عصرًا"
