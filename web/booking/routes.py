"""Two presses while the visitor stands there: one holds the first time that fits and shows it, one books it.

A place is held for a few minutes while it is talked over, and let go when the page is left. What the visitor will
read stands beside it, to the letter.
"""

from dataclasses import dataclass

from starlette.responses import Response

from core import audit
from core.calendar import local_day
from core.errors import MajlisError, Mistake, NotFound, Refused
from core.language import N_
from core.staff.models import Staff
from core.staff.rules import AIDE, HOTLINE, MANAGER, OFFICIAL, RECEPTIONIST
from messaging import service as messages
from messaging.rules import Segments
from queueing.appointments import calendar, service
from queueing.appointments.models import Appointment, Slot
from queueing.appointments.rules import hold_is_over
from queueing.appointments.states import AWAITED, HELD
from reception import access
from reception.centres import service as centres
from reception.notify import appointments as texts
from reception.petitions.models import Petition
from reception.petitions.rules import URGENT
from web.booking import wishes as wished
from web.booking.wishes import Wishes
from web.cases import door
from web.cases.view import show
from web.forms import Form
from web.http import Context, Pages, staff

pages = Pages()
BOOKERS = staff(RECEPTIONIST, MANAGER, HOTLINE, AIDE, OFFICIAL)
SHOWN = 8
TRIES = 5  # times that somebody else may take while we ask for them
NOT_YOURS = N_("Somebody else is arranging this appointment at this moment. Please look again.")


@dataclass(frozen=True, slots=True)
class Offer:
    slot: Slot
    text: Segments  # what the visitor will read


@pages.get("/booking/{petition_id}", audience=BOOKERS)
def index(ctx: Context) -> Response:
    petition = _petition(ctx)
    current = _current(ctx, petition)
    audit.note(ctx.session, "read", "petition", petition.id, now=ctx.now)
    if current is not None and current.state in AWAITED:
        return _booked(ctx, petition, current, Form(ctx))
    return _choice(ctx, petition, wished.read(ctx, petition))


@pages.post("/booking/{petition_id}/first", audience=BOOKERS)
def first(ctx: Context) -> Response:
    """Hold the first time that fits. A hold of one's own is given up for it; somebody else's only if one says so."""
    petition = _bookable(ctx)
    wishes = wished.read(ctx, petition)
    current = _current(ctx, petition)
    if current is not None and current.state in AWAITED:
        return ctx.redirect(_here(petition))
    if current is not None and current.booked_by != ctx.staff.id and not Form(ctx).flag("take_over"):
        return _choice(ctx, petition, wishes, refusal=Refused(NOT_YOURS))
    for slot in wished.soonest(ctx, petition, wishes, limit=TRIES, held=current):
        try:
            with ctx.session.begin_nested():  # what a try has locked is free again for others
                _hold(ctx, petition, slot.id, wishes)  # and lets go what is held already
            break
        except Refused:  # taken in this very moment
            continue
    else:
        if current is not None:
            service.let_go(ctx.session, current.id, now=ctx.now)
    return ctx.redirect(_here(petition, wishes))


@pages.post("/booking/{petition_id}/hold", audience=BOOKERS)
def hold(ctx: Context) -> Response:
    """Hold this one instead, or the same one for some minutes more."""
    petition = _bookable(ctx)
    wishes = wished.read(ctx, petition)
    current = _current(ctx, petition)
    if current is not None and current.state == HELD and current.booked_by != ctx.staff.id:
        return _choice(ctx, petition, wishes, refusal=Refused(NOT_YOURS))
    try:
        _hold(ctx, petition, Form(ctx).text("slot", required=False) or "none", wishes)
    except (Refused, NotFound) as refusal:
        return _choice(ctx, petition, wishes, refusal=refusal)
    return ctx.redirect(_here(petition, wishes))


@pages.post("/booking/{petition_id}/book", audience=BOOKERS)
def book(ctx: Context) -> Response:
    petition = _bookable(ctx)
    held = _of(ctx, petition, Form(ctx).text("appointment", required=False))
    if held.state in AWAITED and held.booked_by == ctx.staff.id:  # pressed twice
        return ctx.redirect(_here(petition))
    try:
        if held.booked_by != ctx.staff.id:
            raise Refused(NOT_YOURS)
        service.confirm(ctx.session, held.id, by=ctx.staff.id, now=ctx.now)
    except Refused as refusal:
        return _choice(ctx, petition, wished.read(ctx, petition), refusal=refusal)
    audit.note(ctx.session, "book appointment", "petition", petition.id, now=ctx.now)
    ctx.flash(ctx._("The appointment is booked and the visitor is being told."))
    return ctx.redirect(_here(petition))


@pages.post("/booking/{petition_id}/release", audience=BOOKERS)
def release(ctx: Context) -> Response:
    """The page was left (its script says so on the way out), or the place is not wanted any more."""
    petition = _petition(ctx)
    held = _of(ctx, petition, Form(ctx).text("appointment", required=False))
    if held.state == HELD and held.booked_by == ctx.staff.id:
        service.let_go(ctx.session, held.id, now=ctx.now)
    return ctx.redirect(f"/hotline/cases/{petition.id}" if HOTLINE in ctx.staff.roles else f"/cases/{petition.id}")


@pages.get("/booking/{petition_id}/move", audience=BOOKERS)
def choose_move(ctx: Context) -> Response:
    petition = _petition(ctx)
    current = _current(ctx, petition)
    if current is None or current.state not in AWAITED:
        return ctx.redirect(_here(petition))
    audit.note(ctx.session, "read", "petition", petition.id, now=ctx.now)
    return _move(ctx, petition, current, Form(ctx))


@pages.post("/booking/{petition_id}/move", audience=BOOKERS)
def move(ctx: Context) -> Response:
    """The old time is given up only if the new one can be had."""
    petition = _bookable(ctx)
    form = Form(ctx)
    old = _of(ctx, petition, form.text("appointment", required=False))
    slot_id = form.text("slot", required=False) or "none"
    reason = form.text("reason", max=300)
    if form.errors:
        return _move(ctx, petition, old, form, status=422)
    try:
        service.reschedule(
            ctx.session,
            old.id,
            slot_id=slot_id,
            by=ctx.staff.id,
            reason=reason,
            urgent=petition.urgency == URGENT,
            now=ctx.now,
        )
    except (Refused, NotFound) as refusal:
        current = _current(ctx, petition)
        if current is None or current.state not in AWAITED:
            ctx.flash(ctx.say(refusal), "wait")
            return ctx.redirect(_here(petition))
        return _move(ctx, petition, current, form, refusal=refusal, status=409)
    audit.note(ctx.session, "move appointment", "petition", petition.id, now=ctx.now)
    ctx.flash(ctx._("The appointment was moved and the visitor is being told."))
    return ctx.redirect(_here(petition))


@pages.post("/booking/{petition_id}/cancel", audience=BOOKERS)
def cancel(ctx: Context) -> Response:
    petition = _petition(ctx)
    form = Form(ctx)
    appointment = _of(ctx, petition, form.text("appointment", required=False))
    reason = form.text("reason", max=300)
    try:
        if form.errors:
            raise Mistake("Say why the appointment is cancelled.", field="reason")
        service.cancel(ctx.session, appointment.id, reason=reason, by=ctx.staff.id, now=ctx.now)
    except Mistake as mistake:
        form.add("reason", ctx.say(mistake))
        return _booked(ctx, petition, appointment, form, status=422)
    except Refused as refusal:  # on the page of another hour
        ctx.flash(ctx.say(refusal), "wait")
        return ctx.redirect(_here(petition))
    audit.note(ctx.session, "cancel appointment", "petition", petition.id, now=ctx.now)
    ctx.flash(ctx._("The appointment is cancelled and the visitor is being told."))
    return ctx.redirect(_here(petition))


@pages.get("/booking/{petition_id}/{verb}", audience=BOOKERS)
def left_behind(ctx: Context) -> Response:
    """Where a refused form leaves the browser: a reload finds the page."""
    petition = _petition(ctx)
    if ctx.path("verb") not in ("first", "hold", "book", "cancel", "release"):
        raise NotFound("There is nothing here.")
    return ctx.redirect(_here(petition))


def _choice(ctx: Context, petition: Petition, wishes: Wishes, *, refusal: MajlisError | None = None) -> Response:
    """The held place, or the first that would be held, and the others; after a refusal nothing typed is lost.

    A page kept from before it was booked leads to the appointment.
    """
    current = _current(ctx, petition)
    if current is not None and current.state in AWAITED:
        if refusal is not None:
            ctx.flash(ctx.say(refusal), "wait")
        return ctx.redirect(_here(petition))
    mine = current if current is not None and current.booked_by == ctx.staff.id else None
    rival = ctx.session.get(Staff, current.booked_by) if current is not None and mine is None else None
    slots = wished.fitting(ctx, petition, wishes, limit=SHOWN + (mine is None), instead_of=mine)
    shown = mine.slot if mine is not None else next(iter(slots), None)
    code = mine.code if mine is not None else ""
    return show(
        ctx,
        "booking/index.html",
        status=409 if refusal else 200,
        petition=petition,
        visitor=petition.visitor,
        wishes=wishes,
        held=mine,
        rival=rival,
        shown=shown,
        text=_text(ctx, petition, mine.slot, code) if mine is not None else None,
        others=[slot for slot in slots if shown is None or slot.id != shown.id],
        first=mine is not None and not any(slot.starts_at < mine.slot.starts_at for slot in slots),
        over="over" in ctx.query and mine is None,
        refusal=ctx.say(refusal) if refusal else "",
        allowed="book" in access.verbs(ctx.session, ctx.staff, petition),
        **_around(ctx),
    )


def _booked(ctx: Context, petition: Petition, appointment: Appointment, form: Form, *, status: int = 200) -> Response:
    about = messages.about(ctx.session, "petition", petition.id)
    return show(
        ctx,
        "booking/booked.html",
        status=status,
        petition=petition,
        visitor=petition.visitor,
        appointment=appointment,
        texts=[text for text in about if text.template.startswith("appointment")][:3],
        form=form,
        **_around(ctx),
    )


def _move(
    ctx: Context,
    petition: Petition,
    old: Appointment,
    form: Form,
    *,
    refusal: MajlisError | None = None,
    status: int = 200,
) -> Response:
    wishes = wished.read(ctx, petition, old)
    offers = [
        Offer(slot, _text(ctx, petition, slot, old.code, moved=True))
        for slot in wished.fitting(ctx, petition, wishes, limit=SHOWN, instead_of=old)
    ]
    asked = form.values.get("slot", "") if refusal is None else ""
    return show(
        ctx,
        "booking/move.html",
        status=status,
        petition=petition,
        visitor=petition.visitor,
        old=old,
        wishes=wishes,
        offers=offers,
        chosen=next((o for o in offers if o.slot.id == asked), offers[0] if offers else None),
        refusal=ctx.say(refusal) if refusal else "",
        form=form,
        **_around(ctx),
    )


def _around(ctx: Context) -> dict[str, object]:
    """What every page of the booking knows of the ministry."""
    places = centres.centres(ctx.session)
    return {
        "centre_of": {place.id: place for place in places},
        "hall_options": [("", ctx._("any hall"))]
        + [(place.id, place.name(ctx.lang)) for place in places if place.video_hall],
        "part_options": [("", ctx._("any time")), ("morning", ctx._("morning")), ("afternoon", ctx._("afternoon"))],
        "today": local_day(ctx.now, ctx.settings.timezone),
        "hotline": HOTLINE in ctx.staff.roles,
    }


def _text(ctx: Context, petition: Petition, slot: Slot, code: str, *, moved: bool = False) -> Segments:
    template = texts.MOVED if moved else ""
    return texts.preview(slot, code=code, language=petition.visitor.language, settings=ctx.settings, template=template)


def _hold(ctx: Context, petition: Petition, slot_id: str, wishes: Wishes) -> Appointment:
    return service.hold(
        ctx.session,
        slot_id=slot_id,
        visitor_id=petition.visitor_id,
        petition_id=petition.id,
        by=ctx.staff.id,
        needs_interpreter=wishes.signs,
        urgent=petition.urgency == URGENT,
        now=ctx.now,
    )


def _petition(ctx: Context) -> Petition:
    return door.case_of(ctx, ctx.path("petition_id"))


def _bookable(ctx: Context) -> Petition:
    return door.require(ctx, ctx.path("petition_id"), "book")


def _current(ctx: Context, petition: Petition) -> Appointment | None:
    """What the petition has: an overdue hold counts as none, swept or not."""
    found = calendar.current(ctx.session, petition.id)
    return None if found is not None and hold_is_over(found.held_until, now=ctx.now) else found


def _of(ctx: Context, petition: Petition, appointment_id: str) -> Appointment:
    """Raises NotFound for another petition's appointment."""
    found = calendar.appointment_of(ctx.session, appointment_id or "none")
    if found.petition_id != petition.id:
        raise NotFound("There is no such appointment.")
    return found


def _here(petition: Petition, wishes: Wishes | None = None) -> str:
    return f"/booking/{petition.id}" + (f"?{wishes.query}" if wishes else "")
