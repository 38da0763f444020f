"""Public addresses for gateways, behind each gateway's own secret or list of addresses. What they tell is written down
before they hear that we have it; a forged call changes nothing and is logged."""

import functools
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext

import structlog
from sqlalchemy.orm import Session
from starlette.responses import PlainTextResponse, Response

from core.settings import Settings
from messaging import entering, incoming
from messaging.providers import Setup, setups
from messaging.providers.config import callback_secret
from web.callbacks import rules
from web.http import Context, Pages, everyone

pages = Pages()
log = structlog.get_logger(__name__)
FORGED = PlainTextResponse("", 403)
CALLED = ("kannel", "https")  # kinds of gateways that call


@pages.get("/callbacks/{gateway}/receipt", audience=everyone)
def receipt_asked(ctx: Context) -> Response:
    return _receipt(ctx, ctx.query)


@pages.post("/callbacks/{gateway}/receipt", audience=everyone)
def receipt_posted(ctx: Context) -> Response:
    return _receipt(ctx, _fields(ctx))


@pages.get("/callbacks/{gateway}/inbound", audience=everyone)
def inbound_asked(ctx: Context) -> Response:
    return _inbound(ctx, ctx.query)


@pages.post("/callbacks/{gateway}/inbound", audience=everyone)
def inbound_posted(ctx: Context) -> Response:
    return _inbound(ctx, _fields(ctx))


def _receipt(ctx: Context, told: Mapping[str, str]) -> Response:
    setup = _let_in(ctx, told, key=told.get("part", ""))
    if setup is None:
        return FORGED
    found = rules.receipt(setup, told)
    if found is None:
        log.warning("a receipt is not understood", gateway=setup.name, fields=sorted(told)[:20])
        return PlainTextResponse("not understood", 422)
    with _writing(ctx) as session:
        entering.receipts(session, [(setup.name, found)], now=ctx.now)
    return PlainTextResponse("")


def _inbound(ctx: Context, told: Mapping[str, str]) -> Response:
    setup = _let_in(ctx, told)
    if setup is None:
        return FORGED
    found = rules.inbound(setup, told)
    if found is None:
        log.warning("a text to us is not understood", gateway=setup.name, fields=sorted(told)[:20])
        return PlainTextResponse("not understood", 422)
    with _writing(ctx) as session:
        incoming.inbound(session, setup.name, found, now=ctx.now)
    return PlainTextResponse("")  # Kannel sends what stands here back to the person


def _let_in(ctx: Context, told: Mapping[str, str], *, key: str = "") -> Setup | None:
    """The gateway, if it is one that calls, from where it may, with its secret."""
    name = ctx.path("gateway")
    address = ctx.request.client.host if ctx.request.client else ""
    setup = _setups(ctx.settings).get(name)
    given = ctx.request.headers.get("authorization", "").removeprefix("Bearer ") or told.get("secret", "")
    if setup is not None and rules.comes_from(address, setup):
        secret = callback_secret(setup, ctx.settings)
        listed = bool(setup.addresses) and not setup.secret
        if listed or rules.knows(given, setup, secret, key=key):
            return setup
    log.warning("a forged call of a gateway", gateway=name[:50], address=address, secret=bool(given))
    return None


@functools.lru_cache(maxsize=4)
def _setups(settings: Settings) -> dict[str, Setup]:
    return {setup.name: setup for setup in setups(settings) if setup.kind in CALLED}


def _fields(ctx: Context) -> Mapping[str, str]:
    posted = {key: str(value) for key, value in ctx.form.items()}
    return {**dict(ctx.query), **posted}


def _writing(ctx: Context) -> AbstractContextManager[Session]:
    """A transaction to write in: a GET's own only reads."""
    return nullcontext(ctx.session) if ctx.request.method == "POST" else ctx.write()
