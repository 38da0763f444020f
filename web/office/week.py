"""The calendar: a week of slots, the load of each day, one slot in hand at the side, and new sessions."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from starlette.responses import Response

from core.calendar import LAST_DAY, TABLES_SINCE, day_bounds, digits, local_day
from core.errors import MajlisError, NotFound
from core.staff.models import Staff
from core.staff.rules import AIDE, OFFICIAL
from core.workdays import service as workdays
from queueing.appointments import calendar
from queueing.appointments.models import Slot
from queueing.appointments.rules import AUDIENCE, KINDS, VIDEO
from queueing.appointments.states import KEPT, MISSED, OPEN
from reception.centres import service as centres
from reception.centres.models import Centre
from reception.petitions.models import Petition
from web.calendar.holidays import office_tabs
from web.forms import Form
from web.http import Context, Pages, staff
from web.office import carrying, waiting
from web.office.engagements import Engagement, engagements, officials, whose
from web.office.today import page_number

pages = Pages()
office = staff(AIDE, OFFICIAL)

LENGTHS = (10, 15, 20, 30, 45, 60)  # minutes
PAUSES = (5, 10, 15)
REPEATS = (4, 8, 12)  # weeks
SESSION_GAP = timedelta(minutes=30)
AT_HAND = 6  # petitions beside a chosen time
WEEK = timedelta(days=6)  # from its first day to its last
PLACE_AR, PLACE_EN = "مجلس الوزير، ديوان الوزارة", "Minister's hall, Ministry"


@dataclass(frozen=True, slots=True)
class Cell:
    """A slot as the calendar shows it. `look`: free, reserved, taken, blocked (by an overlapping one), closed, past."""

    slot: Slot
    visits: list[Engagement]
    look: str


@dataclass(frozen=True, slots=True)
class Session:
    """Slots of one kind, place and official that follow each other: what the office calls a session."""

    cells: list[Cell]

    @property
    def first(self) -> Slot:
        return self.cells[0].slot

    @property
    def last(self) -> Slot:
        return self.cells[-1].slot


@dataclass(frozen=True, slots=True)
class Day:
    day: date
    sessions: list[Session]
    load: calendar.Load


@pages.get("/office/calendar", audience=office)
def week(ctx: Context) -> Response:
    return page(ctx, Form(ctx))


@pages.get("/office/calendar/sessions", audience=office)
def sessions_address(ctx: Context) -> Response:
    """Where a refused form leaves the browser: a reload and the live refresh find the calendar."""
    return ctx.redirect("/office/calendar")


@pages.post("/office/calendar/sessions", audience=office)
def add_session(ctx: Context) -> Response:
    """Add a session, and the same one in the following weeks if wished; all of it or nothing."""
    form = Form(ctx)
    wishes = _read_session(ctx, form)
    if form.errors:
        return _week(ctx, _sunday(local_day(ctx.now, ctx.settings.timezone)), form, status=422)
    weeks = wishes.pop("weeks")
    day: date = wishes["day"]
    slots: list[Slot] = []
    try:
        for n in range(weeks):
            chosen = wishes | {"day": day + timedelta(weeks=n)}
            slots += calendar.add_session(ctx.session, **chosen, zone=ctx.settings.timezone, now=ctx.now)
    except MajlisError as error:
        form.add(getattr(error, "field", None) or "start", ctx.say(error))
        return _week(ctx, _sunday(day), form, status=422)
    said = ctx.ngettext("{n} slot was added.", "{n} slots were added.", len(slots))
    ctx.flash(said.format(n=digits(len(slots), ctx.lang)))
    return ctx.redirect(f"/office/calendar?week={_sunday(day)}&slot={slots[0].id}")


@pages.post("/office/slots/{slot_id}/close", audience=office)
def close(ctx: Context) -> Response:
    slot = calendar.close_slot(ctx.session, _mine(ctx).id, now=ctx.now)
    ctx.flash(ctx._("This time is no longer offered."))
    return ctx.redirect(_where(ctx, slot))


@pages.post("/office/slots/{slot_id}/reopen", audience=office)
def reopen(ctx: Context) -> Response:
    slot = calendar.reopen_slot(ctx.session, _mine(ctx).id, now=ctx.now)
    ctx.flash(ctx._("This time is offered again."))
    return ctx.redirect(_where(ctx, slot))


def page(ctx: Context, form: Form, *, refusal: str = "", status: int = 200) -> Response:
    """The week that the address or the form names."""
    return _week(ctx, _first_day(ctx), form, refusal=refusal, status=status)


def week_of(ctx: Context, at: datetime) -> date:
    return _sunday(local_day(at, ctx.settings.timezone))


def _week(ctx: Context, first: date, form: Form, *, refusal: str = "", status: int = 200) -> Response:
    zone = ctx.settings.timezone
    days = [first + timedelta(days=n) for n in range(7)]
    start, end = day_bounds(days[0], zone)[0], day_bounds(days[-1], zone)[1]
    official_id = whose(ctx)
    slots = calendar.slots_between(ctx.session, start, end)
    visits: dict[str, list[Engagement]] = {}
    for row in engagements(ctx.session, calendar.between(ctx.session, start, end, states=("held", *KEPT, MISSED))):
        visits.setdefault(row.slot.id, []).append(row)
    load = calendar.load(ctx.session, days, zone=zone, official_id=official_id)
    work = workdays.calendar_for(ctx.session, zone=zone)
    shown: list[Day] = []
    by_id: dict[str, Cell] = {}
    for day in days:
        of_day = [slot for slot in slots if local_day(slot.starts_at, zone) == day]
        cells = [
            Cell(slot, visits.get(slot.id, []), look(slot, of_day, now=ctx.now))
            for slot in of_day
            if official_id in (None, slot.official_id)
        ]
        if cells or work.weekly(day).get(str(day.weekday())):
            shown.append(Day(day, sessions(cells), load[day]))
            by_id |= {cell.slot.id: cell for cell in cells}
    chosen = by_id.get(ctx.query.get("slot", ""))
    carry = carrying.carried(ctx, start, end, {slot_id: cell.look for slot_id, cell in by_id.items()})
    lost = "move" in ctx.query and carry is None  # another page has moved it, or it has been met or cancelled
    people = officials(ctx.session)
    candidates, among, among_pages = _candidates(ctx, chosen)
    at = proposed(days, now=ctx.now.astimezone(ZoneInfo(zone)))
    halls = [centre for centre in centres.centres(ctx.session) if centre.video_hall]
    return ctx.render(
        "office/week.html",
        status=status,
        days=shown,
        holidays={day: holiday.name(ctx.lang) for day in days if (holiday := work.holiday(day))},
        tabs=office_tabs(ctx, "/office/calendar"),
        first=first,
        proposed=at,
        today=local_day(ctx.now, zone),
        earlier=first - timedelta(weeks=1),
        later=first + timedelta(weeks=1),
        carry=carry,
        moved=carrying.moved(ctx),
        lost=lost,
        refusal=refusal or (carry.refused if carry else "") or (ctx._(carrying.LOST) if lost else ""),
        asked=_asked(first, ctx.query.get("official", "")),
        chosen=chosen,
        candidates=candidates,
        among=among,
        among_pages=among_pages,
        officials=people if OFFICIAL not in ctx.staff.roles else [ctx.staff],
        official_id=official_id,
        official_tabs=_tabs(ctx, people, first, official_id),
        official_of={person.id: person for person in people},
        centre_of={centre.id: centre for centre in centres.centres(ctx.session)},
        hall_options=[(centre.id, centre.name(ctx.lang)) for centre in halls],
        official_options=[(person.id, person.name(ctx.lang)) for person in people],
        length_options=[(n, _minutes(ctx, n)) for n in LENGTHS],
        pause_options=[(0, ctx._("no pause")), *((n, _minutes(ctx, n)) for n in PAUSES)],
        week_options=[(1, ctx._("only this day")), *((n, _weeks(ctx, n)) for n in REPEATS)],
        form=form,
        place_ar=PLACE_AR,
        place_en=PLACE_EN,
    )


def _asked(first: date, official_id: str) -> str:
    """This week's own address, to which others add what they want."""
    return f"/office/calendar?week={first}" + (f"&official={quote(official_id)}" if official_id else "")


def _tabs(ctx: Context, people: list[Staff], first: date, official_id: str | None) -> list[dict[str, object]]:
    here = f"/office/calendar?week={first}"
    every = {"href": here, "label": ctx._("All officials"), "current": official_id is None}
    return [every] + [
        {"href": f"{here}&official={person.id}", "label": person.name(ctx.lang), "current": person.id == official_id}
        for person in people
    ]


def look(slot: Slot, others: list[Slot], *, now: datetime) -> str:
    """How a slot stands. Blocked: its official or its hall is given to an overlapping slot."""
    if slot.taken >= slot.capacity:
        return "taken"
    if slot.state != OPEN:
        return "closed"
    if slot.starts_at <= now:
        return "past"
    for other in others:
        if other.id == slot.id or not other.taken:
            continue
        shares = other.official_id == slot.official_id or (
            slot.kind == other.kind == VIDEO and slot.centre_id == other.centre_id
        )
        if shares and other.starts_at < slot.ends_at and slot.starts_at < other.ends_at:
            return "blocked"
    return "reserved" if slot.reserved_urgent else "free"


def proposed(days: list[date], *, now: datetime) -> tuple[date, time, time]:
    """Day, begin and end that the form for a session offers: two hours from ten o'clock, and never what has begun.

    `now` is local. Today from the next full hour on; late in the evening nothing of today is left.
    """
    day = max(now.date(), days[0])
    if day > days[-1]:  # a week that is over: there is nothing better than its end
        day = days[-1]
    if day == now.date() and now.hour >= 22:
        day += timedelta(days=1)
    begin = max(10, now.hour + 1) if day == now.date() else 10
    return day, time(begin), time(begin + 2) if begin <= 21 else time(23, 55)


def sessions(cells: list[Cell]) -> list[Session]:
    """Cells in order of time, gathered by kind, place and official; a gap of more than half an hour parts them."""
    found: list[Session] = []
    running: dict[tuple[str, str | None, str], Session] = {}
    for cell in cells:
        key = (cell.slot.kind, cell.slot.centre_id, cell.slot.official_id)
        session = running.get(key)
        if session is None or cell.slot.starts_at - session.last.ends_at > SESSION_GAP:
            session = running[key] = Session([])
            found.append(session)
        session.cells.append(cell)
    return found


def _candidates(ctx: Context, chosen: Cell | None) -> tuple[list[Petition], int, int]:
    """Petitions at the office without an appointment, to be given a free slot at once; a page of them."""
    if chosen is None or chosen.look not in ("free", "reserved"):
        return [], 1, 1
    return waiting.without_time(ctx.session, ctx.staff, page=page_number(ctx, "among"), size=AT_HAND)


def _read_session(ctx: Context, form: Form) -> dict[str, Any]:
    people = [ctx.staff] if OFFICIAL in ctx.staff.roles else officials(ctx.session)
    kind = form.choice("kind", KINDS)
    official_id = form.choice("official_id", [person.id for person in people], default=people[0].id if people else "")
    centre = _hall(ctx, form) if kind == VIDEO else None
    place_ar, place_en = PLACE_AR, PLACE_EN
    if kind == AUDIENCE:
        place_ar, place_en = form.text("place_ar", max=80), form.text("place_en", max=80)
    elif centre is not None:
        place_ar, place_en = centre.place_ar, centre.place_en
    return {
        "official_id": official_id,
        "kind": kind,
        "centre_id": centre.id if centre else None,
        "place_ar": place_ar,
        "place_en": place_en,
        "day": _date(ctx, form, "day"),
        "start": _time(ctx, form, "start"),
        "end": _time(ctx, form, "end"),
        "minutes": form.integer("minutes", low=5, high=180),
        "pause": form.integer("pause", low=0, high=60, default=0),
        "capacity": form.integer("capacity", low=1, high=20, default=1) if kind == AUDIENCE else 1,
        "reserved_urgent": form.integer("reserved_urgent", low=0, high=60, default=0),
        "weeks": form.integer("weeks", low=1, high=max(REPEATS), default=1),
    }


def _minutes(ctx: Context, n: int) -> str:
    return ctx.ngettext("{n} minute", "{n} minutes", n).format(n=digits(n, ctx.lang))


def _weeks(ctx: Context, n: int) -> str:
    return ctx.ngettext("for {n} week", "for {n} weeks", n).format(n=digits(n, ctx.lang))


def _hall(ctx: Context, form: Form) -> Centre | None:
    halls = {centre.id: centre for centre in centres.centres(ctx.session) if centre.video_hall}
    return halls.get(form.choice("centre_id", halls))


def _date(ctx: Context, form: Form, name: str) -> date:
    try:
        day = date.fromisoformat(form.text(name, required=False))
        if day != max(day, TABLES_SINCE):
            raise ValueError(day)
        return day
    except ValueError:
        form.add(name, ctx._("Choose the day."))
        return local_day(ctx.now, ctx.settings.timezone)


def _time(ctx: Context, form: Form, name: str) -> time:
    try:
        return time.fromisoformat(form.text(name, required=False)).replace(tzinfo=None)
    except ValueError:
        form.add(name, ctx._("Give the time."))
        return time(8)


def _mine(ctx: Context) -> Slot:
    """The slot, for its official and for every aide. Raises NotFound to another official."""
    slot = calendar.slot_of(ctx.session, ctx.path("slot_id"))
    person: Staff = ctx.staff
    if AIDE not in person.roles and slot.official_id != person.id:
        raise NotFound("There is no such slot.")
    return slot


def _where(ctx: Context, slot: Slot) -> str:
    return f"/office/calendar?week={_sunday(local_day(slot.starts_at, ctx.settings.timezone))}&slot={slot.id}"


def _first_day(ctx: Context) -> date:
    try:
        return _sunday(date.fromisoformat(ctx.query.get("week") or str(ctx.form.get("week") or "")))
    except ValueError:
        return _sunday(local_day(ctx.now, ctx.settings.timezone))


def _sunday(day: date) -> date:
    """The first day of the working week that `day` belongs to; the nearest week that the calendars name whole."""
    day = min(max(day, TABLES_SINCE + WEEK), LAST_DAY - WEEK)
    return day - timedelta(days=(day.weekday() + 1) % 7)
