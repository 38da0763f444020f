"""The web process's side of the media plane: which node carries a meeting, and the relay of a participant's socket.

Media never pass here: only the JSON of a participant's WebSocket is relayed, so that one origin serves everything.
A reverse proxy in production may send /media/ws straight to the nodes.
"""

import asyncio
import contextlib
import time
from concurrent.futures import ThreadPoolExecutor
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
from video.media import discretion
from video.meetings.models import Meeting
from video.meetings.states import LIVE
from web.origin import is_ours
from web.whip import device_routes

log = structlog.get_logger()
MESSAGE_LIMIT = 64 * 1024
SHOWS_AFTER_S = 15.0
NODE_TIMEOUT_S = 0.7  # asked inside a transaction: others wait meanwhile
HUNG_S = 5.0
A_LEG = 0.01
"""About the share of a core that one leg costs: what tells idle nodes apart, whose measured load is all noise."""


class MediaNodes:
    """The media processes of `settings.media_urls`."""

    def __init__(self, settings: Settings) -> None:
        self.urls = settings.media_urls
        self._public_url = settings.public_url
        self.secret = settings.key("media control").hex()
        self._client = httpx.Client(timeout=NODE_TIMEOUT_S, trust_env=False)
        self._hung: dict[str, float] = {}  # nodes that let us wait, and until when they are not asked again
        self._given: dict[str, list[float]] = {url: [] for url in self.urls}

    def place(self, meeting: Meeting) -> str:
        """The node of this meeting: the one it is on while that answers, else the least loaded that is not full.

        Call it with the meeting's row locked: two who join at once must be given the same. Raises Fault where no
        node answers or all are full. A meeting that is live keeps its node, full or not.
        """
        if meeting.node in self.urls and self._keeps(meeting.node, meeting):
            return meeting.node
        with ThreadPoolExecutor(max_workers=min(16, len(self.urls) or 1)) as pool:
            answers = dict(zip(self.urls, pool.map(self._health, self.urls), strict=True))
        healths = {url: health for url, health in answers.items() if health and health.get("ok")}
        if not healths:
            raise Fault("The video service does not answer. Please try again in a moment.")
        free = {url: health for url, health in healths.items() if not health.get("full") or meeting.state == LIVE}
        if not free:
            raise Fault("All video rooms are taken at the moment. Please try again in a few minutes.")
        chosen = min(free, key=lambda url: self._burden(url, free[url]))
        self._given[chosen].append(time.monotonic())
        return chosen

    def _keeps(self, node: str, meeting: Meeting) -> bool:
        """Whether the node it was given to will take whoever joins now.

        A node that refuses connections is dead; one that is only slow is asked again before a running meeting moves.
        """
        for _ in range(2 if self._hung.get(node, 0.0) < time.monotonic() else 0):
            try:
                answer = self._client.get(
                    f"{node}/control/meetings/{meeting.id}", headers={"x-majlis-control": self.secret}
                ).raise_for_status()
                return meeting.state == LIVE or bool(answer.json()["takes"])
            except httpx.TimeoutException:
                continue
            except (httpx.HTTPError, ValueError, KeyError):
                return False
        self._hung[node] = time.monotonic() + HUNG_S
        return False

    def _health(self, url: str) -> dict[str, Any] | None:
        if self._hung.get(url, 0.0) > time.monotonic():
            return None
        try:
            return dict(self._client.get(f"{url}/healthz").raise_for_status().json())
        except httpx.TimeoutException:
            self._hung[url] = time.monotonic() + HUNG_S
        except (httpx.HTTPError, ValueError):
            pass
        return None

    def _burden(self, url: str, health: dict[str, Any]) -> float:
        """About the share of a core in use, with what was given lately and does not show yet."""
        now = time.monotonic()
        self._given[url] = lately = [at for at in self._given[url] if now - at < SHOWS_AFTER_S]
        cpu = float(health.get("load", {}).get("cpu", 0.0))
        return cpu + A_LEG * int(health.get("legs", 0)) + 2 * A_LEG * len(lately)

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
        discretion.keep()

        def node_of(meeting_id: str) -> str | None:
            with db.read() as session:
                meeting = session.get(Meeting, meeting_id)
                return meeting.node if meeting else None

        async def relay(browser: WebSocket) -> None:
            if not is_ours(browser.headers, self._public_url):
                await browser.close(4403)
                return
            node = await anyio.to_thread.run_sync(node_of, browser.path_params["meeting_id"])
            await browser.accept()
            if node not in self.urls:
                await browser.close(4404)
                return
            await _relay(browser, node.replace("http", "ws", 1) + "/ws", others=len(self.urls) > 1)

        return [WebSocketRoute("/media/ws/{meeting_id}", relay), *device_routes(node_of, self.urls)]


async def _relay(browser: WebSocket, node: str, *, others: bool) -> None:
    """Pass messages both ways until either side closes, and hand the close code on.

    A node that died is waited for: shortly where `others` could take the meeting, which the client is then told.
    """
    patience_s = 1.0 if others else 6.0
    try:
        async with await _reach(node, time.monotonic() + patience_s) as upstream:
            await _pump(browser, upstream)
    except (OSError, TimeoutError, websockets.InvalidHandshake) as error:
        log.warning("media relay", node=node, error=str(error))
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):
            if others:
                await browser.send_json({"type": "close", "reason": "moved"})
            await browser.close(1013)


async def _reach(node: str, until: float) -> Any:
    """The node's socket; one that refuses may be about to come back. Raises OSError when `until` is over."""
    while True:
        try:
            return await websockets.connect(node, max_size=MESSAGE_LIMIT, open_timeout=3, proxy=None)
        except ConnectionRefusedError:
            if time.monotonic() >= until:
                raise
            await asyncio.sleep(0.1)


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
