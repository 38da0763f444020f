"""One appointment: what was agreed, what the visitor was told, and what may still be done with it."""

from starlette.responses import Response

from core import audit
from core.errors import Refused
from core.staff.rules import AIDE, OFFICIAL
from messaging import service as messages
from queueing.appointments import calendar, service
from queueing.appointments.models import Appointment
from queueing.appointments.states import APPOINTMENT, AWAITED
from video.meetings import service as meetings
from web.forms import Form
from web.http import Context, Pages, staff
from web.office.carrying import appointment_for, stands_now
from web.office.engagements import engagements
from web.quality import words
from web.quality.view import fared

pages = Pages()
office = staff(AIDE, OFFICIAL)


@pages.get("/office/appointments/{appointment_id}", audience=office)
def show(ctx: Context) -> Response:
    return _page(ctx, _mine(ctx), Form(ctx))


@pages.get("/office/appointments/{appointment_id}/cancel", audience=office)
def cancel_address(ctx: Context) -> Response:
    """Where a refused form leaves the browser: a reload and the live refresh find the appointment."""
    return ctx.redirect(f"/office/appointments/{_mine(ctx).id}")


@pages.post("/office/appointments/{appointment_id}/cancel", audience=office)
def cancel(ctx: Context) -> Response:
    appointment, form = _mine(ctx), Form(ctx)
    reason = form.text("reason", max=300)
    if form.errors:
        return _page(ctx, appointment, form, status=422)
    try:
        service.cancel(ctx.session, appointment.id, reason=reason, by=ctx.staff.id, now=ctx.now)
    except Refused as refusal:  # on the page of another hour
        ctx.flash(ctx.say(refusal), "wait")
        return ctx.redirect(stands_now(ctx, appointment))
    audit.note(ctx.session, "cancel appointment", "petition", appointment.petition_id, now=ctx.now)
    ctx.flash(ctx._("The appointment is cancelled and the visitor is being told."))
    return ctx.redirect(f"/office/appointments/{appointment.id}")


@pages.post("/office/appointments/{appointment_id}/arrived", audience=office)
def arrived(ctx: Context) -> Response:
    service.check_in(ctx.session, _mine(ctx).id, now=ctx.now)
    return ctx.redirect(_back(ctx))


@pages.post("/office/appointments/{appointment_id}/met", audience=office)
def met(ctx: Context) -> Response:
    service.mark_met(ctx.session, _mine(ctx).id, now=ctx.now)
    return ctx.redirect(_back(ctx))


@pages.post("/office/appointments/{appointment_id}/missed", audience=office)
def missed(ctx: Context) -> Response:
    service.mark_missed(ctx.session, _mine(ctx).id, now=ctx.now)
    return ctx.redirect(_back(ctx))


def _page(ctx: Context, appointment: Appointment, form: Form, *, status: int = 200) -> Response:
    (row,) = engagements(ctx.session, [appointment])
    audit.note(ctx.session, "read", "petition", appointment.petition_id, now=ctx.now)
    all_of_them = calendar.of_petition(ctx.session, appointment.petition_id)
    return ctx.render(
        "office/appointment.html",
        status=status,
        row=row,
        appointment=appointment,
        awaited=appointment.state in AWAITED,
        verbs=set(APPOINTMENT.verbs(appointment.state)),
        begun=appointment.slot.starts_at <= ctx.now,
        texts=messages.about(ctx.session, "petition", appointment.petition_id)[:6],
        fared=fared(row.meeting, meetings.quality_of(ctx.session, row.meeting.id)) if row.meeting else None,
        words=words,
        history=[other for other in all_of_them if other.id != appointment.id and not other.for_earlier],
        form=form,
    )


def _mine(ctx: Context) -> Appointment:
    return appointment_for(ctx, ctx.path("appointment_id"))


def _back(ctx: Context) -> str:
    return "/office" if ctx.form.get("back") == "today" else f"/office/appointments/{ctx.path('appointment_id')}"
