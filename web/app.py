"""Composition root of the web process: areas, sockets, static files, errors."""

import asyncio
import contextlib
import importlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio.to_thread
import socketio
import structlog
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from core.db import THREADS, Database
from core.language import N_
from core.settings import Settings
from web.http import Edge, Page, Pages, everyone, route_of
from web.live import Live
from web.media import MediaNodes
from web.render import Renderer
from web.security import HEADERS, SecurityHeaders
from web.static_files import static_routes

log = structlog.get_logger()

HTTP_ERRORS = {
    401: N_("Your session has ended. Sign in to go on."),
    403: N_("This form has expired. Please go back, reload the page and try again."),
    404: N_("There is nothing here."),
    405: N_("There is nothing here."),
    413: N_("What you sent is too large."),
}


def create_app(settings: Settings, db: Database) -> Any:
    """The ASGI application: socket.io in front, Starlette behind."""
    live = Live(db, settings.public_url)
    nodes = MediaNodes(settings)
    renderer = Renderer(settings)
    edge = Edge(db, settings, renderer, extras={"nodes": nodes}, committed=live.wake)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
        follower = asyncio.create_task(live.follow())
        yield
        follower.cancel()
        await nodes.close()

    def healthz(_request: Request) -> Response:
        with db.read() as session:
            session.execute(text("SELECT 1"))
        return JSONResponse({"ok": True})

    async def http_error(request: Request, error: Exception) -> Response:
        code = error.status_code if isinstance(error, HTTPException) else 500
        if code == 500:
            log.exception("unhandled", path=route_of(request), exc_info=error)
        if request.headers.get("accept", "").startswith("application/json"):
            return PlainTextResponse("error", code)
        shown = HTTP_ERRORS.get(code, N_("Something went wrong on our side. Nothing you entered was changed."))
        response = await anyio.to_thread.run_sync(error_page, edge, request, code, shown)
        for name, value in HEADERS.items():  # an answer to an unforeseen error does not pass SecurityHeaders
            response.headers.setdefault(name, value)
        return response

    routes: list[BaseRoute] = [Route("/healthz", healthz), *static_routes(), *nodes.routes(db)]
    for pages in areas():
        routes += edge.routes(pages)
    app = Starlette(
        routes=routes,
        lifespan=lifespan,
        middleware=[Middleware(SecurityHeaders)],
        exception_handlers={HTTPException: http_error, Exception: http_error},
    )
    return socketio.ASGIApp(live.sio, other_asgi_app=app, socketio_path="/socket.io")


def areas() -> list[Pages]:
    """The route tables of all areas: every `web/<area>/routes.py` has one, called `pages`."""
    names = sorted(path.parent.name for path in Path(__file__).parent.glob("*/routes.py"))
    return [importlib.import_module(f"web.{name}.routes").pages for name in names]


def error_page(edge: Edge, request: Request, code: int, message: str) -> Response:
    """An error as a page in the reader's language; works without a database too."""

    def handler(ctx: Any) -> Response:
        return ctx.render("error.html", status=code, code=code, text=ctx._(message))

    from starlette.datastructures import FormData

    page = Page("GET", route_of(request), everyone, handler)
    try:
        return edge._serve(page, request, FormData())
    except Exception:
        return PlainTextResponse("Majlis is not available right now. الخدمة غير متاحة الآن.", 503)
