"""Campaigns: written by one person, approved by a second, then started, watched, paused."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import Response

from core.language import LANGUAGES
from core.staff.models import Staff
from messaging.campaigns import rules, service
from messaging.campaigns.models import Campaign
from messaging.campaigns.states import (
    APPROVED,
    CANCELLED,
    DECLINED,
    DONE,
    DRAFT,
    PAUSED,
    PROPOSED,
    RUNNING,
)
from messaging.rules import segments
from messaging.states import DELIVERED, MISSED, SENT, UNDER_WAY
from messaging.wording import rules as wording
from reception.centres.models import Centre
from reception.groups import service as groups
from reception.petitions.models import PetitionType
from web.forms import Form
from web.http import Context, Pages
from web.messages.common import keepers, money, tabs, trying
from web.messages.titles import CAMPAIGN_TITLES, STATE_TITLES
from web.messages.wordings import previewed

pages = Pages()

TONES = {
    DRAFT: ("wait", "edit"),
    PROPOSED: ("wait", "hourglass"),
    APPROVED: ("info", "check"),
    RUNNING: ("info", "send"),
    PAUSED: ("wait", "pause"),
    DONE: ("good", "check"),
    DECLINED: ("danger", "x"),
    CANCELLED: ("neutral", "x"),
}
EDITABLE = (DRAFT, PROPOSED)
FIELDS: dict[str, str] = {}  # a campaign's words have none


@pages.get("/messages/campaigns", audience=keepers)
def index(ctx: Context) -> Response:
    rows = service.all_(ctx.session)
    return ctx.render(
        "messages/campaigns.html",
        tab_items=tabs(ctx, "/messages/campaigns"),
        rows=[_row(ctx, row) for row in rows],
        titles=CAMPAIGN_TITLES,
        tones=TONES,
    )


@pages.get("/messages/campaigns/new", audience=keepers)
def new(ctx: Context) -> Response:
    return _form(ctx, Form(ctx, group_kind=groups.PILOT), None)


@pages.post("/messages/campaigns/new", audience=keepers)
def add(ctx: Context) -> Response:
    return _write(ctx, None)


@pages.get("/messages/campaigns/preview", audience=keepers, personal=False)
def preview(ctx: Context) -> Response:
    """What the typed words become; nothing is kept."""
    language = "en" if ctx.query.get("language") == "en" else "ar"
    return ctx.render(
        "messages/preview.html", one=previewed(ctx, FIELDS, language, ctx.query.get("text", ""), plain=True)
    )


@pages.get("/messages/campaigns/{campaign_id}", audience=keepers)
def show(ctx: Context) -> Response:
    return _page(ctx, service.get(ctx.session, ctx.path("campaign_id")), Form(ctx))


@pages.get("/messages/campaigns/{campaign_id}/edit", audience=keepers)
def edit(ctx: Context) -> Response:
    row = service.get(ctx.session, ctx.path("campaign_id"))
    if row.state not in EDITABLE:
        return ctx.redirect(f"/messages/campaigns/{row.id}")
    detail = row.group_detail
    form = Form(
        ctx,
        name=row.name,
        group_kind=row.group_kind,
        centre_id=detail.get("centre_id"),
        type_id=detail.get("type_id"),
        pasted="\n".join(detail.get("numbers", ())),
        **{lang: row.words.get(lang, "") for lang in LANGUAGES},
    )
    return _form(ctx, form, row)


@pages.post("/messages/campaigns/{campaign_id}/edit", audience=keepers)
def change(ctx: Context) -> Response:
    return _write(ctx, service.get(ctx.session, ctx.path("campaign_id")))


@pages.post("/messages/campaigns/{campaign_id}/propose", audience=keepers)
def propose(ctx: Context) -> Response:
    """Find who may be written to, and lay it before a second person."""
    row = service.get(ctx.session, ctx.path("campaign_id"))
    form = Form(ctx)
    with trying(ctx, form):
        found = groups.wishes(ctx.session, row.group_kind, row.group_detail)
        service.propose(ctx.session, row.id, found, now=ctx.now)
    if form.errors:
        return _page(ctx, row, form, status=422)
    ctx.flash(ctx._("A colleague can approve it now."))
    return ctx.redirect(f"/messages/campaigns/{row.id}")


@pages.post("/messages/campaigns/{campaign_id}/approve", audience=keepers)
def approve(ctx: Context) -> Response:
    service.approve(ctx.session, ctx.path("campaign_id"), by=ctx.staff.id, now=ctx.now)
    ctx.flash(ctx._("The campaign is approved. It leaves when somebody starts it."))
    return ctx.redirect(f"/messages/campaigns/{ctx.path('campaign_id')}")


@pages.post("/messages/campaigns/{campaign_id}/decline", audience=keepers)
def decline(ctx: Context) -> Response:
    row = service.get(ctx.session, ctx.path("campaign_id"))
    form = Form(ctx)
    with trying(ctx, form):
        service.decline(ctx.session, row.id, reason=form.text("reason", max=500), by=ctx.staff.id, now=ctx.now)
    if form.errors:
        return _page(ctx, row, form, status=422)
    return ctx.redirect(f"/messages/campaigns/{row.id}")


def _simple(verb: Callable[..., Campaign]) -> Callable[[Context], Response]:
    def act(ctx: Context) -> Response:
        row = verb(ctx.session, ctx.path("campaign_id"), now=ctx.now)
        return ctx.redirect(f"/messages/campaigns/{row.id}")

    return act


for _name in ("start", "pause", "resume", "cancel"):
    pages.post(f"/messages/campaigns/{{campaign_id}}/{_name}", audience=keepers)(_simple(getattr(service, _name)))


def _write(ctx: Context, row: Campaign | None) -> Response:
    form = Form(ctx)
    kind = form.choice("group_kind", groups.KINDS)
    if not form.errors:
        with trying(ctx, form):
            detail = groups.detail(
                ctx.session,
                kind,
                centre_id=str(ctx.form.get("centre_id") or ""),
                type_id=str(ctx.form.get("type_id") or ""),
                pasted=str(ctx.form.get("pasted") or ""),
            )
            kept = service.write(
                ctx.session,
                name=str(ctx.form.get("name") or ""),
                words={lang: str(ctx.form.get(lang) or "") for lang in LANGUAGES},
                group_kind=kind,
                group_detail=detail,
                by=ctx.staff.id,
                now=ctx.now,
                campaign_id=row.id if row else None,
            )
            return ctx.redirect(f"/messages/campaigns/{kept.id}")
    return _form(ctx, form, row, status=422)


def _form(ctx: Context, form: Form, row: Campaign | None, *, status: int = 200) -> Response:
    session, lang = ctx.session, ctx.lang
    return ctx.render(
        "messages/campaign_form.html",
        status=status,
        row=row,
        form=form,
        sides=[
            previewed(ctx, FIELDS, one, form.values.get(one, ""), form.errors.get(one, ""), plain=True)
            for one in LANGUAGES
        ],
        group_options=[
            (groups.PILOT, ctx._("Our own staff"), "shield", ctx._("The numbers of the pilot's list")),
            (groups.CENTRE, ctx._("Visitors of a centre"), "building", ctx._("Whoever handed in a petition there")),
            (groups.TYPE, ctx._("Petitions of a type"), "folder", ctx._("Whoever handed in such a petition")),
            (groups.LIST, ctx._("A list of numbers"), "edit", ctx._("Pasted here, one a line")),
        ],
        centres=[(one.id, one.name(lang)) for one in session.scalars(select(Centre).where(Centre.active))],
        types=[(one.id, one.name(lang)) for one in session.scalars(select(PetitionType).where(PetitionType.active))],
        price_set=bool(ctx.settings.sms_part_price),
    )


def _page(ctx: Context, row: Campaign, form: Form, *, status: int = 200) -> Response:
    progress = service.progress(ctx.session, row.id)
    people = {one: ctx.session.get(Staff, one) for one in (row.created_by, row.decided_by) if one}
    languages = service.languages(ctx.session, row.id)
    price: Decimal = ctx.settings.sms_part_price
    texts = []
    for lang in LANGUAGES:
        cut = segments(row.words[lang])
        count = languages.get(lang, 0)
        texts.append(
            {
                "language": lang,
                "text": row.words[lang],
                "count": cut.count,
                "people": count,
                "cost": money(ctx, wording.cost(cut.count, price, texts=count)),
            }
        )
    ended = {state: count for state, count in progress.items() if state not in UNDER_WAY or state == SENT}
    left = sum(count for state, count in ended.items())
    return ctx.render(
        "messages/campaign.html",
        status=status,
        row=row,
        form=form,
        group=_group(ctx.session, ctx, row),
        title_of=CAMPAIGN_TITLES,
        tone=TONES[row.state],
        texts=texts,
        cost=money(ctx, wording.cost(row.parts, price)),
        states=[(ctx._(STATE_TITLES[state]), progress[state], state) for state in STATE_TITLES if progress.get(state)],
        left=left,
        arrived=progress.get(DELIVERED, 0),
        missed=sum(progress.get(state, 0) for state in MISSED),
        left_out=[(ctx._(rules.WHY[why]), count) for why, count in service.left_out(ctx.session, row.id).items()],
        mine=row.created_by == ctx.staff.id,
        editable=row.state in EDITABLE,
        life=_life(ctx, row, people),
    )


def _row(ctx: Context, row: Campaign) -> dict[str, Any]:
    tone, icon = TONES[row.state]
    return {
        "id": row.id,
        "name": row.name,
        "state": row.state,
        "tone": tone,
        "icon": icon,
        "group": _group(ctx.session, ctx, row),
        "total": row.total,
        "written": row.written,
        "share": round(100 * row.written / row.total) if row.total else 0,
        "created_at": row.created_at,
    }


def _group(session: Session, ctx: Context, row: Campaign) -> str:
    if row.group_kind == groups.CENTRE:
        centre = session.get(Centre, row.group_detail["centre_id"])
        return ctx._("Visitors of: {name}").format(name=centre.name(ctx.lang) if centre else "—")
    if row.group_kind == groups.TYPE:
        kind = session.get(PetitionType, row.group_detail["type_id"])
        return ctx._("Petitions of the type: {name}").format(name=kind.name(ctx.lang) if kind else "—")
    return ctx._("A list of numbers") if row.group_kind == groups.LIST else ctx._("Our own staff")


def _life(ctx: Context, row: Campaign, people: dict[str, Staff | None]) -> list[dict[str, object]]:
    def name(staff_id: str | None) -> str:
        person = people.get(staff_id or "")
        return person.name(ctx.lang) if person else ""

    decided = ctx._("Declined") if row.state == DECLINED else ctx._("Approved")
    steps: list[tuple[datetime | None, str, str, str, str, str]] = [
        (row.finished_at, ctx._(CAMPAIGN_TITLES[row.state]), "check", "good", "", ""),
        (row.started_at, ctx._("Started"), "send", "info", "", ""),
        (row.decided_at, decided, "check", "neutral", row.reason, name(row.decided_by)),
        (row.proposed_at, ctx._("Laid before a second person"), "hourglass", "neutral", "", name(row.created_by)),
        (row.created_at, ctx._("Written"), "edit", "neutral", "", name(row.created_by)),
    ]
    return [
        {"at": at, "title": title, "icon": icon, "tone": tone, "text": text, "who": who, "key": title}
        for at, title, icon, tone, text, who in steps
        if at is not None
    ]
