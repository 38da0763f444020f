"""Retention: what is due, legal holds, destruction by two people and its certificate, and the terms."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import Response

from core import audit
from core.errors import MajlisError, NotFound
from core.staff.models import Staff
from core.staff.rules import ADMIN, AIDE, OFFICER, OFFICIAL
from reception.petitions.models import Petition, PetitionType
from recordings.archive import leave
from recordings.archive import service as archive
from recordings.archive.models import Recording
from recordings.retention import certificate, rules, service
from recordings.retention.models import Destruction
from recordings.retention.states import DESTRUCTION, DONE, HOLDS, OPEN
from web.admin.common import tabs, trying
from web.forms import Form
from web.http import Context, Pages, staff
from web.keys import public_keys
from web.library.words import short
from web.retention import removal, words

pages = Pages()
office = staff(AIDE, OFFICIAL)
viewers = staff(OFFICIAL, AIDE, OFFICER)
admins = staff(ADMIN)


@pages.get("/retention", audience=office)
def index(ctx: Context) -> Response:
    """Cases and dates alone: nothing of a recording is opened here."""
    terms = service.years(ctx.session)
    shortest = min([*terms.values(), terms.get(rules.DEFAULT, rules.DEFAULT_YEARS)])
    oldest = service.oldest(ctx.session, before=ctx.now - timedelta(days=365 * shortest - 1))
    found = list(told_all(ctx, oldest).values())
    over = [one for one in found if one["until"] <= ctx.now]
    busy = [(one, told(ctx, archive.get(ctx.session, one.recording_id))) for one in _rows(ctx, OPEN)]
    return ctx.render(
        "retention/index.html",
        due=[one for one in over if not one["held"]],
        kept=[one for one in over if one["held"]],
        busy=busy,
        done=[
            (one, told(ctx, archive.get(ctx.session, one.recording_id))) for one in _rows(ctx, frozenset({DONE}))[:50]
        ],
        states=words.DESTRUCTIONS,
    )


@pages.get("/retention/{recording_id}", audience=office)
def show(ctx: Context) -> Response:
    return _page(ctx, Form(ctx))


@pages.get("/retention/{recording_id}/{verb}", audience=office)
def verb_address(ctx: Context) -> Response:
    """Where a refused form leaves the browser."""
    return ctx.redirect(f"/retention/{archive.get(ctx.session, ctx.path('recording_id')).id}")


@pages.post("/retention/{recording_id}/{verb}", audience=office)
def do(ctx: Context) -> Response:
    """One verb of a hold or a destruction; what is wrong stands on the page."""
    recording = archive.get(ctx.session, ctx.path("recording_id"))
    form, verb = Form(ctx), ctx.path("verb")
    try:
        said = _do(ctx, recording, verb, form)
    except NotFound:
        raise
    except MajlisError as error:
        form.add(getattr(error, "field", None) or "", ctx.say(error))
        return _page(ctx, form, status=422, verb=verb)
    ctx.flash(said)
    return ctx.redirect(f"/retention/{recording.id}")


def _do(ctx: Context, recording: Recording, verb: str, form: Form) -> str:
    session, by, now = ctx.session, ctx.staff.id, ctx.now
    row = service.latest_of(session, recording.id)
    if verb == "hold":
        reason = form.text("reason", max=500)
        service.hold(session, recording.id, reason=reason, by=by, whole_case=form.flag("whole_case"), now=now)
        return ctx._("From now on its destruction is forbidden.")
    if verb in ("ask-to-lift", "lift", "keep"):
        hold = next((h.id for h in service.holds_of(session, recording) if h.id == form.text("hold", max=60)), None)
        if hold is None:
            raise NotFound
        if verb == "ask-to-lift":
            service.ask_to_lift(session, hold, reason=form.text("reason", max=500), by=by, now=now)
            return ctx._("Asked for. The hold is lifted as soon as a second person agrees.")
        if verb == "lift":
            service.lift(session, hold, by=by, now=now)
            return ctx._("The hold is lifted.")
        service.keep(session, hold, by=by, now=now)
        return ctx._("The hold stays.")
    if verb == "propose":
        codes, reason = codes_of(session, recording), form.text("reason", max=500)
        service.propose(session, recording.id, reason=reason, codes=codes, by=by, now=now)
        return ctx._("Proposed. Nothing is destroyed before a second person agrees.")
    if row is None:
        raise NotFound
    if verb == "agree":
        service.agree(session, row.id, codes=codes_of(session, recording), by=by, now=now)
        return ctx._("Agreed. The keys are being destroyed.")
    if verb == "decline":
        service.decline(session, row.id, by=by, now=now)
        return ctx._("It is not destroyed.")
    if verb == "try-again":
        service.try_again(session, row.id, by=by, now=now)
        return ctx._("It is tried once more.")
    raise NotFound


@pages.get("/library/{recording_id}/certificate", audience=viewers)
def show_certificate(ctx: Context) -> Response:
    row, recording = _certified(ctx)
    audit.note(ctx.session, "read", "recording", recording.id, now=ctx.now, detail={"page": "certificate"})
    try:
        fields, holds = certificate.read(row.certificate or "", public_keys(ctx.settings)), True
    except certificate.NoCertificate:
        fields, holds = certificate.glance(row.certificate or ""), False
    return ctx.render(
        "retention/certificate.html",
        row=row,
        recording=recording,
        petition=ctx.session.get(Petition, recording.petition_id),
        fields=fields,
        holds=holds,
        key=short(str(fields.get("key", ""))),
        store=[(one, *words.object_state(one)) for one in removal.as_of_now(ctx.session, row)],
    )


@pages.get("/library/{recording_id}/certificate/file", audience=viewers)
def certificate_file(ctx: Context) -> Response:
    """As it was signed, byte for byte."""
    row, recording = _certified(ctx)
    audit.note(ctx.session, "read", "recording", recording.id, now=ctx.now, detail={"page": "certificate"})
    of_removal = ctx.query.get("of") == "removal"
    if of_removal and row.removal is None:
        raise NotFound
    name = f'attachment; filename="majlis-certificate-{row.id}{"-removal" if of_removal else ""}.txt"'
    headers = {"content-disposition": name, "cache-control": "private, no-store"}
    text = row.removal if of_removal else row.certificate
    return Response(text or "", headers=headers, media_type="text/plain")


@pages.get("/admin/retention", audience=admins)
def terms(ctx: Context) -> Response:
    return _terms(ctx, Form(ctx))


@pages.post("/admin/retention", audience=admins)
def set_term(ctx: Context) -> Response:
    form = Form(ctx)
    code = form.choice("type_code", ["", *(one.code for one in _types(ctx))], required=False)
    years = form.integer("years", low=rules.LEAST_YEARS, high=rules.MOST_YEARS)
    reason_ar, reason_en = form.text("reason_ar", max=300), form.text("reason_en", max=300)
    if not form.errors:
        with trying(ctx, form):
            service.set_term(
                ctx.session, code, years=years, reason_ar=reason_ar, reason_en=reason_en, by=ctx.staff.id, now=ctx.now
            )
            ctx.flash(ctx._("Saved"))
            return ctx.redirect("/admin/retention")
    return _terms(ctx, form, status=422)


@pages.post("/admin/retention/{type_code}/drop", audience=admins)
def drop_term(ctx: Context) -> Response:
    service.drop_term(ctx.session, ctx.path("type_code"), now=ctx.now)
    ctx.flash(ctx._("Recordings of this type are kept as the one above it says."))
    return ctx.redirect("/admin/retention")


def told(ctx: Context, recording: Recording) -> dict[str, Any]:
    """Until when, and whether a hold forbids its end."""
    return {
        "recording": recording,
        "petition": ctx.session.get(Petition, recording.petition_id),
        "until": service.kept_until(ctx.session, recording, codes_of(ctx.session, recording)),
        "held": service.held(ctx.session, recording),
        "destruction": service.latest_of(ctx.session, recording.id),
    }


def told_all(ctx: Context, recordings: list[Recording]) -> dict[str, dict[str, Any]]:
    """`told` for a whole page: a few questions, however many there are."""
    session, years = ctx.session, service.years(ctx.session)
    held = service.held_among(session, recordings)
    latest = service.latest_among(session, [one.id for one in recordings])
    ids = {one.petition_id for one in recordings}
    cases = {one.id: one for one in session.scalars(select(Petition).where(Petition.id.in_(ids)))}
    kinds = {one.id: one for one in session.scalars(select(PetitionType))} if cases else {}
    return {
        one.id: {
            "recording": one,
            "petition": (case := cases.get(one.petition_id)),
            "until": rules.kept_until(one.started_at, rules.years_for(_above(kinds, case), years)),
            "held": one.id in held,
            "destruction": latest.get(one.id),
        }
        for one in recordings
    }


def _above(kinds: dict[str, PetitionType], case: Petition | None) -> list[str]:
    kind, codes = kinds.get(case.type_id) if case else None, []
    while kind is not None and kind.code not in codes:
        codes.append(kind.code)
        kind = kinds.get(kind.parent_id or "")
    return codes


def codes_of(session: Session, recording: Recording) -> list[str]:
    """The type of its case and those above it, the nearest first."""
    petition = session.get(Petition, recording.petition_id)
    kind, codes = (petition.type if petition else None), []
    while kind is not None and kind.code not in codes:
        codes.append(kind.code)
        kind = session.get(PetitionType, kind.parent_id) if kind.parent_id else None
    return codes


def _page(ctx: Context, form: Form, *, status: int = 200, verb: str = "") -> Response:
    recording = archive.get(ctx.session, ctx.path("recording_id"))
    audit.note(ctx.session, "read", "recording", recording.id, now=ctx.now, detail={"page": "retention"})
    one = told(ctx, recording)
    row: Destruction | None = one["destruction"]
    until = one["until"]
    holds = service.holds_of(ctx.session, recording)
    terms_ = service.terms(ctx.session)
    code = next((code for code in [*codes_of(ctx.session, recording), rules.DEFAULT] if code in terms_), None)
    return ctx.render(
        "retention/show.html",
        status=status,
        **{key: value for key, value in one.items() if key != "destruction"},
        views_it=leave.may_view(ctx.session, recording, ctx.staff.id, now=ctx.now),
        term=terms_.get(code) if code is not None else None,
        years=terms_[code].years if code is not None else rules.DEFAULT_YEARS,
        holds=holds,
        standing=[hold for hold in holds if hold.state in HOLDS],
        row=row,
        verbs=set(DESTRUCTION.verbs(row.state)) if row else set(),
        may_propose=(row is None or row.state not in OPEN)
        and recording.state in ("ready", "failed")
        and rules.due(until, held=one["held"], now=ctx.now),
        names=_names(ctx),
        states=words.DESTRUCTIONS,
        hold_states=words.HOLDS,
        form=form,
        verb=verb,
    )


def _terms(ctx: Context, form: Form, *, status: int = 200) -> Response:
    types = _types(ctx)
    return ctx.render(
        "retention/terms.html",
        status=status,
        tab_items=tabs(ctx, "/admin/retention"),
        terms=list(service.terms(ctx.session).values()),
        type_options=[("", ctx._("All other types")), *((one.code, one.name(ctx.lang)) for one in types)],
        type_names={one.code: one.name(ctx.lang) for one in types},
        default_years=rules.DEFAULT_YEARS,
        form=form,
    )


def _types(ctx: Context) -> list[PetitionType]:
    return list(ctx.session.scalars(select(PetitionType).order_by(PetitionType.place, PetitionType.code)))


def _rows(ctx: Context, states: frozenset[str]) -> list[Destruction]:
    return service.in_states(ctx.session, states)


def _names(ctx: Context) -> dict[str, str]:
    return {one.id: one.name(ctx.lang) for one in ctx.session.scalars(select(Staff))}


def _certified(ctx: Context) -> tuple[Destruction, Recording]:
    """For the office, and for those who might view it while it was there."""
    recording = archive.get(ctx.session, ctx.path("recording_id"))
    known = bool(ctx.staff.roles & rules.OFFICE)
    row = service.latest_of(ctx.session, recording.id)
    if not known and not leave.may_view(ctx.session, recording, ctx.staff.id, now=ctx.now):
        raise NotFound
    if row is None or row.certificate is None:
        raise NotFound
    return row, recording
