from datetime import timedelta

from starlette.responses import Response

from core.calendar import local_day
from core.staff.rules import ADMIN, AIDE, MANAGER, OFFICIAL
from reception.centres import service as centres
from video.access import meeting_with_quality
from video.meetings import rules, service
from web.disk import room
from web.http import Context, Pages, staff
from web.keys import key_lost
from web.quality import chart, view, words

pages = Pages()
lookers = staff(AIDE, OFFICIAL, ADMIN, MANAGER)
DAYS = (7, 30, 84)
PAGE = 40


@pages.get("/quality", audience=lookers)
def index(ctx: Context) -> Response:
    zone, today = ctx.settings.timezone, local_day(ctx.now, ctx.settings.timezone)
    days = next((n for n in DAYS if ctx.query.get("days") == str(n)), DAYS[1])
    rows = view.held(ctx.session, ctx.staff, ctx.now - timedelta(weeks=view.WEEKS), ctx.now + timedelta(days=1))
    places = {place.id: place for place in centres.centres(ctx.session)}
    seen = [place for place in places if any(row.meeting.centre_id == place for row in rows)]
    centre = ctx.query.get("centre", "") if ctx.query.get("centre") in seen else ""
    level = ctx.query.get("level", "") if ctx.query.get("level") in rules.LEVELS else ""
    recent = [row for row in rows if row.meeting.live_at and row.meeting.live_at > ctx.now - timedelta(days=days)]
    recent = [row for row in recent if not centre or row.meeting.centre_id == centre]
    counts = {one: sum(row.level == one for row in recent) for one in rules.LEVELS}
    shown = [row for row in recent if not level or row.level == level]
    page = min(_page(ctx), max(1, -(-len(shown) // PAGE)))
    return ctx.render(
        "quality/index.html",
        rows=shown[(page - 1) * PAGE : page * PAGE],
        found=len(shown),
        counts=counts,
        measured=sum(counts.values()),
        courses=view.courses(rows, [centre] if centre else seen, today=today, zone=zone),
        places=places,
        centre=centre,
        days=days,
        level=level,
        page=page,
        pages=-(-len(shown) // PAGE),
        centre_options=[("", ctx._("All centres")), *((one, places[one].name(ctx.lang)) for one in seen)],
        day_options=[(str(n), words.period(ctx, n)) for n in DAYS],
        level_options=[("", ctx._("All")), *((one, ctx._(words.LEVELS[one])) for one in rules.LEVELS)],
        stacked=chart.stacked,
        words=words,
        disk=room(ctx.settings, ctx.session, now=ctx.now),
        key_lost=key_lost(ctx.settings),
    )


@pages.get("/quality/meetings/{meeting_id}", audience=lookers)
def show(ctx: Context) -> Response:
    meeting = meeting_with_quality(ctx.session, ctx.staff, ctx.path("meeting_id"))
    row = view.fared(meeting, service.quality_of(ctx.session, meeting.id))
    return ctx.render(
        "quality/meeting.html",
        row=row,
        meeting=meeting,
        lanes=chart.lanes(row.people),
        bar=chart.BAR,
        place={place.id: place for place in centres.centres(ctx.session)}.get(meeting.centre_id),
        appointment=_appointment(ctx, meeting.appointment_id, meeting.official_id),
        words=words,
    )


def _appointment(ctx: Context, appointment_id: str, official_id: str) -> str:
    """Where the office finds who met; nothing for those who look after lines only."""
    own = OFFICIAL in ctx.staff.roles and official_id == ctx.staff.id
    return f"/office/appointments/{appointment_id}" if own or AIDE in ctx.staff.roles else ""


def _page(ctx: Context) -> int:
    asked = ctx.query.get("page", "1")
    return max(int(asked), 1) if asked.isascii() and asked.isdigit() and len(asked) < 7 else 1
