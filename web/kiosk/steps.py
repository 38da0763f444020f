"""What a visitor has said so far, and the frame of every step. Answers travel in the address, so that a reload, the
way back, another language and a server that was away for a moment lose nothing."""

import re
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from core.language import LANGUAGES, N_
from queueing.tickets import queries
from queueing.tickets.models import ServicePoint
from reception.centres.models import Centre
from reception.centres.service import centre_by_code
from reception.kiosks import service as kiosks
from reception.kiosks.models import Kiosk
from web.counter import words
from web.http import Context
from web.kiosk.device import DEVICE_COOKIE, away_words

IDLE_SECONDS = 45
VISIT = re.compile(r"[A-Za-z0-9_-]{16,40}")
STEPS = (N_("Language"), N_("Section"), N_("Service"), N_("Your needs"), N_("Ticket"))
_SAME_PATH = ("ticket", "help")  # pages whose address holds no answers: only the language changes
_FIRST = ("language", "refused")  # a refusal has no address of its own: another language begins anew


@dataclass(frozen=True, slots=True)
class Answers:
    """An answer that isn't offered counts as none.

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
    """A question's page. `kiosk` is the device that asks, where it is one of the centre's; `point` what was chosen."""

    ctx: Context
    centre: Centre
    answers: Answers
    kiosk: Kiosk | None = None
    point: ServicePoint | None = None

    def address(self, page: str, *, unknown: str = "", **changed: str) -> str:
        """`unknown` names an answer of the address that isn't offered: the question says so."""
        query = replace(self.answers, **changed).query + (f"&unknown={unknown}" if unknown else "")
        return f"/kiosk/{self.centre.code}{page and '/' + page}?{query}"

    def show(self, name: str, *, status: int = 200, **values: Any) -> Response:
        return self.ctx.render(
            f"kiosk/{name}.html",
            status=status,
            centre=self.centre,
            kiosk=self.kiosk,
            answers=self.answers,
            step=self,
            other_screens=self._screens(name),
            idle_seconds=IDLE_SECONDS,
            steps=[self.ctx._(label) for label in STEPS],
            away=away_words(self.ctx),
            **values,
        )

    def _screens(self, name: str) -> list[tuple[str, str, str]]:
        """This page in the other languages: (code, name, address). The spoken language follows a change of screen."""
        page = "" if name in _FIRST else name
        if name.split("_")[0] in _SAME_PATH:
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


def device_of(ctx: Context, centre: Centre) -> Kiosk | None:
    """The centre's device whose browser this is."""
    found = kiosks.by_key(ctx.session, ctx.request.cookies.get(DEVICE_COOKIE))
    return found if found and found.centre_id == centre.id else None


def step_of(ctx: Context) -> Step:
    centre = centre_by_code(ctx.session, ctx.path("centre"))
    given = ctx.form if ctx.form else ctx.query

    def answer(name: str, offered: Any) -> str:
        value = str(given.get(name) or "")
        return value if value in offered else ""

    lang = answer("lang", LANGUAGES) or ctx.lang
    if lang != ctx.lang:  # a form that is shown again speaks as the page before did
        ctx.lang = lang
        ctx.__dict__.pop("translations", None)
    sections = centre.sections
    section = answer("section", sections) or (sections[0] if len(sections) == 1 else "")
    points = {p.code: p for p in queries.service_points(ctx.session, centre.id, section=section or None, kiosk=True)}
    service = answer("service", points)
    return Step(
        ctx,
        centre,
        Answers(
            lang=lang,
            speak=answer("speak", words.LANGUAGES),
            section=section,
            service=service,
            visit=visit if VISIT.fullmatch(visit := str(given.get("visit") or "")) else "",
        ),
        device_of(ctx, centre),
        points.get(service),
    )
