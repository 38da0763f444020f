"""Putting an appointment down at another time of the week. The old time is given up only if the new one can be had."""

from starlette.responses import Response

from core import audit
from core.calendar import moment
from core.errors import NotFound, Refused
from core.staff.rules import AIDE, OFFICIAL
from queueing.appointments import calendar, service
from reception import access
from reception.petitions.rules import URGENT
from web.forms import Form
from web.http import Context, Pages, staff
from web.office.carrying import appointment_for
from web.office.week import page, week_of

pages = Pages()
office = staff(AIDE, OFFICIAL)


@pages.get("/office/calendar/move", audience=office)
def left_behind(ctx: Context) -> Response:
    """Where a refused form leaves the browser: a reload and the live refresh find the calendar."""
    return ctx.redirect("/office/calendar")


@pages.post("/office/calendar/move", audience=office)
def move(ctx: Context) -> Response:
    """Move, or put back what was just moved. A refusal shows the week as it is, and says why in plain words."""
    form = Form(ctx)
    old = appointment_for(ctx, form.text("appointment", required=False) or "none")
    petition = access.petition_for(ctx.session, ctx.staff, old.petition_id)
    slot_id = form.text("slot", required=False) or "none"
    try:
        if AIDE not in ctx.staff.roles and calendar.slot_of(ctx.session, slot_id).official_id != ctx.staff.id:
            raise NotFound("There is no such slot.")
        new = service.reschedule(
            ctx.session,
            old.id,
            slot_id=slot_id,
            by=ctx.staff.id,
            reason=form.text("reason", required=False, max=300),
            urgent=petition.urgency == URGENT,
            now=ctx.now,
        )
    except (Refused, NotFound) as refusal:
        return page(ctx, Form(ctx), refusal=ctx.say(refusal), status=409)
    audit.note(ctx.session, "move appointment", "petition", petition.id, now=ctx.now)
    when = moment(new.slot.starts_at, ctx.lang, ctx.settings.timezone)
    ctx.flash(ctx._("Moved to {when}. The visitor is being told.").format(when=when))
    back = "" if form.flag("undo") else f"&moved={new.id}"
    official = form.text("official", required=False, max=40)
    return ctx.redirect(
        f"/office/calendar?week={week_of(ctx, new.slot.starts_at)}{back}"
        + (f"&official={official}" if official else "")
    )
