"""Who may look: the office and the hotline at all texts, a manager at those of the centre's cases.

An administrator looks after the delivery, not after people: numbers are masked and links to cases are cut.
"""

import re
from datetime import timedelta
from urllib.parse import quote

from sqlalchemy import Select, select
from starlette.responses import Response

from core import audit
from core.errors import NotFound
from core.staff.models import Staff
from core.staff.rules import ADMIN, AIDE, HOTLINE, MANAGER
from messaging import service
from messaging.models import Message
from messaging.rules import masked, segments
from messaging.states import FAILED, STATES
from messaging.templates import OTP, TEMPLATES
from reception import access
from reception.petitions.models import Petition
from web.http import Context, Pages, staff
from web.messages.titles import GATEWAYS, LETTERS, STATE_TITLES, TITLES

pages = Pages()
readers = staff(AIDE, MANAGER, HOTLINE, ADMIN)

SIZE = 30
RECENT = timedelta(days=30)


@pages.get("/messages", audience=readers)
def index(ctx: Context) -> Response:
    state = ctx.query.get("state", "") if ctx.query.get("state") in STATES else ""
    template = ctx.query.get("template", "") if ctx.query.get("template") in TEMPLATES else ""
    search = ctx.query.get("q", "")[:80]
    page = max(1, int(ctx.query.get("page", "1"))) if ctx.query.get("page", "1").isdecimal() else 1
    rows, total = service.outbox(
        ctx.session,
        state=state or None,
        template=template or None,
        search="" if _discreet(ctx.staff) else search,
        within=_within(ctx),
        limit=SIZE,
        offset=(page - 1) * SIZE,
    )
    if not _discreet(ctx.staff):
        audit.note(ctx.session, "list", "message", "outbox", now=ctx.now, detail={"q": search, "page": page})
    kept = {"q": search, "template": template}
    counts = service.counts(ctx.session, since=ctx.now - RECENT, within=_within(ctx))
    return ctx.render(
        "messages/index.html",
        rows=[_shown(ctx, row) for row in rows],
        tab_items=_tabs(ctx, counts, state, kept),
        page_url=_address({**kept, "state": state}) + "page={page}",
        state=state,
        occasion=template,
        titles=TITLES,
        template_options=[("", ctx._("Every occasion")), *((name, ctx._(TITLES[name])) for name in TEMPLATES)],
        q=search,
        page=page,
        pages=max(1, -(-total // SIZE)),
        searchable=not _discreet(ctx.staff),
    )


@pages.get("/messages/{message_id}", audience=readers)
def show(ctx: Context) -> Response:
    message = service.get(ctx.session, ctx.path("message_id"))
    within = _within(ctx)
    if message.message_class == OTP or (
        within is not None and ctx.session.scalar(within.where(Petition.id == message.subject_id)) is None
    ):
        raise NotFound("There is no such message.")
    audit.note(ctx.session, "read", "message", message.id, now=ctx.now)
    petition = None
    if message.subject_kind == "petition" and access.may_see_petition(ctx.session, ctx.staff, message.subject_id):
        petition = ctx.session.get(Petition, message.subject_id)
    return ctx.render(
        "messages/message.html",
        m=_shown(ctx, message),
        parts=segments(_body(ctx, message)).parts,
        petition=petition,
        case_href=f"/dossier/{petition.id}" if petition and AIDE in ctx.staff.roles else _case(petition),
        title=TITLES.get(message.template, message.template),
        letters=ctx._(LETTERS.get(message.encoding, message.encoding)),
        gateway=_gateway(ctx, message),
        life=_life(ctx, message),
    )


def _case(petition: Petition | None) -> str:
    return f"/cases/{petition.id}" if petition else ""


def _tabs(ctx: Context, counts: dict[str, int], state: str, kept: dict[str, str]) -> list[dict[str, object]]:
    """All, then each state that occurs; failures first, for they want a person."""
    order = sorted(STATES, key=lambda one: (one != FAILED, STATES.index(one)))
    shown = [one for one in order if counts.get(one) or one == state]
    every = {"href": _address(kept), "label": ctx._("All"), "current": not state, "count": sum(counts.values())}
    return [every] + [
        {
            "href": _address({**kept, "state": one}),
            "label": ctx._(STATE_TITLES[one]),
            "current": one == state,
            "count": counts.get(one, 0),
        }
        for one in shown
    ]


def _address(wishes: dict[str, str]) -> str:
    """The outbox with these wishes, ready for one more."""
    return "/messages?" + "".join(f"{key}={quote(value)}&" for key, value in wishes.items() if value)


def _shown(ctx: Context, message: Message) -> dict[str, object]:
    return {
        "id": message.id,
        "to": masked(message.to_number) if _discreet(ctx.staff) else message.to_number,
        "body": _body(ctx, message),
        "language": message.language,
        "template": message.template,
        "state": message.state,
        "parts": message.parts,
        "encoding": message.encoding,
        "created_at": message.created_at,
        "due_at": message.due_at,
        "error": message.error,
        "provider": message.provider,
        "provider_id": message.provider_id,
        "only_kept": message.provider in GATEWAYS,
    }


def _body(ctx: Context, message: Message) -> str:
    """The text; for an administrator without the part of a link that opens a case."""
    return re.sub(r"(https?://\S+/)[^\s/]+", r"\1••••", message.body) if _discreet(ctx.staff) else message.body


def _gateway(ctx: Context, message: Message) -> str:
    name = message.provider or ""
    return ctx._(GATEWAYS[name]) if name in GATEWAYS else name


def _life(ctx: Context, message: Message) -> list[dict[str, object]]:
    steps = (
        (message.failed_at, ctx._("Not sent"), "warning", "danger", message.error or ""),
        (message.delivered_at, ctx._("On the visitor's phone"), "check", "good", ""),
        (message.sent_at, ctx._("Sent"), "send", "good", _gateway(ctx, message)),
        (message.created_at, ctx._("Written"), "edit", "neutral", ""),
    )
    return [
        {"at": at, "title": title, "icon": icon, "tone": tone, "text": text, "key": icon}
        for at, title, icon, tone, text in steps
        if at is not None
    ]


def _discreet(person: Staff) -> bool:
    """An administrator who is nothing else."""
    return not person.roles & {AIDE, MANAGER, HOTLINE}


def _within(ctx: Context) -> Select[str] | None:
    """The cases whose texts a manager may see; None where no such border applies."""
    if ctx.staff.roles & {AIDE, HOTLINE, ADMIN}:
        return None
    return access.visible(select(Petition.id), ctx.staff)
