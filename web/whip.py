"""WHIP and WHEP of the media nodes under the web process's own origin: requests are handed on to the meeting's node.

Only signalling passes here. Whoever comes is let in by their join token, which the node reads; there is no cookie
involved, so a foreign page can't make a browser speak for its user.
"""

from collections.abc import Callable

import anyio
import httpx
import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

log = structlog.get_logger()
LONGEST = 64 * 1024
UP = ("authorization", "content-type", "if-match")
DOWN = (
    "content-type",
    "etag",
    "link",
    "accept-post",
    "accept-patch",
    "allow",
    "www-authenticate",
    "retry-after",
    "cache-control",
)


def device_routes(node_of: Callable[[str], str | None], nodes: tuple[str, ...]) -> list[BaseRoute]:
    """`/media/whip/{meeting_id}` and `/media/whep/{meeting_id}` with their sessions."""

    async def relay(request: Request) -> Response:
        node = await anyio.to_thread.run_sync(node_of, request.path_params["meeting_id"])
        if node not in nodes:
            return PlainTextResponse("no_meeting\n", 404)
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > LONGEST:
                return PlainTextResponse("too long\n", 413)
        headers = {name: request.headers[name] for name in UP if name in request.headers}
        path = request.url.path.removeprefix("/media")
        try:
            async with httpx.AsyncClient(timeout=5.0, trust_env=False) as client:
                answer = await client.request(request.method, node + path, content=body, headers=headers)
        except httpx.HTTPError as error:
            log.warning("device relay", node=node, error=str(error))
            return PlainTextResponse("the media node does not answer\n", 503, {"retry-after": "2"})
        response = Response(answer.content, answer.status_code)
        for name, value in answer.headers.multi_items():
            if name in DOWN:
                response.headers.append(name, value)
        if "location" in answer.headers:
            response.headers["location"] = "/media" + answer.headers["location"]
        return response

    methods = ["POST", "OPTIONS"]
    return [
        route
        for way in ("whip", "whep")
        for route in (
            Route(f"/media/{way}/{{meeting_id}}", relay, methods=methods),
            Route(f"/media/{way}/{{meeting_id}}/{{session_id}}", relay, methods=["PATCH", "DELETE"]),
        )
    ]
