"""Every page is shut to those it is not for, and gives nothing away."""

import re

import pytest
from starlette.testclient import TestClient

from tests.unit.web.conftest import Cast
from web.app import areas
from web.demo.people import ACCOUNTS
from web.http import Page

PAGES = [page for pages in areas() for page in pages]
SHUT = [page for page in PAGES if page.audience.roles is not None]
OPEN = [page for page in SHUT if page.method == "GET" and "{" not in page.path]
ROLE_OF = {username: role for username, role, *_ in ACCOUNTS}
ASKS_FOR_A_CASE = {"/office/book", "/office/urgent"}  # named in the query; without one there is nothing to show
NAME = re.compile(r"{\w+(:\w+)?}")


def address(page: Page) -> str:
    return NAME.sub("0123456789abcdefghjkmnpqrs", page.path)


def ask(client: TestClient, page: Page, **headers: str) -> int:
    if page.method == "GET":
        return client.get(address(page), headers=headers).status_code
    return client.post(address(page), headers=headers, data={}).status_code


@pytest.mark.parametrize("page", SHUT, ids=lambda p: f"{p.method} {p.path}")
def test_a_stranger_is_sent_to_the_gate_or_told_that_there_is_nothing(cast: Cast, page: Page) -> None:
    answer = cast(None).request(page.method, address(page))
    if page.method == "GET":
        assert answer.status_code == 303 and answer.headers["location"].startswith("/sign-in")
    else:
        assert answer.status_code == 404
    live = cast(None).request(page.method, address(page), headers={"x-fragment": "1"})
    assert live.status_code == (401 if page.method == "GET" else 404)  # 401: the page tells that the session has ended


@pytest.mark.parametrize("page", [p for p in SHUT if p.audience.roles], ids=lambda p: f"{p.method} {p.path}")
def test_the_wrong_role_sees_the_same_as_for_a_page_that_is_not_there(cast: Cast, page: Page) -> None:
    nothing = cast("admin").get("/nowhere-at-all").text
    for username, role in ROLE_OF.items():
        if role not in (page.audience.roles or ()):
            answer = cast(username).request(page.method, address(page))
            assert answer.status_code == 404, username
            assert len(answer.text) < len(nothing) + 600


@pytest.mark.parametrize("page", [p for p in SHUT if p.method == "POST"], ids=lambda p: p.path)
def test_a_post_without_the_sessions_token_is_refused(cast: Cast, page: Page) -> None:
    someone = next(u for u, role in ROLE_OF.items() if not page.audience.roles or role in page.audience.roles)
    assert ask(cast(someone), page) == 403


@pytest.mark.parametrize("page", [p for p in PAGES if p.method == "POST"], ids=lambda p: p.path)
def test_a_form_of_another_site_is_refused(cast: Cast, page: Page) -> None:
    allowed = page.audience.roles
    someone = next((u for u, role in ROLE_OF.items() if allowed and role in allowed), None)
    for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}):
        assert ask(cast(someone), page, **headers) in (403, 404 if allowed is not None and not someone else 403)


@pytest.mark.parametrize("page", [p for p in SHUT if p.method == "GET" and "{" in p.path], ids=lambda p: p.path)
def test_an_unknown_id_is_a_page_that_is_not_there(cast: Cast, page: Page) -> None:
    someone = next(u for u, role in ROLE_OF.items() if not page.audience.roles or role in page.audience.roles)
    assert ask(cast(someone), page) in (404, 422)


@pytest.mark.parametrize("lang", ["ar", "en"])
@pytest.mark.parametrize("page", [p for p in OPEN if p.path not in ASKS_FOR_A_CASE], ids=lambda p: p.path)
def test_every_page_of_an_empty_ministry_opens_for_its_people(cast: Cast, page: Page, lang: str) -> None:
    for username, role in ROLE_OF.items():
        if not page.audience.roles or role in page.audience.roles:
            answer = cast(username).get(f"{page.path}?lang={lang}")
            assert answer.status_code in (200, 303), (username, answer.text[:300])
            if answer.status_code == 200 and "<html" in answer.text:  # no table, no part of a page
                assert f'lang="{lang}"' in answer.text


def test_every_answer_carries_the_strict_policy(cast: Cast) -> None:
    for path in ("/", "/nowhere", "/sign-in", "/static/css/tokens.css"):
        policy = cast(None).get(path).headers["content-security-policy"]
        assert "'unsafe" not in policy and "script-src 'self'" in policy


def test_no_template_holds_inline_script_or_style() -> None:
    from web.render import HERE

    for path in (HERE / "templates").rglob("*.html"):
        text = path.read_text()
        assert not re.search(r"<script(?![^>]*\bsrc=)", text), path
        assert not re.search(r"\son\w+=\"|\sstyle=\"|<style", text), path


def test_signing_in_leads_only_to_our_own_pages(cast: Cast) -> None:
    for target in ("//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"):
        answer = cast("aide").get("/sign-in", params={"next": target})
        assert answer.headers["location"] == "/office"
