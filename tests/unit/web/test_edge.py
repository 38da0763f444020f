"""The edge: who may post from where, how much, and what an unforeseen error looks like."""

from collections.abc import Iterator
from unittest import mock

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DataError, OperationalError
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from core.db import Database
from core.errors import Fault
from core.settings import Settings
from tests.unit.web.conftest import Cast
from web.app import create_app
from web.http import SESSION_COOKIE
from web.origin import is_ours
from web.render import HERE

WRONG = {"username": "nobody", "password": "wrong"}


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ({}, True),
        ({"origin": "http://majlis.test"}, True),
        ({"origin": "https://evil.example"}, False),
        ({"origin": "null"}, False),
        ({"origin": "http://["}, False),
        ({"origin": ""}, False),
        ({"origin": "null", "sec-fetch-site": "same-origin"}, True),
        ({"origin": "http://majlis.test", "sec-fetch-site": "same-site"}, False),
        ({"origin": "http://majlis.test", "sec-fetch-site": "cross-site"}, False),
    ],
)
def test_a_form_is_taken_from_our_own_pages_only(cast: Cast, headers: dict[str, str], ours: bool) -> None:
    answer = cast(None).post("/sign-in", headers=headers, data=WRONG)
    assert answer.status_code == (422 if ours else 403)


def test_behind_a_proxy_that_puts_another_host_the_public_address_is_ours() -> None:
    headers = {"origin": "https://majlis.example.org", "host": "10.0.0.7:8080"}
    assert is_ours(headers, "https://majlis.example.org/")
    assert not is_ours(headers, "") and not is_ours(headers, "https://other.example.org")
    assert not is_ours({"origin": "null", "host": ""}, "")


def chunked(size: int) -> Iterator[bytes]:
    yield b'--b\r\nContent-Disposition: form-data; name="papers"; filename="a"\r\n\r\n'
    for _ in range(size // 50_000):
        yield b"x" * 50_000
    yield b"\r\n--b--\r\n"


@pytest.mark.parametrize("path", ["/sign-in", "/intake"])
def test_a_stranger_cannot_send_more_by_not_saying_how_much(cast: Cast, path: str) -> None:
    headers = {"content-type": "multipart/form-data; boundary=b"}
    assert cast(None).post(path, content=chunked(3_000_000), headers=headers).status_code == 413
    assert cast(None).post(path, content=chunked(100_000), headers=headers).status_code != 413


def test_a_member_of_staff_may_send_papers_and_no_more_than_the_limit(
    cast: Cast, settings: Settings, house: tuple[Database, object]
) -> None:
    headers = {"content-type": "multipart/form-data; boundary=b"}
    client = TestClient(create_app(settings.model_copy(update={"upload_limit": 1_000_000}), house[0]))
    client.cookies.set(SESSION_COOKIE, cast("admin").cookies[SESSION_COOKIE])  # has no business with this page
    assert client.post("/intake", content=chunked(4_000_000), headers=headers).status_code == 404
    assert client.post("/intake", content=chunked(7_000_000), headers=headers).status_code == 413


def test_an_unforeseen_error_carries_the_strict_policy_too(settings: Settings, house: tuple[Database, object]) -> None:
    client = TestClient(create_app(settings, house[0]), raise_server_exceptions=False)
    with mock.patch("web.account.routes.centres_service.centres", side_effect=RuntimeError("unforeseen")):
        answer = client.get("/")
    assert answer.status_code == 500 and "unforeseen" not in answer.text
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("address", "page"),
    [("/a/very-secret", "/a/{token}"), ("/calendar/very-secret.ics", "/calendar/{token}.ics")],
)
@pytest.mark.parametrize("error", [RuntimeError("unforeseen"), Fault("A fault."), DataError("x", {}, ValueError())])
def test_no_log_holds_the_secret_of_an_address(
    settings: Settings, house: tuple[Database, object], address: str, page: str, error: Exception
) -> None:
    client = TestClient(create_app(settings, house[0]), raise_server_exceptions=False)
    with mock.patch("web.http.Edge._answer", side_effect=error), capture_logs() as logs:
        assert client.get(address).status_code >= 404
    assert {line.get("path") for line in logs} == {page}
    assert "very-secret" not in str(logs)


def test_an_error_of_the_database_names_nobody(house: tuple[Database, object]) -> None:
    with house[0].read() as session, pytest.raises(OperationalError) as caught:
        session.execute(text("SELECT * FROM nowhere WHERE name = :name"), {"name": "0500000001"})
    assert "nowhere" in str(caught.value) and "0500000001" not in str(caught.value)


def test_a_live_page_of_an_ended_session_is_told_so(settings: Settings, house: tuple[Database, object]) -> None:
    """live.js shows its reader the way to the sign-in for this answer; for others it goes on asking."""
    client = TestClient(create_app(settings, house[0]))
    client.cookies.set(SESSION_COOKIE, "of yesterday")
    answer = client.get("/office", headers={"x-fragment": "1"})
    assert answer.status_code == 401 and "انتهت" in answer.text
    script = (HERE / "static/js/live.js").read_text()
    assert "status === 401" in script
