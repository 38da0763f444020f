"""WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep) as HTTP: an offer in, an answer out, DELETE to end.

Candidates of the device are not needed (ICE lite), so a PATCH with some is accepted and forgotten; an ICE restart is
refused as the RFC allows: a device whose connection broke opens another session with a fresh token.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from video.media import sdp
from video.media.directory import Refused
from video.media.foreign import BadOffer, Kind
from video.media.messages import CloseReason, Closing
from video.media.node import MediaNode
from video.media.sessions import Session

SDP = "application/sdp"
FRAGMENT = "application/trickle-ice-sdpfrag"
STATUS = {
    CloseReason.BAD_TOKEN: 401,
    CloseReason.EXPIRED_TOKEN: 401,
    CloseReason.USED_TOKEN: 401,
    CloseReason.NOT_INVITED: 403,
    CloseReason.REMOVED: 403,
    CloseReason.NO_MEETING: 404,
    CloseReason.ENDED: 404,
    CloseReason.FULL: 409,
    CloseReason.TAKEN_OVER: 409,
    CloseReason.BUSY: 503,
    CloseReason.MOVED: 503,
    CloseReason.STOPPING: 503,
}


class Turned(Exception):
    """The request gets this response instead."""

    def __init__(self, status: int, text: str, **headers: str) -> None:
        super().__init__(text)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        self.response = PlainTextResponse(text + "\n", status, given)


def device_routes(node: MediaNode) -> list[Route]:
    """`/whip/{meeting_id}`, `/whep/{meeting_id}` and below them the sessions."""

    def endpoint(way: Kind) -> Any:
        async def serve(request: Request) -> Response:
            if request.method == "OPTIONS":
                return Response(status_code=204, headers={"accept-post": SDP})
            return await _guarded(_open(node, way, request))

        return serve

    def session(way: Kind) -> Any:
        async def serve(request: Request) -> Response:
            return await _guarded(_on_session(node, way, request))

        return serve

    routes: list[Route] = []
    for way in ("whip", "whep"):
        routes.append(Route(f"/{way}/{{meeting_id}}", endpoint(way), methods=["POST", "OPTIONS"]))
        routes.append(Route(f"/{way}/{{meeting_id}}/{{session_id}}", session(way), methods=["PATCH", "DELETE"]))
    return routes


async def _guarded(answering: Any) -> Response:
    try:
        response: Response = await answering
    except Turned as turned:
        response = turned.response
    except BadOffer as bad:
        response = PlainTextResponse(f"{bad}\n", 422)
    except Refused:
        response = PlainTextResponse("not admitted\n", 403)
    except Closing as closing:
        status = STATUS.get(closing.reason, 500)
        headers = {401: {"www-authenticate": 'Bearer error="invalid_token"'}, 503: {"retry-after": "2"}}.get(status)
        response = PlainTextResponse(f"{closing.reason.value}\n", status, headers)
    except OSError:
        response = PlainTextResponse("no media socket\n", 503, {"retry-after": "2"})
    response.headers["cache-control"] = "no-store"
    return response


async def _open(node: MediaNode, way: Kind, request: Request) -> Response:
    token = _bearer(request)
    _expect(request, SDP)
    meeting_id = request.path_params["meeting_id"]
    opened = await node.devices.open(way, meeting_id, token, await _body(request))
    response = Response(
        opened.answer,
        201,
        {
            "location": f"{request.url.path.rstrip('/')}/{opened.session.id}",
            "etag": opened.session.etag,
            "accept-patch": FRAGMENT,
        },
        SDP,
    )
    for link in links(opened.ice_servers):
        response.headers.append("link", link)
    return response


async def _on_session(node: MediaNode, way: Kind, request: Request) -> Response:
    session = node.devices.find(way, request.path_params["session_id"], _bearer(request))
    if session is None or session.room.info.id != request.path_params["meeting_id"]:
        raise Turned(404, "no such session")
    if request.method == "DELETE":
        node.devices.close(session)
        return Response(status_code=200)
    return await _patched(session, request)


async def _patched(session: Session, request: Request) -> Response:
    _expect(request, FRAGMENT)
    wanted = request.headers.get("if-match")
    if wanted is None:
        raise Turned(428, "If-Match is needed")
    if wanted == "*":
        raise Turned(422, "no ICE restart: open another session")
    if wanted != session.etag:
        raise Turned(412, "another ICE session")
    await _body(request)
    return Response(status_code=204)


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Turned(401, "a join token is needed", www_authenticate="Bearer")
    return token.strip()


def _expect(request: Request, kind: str) -> None:
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != kind:
        raise Turned(415, f"{kind} is needed")


async def _body(request: Request) -> str:
    body = b""
    try:
        async for part in request.stream():
            body += part
            if len(body) > sdp.LONGEST:
                raise Turned(413, "too long")
    except ClientDisconnect as gone:
        raise Turned(400, "cut short") from gone  # which nobody hears
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise Turned(400, "not text") from error


def links(servers: Sequence[dict[str, Any]]) -> list[str]:
    """ICE servers as Link headers (RFC 9725 §4.6)."""
    found = []
    for server in servers:
        urls = server["urls"] if isinstance(server["urls"], list) else [server["urls"]]
        for url in urls:
            link = f'<{url}>; rel="ice-server"'
            if "username" in server:
                link += f'; username="{server["username"]}"; credential="{server["credential"]}"'
                link += '; credential-type="password"'
            found.append(link)
    return found
