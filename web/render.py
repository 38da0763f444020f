"""Templates: the environment, its filters (dates, digits, direction) and what every page is given."""

import secrets
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
from markupsafe import Markup, escape

from core import calendar
from core.language import DIRECTION, catalogue
from core.settings import Settings
from web import flash
from web.nav import nav_for

if TYPE_CHECKING:
    from web.http import Context

HERE = Path(__file__).parent


class Renderer:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE / "templates"),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=jinja2.ChainableUndefined,
        )
        self.environment.filters.update(filters(settings.timezone))
        self.environment.globals.update(once=once_token, ministry=settings)

    def translations(self, lang: str) -> Any:
        return catalogue(lang, HERE / "locale")

    def html(self, template: str, ctx: "Context", values: dict[str, Any]) -> str:
        given = {
            "_": ctx._,
            "ngettext": ctx.ngettext,
            "lang": ctx.lang,
            "dir": DIRECTION[ctx.lang],
            "me": Me(ctx.me, ctx.lang) if ctx.me else None,
            "request": ctx.request,
            "nav": nav_for(ctx) if ctx.me else [],
            "csrf": ctx.csrf,
            "now": ctx.now,
            "flash_notes": [
                {"tone": tone, "text": text} for tone, text in (flash.shown(ctx.request) if not ctx.fragment else [])
            ],
            "say": ctx.say,
        }
        return self.environment.get_template(template).render(given | values)


class Me:
    """The signed-in person as a page shows them."""

    def __init__(self, staff: Any, lang: str) -> None:
        self.id = staff.id
        self.name = staff.name(lang)
        self.title = staff.title(lang)
        self.roles = staff.roles
        self.centre_id = staff.centre_id
        self.department_id = staff.department_id


def once_token() -> str:
    return secrets.token_urlsafe(15)


def filters(zone: str) -> dict[str, Any]:
    """Filters that speak the page's language; instants are shown in `zone`."""

    @jinja2.pass_context
    def digits(context: Any, value: Any) -> str:
        return calendar.digits(value, context["lang"])

    @jinja2.pass_context
    def moment(context: Any, at: datetime | None) -> str:
        return calendar.moment(at, context["lang"], zone) if at else "—"

    @jinja2.pass_context
    def clock(context: Any, at: datetime | None) -> str:
        return calendar.clock(at, context["lang"], zone) if at else "—"

    @jinja2.pass_context
    def named(context: Any, at: datetime) -> calendar.Moment:
        """The parts of an instant, for who sets them on lines of their own."""
        return calendar.moment_parts(at, context["lang"], zone)

    @jinja2.pass_context
    def when(context: Any, at: datetime) -> str:
        """Weekday, day and time, for an instant soon: the year and the other calendar go without saying."""
        return calendar.When(at, zone).said(context["lang"])

    @jinja2.pass_context
    def day(context: Any, at: datetime | date | None) -> str:
        if at is None:
            return "—"
        local = calendar.local_day(at, zone) if isinstance(at, datetime) else at
        return calendar.day_name(local, context["lang"])

    @jinja2.pass_context
    def full_day(context: Any, at: datetime | date) -> str:
        local = calendar.local_day(at, zone) if isinstance(at, datetime) else at
        return calendar.full_day(local, context["lang"])

    @jinja2.pass_context
    def duration(context: Any, seconds: float | None) -> str:
        if seconds is None:
            return "—"
        whole = int(seconds)
        hours, minutes = divmod(whole // 60, 60)
        text = f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"
        return calendar.digits(text, context["lang"])

    def isolate(value: Any) -> Markup:
        return Markup('<bdi dir="ltr">{}</bdi>').format(value)

    def paragraphs(value: Any) -> Markup:
        blocks = [escape(block).replace("\n", Markup("<br>")) for block in str(value).split("\n\n") if block]
        return Markup("").join(Markup('<p dir="auto">{}</p>').format(block) for block in blocks)

    def iso(at: datetime) -> str:
        return at.isoformat()

    return {
        f.__name__: f for f in (digits, moment, named, clock, when, day, full_day, duration, isolate, paragraphs, iso)
    }
