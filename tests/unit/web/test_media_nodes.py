"""Which media process a meeting is given to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from core.errors import Fault
from core.settings import Settings
from video.meetings.models import Meeting
from video.meetings.states import LIVE, OPEN
from web.media import MediaNodes

A, B, C = "http://a:1", "http://b:1", "http://c:1"
World = dict[str, Any]


def meeting(node: str | None = None, state: str = OPEN) -> Meeting:
    return Meeting(id="m1", node=node, state=state)


@pytest.fixture
def nodes() -> Callable[..., tuple[MediaNodes, World]]:
    """Nodes that answer as the dictionary says: node → health, with `takes`; one that is not in it is dead."""

    def make(**given: World) -> tuple[MediaNodes, World]:
        found = MediaNodes(Settings(media_urls=(A, B, C), secret_hex="11" * 32))
        world = {f"http://{name}:1": answer for name, answer in given.items()}

        def answer(request: httpx.Request) -> httpx.Response:
            health = world.get(f"http://{request.url.host}:{request.url.port}")
            if health is None:
                raise httpx.ConnectError("refused")
            if health.get("slow", 0) > 0:
                health["slow"] -= 1
                raise httpx.ReadTimeout("slow")
            if request.url.path.startswith("/control/"):
                assert request.headers["x-majlis-control"] == found.secret
                return httpx.Response(200, json={"takes": health.get("takes", not health.get("full", False))})
            return httpx.Response(200, json={"ok": True, **health})

        found._client = httpx.Client(transport=httpx.MockTransport(answer))
        return found, world

    return make


def test_a_new_meeting_goes_to_the_least_busy_node_that_answers_and_is_not_full(nodes: Any) -> None:
    found, world = nodes(a={"load": {"cpu": 0.5}}, b={"load": {"cpu": 0.1}}, c={"load": {"cpu": 0.0}, "full": True})
    assert found.place(meeting()) == B
    del world[B]
    assert found.place(meeting()) == A


def test_a_burst_of_new_meetings_is_spread_before_any_load_shows(nodes: Any) -> None:
    found, _ = nodes(a={}, b={}, c={})
    assert sorted(found.place(meeting()) for _ in range(9)) == [A] * 3 + [B] * 3 + [C] * 3


def test_a_meeting_stays_where_it_is_while_that_node_takes_it(nodes: Any) -> None:
    found, world = nodes(a={"full": True, "takes": True}, b={})
    assert found.place(meeting(A)) == A
    world[A]["takes"] = False
    assert found.place(meeting(A)) == B
    assert found.place(meeting(A, LIVE)) == A, "one that is live is never refused for load"


def test_a_slow_node_is_asked_again_before_a_meeting_moves_and_a_dead_one_is_not(nodes: Any) -> None:
    found, world = nodes(a={"slow": 1}, b={})
    assert found.place(meeting(A, LIVE)) == A
    world[A]["slow"] = 9
    assert found.place(meeting(A, LIVE)) == B
    del world[A]
    assert found.place(meeting(A, LIVE)) == B


def test_it_is_said_in_plain_words_when_all_are_full_or_none_answers(nodes: Any) -> None:
    found, world = nodes(a={"full": True}, b={"full": True}, c={"full": True})
    with pytest.raises(Fault, match="All video rooms are taken"):
        found.place(meeting())
    assert found.place(meeting("http://gone:1", LIVE)) in (A, B, C), "a live meeting whose node died goes on somewhere"
    world.clear()
    with pytest.raises(Fault, match="does not answer"):
        found.place(meeting())
