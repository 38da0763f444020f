"""What stands on a slip, in the language of the visitor's screen."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from core import calendar
from core.language import DIRECTION, LANGUAGES, catalogue
from core.settings import Settings
from queueing.tickets import queries, service, states
from queueing.tickets.models import Ticket
from reception.centres.models import Centre
from web.counter import words
from web.printing.slip import Slip
from web.render import HERE


@dataclass(frozen=True, slots=True)
class Speech:
    """As much of a page's context as words need: a slip is written where no page is shown."""

    lang: str

    @property
    def _words(self) -> Any:
        return catalogue(self.lang, HERE / "locale")

    def _(self, message: str) -> str:
        return str(self._words.gettext(message))

    def ngettext(self, one: str, many: str, n: int) -> str:
        return str(self._words.ngettext(one, many, n))


def coverage(say: Any) -> str:
    """How far the range can be relied on (queueing.tickets.forecast)."""
    return str(say._("Eight of ten visitors wait within this range."))


def link_of(code: str, lang: str, settings: Settings, *, base: str = "") -> str:
    """The address in a ticket's QR code; whoever doesn't read Arabic is led to the other language."""
    origin = (settings.public_url or base or settings.url).rstrip("/")
    return f"{origin}/t/{code}" + ("" if lang == LANGUAGES[0] else f"?lang={lang}")


def slip_of(session: Session, ticket: Ticket, *, lang: str, settings: Settings, now: datetime, base: str = "") -> Slip:
    say: Any = Speech(lang)
    centre = session.get_one(Centre, ticket.centre_id)
    place = service.place_in_line(session, ticket, now=now)
    served = queries.is_served(session, centre.id, ticket.candidate(), now=now)
    facts: list[tuple[str, str]] = []
    notes: list[str] = []
    if ticket.state == states.WAITING:
        if ticket.eligible_at > now:
            facts.append((say._("Your appointment"), calendar.clock(ticket.eligible_at, lang, settings.timezone)))
        facts.append((say._("Your place in line"), calendar.digits(place.position, lang)))
        if served:
            facts.append((say._("Expected wait"), words.wait_range(say, place.low, place.high)))
        else:
            notes.append(say._("No counter is open for this yet: one opens soon."))
    notes.append(say._("If you were called and came late, tell the counter: your place is given back."))
    return Slip(
        direction=DIRECTION[lang],
        centre=centre.name(lang),
        caption=say._("Your number"),
        label=ticket.label,
        service=ticket.service_point.name(lang),
        section=say._(words.SECTIONS[ticket.section]),
        needs=tuple(need["label"] for need in words.needs(say, ticket)),
        facts=tuple(facts),
        coverage=coverage(say) if served and ticket.state == states.WAITING else "",
        notes=tuple(notes),
        link=link_of(ticket.code, lang, settings, base=base),
        scan=say._("Follow your turn on your phone"),
        moment=_moment(ticket.issued_at, lang, settings.timezone),
        motto=say._("Your time is precious, and we value it"),
    )


def _moment(at: datetime, lang: str, zone: str) -> tuple[str, ...]:
    """Both calendars on two lines, the reader's own first."""
    parts = calendar.moment_parts(at, lang, zone)
    first, second = (parts.hijri, parts.gregorian) if lang == "ar" else (parts.gregorian, parts.hijri)
    return f"{parts.weekday} {first}", f"{second} – {parts.time}"
