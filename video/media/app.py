"""The node's outside: a WebSocket for clients, a control door for the web process, a sign of health."""

from __future__ import annotations

import contextlib
import hmac
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from video.media import discretion
from video.media.link import WireClosed
from video.media.node import MediaNode
from video.media.whip import device_routes

CONTROL_HEADER = "x-majlis-control"


class SocketWire:
    """A WebSocket as the node wants it."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket

    async def receive(self) -> str:
        try:
            return await self._socket.receive_text()
        except (WebSocketDisconnect, RuntimeError, KeyError) as error:
            raise WireClosed from error

    async def send(self, text: str) -> None:
        try:
            await self._socket.send_text(text)
        except (WebSocketDisconnect, RuntimeError, OSError) as error:
            raise WireClosed from error

    async def close(self, code: int, reason: str) -> None:
        with contextlib.suppress(RuntimeError, OSError, WebSocketDisconnect):
            await self._socket.close(code, reason)


def create_app(node: MediaNode, *, control_secret: str) -> Starlette:
    """`/ws` for clients, `POST /control/meetings/{id}/sync` with the secret in `x-majlis-control`,
    `GET /control/meetings/{id}` likewise, `/healthz`,
    `/whip` and `/whep` for devices.
    """
    if not control_secret:
        raise ValueError("the control door needs a secret")
    discretion.keep()

    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()
        await node.serve(SocketWire(websocket))

    async def sync(request: Request) -> Response:
        given = request.headers.get(CONTROL_HEADER, "")
        if not hmac.compare_digest(given.encode(), control_secret.encode()):
            return Response(status_code=403)
        await node.sync(request.path_params["meeting_id"])
        return Response(status_code=204)

    async def takes(request: Request) -> Response:
        given = request.headers.get(CONTROL_HEADER, "")
        if not hmac.compare_digest(given.encode(), control_secret.encode()):
            return Response(status_code=403)
        return JSONResponse({"takes": node.takes(request.path_params["meeting_id"])})

    async def healthz(request: Request) -> Response:
        health = node.health()
        return JSONResponse(health, status_code=200 if health["ok"] else 503)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        await node.start()
        try:
            yield
        finally:
            await node.stop()

    return Starlette(
        routes=[
            WebSocketRoute("/ws", socket),
            Route("/control/meetings/{meeting_id}/sync", sync, methods=["POST"]),
            Route("/control/meetings/{meeting_id}", takes),
            Route("/healthz", healthz),
            *device_routes(node),
        ],
        lifespan=lifespan,
    )
