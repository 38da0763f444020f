"""The edge: from a request to one verb of a service and back.

A page is a sync function run in the thread pool. Around it: the transaction, who is asking, whether they may, forged
and repeated posts, the audit rows of reads, and errors turned into pages. See docs/decisions/002-edge.md.
"""

import functools
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

import anyio
import structlog
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from core import audit, clock, once
from core.audit import AuditEntry
from core.db import Database
from core.errors import Fault, MajlisError, Mistake, NotFound, Refused
from core.language import LANGUAGES, say
from core.settings import Settings
from core.staff import service as staff_service
from core.staff.models import Staff
from web import flash, kept
from web.audience import Audience, everyone, signed_in, staff
from web.opened import Opened
from web.origin import is_ours
from web.posted import FIELDS_LIMIT, has_files, read_form
from web.render import Renderer

__all__ = ["Context", "Edge", "Pages", "everyone", "signed_in", "staff"]

log = structlog.get_logger()
SESSION_COOKIE = "majlis"
LANGUAGE_COOKIE = "majlis_language"


@dataclass
class Context:
    """What a page handler is given. Transactions, commits and cookies are the edge's business, not the handler's."""

    request: Request
    session: Session
    now: datetime
    settings: Settings
    renderer: Renderer
    me: Staff | None
    csrf: str
    lang: str
    form: FormData
    extras: Mapping[str, Any]
    prepared: Any = None  # what the page's `before` made
    later: list[Callable[[Session], None]] = field(default_factory=list)
    notices: list[tuple[str, str]] = field(default_factory=list)
    cookies: list[dict[str, Any]] = field(default_factory=list)

    @functools.cached_property
    def translations(self) -> Any:
        return self.renderer.translations(self.lang)

    def _(self, message: str) -> str:
        return self.translations.gettext(message)

    def ngettext(self, one: str, many: str, n: int) -> str:
        return self.translations.ngettext(one, many, n)

    @property
    def query(self) -> Mapping[str, str]:
        return self.request.query_params

    @property
    def staff(self) -> Staff:
        """The signed-in person, where the audience promises one."""
        if self.me is None:
            raise NotFound
        return self.me

    @property
    def fragment(self) -> bool:
        """True when a live page asks for itself again."""
        return "x-fragment" in self.request.headers

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A write transaction in the name of this person, beside a GET's: for what must be kept before it is given."""
        if not self.session.info.get("read_only"):
            raise RuntimeError("a second write transaction would wait for the first")
        db: Database = self.extras["db"]
        with db.write() as session:
            session.info.update({k: v for k, v in self.session.info.items() if k not in ("read_only", "audit")})
            yield session

    def path(self, name: str) -> str:
        return str(self.request.path_params[name])

    def say(self, error: MajlisError) -> str:
        return say(error, self.translations, self.lang)

    def flash(self, message: str, tone: str = "good") -> None:
        """Show `message` (already translated) once, on the next page."""
        self.notices.append((tone, message))

    def afterwards(self, effect: Callable[[Session], None]) -> None:
        """Run `effect` in a write transaction after a GET's handler and before its response (a receipt, say)."""
        self.later.append(effect)

    def render(self, template: str, *, status: int = 200, **values: Any) -> Response:
        html = self.renderer.html(template, self, values)
        return Response(html, status, media_type="text/html", headers={"cache-control": "no-store"})

    def redirect(self, url: str) -> RedirectResponse:
        return RedirectResponse(url, 303)


Handler = Callable[[Context], Response]
Before = Callable[[FormData, Settings], Any]
FilesFrom = Callable[[Request, Settings], bool]


@dataclass(frozen=True, slots=True)
class Page:
    """`before` does with a posted form what takes long and needs no database, while no transaction is open yet.

    `files_from` says who else than members of staff may send files to this page, by what the request itself shows.
    Where `personal` is False it shows nothing of anybody, and opening it leaves no row.
    """

    method: str
    path: str
    audience: Audience
    handler: Handler
    before: Before | None = None
    files_from: FilesFrom | None = None
    personal: bool = True


class Pages(list[Page]):
    """The route table of one area."""

    def get(self, path: str, *, audience: Audience, personal: bool = True) -> Callable[[Handler], Handler]:
        return self._add("GET", path, audience, personal=personal)

    def post(
        self, path: str, *, audience: Audience, before: Before | None = None, files_from: FilesFrom | None = None
    ) -> Callable[[Handler], Handler]:
        return self._add("POST", path, audience, before, files_from)

    def _add(
        self,
        method: str,
        path: str,
        audience: Audience,
        before: Before | None = None,
        files_from: FilesFrom | None = None,
        personal: bool = True,
    ) -> Callable[[Handler], Handler]:
        def register(handler: Handler) -> Handler:
            self.append(Page(method, path, audience, handler, before, files_from, personal))
            return handler

        return register


class Edge:
    """Turns pages into Starlette routes."""

    def __init__(
        self,
        db: Database,
        settings: Settings,
        renderer: Renderer,
        *,
        extras: Mapping[str, Any] | None = None,
        committed: Callable[[], None] = lambda: None,
    ) -> None:
        self.db = db
        self.settings = settings
        self.renderer = renderer
        self.extras = {"db": db, **(extras or {})}
        self.committed = committed
        self.opened = Opened()

    def routes(self, pages: Pages) -> list[Route]:
        return [self._route(page) for page in pages]

    def _route(self, page: Page) -> Route:
        async def endpoint(request: Request) -> Response:
            form = FormData()
            if page.method == "POST":
                form = await read_form(request, await self._limit(page, request))
            return await anyio.to_thread.run_sync(self._serve, page, request, form)

        route = Route(page.path, endpoint, methods=[page.method], name=f"{page.method} {page.path}")
        route.majlis_page = page  # type: ignore[attr-defined]
        return route

    async def _limit(self, page: Page, request: Request) -> int:
        """How many bytes a post may have. Files are taken from members of staff, and from whom the page knows."""
        if not has_files(request):
            return FIELDS_LIMIT
        if page.files_from is not None and page.files_from(request, self.settings):
            return self.settings.upload_limit * 2
        if page.audience.roles is None:
            return FIELDS_LIMIT
        known = await anyio.to_thread.run_sync(self._is_staff, request)
        return self.settings.upload_limit * 6 if known else FIELDS_LIMIT

    def _is_staff(self, request: Request) -> bool:
        token = request.cookies.get(SESSION_COOKIE)
        with self.db.read() as session:
            return token is not None and staff_service.session_of(session, token, now=clock.now()) is not None

    def _serve(self, page: Page, request: Request, form: FormData) -> Response:
        now = clock.now()
        prepared = self._prepared(page, request, form)
        try:
            with self._context(page, request, form, now) as ctx:
                ctx.prepared = prepared
                response = self._answer(page, ctx, now)
        except (IntegrityError, MajlisError) as error:
            # The same form, sent twice at once: the first one's change is what stood in the second one's way.
            location = self._earlier(_key(form)) if page.method == "POST" else None
            if location is not None:
                return RedirectResponse(location, 303)
            if isinstance(error, IntegrityError):
                raise
            return self._error_page(page, request, form, now, error)
        except DataError as error:  # an address or a form with what no column can hold: a NUL, a number without end
            log.warning("not storable", path=page.path, error=type(error.orig).__name__)
            return self._error_page(page, request, form, now, NotFound())
        if page.method == "POST":
            self.committed()
        if page.method != "POST" or response.status_code >= 400:
            self._write_later(page, ctx)
        flash.store(response, ctx)
        for cookie in ctx.cookies:
            response.set_cookie(**cookie)
        return response

    def _prepared(self, page: Page, request: Request, form: FormData) -> Any:
        """What the page wants done first, for those who may send it something at all."""
        if page.before is None or not form or not is_ours(request.headers, self.settings.public_url):
            return None
        known = page.files_from is not None and page.files_from(request, self.settings)
        return page.before(form, self.settings) if known or self._is_staff(request) else None

    def _answer(self, page: Page, ctx: Context, now: datetime) -> Response:
        if not page.audience.admits(ctx.me):
            if ctx.me is None and page.method == "GET":
                if ctx.fragment:  # a live page of a session that has ended: it tells its reader, and stops asking
                    raise HTTPException(401)
                return RedirectResponse(f"/sign-in?next={quote(_target(ctx.request))}", 303)
            ours = ctx.me is None and is_ours(ctx.request.headers, self.settings.public_url)
            if ours and (written := kept.fields(ctx)):  # the session ended while somebody wrote
                return kept.page(ctx, written)
            raise NotFound
        if page.method != "POST":
            response = page.handler(ctx)
            self._note_opening(page, ctx, response)
            return response
        if not self._carries_token(ctx):
            if written := kept.fields(ctx):  # signed in anew in another tab
                return kept.page(ctx, written)
            raise HTTPException(403)
        key = _key(ctx.form)
        if key and (location := once.earlier(ctx.session, key)):
            return RedirectResponse(location, 303)
        response = page.handler(ctx)
        if response.status_code >= 400:
            ctx.session.rollback()
            ctx.session.info["read_only"] = True  # of what was done here only what was read is written: `_write_later`
            self._note_opening(page, ctx, response)
        elif key and "location" in response.headers:
            once.keep(ctx.session, key, response.headers["location"], now=now)
        return response

    def _note_opening(self, page: Page, ctx: Context, response: Response) -> None:
        """What a member of staff is shown leaves a row, also where the page notes nothing itself: lists name people,
        and so does a form that comes back refused."""
        shown = response.status_code == 200 or (response.status_code >= 400 and response.status_code not in (403, 404))
        if not ctx.me or not shown or not page.personal or audit.pending(ctx.session):
            return
        anybodys = page.audience.roles is None
        if ctx.fragment and (anybodys or self.opened.lately(ctx.csrf, _target(ctx.request), now=ctx.now)):
            return  # a page that renews itself
        detail: dict[str, Any] = {"query": dict(ctx.query)} if ctx.query else {}
        if response.status_code != 200:
            detail["status"] = response.status_code
        audit.note(ctx.session, "open", "page", ctx.request.url.path, now=ctx.now, detail=detail)

    @contextmanager
    def _context(self, page: Page, request: Request, form: FormData, now: datetime) -> Iterator[Context]:
        reading = page.method == "GET"
        with self.db.read() if reading else self.db.write() as session:
            session.info.update(read_only=reading, address=request.client.host if request.client else None)
            token = request.cookies.get(SESSION_COOKIE)
            found = staff_service.session_of(session, token, now=now) if token else None
            me, row = found or (None, None)
            if me:
                session.info.update(actor_id=me.id, actor_name=me.username)
            yield Context(
                request=request,
                session=session,
                now=now,
                settings=self.settings,
                renderer=self.renderer,
                me=me,
                csrf=row.csrf if row else "",
                lang=language_of(request, me),
                form=form,
                extras=self.extras,
            )

    def _carries_token(self, ctx: Context) -> bool:
        """Whether a signed-in post carries its session's token. Another site's form is refused for good:
        Sec-Fetch-Site or Origin tells."""
        headers = ctx.request.headers
        if not is_ours(headers, self.settings.public_url):
            raise HTTPException(403)
        token = str(ctx.form.get("csrf") or headers.get("x-csrf") or "")
        return not ctx.csrf or secrets.compare_digest(token.encode(), ctx.csrf.encode())

    def _earlier(self, key: str) -> str | None:
        with self.db.read() as session:
            return once.earlier(session, key) if key else None

    def _write_later(self, page: Page, ctx: Context) -> None:
        """In a transaction of its own: what was read, and after a GET its effects. A refused change has none."""
        reads = audit.pending(ctx.session)
        effects = ctx.later if page.method == "GET" else []
        if not reads and not effects:
            return
        with self.db.write() as session:
            session.info.update({k: v for k, v in ctx.session.info.items() if k not in ("read_only", "audit")})
            session.add_all(AuditEntry(**entry) for entry in reads)
            for effect in effects:
                effect(session)
        if reads and ctx.me and page.method == "GET":
            self.opened.keep(ctx.csrf, _target(ctx.request), now=ctx.now)
        if effects:
            self.committed()

    def _error_page(self, page: Page, request: Request, form: FormData, now: datetime, error: MajlisError) -> Response:
        status = {Mistake: 422, Refused: 409, NotFound: 404, Fault: 500}.get(type(error), 400)
        if status == 500:
            log.error("fault", path=route_of(request), error=str(error))
        reading = replace(page, method="GET")  # an error changes nothing, and must not wait for the one who writes
        with self._context(reading, request, form, now) as ctx:
            shown = ctx._("There is nothing here.") if status == 404 else ctx.say(error)
            return ctx.render("error.html", status=status, code=status, text=shown)


def language_of(request: Request, me: Staff | None) -> str:
    """The address wins (a kiosk's step), then the reader's own choice, then the account's, then Arabic."""
    for wish in (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE), me and me.language):
        if wish in LANGUAGES:
            return str(wish)
    return LANGUAGES[0]


def route_of(request: Request) -> str:
    """Which page it was, for a log: an address itself may be a secret, as a visitor's link is."""
    return str(getattr(request.scope.get("route"), "path", "-"))


def _key(form: FormData) -> str:
    return str(form.get("once") or "")[:100].replace("\0", "")


def _target(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")
