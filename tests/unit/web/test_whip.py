"""Requests of devices handed on to the node of their meeting."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from web import whip

NODE = "http://node:1"


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[httpx.Request]]:
    """What the node is asked; it answers everything as created, unless it is called `dead`."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if "dead" in request.url.path:
            raise httpx.ConnectError("refused")
        headers = [("location", request.url.path + "/s1"), ("etag", '"e"'), ("link", "<turn:a>"), ("link", "<turn:b>")]
        return httpx.Response(201, headers=[*headers, ("x-inside", "secret")], text="answer")

    real = httpx.AsyncClient
    monkeypatch.setattr(whip.httpx, "AsyncClient", lambda **given: real(transport=httpx.MockTransport(answer)))
    yield asked


def client() -> TestClient:
    nodes = {"m1": NODE, "dead": NODE, "moved": "http://elsewhere:1"}
    return TestClient(Starlette(routes=whip.device_routes(nodes.get, (NODE,))))


def test_an_offer_reaches_the_node_and_the_session_lies_under_our_origin(seen: list[httpx.Request]) -> None:
    answer = client().post(
        "/media/whip/m1",
        content="offer",
        headers={"authorization": "Bearer t", "content-type": "application/sdp", "cookie": "majlis=1", "x-other": "y"},
    )
    assert answer.status_code == 201 and answer.text == "answer"
    assert answer.headers["location"] == "/media/whip/m1/s1" and answer.headers["etag"] == '"e"'
    assert answer.headers.get_list("link") == ["<turn:a>", "<turn:b>"] and "x-inside" not in answer.headers
    (asked,) = seen
    assert str(asked.url) == NODE + "/whip/m1" and asked.content == b"offer"
    assert asked.headers["authorization"] == "Bearer t" and "cookie" not in asked.headers
    assert client().delete("/media/whep/m1/s1", headers={"authorization": "Bearer t"}).status_code == 201
    assert (seen[-1].method, seen[-1].url.path) == ("DELETE", "/whep/m1/s1")


def test_no_node_is_asked_about_a_meeting_it_does_not_carry(seen: list[httpx.Request]) -> None:
    for meeting in ("unknown", "moved"):
        assert client().post(f"/media/whip/{meeting}").status_code == 404
    assert client().post("/media/whip/m1", content="x" * 100_000).status_code == 413
    assert seen == []


def test_a_node_that_does_not_answer_is_said_in_a_way_that_devices_understand(seen: list[httpx.Request]) -> None:
    answer = client().post("/media/whip/dead", content="offer")
    assert answer.status_code == 503 and answer.headers["retry-after"] == "2"
