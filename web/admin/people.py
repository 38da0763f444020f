"""Accounts: who may sign in, as what, and where they work. A first password is shown once and kept nowhere."""

from math import ceil
from typing import Any

from sqlalchemy import select
from starlette.responses import Response

from core import audit, jobs, once
from core.audit import AuditEntry
from core.errors import Refused
from core.staff import accounts, pacing
from core.staff.models import Staff
from core.staff.rules import CENTRE_ROLES, DEPARTMENT_ROLES
from core.staff.rules import ROLES as ALL_ROLES
from core.text import search_form
from reception.centres import hall, setup
from web.admin import words
from web.admin.common import admins, names, page_number, tabs, trying
from web.disk import room
from web.forms import Form
from web.http import Context, Pages
from web.keys import key_lost

pages = Pages()
PAGE = 40
HISTORY = 12
# Why an account may need looking at.
WITHOUT_ROLE, INACTIVE = "without-role", "inactive"


@pages.get("/admin", audience=admins)
def index(ctx: Context) -> Response:
    everybody = accounts.listed(ctx.session)
    asked, kind = ctx.query.get("q", ""), ctx.query.get("kind", "")
    found = [one for one in everybody if _fits(one, search_form(asked), kind)]
    page = page_number(ctx)
    return ctx.render(
        "admin/index.html",
        tab_items=tabs(ctx, "/admin"),
        disk=room(ctx.settings, ctx.session, now=ctx.now),
        key_lost=key_lost(ctx.settings),
        people=found[(page - 1) * PAGE : page * PAGE],
        total=len(everybody),
        page=page,
        pages=ceil(len(found) / PAGE),
        q=asked,
        kind=kind,
        kind_options=_kinds(ctx),
        places=_places(ctx),
        roles=words.ROLES,
        backlog=jobs.backlog(ctx.session, now=ctx.now),
    )


@pages.get("/admin/people/new", audience=admins)
def new(ctx: Context) -> Response:
    return _form(ctx, Form(ctx), None)


@pages.post("/admin/people/new", audience=admins)
def add(ctx: Context) -> Response:
    form = Form(ctx)
    username = form.text("username", max=40)
    given = _read(ctx, form)
    if not form.errors:
        with trying(ctx, form):
            person, password = accounts.add(ctx.session, username=username, now=ctx.now, **given)
            return _hand_over(ctx, person, password, created=True)
    return _form(ctx, form, None, status=422)


@pages.get("/admin/people/{staff_id}", audience=admins)
def show(ctx: Context) -> Response:
    person = accounts.account(ctx.session, ctx.path("staff_id"))
    audit.note(ctx.session, "read", "staff", person.id, now=ctx.now)
    fields = ("name_ar", "name_en", "title_ar", "title_en", "centre_id", "department_id")
    return _form(ctx, Form(ctx, **{name: getattr(person, name) for name in fields}), person)


@pages.post("/admin/people/{staff_id}", audience=admins)
def change(ctx: Context) -> Response:
    person = accounts.account(ctx.session, ctx.path("staff_id"))
    form = Form(ctx)
    given = _read(ctx, form)
    if not form.errors:
        with trying(ctx, form):
            accounts.update(ctx.session, person.id, now=ctx.now, **given)
            ctx.flash(ctx._("Saved"))
            return ctx.redirect(f"/admin/people/{person.id}")
    return _form(ctx, form, person, status=422)


@pages.post("/admin/people/{staff_id}/password", audience=admins)
def reset(ctx: Context) -> Response:
    person = accounts.account(ctx.session, ctx.path("staff_id"))
    password = accounts.reset_password(ctx.session, person.id, now=ctx.now)
    return _hand_over(ctx, person, password, created=False)


@pages.post("/admin/people/{staff_id}/deactivate", audience=admins)
def deactivate(ctx: Context) -> Response:
    person = accounts.deactivate(ctx.session, ctx.path("staff_id"), now=ctx.now)
    try:
        hall.free_counters_of(ctx.session, person.id, now=ctx.now)
        ctx.flash(ctx._("The account is inactive and signed out everywhere."))
    except Refused:  # shutting somebody out can't wait for a visitor to get up
        ctx.flash(ctx._("The account is inactive. A visitor still sits at its counter: the manager closes it."), "wait")
    return ctx.redirect(f"/admin/people/{person.id}")


@pages.post("/admin/people/{staff_id}/activate", audience=admins)
def activate(ctx: Context) -> Response:
    person = accounts.activate(ctx.session, ctx.path("staff_id"), now=ctx.now)
    ctx.flash(ctx._("The account is active again."))
    return ctx.redirect(f"/admin/people/{person.id}")


def _read(ctx: Context, form: Form) -> dict[str, Any]:
    centres = [row.id for row in setup.every_centre(ctx.session)]
    departments = [row.id for row in setup.every_department(ctx.session)]
    return {
        **names(form),
        "title_ar": form.text("title_ar", required=False, max=120),
        "title_en": form.text("title_en", required=False, max=120),
        "roles": form.many("roles"),
        "centre_id": form.choice("centre_id", centres, required=False) or None,
        "department_id": form.choice("department_id", departments, required=False) or None,
    }


def _form(ctx: Context, form: Form, person: Staff | None, *, status: int = 200) -> Response:
    posted = ctx.request.method == "POST"
    here = {person.centre_id, person.department_id} if person else set()
    centres = [row for row in setup.every_centre(ctx.session) if row.active or row.id in here]
    departments = [row for row in setup.every_department(ctx.session) if row.active or row.id in here]
    return ctx.render(
        "admin/person.html",
        status=status,
        form=form,
        person=person,
        chosen=set(form.many("roles")) if posted else person.roles if person else set(),
        role_groups=[
            (ctx._("In a centre"), [role for role in ALL_ROLES if role in CENTRE_ROLES]),
            (ctx._("In a department"), [role for role in ALL_ROLES if role in DEPARTMENT_ROLES]),
            (ctx._("For the whole ministry"), [r for r in ALL_ROLES if r not in CENTRE_ROLES | DEPARTMENT_ROLES]),
        ],
        roles=words.ROLES,
        centre_options=[("", ctx._("No centre")), *((row.id, row.name(ctx.lang)) for row in centres)],
        department_options=[("", ctx._("No department")), *((row.id, row.name(ctx.lang)) for row in departments)],
        sessions=accounts.sessions(ctx.session, person.id, now=ctx.now) if person else 0,
        paused=person is not None and pacing.paused(ctx.session, person.username, now=ctx.now),
        history=_history(ctx, person) if person else [],
    )


def _hand_over(ctx: Context, person: Staff, password: str, *, created: bool) -> Response:
    """The only page that ever shows this password. The form's key leads a second sending past it, to the account."""
    if key := str(ctx.form.get("once") or "")[:100].replace("\0", ""):
        once.keep(ctx.session, key, f"/admin/people/{person.id}", now=ctx.now)
    return ctx.render("admin/first_password.html", person=person, password=password, created=created)


def _history(ctx: Context, person: Staff) -> list[dict[str, Any]]:
    about = (AuditEntry.subject_kind == "staff", AuditEntry.subject_id == person.id, AuditEntry.action != "read")
    rows = ctx.session.scalars(select(AuditEntry).where(*about).order_by(AuditEntry.at.desc()).limit(HISTORY))
    return [
        {
            "at": row.at,
            "title": ctx._(words.ACTIONS[row.action]) if row.action in words.ACTIONS else row.action,
            "who": row.actor_name,
            "tone": "danger" if row.action in ("sign-in failed", "deactivate") else "neutral",
        }
        for row in rows
    ]


def _places(ctx: Context) -> dict[str, str]:
    centres = {row.id: row.name(ctx.lang) for row in setup.every_centre(ctx.session)}
    return centres | {row.id: row.name(ctx.lang) for row in setup.every_department(ctx.session)}


def _kinds(ctx: Context) -> list[tuple[str, str]]:
    return [
        ("", ctx._("All accounts")),
        (WITHOUT_ROLE, ctx._("Without a role")),
        (INACTIVE, ctx._("Inactive")),
        *((role, ctx._(name)) for role, (name, _) in words.ROLES.items()),
    ]


def _fits(person: Staff, asked: str, kind: str) -> bool:
    if kind == WITHOUT_ROLE and (person.roles or not person.active):
        return False
    if kind == INACTIVE and person.active:
        return False
    if kind in words.ROLES and kind not in person.roles:
        return False
    return not asked or asked in search_form(f"{person.username} {person.name_ar} {person.name_en}")
