"""The routing rules: read in their order, changed, and tried on past petitions before they are saved."""

from typing import Any

from sqlalchemy import select
from starlette.responses import Response

from core.staff.models import Staff, StaffRole
from core.staff.rules import AIDE, OFFICER
from reception.centres import setup
from reception.centres.models import Department
from reception.petitions.models import PetitionType, RoutingRule
from reception.routing import service
from web.admin import words
from web.admin.common import admins, tabs, trying
from web.forms import Form
from web.http import Context, Pages

pages = Pages()


@pages.get("/admin/routing", audience=admins)
def index(ctx: Context) -> Response:
    return ctx.render(
        "admin/routing.html",
        tab_items=tabs(ctx, "/admin/routing"),
        rules=service.listed(ctx.session),
        urgency=words.URGENCY,
        secrecy=words.SECRECY,
        **_names(ctx),
    )


@pages.get("/admin/routing/{id}", audience=admins)
def show(ctx: Context) -> Response:
    row = _row(ctx)
    return _page(ctx, Form(ctx, **_typed(ctx, row)), row)


@pages.post("/admin/routing/{id}", audience=admins)
def change(ctx: Context) -> Response:
    """The first press tries the rule; a second one, with what was tried unchanged, saves it."""
    row, form = _row(ctx), Form(ctx)
    values = _read(form)
    rule_id, before = row.id if row else None, form.values.get("before", "")
    trial, mark = None, ""
    if not form.errors:
        with trying(ctx, form):
            columns = service.checked(ctx.session, values)
            proposed = service.after(ctx.session, columns, rule_id=rule_id, before=before)
            mark = service.mark(proposed, columns)
            if form.flag("save") and form.values.get("tried") == mark:
                with ctx.session.begin_nested():
                    service.save(ctx.session, values, rule_id=rule_id, before=before, tried=mark, now=ctx.now)
                ctx.flash(ctx._("The rule is in force as it was tried."))
                return ctx.redirect("/admin/routing")
            trial = service.try_out(ctx.session, proposed, rule_id=rule_id)
    return _page(ctx, form, row, trial=trial, mark=mark, status=422 if form.errors else 200)


def _row(ctx: Context) -> RoutingRule | None:
    return None if ctx.path("id") == service.NEW else service.get(ctx.session, ctx.path("id"))


def _read(form: Form) -> dict[str, Any]:
    return {
        "department_id": form.text("department", required=False, max=40),
        "from_department_id": form.text("from_department", required=False, max=40),
        "officer_id": form.text("officer", required=False, max=40),
        "type_codes": form.many("types"),
        "centre_codes": form.many("centres"),
        "keywords": form.text("keywords", required=False, max=600, lines=True),
        "urgency": form.text("urgency", required=False, max=20),
        "confidentiality": form.text("confidentiality", required=False, max=20),
        "reason_ar": form.text("reason_ar", required=False, max=200),
        "reason_en": form.text("reason_en", required=False, max=200),
        "active": form.flag("active"),
    }


def _typed(ctx: Context, row: RoutingRule | None) -> dict[str, object]:
    if row is None:
        return {"active": "1"}
    behind = [one.id for one in service.listed(ctx.session) if one.active and one.order > row.order]
    return {
        "department": row.department_id,
        "from_department": row.from_department_id,
        "officer": row.officer_id,
        "keywords": ("، " if ctx.lang == "ar" else ", ").join(row.keywords or ()),
        "urgency": row.urgency,
        "confidentiality": row.confidentiality,
        "reason_ar": row.reason_ar,
        "reason_en": row.reason_en,
        "active": "1" if row.active else "",
        "before": behind[0] if behind else "",
    }


def _page(
    ctx: Context,
    form: Form,
    row: RoutingRule | None,
    *,
    trial: service.Trial | None = None,
    mark: str = "",
    status: int = 200,
) -> Response:
    posted = trial is not None or bool(form.errors)
    kinds = list(ctx.session.scalars(select(PetitionType).order_by(PetitionType.place, PetitionType.code)))
    names = {kind.id: kind for kind in kinds}
    groups: dict[str | None, list[PetitionType]] = {}
    for kind in kinds:
        groups.setdefault(kind.parent_id, []).append(kind)
    others = [one for one in service.listed(ctx.session) if one.active and (row is None or one.id != row.id)]
    return ctx.render(
        "admin/routing_rule.html",
        status=status,
        row=row,
        form=form,
        chosen_types=form.many("types") if posted else list(row.type_codes) if row else [],
        chosen_centres=form.many("centres") if posted else list(row.centre_codes or ()) if row else [],
        groups=[(root, groups.get(root.id, [])) for root in groups.get(None, [])],
        centres=setup.every_centre(ctx.session),
        at_work=setup.departments_at_work(ctx.session),
        officers=_officers(ctx),
        others=others,
        trial=trial,
        mark=mark,
        kinds=names,
        urgency=words.URGENCY,
        secrecy=words.SECRECY,
        **_names(ctx),
    )


def _officers(ctx: Context) -> list[tuple[str, list[tuple[str, str]]]]:
    """Officers by department; those of the office are its aides."""
    fitting = Staff.role_rows.any(StaffRole.role.in_((OFFICER, AIDE)))
    people = ctx.session.scalars(select(Staff).where(Staff.active, fitting).order_by(Staff.username)).all()
    departments = {row.id: row for row in ctx.session.scalars(select(Department))}
    office = next((row.id for row in departments.values() if row.is_office), "")
    found: dict[str, list[tuple[str, str]]] = {}
    for person in people:
        place = office if AIDE in person.roles else person.department_id or ""
        if place in departments:
            found.setdefault(place, []).append((person.id, person.name(ctx.lang)))
    return [(departments[place].name(ctx.lang), rows) for place, rows in found.items()]


def _names(ctx: Context) -> dict[str, Any]:
    return {
        "type_names": {row.code: row.name(ctx.lang) for row in ctx.session.scalars(select(PetitionType))},
        "departments": {row.id: row.name(ctx.lang) for row in setup.every_department(ctx.session)},
        "centre_names": {row.code: row.name(ctx.lang) for row in setup.every_centre(ctx.session)},
        "people": {row.id: row.name(ctx.lang) for row in ctx.session.scalars(select(Staff))},
    }
