"""The rates and minutes by which a centre's queue decides: seen in sentences before they hold, old versions kept."""

from dataclasses import replace
from datetime import date
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import select
from starlette.responses import Response

from core import audit
from core.calendar import digits, full_day, moment
from core.errors import Mistake
from core.staff.models import Staff
from core.text import latin_digits
from queueing.tickets import standing
from queueing.tickets.discipline import CLASSES, DEFAULT, FASTEST, REGULAR, SLOWEST, Discipline
from reception.centres import setup
from web.admin.common import admins
from web.counter import words
from web.forms import Form
from web.http import Context, Pages

pages = Pages()
PAGE = "/admin/centres/{centre_id}/queue"
MINUTES = ("grace_minutes", "head_start_minutes", "recalls", "no_show_minutes", "patience", "target_minutes")
EXAMPLE = 20  # minutes waited in the sentences


@pages.get(PAGE, audience=admins)
def show(ctx: Context) -> Response:
    """An address may fill in rates (from a manager's what-if); they hold only once they are saved."""
    held = standing.discipline_at(ctx.session, ctx.path("centre_id"), now=ctx.now)
    wished = {name: rate for name in CLASSES if (rate := _wished(ctx.query.get(f"rates.{name}", ""))) is not None}
    return _page(ctx, Form(ctx), replace(held, rates={**held.rates, **wished}), preview=bool(wished))


def _wished(text: str) -> float | None:
    try:
        return rate if SLOWEST <= (rate := float(text[:8])) <= FASTEST else None
    except ValueError:
        return None


@pages.post(PAGE, audience=admins)
def change(ctx: Context) -> Response:
    """`preview` shows what would hold and changes nothing."""
    centre, form = setup.centre(ctx.session, ctx.path("centre_id")), Form(ctx)
    before = standing.discipline_at(ctx.session, centre.id, now=ctx.now)
    after = _read(ctx, form, before)
    if after is None:
        return _page(ctx, form, before, status=422)
    if form.flag("preview"):
        return _page(ctx, form, after, preview=after != before)
    if after != before:
        row = standing.set_discipline(ctx.session, centre.id, after, by=ctx.staff.id, now=ctx.now)
        detail = {"version": row.id, "changed": _changed(before, after)}
        audit.note(ctx.session, "change discipline", "centre", centre.id, now=ctx.now, detail=detail)
        ctx.flash(ctx._("Saved. Every call is decided by it from now on."))
    return ctx.redirect(f"/admin/centres/{centre.id}/queue")


def _read(ctx: Context, form: Form, before: Discipline) -> Discipline | None:
    rates = {name: _number(ctx, form, f"rates.{name}") for name in CLASSES if name != REGULAR}
    minutes = {name: _number(ctx, form, name) for name in MINUTES}
    if form.errors:
        return None
    with form.catch():
        return replace(before, rates={**before.rates, **rates}, **minutes)
    return None


def _number(ctx: Context, form: Form, name: str) -> float:
    """With a point or an Arabic decimal sign; what is no number is told beside its field."""
    typed = latin_digits(form.values.get(name, "")).strip().replace("٫", ".").replace(",", ".")
    try:
        if len(typed) > 8:
            raise ValueError
        return float(typed)
    except ValueError:
        with form.catch():
            raise Mistake("Please enter a number.", field=name) from None
        return 0.0


def _changed(before: Discipline, after: Discipline) -> dict[str, list[float]]:
    old, new = ({**one.as_json(), **{f"rates.{k}": v for k, v in one.rates.items()}} for one in (before, after))
    return {name: [old.get(name, 0), new[name]] for name in new if name != "rates" and old.get(name) != new[name]}


def _page(ctx: Context, form: Form, discipline: Discipline, *, preview: bool = False, status: int = 200) -> Response:
    centre = setup.centre(ctx.session, ctx.path("centre_id"))
    stored = {**discipline.as_json(), **{f"rates.{name}": rate for name, rate in discipline.rates.items()}}
    shown = {name: _figure(ctx, value) for name, value in stored.items() if name != "rates"}
    return ctx.render(
        "admin/discipline.html",
        status=status,
        centre=centre,
        form=form,
        values=shown | {k: v for k, v in form.values.items() if status == 422},
        classes=[
            (f"rates.{name}", ctx._(words.CLASSES[name]), _sentence(ctx, name, discipline))
            for name in CLASSES
            if name != REGULAR
        ],
        labels=_labels(ctx),
        minutes=MINUTES,
        preview=preview,
        sentences=_rules(ctx, discipline),
        versions=_versions(ctx, centre.id),
        proposals=_proposals(ctx, centre.id),
    )


def _figure(ctx: Context, value: float) -> str:
    """`1.5`, or `١٫٥` with the decimal sign that belongs to its digits."""
    text = digits(f"{value:g}", ctx.lang)
    return text.replace(".", "٫") if ctx.lang == "ar" else text


def _sentence(ctx: Context, name: str, discipline: Discipline) -> str:
    """What a rate means for somebody who waits."""
    ranks_as = EXAMPLE * discipline.rate(name) / discipline.rate(REGULAR)
    return ctx._("After {waited} ranks like a regular visitor after {as_regular}.").format(
        waited=words.minutes(ctx, EXAMPLE), as_regular=words.minutes(ctx, ranks_as)
    )


def _rules(ctx: Context, discipline: Discipline) -> list[str]:
    """The minutes in words."""
    punctual = ctx._(
        "Whoever comes up to {grace} after the appointed time is punctual, and starts with the rank of {head} of "
        "waiting. Later ones rank as if they had come without an appointment."
    )
    absent = ctx._(
        "Absent is who does not come within {minutes} of the call, or after being called again (times: {recalls}); "
        "the old, the sick and the deaf have {patient} and one call more."
    )
    target = ctx._("The centre means to keep every wait under {target}.")

    def said(count: float) -> str:
        return words.minutes(ctx, count)

    return [
        punctual.format(grace=said(discipline.grace_minutes), head=said(discipline.head_start_minutes)),
        absent.format(
            minutes=said(discipline.no_show_minutes),
            recalls=digits(f"{discipline.recalls:g}", ctx.lang),
            patient=said(discipline.no_show_minutes * discipline.patience),
        ),
        target.format(target=said(discipline.target_minutes)),
    ]


def _labels(ctx: Context) -> dict[str, tuple[str, str]]:
    return {
        "grace_minutes": (ctx._("Punctual until"), ctx._("Minutes after the appointed time")),
        "head_start_minutes": (ctx._("Head start of the punctual"), ctx._("Minutes of rank")),
        "recalls": (ctx._("Calls again before somebody is absent"), ""),
        "no_show_minutes": (ctx._("Minutes from the call until somebody is absent"), ""),
        "patience": (ctx._("Patience"), ctx._("So many times longer for the old, the sick and the deaf")),
        "target_minutes": (ctx._("Target for every wait"), ctx._("Minutes; measured, nothing is decided by it")),
    }


def _versions(ctx: Context, centre_id: str) -> list[dict[str, Any]]:
    rows = []
    for row in standing.versions(ctx.session, centre_id)[:12]:
        person = ctx.session.get(Staff, row.set_by)
        rows.append(
            {
                "at": moment(row.valid_from, ctx.lang, ctx.settings.timezone),
                "by": person.name(ctx.lang) if person else "—",
                "differs": _differs(ctx, Discipline.from_json(row.content)),
            }
        )
    return rows


def _proposals(ctx: Context, centre_id: str) -> list[dict[str, Any]]:
    """What managers proposed out of a what-if since the rates were last set, newest first."""
    version = standing.version_at(ctx.session, centre_id, now=ctx.now)
    rows = ctx.session.scalars(
        select(audit.AuditEntry)
        .where(
            audit.AuditEntry.subject_id == centre_id,
            audit.AuditEntry.subject_kind == "centre",
            audit.AuditEntry.action == "propose discipline",
        )
        .order_by(audit.AuditEntry.at.desc())
        .limit(3)
    )
    found = []
    for row in rows:
        if version is not None and row.at < version.set_at:
            break
        person = ctx.session.get(Staff, row.actor_id) if row.actor_id else None
        names = {f"rates.{name}": ctx._(words.CLASSES[name]) for name in CLASSES}
        rules: dict[str, list[float]] = row.detail["rules"]
        (was, would), day = row.detail["p90"], date.fromisoformat(row.detail["day"])
        found.append(
            {
                "by": person.name(ctx.lang) if person else "—",
                "at": moment(row.at, ctx.lang, ctx.settings.timezone),
                "rates": " · ".join(f"{names.get(name, name)} {_figure(ctx, new)}" for name, (_, new) in rules.items()),
                "shown": ctx._("Played on {day}: nine of ten would wait up to {after}; it was {before}.").format(
                    day=full_day(day, ctx.lang), after=words.minutes(ctx, would), before=words.minutes(ctx, was)
                ),
                "query": urlencode({name: f"{new:g}" for name, (_, new) in rules.items()}),
            }
        )
    return found


def _differs(ctx: Context, discipline: Discipline) -> str:
    """Against the product's own values, as the shortest description of a version."""
    names = {f"rates.{name}": ctx._(words.CLASSES[name]) for name in CLASSES}
    names |= {name: label for name, (label, _) in _labels(ctx).items()}
    parts = [
        f"{names[name]} {_figure(ctx, new)}"
        for name, (_, new) in _changed(DEFAULT, discipline).items()
        if name in names
    ]
    return " · ".join(parts) or ctx._("As delivered")
