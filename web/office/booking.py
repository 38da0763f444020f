"""Giving a petition its appointment, or another one: the first fitting slot is chosen already, the text is shown."""

from dataclasses import dataclass
from datetime import date

from starlette.responses import Response

from core import audit
from core.calendar import day_bounds, local_day, within_tables
from core.errors import MajlisError, NotFound, Refused
from core.staff.rules import AIDE, OFFICIAL
from messaging.rules import Segments
from queueing.appointments import calendar, service
from queueing.appointments.models import Appointment, Slot
from queueing.appointments.rules import KINDS
from queueing.appointments.states import AWAITED, HELD
from reception import access
from reception.centres import service as centres
from reception.notify import appointments as texts
from reception.petitions.models import Petition
from reception.petitions.rules import URGENT
from web.forms import Form
from web.http import Context, Pages, staff
from web.office.carrying import appointment_for, stands_now
from web.office.engagements import officials, whose

pages = Pages()
office = staff(AIDE, OFFICIAL)

SHOWN = 9


@dataclass(frozen=True, slots=True)
class Offer:
    slot: Slot
    text: Segments  # what the visitor will read


@dataclass(frozen=True, slots=True)
class Wishes:
    kind: str
    centre_id: str
    official_id: str
    signs: bool
    since: date | None = None  # not before this day


@pages.get("/office/book", audience=office)
def choose(ctx: Context) -> Response:
    petition = access.petition_for(ctx.session, ctx.staff, ctx.query.get("petition", ""))
    current = calendar.current(ctx.session, petition.id)
    if current is not None and current.state != "held":
        return ctx.redirect(f"/office/appointments/{current.id}")
    audit.note(ctx.session, "read", "petition", petition.id, now=ctx.now)
    return _page(ctx, petition, None)


@pages.post("/office/book", audience=office)
def book(ctx: Context) -> Response:
    form = Form(ctx)
    petition = access.petition_for(ctx.session, ctx.staff, form.text("petition"))
    try:
        appointment = service.book(
            ctx.session,
            slot_id=form.text("slot", required=False) or "none",
            visitor_id=petition.visitor_id,
            petition_id=petition.id,
            by=ctx.staff.id,
            needs_interpreter=form.flag("signs"),
            urgent=petition.urgency == URGENT,
            code=form.text("code", required=False),
            now=ctx.now,
        )
    except (Refused, NotFound) as refusal:
        current = calendar.current(ctx.session, petition.id)
        if current is not None and current.state != HELD:  # booked already: by another page, or before one went back
            ctx.flash(ctx.say(refusal), "wait")
            return ctx.redirect(f"/office/appointments/{current.id}")
        return _page(ctx, petition, None, refusal=refusal)
    audit.note(ctx.session, "book appointment", "petition", petition.id, now=ctx.now)
    ctx.flash(ctx._("The appointment is booked and the visitor is being told."))
    return ctx.redirect(f"/office/appointments/{appointment.id}")


@pages.get("/office/appointments/{appointment_id}/move", audience=office)
def choose_move(ctx: Context) -> Response:
    old = appointment_for(ctx, ctx.path("appointment_id"))
    petition = access.petition_for(ctx.session, ctx.staff, old.petition_id)
    return _page(ctx, petition, old) if old.state in AWAITED else ctx.redirect(stands_now(ctx, old))


@pages.post("/office/appointments/{appointment_id}/move", audience=office)
def move(ctx: Context) -> Response:
    form = Form(ctx)
    old = appointment_for(ctx, ctx.path("appointment_id"))
    petition = access.petition_for(ctx.session, ctx.staff, old.petition_id)
    try:
        new = service.reschedule(
            ctx.session,
            old.id,
            slot_id=form.text("slot", required=False) or "none",
            by=ctx.staff.id,
            reason=form.text("reason", required=False, max=300),
            urgent=petition.urgency == URGENT,
            now=ctx.now,
        )
    except (Refused, NotFound) as refusal:
        if old.state not in AWAITED:  # on the page of another hour
            ctx.flash(ctx.say(refusal), "wait")
            return ctx.redirect(stands_now(ctx, old))
        return _page(ctx, petition, old, refusal=refusal)
    audit.note(ctx.session, "move appointment", "petition", petition.id, now=ctx.now)
    ctx.flash(ctx._("The appointment was moved and the visitor is being told."))
    return ctx.redirect(f"/office/appointments/{new.id}")


def _page(ctx: Context, petition: Petition, old: Appointment | None, *, refusal: MajlisError | None = None) -> Response:
    """The choice of slots. After a refusal the next free one stands chosen, and nothing typed is lost."""
    visitor = petition.visitor
    wishes = _wishes(ctx, petition, old)
    slots = service.open_slots(
        ctx.session,
        now=ctx.now,
        kind=wishes.kind or None,
        centre_id=wishes.centre_id or None,
        official_id=wishes.official_id or None,
        needs_interpreter=wishes.signs,
        urgent=petition.urgency == URGENT,
        visitor_id=None if old else visitor.id,
        since=day_bounds(wishes.since, ctx.settings.timezone)[0] if wishes.since else None,
        limit=SHOWN + 1,
    )
    slots = [slot for slot in slots if not old or slot.id != old.slot_id][:SHOWN]
    slots = _with_asked_for(ctx, slots, refusal)
    code = old.code if old else _code(ctx)
    offers = [Offer(slot, _text(ctx, slot, code, visitor.language, moved=old is not None)) for slot in slots]
    chosen = ctx.query.get("slot") if refusal is None else None
    places, people = centres.centres(ctx.session), officials(ctx.session)
    return ctx.render(
        "office/book.html",
        status=409 if refusal else 200,
        petition=petition,
        visitor=visitor,
        old=old,
        wishes=wishes,
        offers=offers,
        chosen=next((o for o in offers if o.slot.id == chosen), offers[0] if offers else None),
        code=code,
        refusal=ctx.say(refusal) if refusal else "",
        centre_of={centre.id: centre for centre in places},
        hall_options=[
            ("", ctx._("any hall")),
            *((place.id, place.name(ctx.lang)) for place in places if place.video_hall),
        ],
        officials=people,
        official_options=[("", ctx._("any official")), *((person.id, person.name(ctx.lang)) for person in people)],
        today=local_day(ctx.now, ctx.settings.timezone),
        urgent=petition.urgency == URGENT,
        reason=str(ctx.form.get("reason") or ""),
    )


def _wishes(ctx: Context, petition: Petition, old: Appointment | None) -> Wishes:
    """What is looked for: as asked; at first the visitor's own centre, and an interpreter for who signs."""
    asked = ctx.query if ctx.request.method == "GET" else {key: str(value) for key, value in ctx.form.items()}
    if "filtered" in asked:
        return Wishes(
            kind=asked.get("kind", "") if asked.get("kind") in KINDS else "",
            centre_id=asked.get("centre", ""),
            official_id=asked.get("official", ""),
            signs=asked.get("signs", "") not in ("", "0"),
            since=_day(asked.get("since", "")),
        )
    if old is not None:
        return Wishes(old.slot.kind, old.slot.centre_id or "", old.slot.official_id, old.needs_interpreter)
    return Wishes("", petition.centre_id, whose(ctx) or "", petition.visitor.sign_language)


def _day(text: str) -> date | None:
    try:
        return within_tables(date.fromisoformat(text))
    except ValueError:
        return None


def _with_asked_for(ctx: Context, slots: list[Slot], refusal: MajlisError | None) -> list[Slot]:
    """The slot that the calendar sent us with stands first, wherever in time it lies."""
    wanted = ctx.query.get("slot", "")
    if refusal or not wanted or any(slot.id == wanted for slot in slots):
        return slots
    slot = calendar.slot_of(ctx.session, wanted)
    return sorted([slot, *slots], key=lambda row: row.starts_at) if slot.taken < slot.capacity else slots


def _text(ctx: Context, slot: Slot, code: str, language: str, *, moved: bool) -> Segments:
    template = texts.MOVED if moved else ""
    return texts.preview(slot, code=code, language=language, settings=ctx.settings, template=template)


def _code(ctx: Context) -> str:
    return str(ctx.form.get("code") or "") or ctx.query.get("code", "") or service.propose_code()
