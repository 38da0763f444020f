"""The node's HTTP doors, asked anything: WHIP, WHEP, control, health."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from tests.fuzz import seeds
from tests.fuzz.dice import Dice, damaged, damaged_text
from tests.fuzz.talk import PEOPLE, SECRET, Alarm, Book, Sink
from video.media.app import create_app
from video.media.node import MediaNode
from video.media.tokens import JoinClaims, mint

PATHS = (
    "/whip/m1",
    "/whep/m1",
    "/whip/m2",
    "/whip/m1/x",
    "/control/meetings/m1/sync",
    "/control/meetings/m1",
    "/healthz",
)
KINDS = ("application/sdp", "application/trickle-ice-sdpfrag", "text/plain", "application/sdp; charset=x", "")


async def _ask(app: Any, dice: Dice, parts: list[bytes], **scope: Any) -> int:
    """The status of the response; the connection may break before the body has come."""
    breaks, statuses = dice.one_in(6), []

    async def receive() -> dict[str, Any]:
        if parts:
            return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts) or breaks}
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await app({"type": "http", "http_version": "1.1", "query_string": b"", "scheme": "http", **scope}, receive, send)
    return statuses[0]


def web(data: bytes) -> None:
    dice = Dice(data)
    way, who = dice.pick(("whip", "whep")), dice.pick(("sara", "minister", "nobody"))
    info = PEOPLE.get(who, PEOPLE["sara"])
    token = mint(SECRET, JoinClaims("m1", who, info.role, info.name_ar, info.name_en), now=1000.0)
    token = damaged_text(dice, token) if dice.one_in(5) else token
    offer = seeds.DEVICE.replace("DIRECTION", "sendonly" if way == "whip" else "recvonly")
    body = damaged_text(dice, offer, 2, pieces=seeds.SDP_PIECES).encode()
    body = damaged(dice, body) if dice.one_in(6) else body
    cut = dice.below(len(body) + 1)
    headers = [
        (b"authorization", b"Bearer " + token.encode("latin-1", "replace")),
        (b"content-type", (dice.pick(KINDS) if dice.one_in(4) else KINDS[0]).encode()),
        (b"if-match", dice.pick((b"*", b'"x"', b"\xff"))),
        (b"x-majlis-control", dice.pick((b"control", b"", b"\xe9\xff"))),
    ]
    headers = [header for header in headers if not dice.one_in(12)]
    path = dice.pick(PATHS) if dice.one_in(3) else f"/{way}/m1"
    method = dice.pick(("GET", "PATCH", "DELETE", "OPTIONS", "PUT")) if dice.one_in(4) else "POST"

    async def scene() -> None:
        alarm, media = Alarm(), logging.getLogger("video.media")
        media.addHandler(alarm)
        node = MediaNode(
            Book(), Sink, token_secret=SECRET, addresses=["127.0.0.1"], wall=lambda: 1000.0, monotonic=lambda: 1000.0
        )
        await node.start()
        try:
            app = create_app(node, control_secret="control")
            status = await _ask(
                app, dice, [body[:cut], body[cut:]], path=path, raw_path=path.encode(), method=method, headers=headers
            )
            assert status in (200, 201, 204, 503) or 400 <= status < 500, status
            alarm.check()
        finally:
            media.removeHandler(alarm)
            await node.stop()

    asyncio.run(scene())
