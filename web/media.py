"""The web process's side of the media plane: which node carries a meeting, and the relay of a participant's socket.

Media never pass here: only the JSON of a participant's WebSocket is relayed, so that one origin serves everything.
A reverse proxy in production may send /media/ws straight to the nodes.
"""

import asyncio
import contextlib
from typing import Any

import anyio
import httpx
import structlog
import websockets
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from core.db import Database
from core.errors import Fault
from core.settings import Settings
from video.meetings.models import Meeting

log = structlog.get_logger()
MESSAGE_LIMIT = 64 * 1024


class MediaNodes:
    """The media processes of `settings.media_urls`."""

    def __init__(self, settings: Settings) -> None:
        self.urls = settings.media_urls
        self.secret = settings.key("media control").hex()
        self._client = httpx.Client(timeout=2.0, trust_env=False)

    def place(self, meeting: Meeting) -> str:
        """The node of this meeting: the one it runs on while that answers, else the least loaded. Raises Fault."""
        loads: dict[str, float] = {}
        for url in self.urls:
            with contextlib.suppress(httpx.HTTPError, ValueError):
                loads[url] = float(self._client.get(f"{url}/healthz").raise_for_status().json().get("legs", 0))
        if meeting.node in loads:
            return str(meeting.node)
        if not loads:
            raise Fault("The video service does not answer. Please try again in a moment.")
        return min(loads, key=lambda url: loads[url])

    def sync(self, meeting: Meeting) -> None:
        """Tell the node that the database says something new about this meeting. It also looks by itself."""
        if meeting.node:
            with contextlib.suppress(httpx.HTTPError):
                self._client.post(
                    f"{meeting.node}/control/meetings/{meeting.id}/sync", headers={"x-majlis-control": self.secret}
                )

    async def close(self) -> None:
        self._client.close()

    def routes(self, db: Database) -> list[BaseRoute]:
        def node_of(meeting_id: str) -> str | None:
            with db.read() as session:
                meeting = session.get(Meeting, meeting_id)
                return meeting.node if meeting else None

        async def relay(browser: WebSocket) -> None:
            origin = browser.headers.get("origin", "")
            if origin and origin.split("://", 1)[-1] != browser.headers.get("host"):
                await browser.close(4403)
                return
            node = await anyio.to_thread.run_sync(node_of, browser.path_params["meeting_id"])
            await browser.accept()
            if node not in self.urls:
                await browser.close(4404)
                return
            await _relay(browser, node.replace("http", "ws", 1) + "/ws")

        return [WebSocketRoute("/media/ws/{meeting_id}", relay)]


async def _relay(browser: WebSocket, node: str) -> None:
    """Pass messages both ways until either side closes, and hand the close code on."""
    try:
        async with websockets.connect(node, max_size=MESSAGE_LIMIT, open_timeout=3, proxy=None) as upstream:
            await _pump(browser, upstream)
    except (OSError, TimeoutError, websockets.InvalidHandshake) as error:
        log.warning("media relay", node=node, error=str(error))
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):
            await browser.close(1013)


async def _pump(browser: WebSocket, upstream: Any) -> None:
    async def down() -> None:
        async for message in upstream:
            await (browser.send_text(message) if isinstance(message, str) else browser.send_bytes(message))

    async def up() -> None:
        with contextlib.suppress(WebSocketDisconnect):
            while True:
                await upstream.send(await browser.receive_text())

    tasks = {asyncio.create_task(down()), asyncio.create_task(up())}
    _done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    with contextlib.suppress(RuntimeError, WebSocketDisconnect):
        await browser.close(upstream.close_code if upstream.close_code and upstream.close_code != 1006 else 1012)
