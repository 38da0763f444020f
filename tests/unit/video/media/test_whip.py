"""The HTTP door of devices, where the request itself goes wrong."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.requests import Request

from video.media import sdp
from video.media.whip import Turned, _body


def body(*messages: dict[str, Any]) -> str:
    waiting = list(messages)

    async def receive() -> dict[str, Any]:
        return waiting.pop(0)

    return asyncio.run(_body(Request({"type": "http", "headers": []}, receive)))


def part(data: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.request", "body": data, "more_body": more}


def test_an_offer_in_parts_is_read_whole() -> None:
    assert body(part(b"v=0\r\n", more=True), part(b"s=-\r\n")) == "v=0\r\ns=-\r\n"


@pytest.mark.parametrize(
    ("messages", "status"),
    [
        ([part(b"v=0", more=True), {"type": "http.disconnect"}], 400),
        ([part(b"v=\xff")], 400),
        ([part(b"x" * sdp.LONGEST, more=True), part(b"x")], 413),
    ],
)
def test_a_request_that_breaks_off_is_no_text_or_too_long_is_turned_away(messages: Any, status: int) -> None:
    with pytest.raises(Turned) as turned:
        body(*messages)
    assert turned.value.response.status_code == status
