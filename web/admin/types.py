"""The tree of petition types: what each asks for, promises and keeps secret. Every change is a version."""

from typing import Any

from sqlalchemy import select
from starlette.responses import Response

from core.staff.models import Staff
from reception.classifier import agreement
from reception.deadlines import rules as deadlines
from reception.petitions import kinds
from reception.petitions.models import PetitionType, PetitionTypeVersion
from web.admin import words
from web.admin.common import admins, names, tabs, trying
from web.classifying.command import known_model
from web.forms import Form
from web.http import Context, Pages

pages = Pages()
SPARE = 2  # empty rows behind those that are there
OWN_STEPS = (deadlines.CUSTODY, deadlines.WORK, deadlines.OPINION, deadlines.CHECK)


@pages.get("/admin/types", audience=admins)
def types(ctx: Context) -> Response:
    in_order = _in_order(_rows(ctx))
    return ctx.render(
        "admin/types.html",
        tab_items=tabs(ctx, "/admin/types"),
        types=in_order,
        secrecy=words.SECRECY,
        model=known_model(ctx.settings),
        agreed=agreement.lately(ctx.session, now=ctx.now),
        names={row.code: row.name(ctx.lang) for row, _ in in_order},
    )


@pages.get("/admin/types/new", audience=admins)
def new(ctx: Context) -> Response:
    return _page(ctx, Form(ctx, parent=ctx.query.get("under", "")[:40]), None)


@pages.post("/admin/types/new", audience=admins)
def add(ctx: Context) -> Response:
    form = Form(ctx)
    code, values = form.text("code", max=40), _read(ctx, form)
    if not form.errors:
        with trying(ctx, form):
            values["place"] = kinds.next_place(ctx.session, values["parent_id"])
            row = kinds.create(ctx.session, code=code, values=values, staff_id=ctx.staff.id, now=ctx.now)
            ctx.flash(ctx._("The type is set up. See that a routing rule sends it where it belongs."))
            return ctx.redirect(f"/admin/types/{row.id}")
    return _page(ctx, form, None, status=422)


@pages.get("/admin/types/{id}", audience=admins)
def show(ctx: Context) -> Response:
    return _page(ctx, Form(ctx), kinds.get(ctx.session, ctx.path("id")))


@pages.post("/admin/types/{id}", audience=admins)
def change(ctx: Context) -> Response:
    row, form = kinds.get(ctx.session, ctx.path("id")), Form(ctx)
    values = _read(ctx, form)
    version = form.integer("version", low=1, high=1_000_000)
    if not form.errors:
        with trying(ctx, form):
            was = row.version
            kinds.change(ctx.session, row.id, version=version, values=values, staff_id=ctx.staff.id, now=ctx.now)
            done = ctx._("Saved as version {n}. What was entered before keeps its own.").format(n=row.version)
            ctx.flash(done if row.version != was else ctx._("Nothing was changed."))
            return ctx.redirect(f"/admin/types/{row.id}")
    return _page(ctx, form, row, status=422)


def _rows(ctx: Context) -> list[PetitionType]:
    return list(ctx.session.scalars(select(PetitionType).order_by(PetitionType.place, PetitionType.code)))


def _in_order(rows: list[PetitionType]) -> list[tuple[PetitionType, int]]:
    below: dict[str | None, list[PetitionType]] = {}
    for row in rows:
        below.setdefault(row.parent_id, []).append(row)

    def under(parent: PetitionType, depth: int) -> list[tuple[PetitionType, int]]:
        return [x for child in below.get(parent.id, []) for x in [(child, depth), *under(child, depth + 1)]]

    return [found for root in below.get(None, []) for found in [(root, 0), *under(root, 1)]]


def _read(ctx: Context, form: Form) -> dict[str, Any]:
    steps = {}
    for step in OWN_STEPS:
        if form.values.get(f"step_{step}", "").strip():
            steps[step] = form.integer(f"step_{step}", low=1, high=60)
    return {
        **names(form),
        "hint_ar": form.text("hint_ar", required=False, max=160),
        "hint_en": form.text("hint_en", required=False, max=160),
        "parent_id": form.choice("parent", {row.id for row in _rows(ctx)}, required=False) or None,
        "days": form.integer("days", low=1, high=250),
        "reopen_days": form.integer("reopen_days", low=0, high=3650, default=30),
        "confidentiality": form.choice("confidentiality", words.SECRECY),
        "urgent_lane": form.flag("urgent_lane"),
        "active": form.flag("active") if "version" in form.values else True,
        "steps": steps,
        "papers": _asked(form, "paper"),
        "fields": _asked(form, "field"),
    }


def _asked(form: Form, prefix: str) -> list[dict[str, Any]]:
    """Rows as they were typed; one without any name is none."""
    found = []
    for n in range(kinds.MOST_ASKED + SPARE):
        ar, en = (form.values.get(f"{prefix}-{n}-{lang}", "").strip() for lang in ("ar", "en"))
        if not ar and not en:
            continue
        row: dict[str, Any] = {
            "code": form.values.get(f"{prefix}-{n}-code", ""),
            "label_ar": ar,
            "label_en": en,
            "required": bool(form.values.get(f"{prefix}-{n}-required")),
        }
        if prefix == "field":
            row["kind"] = form.values.get(f"{prefix}-{n}-kind", kinds.TEXT)
            typed = form.values.get(f"{prefix}-{n}-choices", "").replace("،", ",")
            row["choices"] = [part.strip() for part in typed.split(",") if part.strip()]
        found.append(row)
    return found


def _page(ctx: Context, form: Form, row: PetitionType | None, *, status: int = 200) -> Response:
    typed = status != 200
    values: dict[str, Any] = {
        "days": 10, "reopen_days": 30, "confidentiality": "open", "papers": [], "fields": [], "steps": {},
        "urgent_lane": False, "active": True, "parent_id": form.values.get("parent", ""),
    }  # fmt: skip
    if row is not None:
        values = {name: getattr(row, name) for name in kinds.KEPT}
    if typed:
        values |= {"papers": _asked(form, "paper"), "fields": _asked(form, "field")}
        values |= {
            "steps": {step: form.values.get(f"step_{step}", "") for step in OWN_STEPS},
            "urgent_lane": form.flag("urgent_lane"),
            "active": form.flag("active"),
        }
        values |= {
            name: form.values.get(name, "")
            for name in ("name_ar", "name_en", "hint_ar", "hint_en", "days", "reopen_days", "confidentiality")
        }
        values["parent_id"] = form.values.get("parent", "")
    versions = kinds.versions(ctx.session, row.id) if row else []
    under = _in_order(_rows(ctx))
    return ctx.render(
        "admin/type.html",
        status=status,
        row=row,
        form=form,
        values=values,
        groups=[(one.id, "— " * depth + one.name(ctx.lang)) for one, depth in under if row is None or one.id != row.id],
        secrecy=[(key, ctx._(name), None, ctx._(words.SECRECY_HINTS[key])) for key, name in words.SECRECY.items()],
        own_steps=[(step, deadlines.STEPS[step], deadlines.DAYS[step]) for step in OWN_STEPS],
        answers=[(key, ctx._(word)) for key, word in words.ANSWERS.items()],
        spare=SPARE,
        most=kinds.MOST_ASKED,
        versions=[(one, _by(ctx, one), _changed(versions, n)) for n, one in enumerate(versions)],
        labels=words.TYPE_VALUES,
    )


def _by(ctx: Context, version: PetitionTypeVersion) -> str:
    person = ctx.session.get(Staff, version.by) if version.by else None
    return person.name(ctx.lang) if person else ""


def _changed(versions: list[PetitionTypeVersion], n: int) -> list[str]:
    """Which values a version changed against the one before."""
    if n + 1 >= len(versions):
        return []
    now, before = versions[n].values, versions[n + 1].values
    return [name for name in kinds.KEPT if now.get(name) != before.get(name)]
