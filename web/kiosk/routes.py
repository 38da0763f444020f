"""The kiosk's questions: language, section, service, needs. What comes of them is in tickets.py."""

from dataclasses import replace
from typing import Any

from starlette.responses import Response

from core.calendar import clock as clock_time
from core.calendar import day_bounds, full_day, local_day
from core.language import LANGUAGES
from queueing.opening import service as opening
from queueing.tickets import queries, rules, service
from queueing.tickets.models import ServicePoint
from web.counter import words
from web.http import Context, Pages, everyone
from web.kiosk import arrival, device, pace, phone, tickets
from web.kiosk.steps import Step, step_of
from web.printing.words import coverage
from web.render import once_token

pages = Pages()
for area in (device, arrival, tickets, phone):
    pages += area.pages

LETTERS = {"ar": "ع", "en": "A"}


@pages.get("/kiosk/{centre}", audience=everyone)
def language(ctx: Context) -> Response:
    step = step_of(ctx)
    step = replace(step, answers=replace(step.answers, visit=step.answers.visit or once_token()))
    offered = [
        {
            "label": words.LANGUAGES[code],
            "letter": LETTERS[code],
            "lang": code,
            "href": step.address("section", lang=code, speak=code),
        }
        for code in LANGUAGES
    ]
    offered.append(
        {"label": "لغة أخرى", "also": "Another language", "lang": "ar", "href": step.address("languages", speak="")}
    )
    doors = opening.opening(ctx.session, step.centre.id, zone=ctx.settings.timezone, now=ctx.now)
    closed = None
    if not doors.open:
        closed = {code: _opens(ctx, doors.opens_at, code) for code in LANGUAGES}
    return step.show("language", offered=offered, closed=closed, current=1)


@pages.get("/kiosk/{centre}/languages", audience=everyone)
def languages(ctx: Context) -> Response:
    """For whoever speaks neither language of the screens: the clerk will be chosen, or an interpreter called."""
    step = step_of(ctx)
    offered = [
        {"label": name, "lang": code, "href": step.address("section", lang="en", speak=code)}
        for code, name in words.LANGUAGES.items()
        if code not in LANGUAGES
    ]
    return step.show("languages", offered=offered, current=1)


@pages.get("/kiosk/{centre}/section", audience=everyone)
def section(ctx: Context) -> Response:
    step = step_of(ctx)
    if not step.answers.speak:
        return ctx.redirect(step.address(""))
    if len(step.centre.sections) == 1:
        return ctx.redirect(step.address("service"))
    offered = [
        {
            "label": ctx._(words.SECTIONS[key]),
            "icon": words.SECTION_ICONS[key],
            "href": step.address("service", section=key),
        }
        for key in rules.SECTIONS
        if key in step.centre.sections
    ]
    return step.show("section", offered=offered, unknown=_unknown(ctx), current=2)


def _unknown(ctx: Context) -> str:
    """An address named what is not offered here, or not any more (a bookmark, a poster's code): said, then asked."""
    if ctx.query.get("unknown") == "service":
        return ctx._("This service is not offered here at present. Please choose another.")
    if ctx.query.get("unknown") == "section":
        return ctx._("There is no such section here. Please choose one.")
    return ""


@pages.get("/kiosk/{centre}/service", audience=everyone)
def choose_service(ctx: Context) -> Response:
    step = step_of(ctx)
    if not step.answers.speak or not step.answers.section:
        unknown = {"unknown": "section"} if ctx.query.get("section") else {}
        return ctx.redirect(step.address("section", **unknown))
    points = queries.service_points(ctx.session, step.centre.id, section=step.answers.section, kiosk=True)
    offered = [_tile(step, point) for point in points]
    any_open = any(tile["href"] for tile in offered)
    sure = coverage(ctx) if any(tile["ranged"] for tile in offered) else ""
    return step.show("service", offered=offered, any_open=any_open, coverage=sure, unknown=_unknown(ctx), current=3)


@pages.get("/kiosk/{centre}/needs", audience=everyone)
def needs(ctx: Context) -> Response:
    step = step_of(ctx)
    if not step.answers.service:
        unknown = {"unknown": "service"} if ctx.query.get("service") else {}
        return ctx.redirect(step.address("service", **unknown))
    return tickets.show_needs(step)


@pages.post("/kiosk/{centre}/help", audience=everyone)
def ask_for_help(ctx: Context) -> Response:
    step = step_of(ctx)
    if refused := pace.too_many_calls(step):
        return refused
    service.ask_for_help(ctx.session, step.centre.id, now=ctx.now)
    return ctx.redirect(f"/kiosk/{step.centre.code}/help?lang={step.answers.lang}")


@pages.get("/kiosk/{centre}/help", audience=everyone)
def help_comes(ctx: Context) -> Response:
    step = step_of(ctx)
    return step.show("help", asked=queries.help_wanted(ctx.session, step.centre.id), current=0)


def _tile(step: Step, point: ServicePoint) -> dict[str, Any]:
    """A service's card: how long the wait is now, or why there is no number and when there is one again."""
    ctx = step.ctx
    offer = service.offer(ctx.session, point, zone=ctx.settings.timezone, now=ctx.now)
    tile = {"label": point.name(ctx.lang), "icon": point.icon, "href": "", "hint": "", "ranged": False}
    if offer.open:
        wait = _wait(step, point)
        hint, before = wait or (ctx._("No counter is open for this at the moment"), "")
        return tile | {
            "href": step.address("needs", service=point.code),
            "hint": hint,
            "again": before,
            "ranged": wait is not None,
        }
    said = (
        ctx._("Closed at this hour")
        if offer.state == service.CLOSED
        else ctx._("All of today's numbers have been given")
    )
    again = _opens(ctx, offer.opens_at, ctx.lang)
    return tile | {"hint": said, "again": again}


def _opens(ctx: Context, at: Any, lang: str) -> str:
    """When, as the reader of `lang` says it: the hour alone where it is today, the day alone where no hours are set;
    empty where nobody knows."""
    if at is None:
        return ""
    zone = ctx.settings.timezone
    translated = ctx.renderer.translations(lang).gettext
    if local_day(at, zone) == local_day(ctx.now, zone):
        return str(translated("Opens at {time}")).format(time=clock_time(at, lang, zone))
    day = full_day(local_day(at, zone), lang)
    if at == day_bounds(local_day(at, zone), zone)[0]:
        return str(translated("Opens on {day}")).format(day=day)
    return str(translated("Opens on {day}, {time}")).format(day=day, time=clock_time(at, lang, zone))


def _wait(step: Step, point: ServicePoint) -> tuple[str, str] | None:
    """What the service's card says of the wait now, and of those before; None where no counter would take anybody."""
    ctx, answers = step.ctx, step.answers
    me = queries.newcomer(point, section=answers.section, language=answers.speak, now=ctx.now)
    if not queries.is_served(ctx.session, step.centre.id, me, now=ctx.now):
        return None
    place = queries.place_of(ctx.session, step.centre.id, me, now=ctx.now)
    said = ctx._("Wait now: {range}").format(range=words.wait_range(ctx, place.low, place.high))
    return said, words.ahead(ctx, place.position)
