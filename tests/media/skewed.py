"""The rig with clocks that a test can move (`PUT /rig/clocks`), and little patience for browsers that don't connect.

python -m tests.media.skewed PORT
"""

from __future__ import annotations

import sys
import time

import uvicorn
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.media.rig import rig_app
from video.media import connecting, leg

CLOCKS = {"wall": 0.0, "monotonic": 0.0}
"""Seconds by which each is ahead."""


async def clocks(request: Request) -> Response:
    CLOCKS.update(await request.json())
    return Response(status_code=204)


if __name__ == "__main__":
    leg.ANSWER_S, leg.CONNECT_S = 1.0, 2.5
    connecting.GIVE_UP = 3
    app = rig_app(
        wall=lambda: time.time() + CLOCKS["wall"],
        monotonic=lambda: time.monotonic() + CLOCKS["monotonic"],
    )
    app.router.routes.append(Route("/rig/clocks", clocks, methods=["PUT"]))
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        log_level="warning",
        ws_max_size=65_536,
        timeout_graceful_shutdown=3,
    )
