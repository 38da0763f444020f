"""The outbox: every text to a visitor, with filters and search, and a text's whole life."""

from datetime import datetime, timedelta
from urllib.parse import quote

from starlette.responses import Response

from core import audit
from core.calendar import day_bounds, day_of
from core.errors import NotFound
from core.staff.rules import AIDE
from core.text import left_to_right
from messaging import service
from messaging.models import Message
from messaging.rules import masked, segments
from messaging.states import HELD, MISSED, STATES, TEMPORARY
from messaging.templates import OTP, TEMPLATES
from reception import access
from reception.petitions.models import Petition
from web.http import Context, Pages
from web.messages.common import CASE, answerers, body, discreet, keyless, page_number, readers, tabs, within
from web.messages.titles import (
    GATEWAYS,
    KIND_TITLES,
    LETTERS,
    PART_TITLES,
    REASONS,
    REPORTED,
    STATE_TITLES,
    TITLES,
)

pages = Pages()

SIZE = 30
RECENT = timedelta(days=30)
LOUD = (*MISSED, TEMPORARY, HELD)  # states that want a person come first


@pages.get("/messages", audience=readers)
def index(ctx: Context) -> Response:
    asked = ctx.query
    state = asked.get("state", "") if asked.get("state") in STATES else ""
    template = asked.get("template", "") if asked.get("template") in TEMPLATES else ""
    language = asked.get("language", "") if asked.get("language") in ("ar", "en") else ""
    search, page = asked.get("q", "")[:80], page_number(ctx)
    since, day_said = _day(ctx, asked.get("since", ""))
    until, until_said = _day(ctx, asked.get("until", ""), end=True)
    rows, more = service.outbox(
        ctx.session,
        state=state or None,
        template=template or None,
        language=language or None,
        search="" if discreet(ctx.staff) else search,
        since=since,
        until=until,
        within=within(ctx),
        keyless=keyless(ctx.staff),
        limit=SIZE,
        offset=(page - 1) * SIZE,
    )
    if not discreet(ctx.staff):
        audit.note(ctx.session, "list", "message", "outbox", now=ctx.now, detail={"q": search, "page": page})
    kept = {"q": search, "template": template, "language": language, "since": day_said, "until": until_said}
    counts = service.counts(ctx.session, since=ctx.now - RECENT, within=within(ctx))
    return ctx.render(
        "messages/index.html",
        rows=[shown(ctx, row) for row in rows],
        tab_items=tabs(ctx, "/messages"),
        state_items=_states(ctx, counts, state, kept),
        page_url=_address({**kept, "state": state}) + "page={page}",
        state=state,
        occasion=template,
        language=language,
        since=day_said,
        until=until_said,
        narrowed=bool(search or state or template or language or day_said or until_said),
        titles=TITLES,
        template_options=[
            ("", ctx._("Every occasion")),
            *((name, ctx._(TITLES.get(name, name))) for name in TEMPLATES),
        ],
        language_options=[("", ctx._("Every language")), ("ar", ctx._("Arabic")), ("en", ctx._("English"))],
        q=search,
        page=page,
        more=more,
        searchable=not discreet(ctx.staff),
    )


@pages.get("/messages/{message_id}", audience=readers)
def show(ctx: Context) -> Response:
    message = service.get(ctx.session, ctx.path("message_id"), within=within(ctx))
    if message.message_class == OTP:
        raise NotFound("There is no such message.")
    audit.note(ctx.session, "read", "message", message.id, now=ctx.now)
    petition = None
    if message.subject_kind == CASE and access.may_see_petition(ctx.session, ctx.staff, message.subject_id):
        petition = ctx.session.get(Petition, message.subject_id)
    return ctx.render(
        "messages/message.html",
        m=shown(ctx, message),
        parts=segments(body(ctx, message)).parts,
        petition=petition,
        case_href=f"/dossier/{petition.id}" if petition and AIDE in ctx.staff.roles else _case(petition),
        title=TITLES.get(message.template, message.template),
        letters=ctx._(LETTERS.get(message.encoding, message.encoding)),
        gateway=gateway(ctx, message),
        life=_life(ctx, message),
        travelled=_travelled(ctx, message),
        thread=f"/messages/numbers/{quote(message.to_number)}" if answerers.admits(ctx.staff) else "",
    )


def shown(ctx: Context, message: Message) -> dict[str, object]:
    return {
        "id": message.id,
        "to": masked(message.to_number) if discreet(ctx.staff) else message.to_number,
        "body": body(ctx, message),
        "language": message.language,
        "template": message.template,
        "state": message.state,
        "parts": message.parts,
        "encoding": message.encoding,
        "created_at": message.created_at,
        "due_at": message.due_at,
        "expires_at": message.expires_at,
        "attempts": message.attempts,
        "doubts": message.doubts,
        "sender": message.sender,
        "error": reason(ctx, message.error),
        "provider": message.provider,
        "provider_id": message.provider_id,
        "only_kept": message.provider in GATEWAYS,
    }


def reason(ctx: Context, error: str | None) -> str:
    """In the reader's language, where we know what is meant; what a gateway reported stands behind it as it came."""
    said = error or ""
    if said in REASONS:
        return ctx._(REASONS[said])
    reported = REPORTED.get(said.partition(" ")[0])
    return f"{ctx._(reported)} ({left_to_right(said)})" if reported else said


def gateway(ctx: Context, message: Message) -> str:
    name = message.provider or ""
    return ctx._(GATEWAYS[name]) if name in GATEWAYS else name


def _case(petition: Petition | None) -> str:
    return f"/cases/{petition.id}" if petition else ""


def _day(ctx: Context, typed: str, *, end: bool = False) -> tuple[datetime | None, str]:
    """A day in either calendar as the beginning (or the end) of a stretch; what can't be read counts as none."""
    try:
        bounds = day_bounds(day_of(typed[:20]), ctx.settings.timezone) if typed.strip() else None
    except (ValueError, OverflowError):
        bounds = None
    return (bounds[1 if end else 0], typed[:20].strip()) if bounds else (None, "")


def _states(ctx: Context, counts: dict[str, int], state: str, kept: dict[str, str]) -> list[dict[str, object]]:
    """All, then each state that occurs; what wants a person first."""
    order = sorted(STATES, key=lambda one: (one not in LOUD, STATES.index(one)))
    shown_states = [one for one in order if counts.get(one) or one == state]
    every = {"href": _address(kept), "label": ctx._("All"), "current": not state, "count": sum(counts.values())}
    return [every] + [
        {
            "href": _address({**kept, "state": one}),
            "label": ctx._(STATE_TITLES[one]),
            "current": one == state,
            "count": counts.get(one, 0),
        }
        for one in shown_states
    ]


def _address(wishes: dict[str, str]) -> str:
    """The outbox with these wishes, ready for one more."""
    return "/messages?" + "".join(f"{key}={quote(value)}&" for key, value in wishes.items() if value)


def _travelled(ctx: Context, message: Message) -> list[dict[str, object]]:
    """Every part of every attempt, with what gateways told of it, repetitions included."""
    receipts = service.receipts(ctx.session, message.id)
    parts = service.parts(ctx.session, message.id)
    by_part: dict[str | None, list[dict[str, object]]] = {}
    for one in receipts:
        by_part.setdefault(one.part_id, []).append(
            {
                "at": one.received_at,
                "title": ctx._(PART_TITLES.get(one.state, STATE_TITLES.get(one.state, one.state))),
                "state": one.state,
                "code": one.code,
                "repeated": one.repeated,
            }
        )
    return [
        {
            "number": part.number,
            "attempt": part.attempt,
            "provider": ctx._(KIND_TITLES[part.provider]) if part.provider in GATEWAYS else part.provider,
            "provider_id": part.provider_id if part.provider not in GATEWAYS else "",
            "state": part.state,
            "error": reason(ctx, part.error),
            "at": part.at,
            "settled_at": part.settled_at,
            "receipts": by_part.get(part.id, []),
        }
        for part in parts
    ]


def _life(ctx: Context, message: Message) -> list[dict[str, object]]:
    steps: list[tuple[datetime | None, str, str, str, str]] = [
        (message.failed_at, ctx._(STATE_TITLES[message.state]), "warning", "danger", reason(ctx, message.error)),
        (message.delivered_at, ctx._("On the visitor's phone"), "check", "good", ""),
        (message.sent_at, ctx._("Sent"), "send", "good", gateway(ctx, message)),
    ]
    if message.due_at > message.created_at:
        steps.append((message.due_at, ctx._("Due"), "clock", "neutral", ""))
    steps.append((message.created_at, ctx._("Written"), "edit", "neutral", ""))
    return [
        {"at": at, "title": title, "icon": icon, "tone": tone, "text": text, "key": icon}
        for at, title, icon, tone, text in steps
        if at is not None
    ]
