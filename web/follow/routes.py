"""`/p/{code}`: the address on the receipt and in the texts. It says where a case stands, not whose it is."""

from starlette.responses import Response

from core import audit
from core.language import N_
from queueing.appointments import calendar
from queueing.appointments import states as appointment_states
from reception.petitions import service, states, story
from web.cases.view import show
from web.http import Context, Pages, everyone

pages = Pages()

# The four stations of the way, in the visitor's words, and how far each state has come.
STATIONS = (N_("Received"), N_("With the department"), N_("Being worked on"), N_("Answered"))
STATION = {
    states.RECEIVED: 1,
    states.RETURNED: 1,
    states.ROUTED: 2,
    states.TO_OFFICE: 2,
    states.REOPENED: 2,
    states.ACKNOWLEDGED: 3,
    states.IN_PROGRESS: 3,
    states.WAITING_VISITOR: 3,
    states.ANSWERED: 5,
    states.CLOSED: 5,
}


@pages.get("/p/{code}", audience=everyone)
def follow(ctx: Context) -> Response:
    petition = service.by_follow_code(ctx.session, ctx.path("code"))
    audit.note(ctx.session, "read", "petition", petition.id, now=ctx.now, detail={"at": "follow-up page"})
    steps = story.public_story(ctx.session, petition.id)
    appointment = calendar.current(ctx.session, petition.id)
    if appointment is not None and appointment.state not in appointment_states.AWAITED:
        appointment = None
    response = show(
        ctx,
        "follow/index.html",
        petition=petition,
        stations=[ctx._(station) for station in STATIONS],
        station=STATION[petition.state],
        items=[
            {
                "at": step.at,
                "title": step.say(ctx._, ctx.lang),
                "tone": step.tone,
                "icon": step.icon,
                "key": str(step.number),
            }
            for step in reversed(steps)
        ],
        appointment=appointment,
        due=petition.due_at
        if petition.state not in (*states.SETTLED, states.WAITING_VISITOR, states.RETURNED)
        else None,
        waits_for_you=petition.state in (states.WAITING_VISITOR, states.RETURNED),
        settled=petition.state in states.SETTLED,
    )
    response.headers["x-robots-tag"] = "noindex, nofollow, noarchive"
    return response
