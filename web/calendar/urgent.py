"""A place for an urgent case, found by the written rule and shown with whom it would move before it is done."""

from datetime import timedelta

from starlette.responses import Response

from core import audit
from core.calendar import local_day
from core.errors import MajlisError
from core.staff.rules import AIDE, OFFICIAL
from queueing.appointments import calendar
from queueing.appointments.rules import AUDIENCE, KINDS, VIDEO
from queueing.appointments.states import HELD
from queueing.appointments.urgent import Room, Wish
from reception import access
from reception.centres import service as centres
from reception.petitions.models import Petition
from reception.rearranging import urgent
from web.forms import Form
from web.http import Context, Pages, staff
from web.office.engagements import engagements, officials

pages = Pages()
office = staff(AIDE, OFFICIAL)
PAGE = "/office/urgent"


@pages.get(PAGE, audience=office)
def show(ctx: Context) -> Response:
    petition = access.petition_for(ctx.session, ctx.staff, ctx.query.get("petition", ""))
    current = calendar.current(ctx.session, petition.id)
    if current is not None and current.state != HELD:
        return ctx.redirect(f"/office/appointments/{current.id}")
    audit.note(ctx.session, "read", "petition", petition.id, now=ctx.now)
    return _page(ctx, petition, Form(ctx))


@pages.post(PAGE, audience=office)
def place(ctx: Context) -> Response:
    form = Form(ctx)
    petition = access.petition_for(ctx.session, ctx.staff, form.text("petition", required=False))
    current = calendar.current(ctx.session, petition.id)
    if current is not None and current.state != HELD:  # pressed twice, or placed by somebody else meanwhile
        ctx.flash(ctx._("This petition has an appointment already. Move it instead of booking a second one."), "wait")
        return ctx.redirect(f"/office/appointments/{current.id}")
    reason = form.text("reason", max=300)
    if form.errors:
        return _page(ctx, petition, form, status=422)
    try:
        with form.catch():
            appointment = urgent.place(
                ctx.session, _wish(ctx, petition), mark=form.text("mark", required=False, max=64), by=ctx.staff.id,
                reason=reason, now=ctx.now,
            )  # fmt: skip
            ctx.flash(ctx._("The urgent case has its appointment. Everybody concerned is being told."))
            return ctx.redirect(f"/office/appointments/{appointment.id}")
    except MajlisError as error:
        return _page(ctx, petition, form, refusal=ctx.say(error), status=409)
    return _page(ctx, petition, form, status=422)


def _page(ctx: Context, petition: Petition, form: Form, *, refusal: str = "", status: int = 200) -> Response:
    wish = _wish(ctx, petition)
    room: Room | None = None
    try:
        room = urgent.find(ctx.session, wish, now=ctx.now)
    except MajlisError as error:
        refusal = refusal or ctx.say(error)
    (leaver,) = engagements(ctx.session, [room.leaver]) if room and room.leaver else (None,)
    places = centres.centres(ctx.session)
    return ctx.render(
        "calendar/urgent.html",
        status=status,
        petition=petition,
        wish=wish,
        last_day=local_day(wish.until - timedelta(seconds=1), ctx.settings.timezone),
        room=room,
        leaver=leaver,
        form=form,
        refusal=refusal,
        centre_of={row.id: row for row in places},
        hall_options=[(row.id, row.name(ctx.lang)) for row in places if row.video_hall],
        official_options=[(person.id, person.name(ctx.lang)) for person in officials(ctx.session)],
        official_of={person.id: person for person in officials(ctx.session)},
    )


def _wish(ctx: Context, petition: Petition) -> Wish:
    """As asked; at first a video meeting in the visitor's own centre."""
    asked = ctx.query if ctx.request.method == "GET" else {key: str(value) for key, value in ctx.form.items()}
    people = [person.id for person in officials(ctx.session)]
    own = [ctx.staff.id] if OFFICIAL in ctx.staff.roles else []
    official_id = asked.get("official", "")
    halls = [row.id for row in centres.centres(ctx.session) if row.video_hall]
    centre_id = asked.get("centre", "") or petition.centre_id
    return urgent.wish(
        ctx.session,
        petition,
        kind=asked.get("kind", "") if asked.get("kind") in KINDS else (VIDEO if halls else AUDIENCE),
        official_id=official_id if official_id in people else next(iter([*own, *people]), ""),
        centre_id=centre_id if centre_id in halls else next(iter(halls), None),
        zone=ctx.settings.timezone,
        now=ctx.now,
    )
