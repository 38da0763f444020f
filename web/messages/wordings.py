"""The words of texts: what is in force, a draft with its live preview, and the second person's yes."""

from collections.abc import Mapping
from decimal import Decimal

from starlette.responses import Response

from core.calendar import digits
from core.errors import Mistake, NotFound
from core.language import LANGUAGES
from core.staff.models import Staff
from messaging.sending import manners_of
from messaging.templates import CAMPAIGN, CLASSES, HARMFUL, TEMPLATES, Template
from messaging.wording import rules, service
from messaging.wording.models import Wording
from messaging.wording.states import DECLINED, DISCARDED, DRAFT, IN_FORCE, PROPOSED, REPLACED
from web.forms import Form
from web.http import Context, Pages
from web.messages.common import keepers, money, tabs, trying
from web.messages.titles import CLASS_TITLES, FIELD_TITLES, LETTERS, TITLES, WORDING_TITLES

pages = Pages()

TONES = {
    DRAFT: ("wait", "edit"),
    PROPOSED: ("wait", "hourglass"),
    IN_FORCE: ("good", "check"),
    REPLACED: ("neutral", "clock"),
    DECLINED: ("danger", "x"),
    DISCARDED: ("neutral", "x"),
}
EDITABLE = [name for name, template in TEMPLATES.items() if template.message_class != CAMPAIGN]


@pages.get("/messages/texts", audience=keepers)
def index(ctx: Context) -> Response:
    known = service.states_of_all(ctx.session)
    groups = []
    for kind in CLASSES:
        rows = []
        for name in EDITABLE:
            if TEMPLATES[name].message_class != kind:
                continue
            now_said = service.in_force(ctx.session, name)
            states = known.get(name, {})
            shown = [rules.preview(lang, now_said.words[lang], now_said.fields) for lang in LANGUAGES]
            rows.append(
                {
                    "name": name,
                    "title": ctx._(TITLES.get(name, name)),
                    "text": now_said.words[ctx.lang],
                    "parts": [(preview.language, preview.segments.count) for preview in shown],
                    "own": IN_FORCE in states,
                    "state": next((state for state in (PROPOSED, DRAFT) if state in states), ""),
                }
            )
        if rows:
            sender = manners_of(ctx.settings).sender(kind)
            groups.append({"title": ctx._(CLASS_TITLES[kind]), "rows": rows, "sender": sender})
    return ctx.render(
        "messages/texts.html",
        tab_items=tabs(ctx, "/messages/texts"),
        groups=groups,
        state_titles=WORDING_TITLES,
        tones=TONES,
    )


@pages.get("/messages/texts/{name}", audience=keepers)
def show(ctx: Context) -> Response:
    template = _template(ctx)
    open_ = service.open_of(ctx.session, template.name)
    words = open_.words if open_ else service.in_force(ctx.session, template.name).words
    return _page(ctx, template, open_, Form(ctx, **{lang: words.get(lang, "") for lang in LANGUAGES}))


@pages.get("/messages/texts/{name}/preview", audience=keepers, personal=False)
def preview(ctx: Context) -> Response:
    """What the typed words become, for the page to show while they are typed; nothing is kept."""
    template = _template(ctx)
    language = "en" if ctx.query.get("language") == "en" else "ar"
    return ctx.render("messages/preview.html", one=previewed(ctx, template.fields, language, ctx.query.get("text", "")))


@pages.post("/messages/texts/{name}", audience=keepers)
def write(ctx: Context) -> Response:
    """Keep as a draft; with `propose`, lay it before a second person."""
    template = _template(ctx)
    form = Form(ctx)
    words = {lang: str(ctx.form.get(lang) or "") for lang in LANGUAGES}
    with trying(ctx, form):
        row = service.write(ctx.session, template.name, words, by=ctx.staff.id, now=ctx.now)
        if ctx.form.get("propose"):
            service.propose(ctx.session, row.id, now=ctx.now)
    if form.errors:
        return _page(ctx, template, service.open_of(ctx.session, template.name), form, status=422)
    ctx.flash(ctx._("A colleague can approve it now.") if ctx.form.get("propose") else ctx._("The draft is kept."))
    return ctx.redirect(f"/messages/texts/{template.name}")


@pages.post("/messages/texts/{name}/approve", audience=keepers)
def approve(ctx: Context) -> Response:
    template = _template(ctx)
    service.approve(ctx.session, _open_id(ctx, template), by=ctx.staff.id, now=ctx.now)
    ctx.flash(ctx._("These words are in force now."))
    return ctx.redirect(f"/messages/texts/{template.name}")


@pages.post("/messages/texts/{name}/decline", audience=keepers)
def decline(ctx: Context) -> Response:
    template = _template(ctx)
    form = Form(ctx)
    open_ = service.open_of(ctx.session, template.name)
    with trying(ctx, form):
        service.decline(
            ctx.session, _open_id(ctx, template), reason=form.text("reason", max=500), by=ctx.staff.id, now=ctx.now
        )
    if form.errors and open_:
        form.values |= {lang: open_.words.get(lang, "") for lang in LANGUAGES}
        return _page(ctx, template, open_, form, status=422)
    ctx.flash(ctx._("The words are declined. What was in force stays."), "info")
    return ctx.redirect(f"/messages/texts/{template.name}")


@pages.post("/messages/texts/{name}/discard", audience=keepers)
def discard(ctx: Context) -> Response:
    template = _template(ctx)
    service.discard(ctx.session, _open_id(ctx, template), by=ctx.staff.id, now=ctx.now)
    ctx.flash(ctx._("The draft is discarded."), "info")
    return ctx.redirect(f"/messages/texts/{template.name}")


def _page(ctx: Context, template: Template, open_: Wording | None, form: Form, *, status: int = 200) -> Response:
    versions = service.versions(ctx.session, template.name)
    people = {one: ctx.session.get(Staff, one) for row in versions for one in (row.written_by, row.decided_by) if one}
    sides = [
        previewed(ctx, template.fields, lang, form.values.get(lang, ""), form.errors.get(lang, ""))
        for lang in LANGUAGES
    ]
    return ctx.render(
        "messages/text.html",
        status=status,
        name=template.name,
        title=ctx._(TITLES.get(template.name, template.name)),
        class_title=ctx._(CLASS_TITLES[template.message_class]),
        sender=manners_of(ctx.settings).sender(template.message_class),
        fields=[(f"{{{name}}}", ctx._(FIELD_TITLES.get(kind, kind))) for name, kind in template.fields.items()],
        form=form,
        sides=sides,
        ready=all(not side["lacks"] for side in sides),
        open=open_,
        mine=bool(open_ and open_.written_by == ctx.staff.id),
        state_titles=WORDING_TITLES,
        tones=TONES,
        built_in=TEMPLATES[template.name].words,
        has_own=any(row.state == IN_FORCE for row in versions),
        life=[_told(ctx, row, people) for row in versions],
        price_set=bool(ctx.settings.sms_part_price),
    )


def previewed(
    ctx: Context, fields: Mapping[str, str], language: str, text: str, error: str = "", *, plain: bool = False
) -> dict[str, object]:
    """One language: the longest case as it arrives, its letters, parts and cost, and what is missing.

    `plain`: braces are braces.
    """
    try:
        kept = rules.written(text[:4000], field=language)
    except Mistake as mistake:
        kept, error = HARMFUL.sub("", text[: rules.LONGEST]), error or ctx.say(mistake)
    shown = rules.preview(language, kept, {} if plain else fields)
    price: Decimal = ctx.settings.sms_part_price
    return {
        "language": language,
        "typed": text,
        "text": shown.text,
        "count": shown.segments.count if kept else 0,
        "parts": shown.segments.parts if kept else (),
        "units": shown.segments.units,
        "room": shown.segments.room,
        "letters": ctx._(LETTERS[shown.segments.encoding]),
        "cost": money(ctx, rules.cost(shown.segments.count, price)) if kept else "",
        "cost_thousand": money(ctx, rules.cost(shown.segments.count, price, texts=1000)) if kept else "",
        "error": error,
        "lacks": [
            ctx._(lack.message).format(**{key: digits(value, ctx.lang) for key, value in lack.fields.items()})
            for lack in rules.lacks({language: kept}, fields)
            if lack.language == language and not plain
        ],
    }


def _told(ctx: Context, row: Wording, people: Mapping[str, Staff | None]) -> dict[str, object]:
    def name(staff_id: str | None) -> str:
        person = people.get(staff_id) if staff_id else None
        return person.name(ctx.lang) if person else ""

    tone, icon = TONES[row.state]
    number = ctx._("Version {n}").format(n=digits(row.version, ctx.lang))
    return {
        "at": row.decided_at or row.proposed_at or row.written_at,
        "title": f"{number}: {ctx._(WORDING_TITLES[row.state])}",
        "text": row.reason or row.words.get(ctx.lang, ""),
        "tone": tone,
        "icon": icon,
        "who": name(row.decided_by) or name(row.written_by),
        "key": row.id,
    }


def _template(ctx: Context) -> Template:
    name = ctx.path("name")
    if name not in EDITABLE:
        raise NotFound("There is no such text.")
    return TEMPLATES[name]


def _open_id(ctx: Context, template: Template) -> str:
    row = service.open_of(ctx.session, template.name)
    if row is None:
        raise NotFound("There is no such version.")
    return row.id
