"""Recurring sessions of an official: the list, a new one, and changes that never leave anybody behind unseen."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

from starlette.responses import Response

from core import audit
from core.calendar import digits, local_day
from core.errors import MajlisError, NotFound, Refused
from core.staff.models import Staff
from core.staff.rules import AIDE, OFFICIAL
from core.workdays import service as workdays
from queueing.appointments.rules import AUDIENCE, KINDS, VIDEO
from queueing.appointments.series import rules, service
from queueing.appointments.series.models import Series
from queueing.appointments.series.rules import Pattern
from queueing.appointments.series.settling import Proposal
from reception.centres import service as centres
from reception.centres.models import Centre
from web.calendar.holidays import office_tabs
from web.calendar.reading import clock_of, day, hour_of, leavers, minutes, weekday_names
from web.forms import Form
from web.http import Context, Pages, staff
from web.office.engagements import officials
from web.office.week import LENGTHS, PAUSES, PLACE_AR, PLACE_EN

pages = Pages()
office = staff(AIDE, OFFICIAL)
PAGE = "/office/sessions"
SHOWN = 4  # coming days named on the list
WEEK = (6, 0, 1, 2, 3, 4, 5)


@dataclass(frozen=True, slots=True)
class Shown:
    """A series as the list tells it. `coming`: its next days, None for the times of one without a session."""

    series: Series
    weekdays: str
    coming: list[tuple[date, rules.Times | None, str]]


@pages.get(PAGE, audience=office)
def index(ctx: Context) -> Response:
    people = {person.id: person for person in officials(ctx.session)}
    ended = ctx.query.get("show") == "ended"
    rows = [row for row in service.listed(ctx.session, ended=ended) if _may(ctx, row.official_id)]
    rows = [row for row in rows if (row.ended_at is not None) == ended]
    return ctx.render(
        "calendar/sessions.html",
        tabs=office_tabs(ctx, PAGE),
        rows=[_shown(ctx, row) for row in rows],
        ended=ended,
        official_of=people,
        centre_of={row.id: row for row in centres.centres(ctx.session)},
        hour_of=partial(hour_of, lang=ctx.lang),
    )


@pages.get(f"{PAGE}/new", audience=office)
def new(ctx: Context) -> Response:
    first = local_day(ctx.now, ctx.settings.timezone) + timedelta(days=1)
    return _form_page(ctx, None, Form(ctx, first_day=first.isoformat(), kind=VIDEO, start="10:00", end="12:00"))


@pages.post(f"{PAGE}/new", audience=office)
def begin(ctx: Context) -> Response:
    form = Form(ctx)
    people = [person.id for person in _officials(ctx)]
    kind = form.choice("kind", KINDS)
    official_id = form.choice("official_id", people, default=people[0] if people else "")
    centre = _hall(ctx, form) if kind == VIDEO else None
    places = _places(form, kind, centre)
    pattern = _read(ctx, form, kind)
    if not form.errors and pattern:
        try:
            with form.catch():
                series = service.begin(
                    ctx.session,
                    pattern,
                    official_id=official_id,
                    kind=kind,
                    centre_id=centre.id if centre else None,
                    by=ctx.staff.id,
                    now=ctx.now,
                    **places,
                )
                audit.note(ctx.session, "begin session", "session", series.id, now=ctx.now)
                ctx.flash(ctx._("The session is set up. Its times of the next eight weeks are in the calendar."))
                return ctx.redirect(f"{PAGE}/{series.id}")
        except Refused as refusal:
            form.add("", ctx.say(refusal))
    return _form_page(ctx, None, form, status=422)


@pages.get(f"{PAGE}/{{series_id}}", audience=office)
def edit(ctx: Context) -> Response:
    series = _mine(ctx)
    return _form_page(ctx, series, Form(ctx, **_as_typed(series)))


@pages.post(f"{PAGE}/{{series_id}}", audience=office)
def change(ctx: Context) -> Response:
    """Another rule from now on. Where visitors are booked, they are shown before anything is done."""
    series, form = _mine(ctx), Form(ctx)
    places = _places(form, series.kind, _centre(ctx, series))
    pattern = _read(ctx, form, series.kind, first_day=series.first_day)
    if form.errors or pattern is None:
        return _form_page(ctx, series, form, status=422)

    def do(mark: str) -> None:
        service.change(
            ctx.session, series.id, pattern, by=ctx.staff.id, mark=mark, reason=_reason(form), now=ctx.now, **places
        )

    return _change(
        ctx, series, form, do, lambda: service.propose(ctx.session, series.id, pattern, now=ctx.now),
        title=ctx._("Change the session"), said=ctx._("The session is changed."),
    )  # fmt: skip


@pages.post(f"{PAGE}/{{series_id}}/days", audience=office)
def except_on(ctx: Context) -> Response:
    """One day without the session, or at other times."""
    series, form = _mine(ctx), Form(ctx)
    on = day(ctx, form, "on_day")
    off = form.choice("what", ("off", "moved"), default="off") == "off"
    start = None if off else minutes(ctx, form, "on_start")
    end = None if off else minutes(ctx, form, "on_end")
    reason = form.text("on_reason", max=200)
    times = None if start is None or end is None else (start, end)
    if form.errors or on is None:
        return _form_page(ctx, series, Form(ctx, **_as_typed(series)), aside=form, status=422)

    def do(mark: str) -> None:
        service.except_on(
            ctx.session, series.id, on, times, reason=reason, by=ctx.staff.id, mark=mark, now=ctx.now
        )  # fmt: skip

    return _change(
        ctx, series, form, do, lambda: service.propose_exception(ctx.session, series.id, on, times, now=ctx.now),
        title=ctx._("An exception"), said=ctx._("The exception is entered."),
        aside={"day": "on_day", "start": "on_start", "end": "on_end"},
    )  # fmt: skip


@pages.post(f"{PAGE}/{{series_id}}/days/{{day}}/undo", audience=office)
def undo_exception(ctx: Context) -> Response:
    series, form = _mine(ctx), Form(ctx)
    try:
        on = date.fromisoformat(ctx.path("day"))
    except ValueError:
        raise NotFound from None

    def do(mark: str) -> None:
        service.undo_exception(ctx.session, series.id, on, by=ctx.staff.id, mark=mark, now=ctx.now)

    return _change(
        ctx, series, form, do, lambda: service.propose_undo(ctx.session, series.id, on, now=ctx.now),
        title=ctx._("As the rule has it"), said=ctx._("The day is as the session's rule has it again."),
    )  # fmt: skip


@pages.post(f"{PAGE}/{{series_id}}/end", audience=office)
def end(ctx: Context) -> Response:
    series, form = _mine(ctx), Form(ctx)
    last = day(ctx, form, "last_day_of_all")
    if form.errors or last is None:
        return _form_page(ctx, series, Form(ctx, **_as_typed(series)), aside=form, status=422)

    def do(mark: str) -> None:
        service.end(ctx.session, series.id, last, by=ctx.staff.id, mark=mark, reason=_reason(form), now=ctx.now)

    return _change(
        ctx, series, form, do, lambda: service.propose_end(ctx.session, series.id, last, now=ctx.now),
        title=ctx._("End the session"), said=ctx._("The session ends on that day."),
        aside={"last_day": "last_day_of_all"},
    )  # fmt: skip


@pages.get(f"{PAGE}/{{series_id}}/days", audience=office)
@pages.get(f"{PAGE}/{{series_id}}/days/{{day}}/undo", audience=office)
@pages.get(f"{PAGE}/{{series_id}}/end", audience=office)
def address(ctx: Context) -> Response:
    """Where a refused form leaves the browser."""
    return ctx.redirect(f"{PAGE}/{_mine(ctx).id}")


def _change(
    ctx: Context,
    series: Series,
    form: Form,
    do: Callable[[str], None],
    propose: Callable[[], Proposal],
    *,
    title: str,
    said: str,
    aside: Mapping[str, str] | None = None,
) -> Response:
    """Done at once where nobody is booked; else who would have to move is shown, and agreed to by `mark`.

    `aside` names the fields of a form that stands beside the session's own.
    """
    mark = form.values.get("mark", "")
    try:
        with form.catch():
            do(mark)
            audit.note(ctx.session, "change session", "session", series.id, now=ctx.now, detail={"what": title})
            ctx.flash(said)
            return ctx.redirect(f"{PAGE}/{series.id}")
    except Refused as refusal:
        with form.catch():
            proposal = propose()
            if proposal.hit:
                return _hit_page(ctx, series, form, proposal, refusal, title=title)
        form.add("", ctx.say(refusal))
    except MajlisError as error:
        form.add("", ctx.say(error))
    if aside is None:
        return _form_page(ctx, series, form, status=422)
    for field, own in aside.items():
        if field in form.errors:
            form.add(own, form.errors.pop(field))
    return _form_page(ctx, series, Form(ctx, **_as_typed(series)), aside=form, status=422)


def _hit_page(
    ctx: Context, series: Series, form: Form, proposal: Proposal, refusal: Refused, *, title: str
) -> Response:
    audit.note(ctx.session, "list", "session", series.id, now=ctx.now)
    weekdays = [("weekdays", value) for value in form.many("weekdays")]
    again = [(name, value) for name, value in form.values.items() if name not in ("mark", "weekdays")]
    return ctx.render(
        "calendar/hit.html",
        status=409,
        tabs=office_tabs(ctx, PAGE),
        series=series,
        heading=title,
        again=[*again, *weekdays],
        action=ctx.request.url.path,
        leavers=leavers(ctx, proposal.plan),
        mark=proposal.plan.mark,
        unplaced=len(proposal.plan.unplaced),
        stale=ctx.say(refusal) if form.values.get("mark") else "",
        back=f"{PAGE}/{series.id}",
    )


def _form_page(
    ctx: Context,
    series: Series | None,
    form: Form,
    *,
    aside: Form | None = None,
    status: int = 200,
) -> Response:
    halls = [centre for centre in centres.centres(ctx.session) if centre.video_hall]
    chosen = form.many("weekdays") or (list(series.weekdays) if series else ["6"])
    today = local_day(ctx.now, ctx.settings.timezone)
    return ctx.render(
        "calendar/session.html",
        status=status,
        tabs=office_tabs(ctx, PAGE),
        series=series,
        shown=_shown(ctx, series) if series else None,
        form=form,
        aside=aside or Form(ctx),
        exceptions=service.exceptions_of(ctx.session, series.id, since=today) if series else [],
        hour_of=partial(hour_of, lang=ctx.lang),
        weekdays=[(str(number), weekday_names([number], ctx.lang), str(number) in chosen) for number in WEEK],
        officials=_officials(ctx),
        official=next((p for p in officials(ctx.session) if series and p.id == series.official_id), None),
        centre=_centre(ctx, series) if series else None,
        hall_options=[(centre.id, centre.name(ctx.lang)) for centre in halls],
        official_options=[(person.id, person.name(ctx.lang)) for person in _officials(ctx)],
        length_options=[(n, _minutes(ctx, n)) for n in LENGTHS],
        pause_options=[(0, ctx._("no pause")), *((n, _minutes(ctx, n)) for n in PAUSES)],
        every_options=[(n, _every(ctx, n)) for n in rules.EVERY],
        today=today,
        place_ar=PLACE_AR,
        place_en=PLACE_EN,
    )


def _shown(ctx: Context, series: Series) -> Shown:
    pattern = service.pattern_of(series)
    work = workdays.calendar_for(ctx.session, zone=series.zone, centre_id=series.centre_id)
    exceptions = {
        row.day: (row.start, row.end) if row.start is not None and row.end is not None else None
        for row in service.exceptions_of(ctx.session, series.id)
    }
    today = local_day(ctx.now, series.zone)
    coming: list[tuple[date, rules.Times | None, str]] = []
    for n in range((series.made_until - today).days + 1):
        one = today + timedelta(days=n)
        if one in exceptions or rules.occurs(pattern, one):
            holiday = work.holiday(one)
            times = rules.lasts(pattern, one, exceptions, work)
            coming.append((one, times, holiday.name(ctx.lang) if holiday else ""))
        if len(coming) == SHOWN:
            break
    return Shown(series, weekday_names(sorted(pattern.weekdays), ctx.lang), coming)


def _read(ctx: Context, form: Form, kind: str, *, first_day: date | None = None) -> Pattern | None:
    """The rule as typed; the first day of one that runs already stands."""
    days = frozenset(int(value) for value in form.many("weekdays") if value in set("0123456"))
    every = form.choice("every_weeks", [str(n) for n in rules.EVERY], default="1")
    start, end = minutes(ctx, form, "start"), minutes(ctx, form, "end")
    own = form.values.get("ramadan_start") or form.values.get("ramadan_end")
    first_fasting = minutes(ctx, form, "ramadan_start") if own else None
    last_fasting = minutes(ctx, form, "ramadan_end") if own else None
    length = form.integer("minutes", low=5, high=180)
    pause = form.integer("pause", low=0, high=60, default=0)
    capacity = form.integer("capacity", low=1, high=20, default=1) if kind == AUDIENCE else 1
    reserved = form.integer("reserved_urgent", low=0, high=60, default=0)
    first = first_day or day(ctx, form, "first_day")
    last = day(ctx, form, "last_day", required=False)
    if form.errors or first is None or start is None or end is None:
        return None
    return Pattern(
        weekdays=days,
        every_weeks=int(every),
        times=(start, end),
        ramadan=None if first_fasting is None or last_fasting is None else (first_fasting, last_fasting),
        minutes=length,
        pause=pause,
        capacity=capacity,
        reserved_urgent=reserved,
        first_day=first,
        last_day=last,
        zone=ctx.settings.timezone,
    )


def _as_typed(series: Series) -> dict[str, object]:
    return {
        "kind": series.kind,
        "every_weeks": series.every_weeks,
        "start": clock_of(series.start),
        "end": clock_of(series.end),
        "ramadan_start": clock_of(series.ramadan_start),
        "ramadan_end": clock_of(series.ramadan_end),
        "minutes": series.minutes,
        "pause": series.pause,
        "capacity": series.capacity,
        "reserved_urgent": series.reserved_urgent,
        "last_day": series.last_day.isoformat() if series.last_day else "",
        "place_ar": series.place_ar,
        "place_en": series.place_en,
    }


def _places(form: Form, kind: str, centre: Centre | None) -> dict[str, str]:
    if kind == VIDEO:
        return {"place_ar": centre.place_ar if centre else "", "place_en": centre.place_en if centre else ""}
    return {"place_ar": form.text("place_ar", max=80), "place_en": form.text("place_en", max=80)}


def _hall(ctx: Context, form: Form) -> Centre | None:
    halls = {centre.id: centre for centre in centres.centres(ctx.session) if centre.video_hall}
    return halls.get(form.choice("centre_id", halls))


def _centre(ctx: Context, series: Series) -> Centre | None:
    return ctx.session.get(Centre, series.centre_id) if series.centre_id else None


def _officials(ctx: Context) -> list[Staff]:
    return officials(ctx.session) if AIDE in ctx.staff.roles else [ctx.staff]


def _reason(form: Form) -> str:
    return form.text("reason", required=False, max=200)


def _may(ctx: Context, official_id: str) -> bool:
    return AIDE in ctx.staff.roles or official_id == ctx.staff.id


def _mine(ctx: Context) -> Series:
    """For its official and for every aide. Raises NotFound to another official."""
    series = service.get(ctx.session, ctx.path("series_id"))
    if not _may(ctx, series.official_id):
        raise NotFound("There is no such session.")
    return series


def _minutes(ctx: Context, n: int) -> str:
    return ctx.ngettext("{n} minute", "{n} minutes", n).format(n=digits(n, ctx.lang))


def _every(ctx: Context, n: int) -> str:
    return (
        ctx._("every week")
        if n == 1
        else ctx.ngettext("every {n} week", "every {n} weeks", n).format(n=digits(n, ctx.lang))
    )
