"""The kiosk. Answers travel in the address, so that a reload, the way back and another language lose nothing."""

import re
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from core import once
from core.errors import Mistake, NotFound
from core.language import LANGUAGES, N_
from queueing.tickets import queries, rules, service, states
from queueing.tickets.models import ServicePoint, Ticket
from reception.centres.models import Centre
from reception.centres.service import centre_by_code
from web.counter import words
from web.http import Context, Pages, everyone
from web.kiosk.phone import phone_pages
from web.render import once_token

pages = Pages()
pages += phone_pages

IDLE_SECONDS = 45
LETTERS = {"ar": "ع", "en": "A"}
VISIT = re.compile(r"[A-Za-z0-9_-]{16,40}")
STEPS = (N_("Language"), N_("Section"), N_("Service"), N_("Your needs"), N_("Ticket"))


@dataclass(frozen=True, slots=True)
class Answers:
    """What the visitor has said so far; an answer that isn't offered counts as none.

    `visit` is begun with the first question and is the key of the one ticket: the way back leads to no second one.
    """

    lang: str
    speak: str = ""
    section: str = ""
    service: str = ""
    visit: str = ""

    @property
    def query(self) -> str:
        given = {
            "lang": self.lang,
            "speak": self.speak,
            "section": self.section,
            "service": self.service,
            "visit": self.visit,
        }
        return urlencode({key: value for key, value in given.items() if value})


@dataclass(frozen=True, slots=True)
class Step:
    """A question's page: what has been answered, and what the frame of every step needs."""

    ctx: Context
    centre: Centre
    answers: Answers

    def address(self, page: str, **changed: str) -> str:
        return f"/kiosk/{self.centre.code}{page and '/' + page}?{replace(self.answers, **changed).query}"

    def show(self, name: str, *, status: int = 200, **values: Any) -> Response:
        return self.ctx.render(
            f"kiosk/{name}.html",
            status=status,
            centre=self.centre,
            answers=self.answers,
            step=self,
            other_screens=self._screens(name),
            idle_seconds=IDLE_SECONDS,
            steps=[self.ctx._(label) for label in STEPS],
            **values,
        )

    def _screens(self, name: str) -> list[tuple[str, str, str]]:
        """This page in the other languages: (code, name, address). The spoken language follows a change of screen."""
        page = "" if name == "language" else name
        if name in ("ticket", "help"):
            here = self.ctx.request.url.path
            kept = {k: v for k, v in self.ctx.query.items() if k != "lang"}
            return [(c, words.LANGUAGES[c], f"{here}?{urlencode(kept | {'lang': c})}") for c in self._others()]
        return [
            (
                code,
                words.LANGUAGES[code],
                self.address(page, lang=code, speak=code if self.answers.speak in LANGUAGES else self.answers.speak),
            )
            for code in self._others()
        ]

    def _others(self) -> list[str]:
        return [code for code in LANGUAGES if code != self.answers.lang]


def step_of(ctx: Context) -> Step:
    centre = centre_by_code(ctx.session, ctx.path("centre"))
    given = ctx.form if ctx.form else ctx.query

    def answer(name: str, offered: Any) -> str:
        value = str(given.get(name) or "")
        return value if value in offered else ""

    sections = centre.sections
    section = answer("section", sections) or (sections[0] if len(sections) == 1 else "")
    points = queries.service_points(ctx.session, centre.id, section=section or None)
    return Step(
        ctx,
        centre,
        Answers(
            lang=answer("lang", LANGUAGES) or ctx.lang,
            speak=answer("speak", words.LANGUAGES),
            section=section,
            service=answer("service", {point.code for point in points}),
            visit=visit if VISIT.fullmatch(visit := str(given.get("visit") or "")) else "",
        ),
    )


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
    return step.show("language", offered=offered, current=1)


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
    return step.show("section", offered=offered, current=2)


@pages.get("/kiosk/{centre}/service", audience=everyone)
def choose_service(ctx: Context) -> Response:
    step = step_of(ctx)
    if not step.answers.speak or not step.answers.section:
        return ctx.redirect(step.address("section"))
    offered = [
        {
            "label": point.name(ctx.lang),
            "icon": point.icon,
            "hint": _wait(step, point),
            "href": step.address("needs", service=point.code),
        }
        for point in queries.service_points(ctx.session, step.centre.id, section=step.answers.section)
    ]
    return step.show("service", offered=offered, current=3)


@pages.get("/kiosk/{centre}/needs", audience=everyone)
def needs(ctx: Context) -> Response:
    step = step_of(ctx)
    if not step.answers.service:
        return ctx.redirect(step.address("service"))
    return _show_needs(step)


@pages.post("/kiosk/{centre}/ticket", audience=everyone)
def take_ticket(ctx: Context) -> Response:
    step = step_of(ctx)
    points = {p.code: p for p in queries.service_points(ctx.session, step.centre.id)}
    point = points.get(step.answers.service)
    if point is None or not step.answers.section:
        raise Mistake("This service is not offered here at present. Please choose another.", field="service")
    wishes = [str(value) for value in ctx.form.getlist("need")]
    ticket = service.issue(
        ctx.session,
        centre_id=step.centre.id,
        service_point_id=point.id,
        section=step.answers.section,
        language=step.answers.speak or ctx.lang,
        sign_language="sign" in wishes,
        visitor_class=max((wish for wish in wishes if wish in rules.RATES), key=rules.rate, default=rules.REGULAR),
        now=ctx.now,
        zone=ctx.settings.timezone,
    )
    return ctx.redirect(f"/kiosk/{step.centre.code}/ticket/{ticket.code}?lang={step.answers.lang}")


@pages.get("/kiosk/{centre}/ticket/{code}", audience=everyone)
def ticket(ctx: Context) -> Response:
    step = step_of(ctx)
    row = queries.ticket_by_code(ctx.session, ctx.path("code"))
    place = service.place_in_line(ctx.session, row, now=ctx.now)
    return step.show(
        "ticket",
        ticket=row,
        place=place,
        wait=words.wait_range(ctx, place.low, place.high),
        served=queries.is_served(ctx.session, row.centre_id, row.candidate(), now=ctx.now),
        section=ctx._(words.SECTIONS[row.section]),
        needs=words.needs(ctx, row),
        current=6,
    )


@pages.post("/kiosk/{centre}/help", audience=everyone)
def ask_for_help(ctx: Context) -> Response:
    step = step_of(ctx)
    service.ask_for_help(ctx.session, step.centre.id, now=ctx.now)
    return ctx.redirect(f"/kiosk/{step.centre.code}/help?lang={step.answers.lang}")


@pages.get("/kiosk/{centre}/help", audience=everyone)
def help_comes(ctx: Context) -> Response:
    step = step_of(ctx)
    return step.show("help", asked=queries.help_wanted(ctx.session, step.centre.id), current=0)


def _show_needs(step: Step) -> Response:
    ctx = step.ctx
    offered = [("sign", ctx._("Sign-language interpreter"), "sign-language")]
    offered += [
        (key, ctx._(words.CLASSES[key]), words.CLASS_ICONS[key])
        for key in (rules.DISABLED, rules.ELDERLY, rules.PREGNANT, rules.INFANT)
        if not (key == rules.PREGNANT and step.answers.section == rules.MEN)
    ]
    earlier = _earlier(step)
    key = step.answers.visit if step.answers.visit and earlier is None else once_token()
    return step.show("needs", offered=offered, current=4, earlier=earlier, key=key)


def _earlier(step: Step) -> Ticket | None:
    """The ticket that this visit has brought already and that still counts: the visitor came back to the question."""
    session, visit = step.ctx.session, step.answers.visit
    place = once.earlier(session, visit) if visit else None
    begin = f"/kiosk/{step.centre.code}/ticket/"
    if place is None or not place.startswith(begin):
        return None
    try:
        found = queries.ticket_by_code(session, place.removeprefix(begin).split("?")[0])
    except NotFound:
        return None
    return found if found.state in states.IN_CENTRE and found.expires_at > step.ctx.now else None


def _wait(step: Step, point: ServicePoint) -> str:
    """What the service's card says of the wait now."""
    ctx, answers = step.ctx, step.answers
    me = queries.newcomer(point, section=answers.section, language=answers.speak, now=ctx.now)
    if not queries.is_served(ctx.session, step.centre.id, me, now=ctx.now):
        return ctx._("No counter is open for this at the moment")
    place = queries.place_of(ctx.session, step.centre.id, me, now=ctx.now)
    return ctx._("Wait now: {range}").format(range=words.wait_range(ctx, place.low, place.high))
