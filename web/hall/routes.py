"""The hall's display. It renders from the server's state alone, so a reload or a lost line misses nothing."""

from collections.abc import Sequence
from typing import Any

from starlette.responses import JSONResponse, Response

from core import calendar
from core.calendar import day_bounds, full_day, local_day
from core.errors import NotFound
from core.language import LANGUAGES, N_, catalogue
from core.text import arabic_digits
from queueing.tickets import queries, service
from queueing.tickets.models import Counter
from reception.centres.models import Centre
from reception.centres.service import centre_by_code
from reception.notices import rules as notice_rules
from reception.notices import service as notices
from reception.notices.models import HallScreen, Notice
from web.counter import words as queue_words
from web.hall import calls
from web.hall.waits import shown, waits
from web.http import Context, Pages, everyone
from web.printing.words import coverage
from web.render import HERE
from web.voice.clips import MEDIA_TYPE, voice_of
from web.voice.numbers import twin

pages = Pages()

STANDING = (
    N_("Please keep your ticket until you leave."),
    N_("Point your phone's camera at the ticket: it tells you when your turn comes, wherever you sit."),
    N_("Elderly visitors, people with disabilities, pregnant women and parents with infants are called sooner."),
    N_("A sign-language interpreter is available: tell any of our staff."),
    N_("Free hotline: {number}"),
)
"""What a hall says where nothing else is to be said."""
BACK = N_("{counter} is back at {time}.")
AT_ONCE = 4  # services whose wait is shown beside each other


@pages.get("/hall/{centre}", audience=everyone)
def hall(ctx: Context) -> Response:
    centre = centre_by_code(ctx.session, ctx.path("centre"))
    return ctx.render("hall/board.html", **board(ctx, centre))


@pages.get("/hall/{centre}/pulse", audience=everyone)
def pulse(ctx: Context) -> Response:
    """The server's time and the calls of the last minute and a half: asked every few seconds, so it must stay small."""
    centre = centre_by_code(ctx.session, ctx.path("centre"))
    known = calls.ids_to_announce(ctx.session, centre.id, now=ctx.now)
    return JSONResponse({"now": _ms(ctx), "calls": known}, headers={"cache-control": "no-store"})


@pages.get("/hall/voice/{clip}", audience=everyone)
def clip(ctx: Context) -> Response:
    path = voice_of(ctx.settings).file(ctx.path("clip"))
    if path is None:
        raise NotFound
    headers = {"cache-control": "public, max-age=31536000, immutable"}
    return Response(path.read_bytes(), media_type=MEDIA_TYPE, headers=headers)


def board(ctx: Context, centre: Centre, *, draft: dict[str, Any] | None = None) -> dict[str, Any]:
    """All that the board shows; with `draft`, a notice that is only being written stands first and nothing speaks."""
    rows = service.board(ctx.session, centre.id, now=ctx.now)
    screen = notices.screen(ctx.session, centre.id)
    voice = voice_of(ctx.settings)
    there = next(lang for lang in LANGUAGES if lang != ctx.lang)
    service_counters = queries.counters(ctx.session, centre.id)
    return {
        "centre": centre,
        "other": there,
        "also": {lang: catalogue(lang, HERE / "locale").gettext for lang in LANGUAGES},
        "day_there": full_day(local_day(ctx.now, ctx.settings.timezone), there),
        "twin_of": twin,
        "arabic": arabic_digits,
        "ways_by_number": {counter.number: counter.id for counter in service_counters},
        "last": rows[0] if rows else None,
        "before": rows[1:5],
        "spoken": [] if draft else calls.to_announce(ctx.session, centre.id, voice, now=ctx.now),
        "told": [draft] if draft else [*(told(ctx, centre) or standing(ctx)), *back(ctx, service_counters)],
        "waiting": len(service.waiting(ctx.session, centre.id, now=ctx.now)),
        "coverage": coverage(ctx),
        "waits": shown(waits(ctx.extras["db"], centre.id), AT_ONCE),
        "sections": queue_words.SECTIONS if calls.sections_matter(centre.sections) else {},
        "section_icons": queue_words.SECTION_ICONS,
        "screen": screen,
        "quiet": draft is not None or _quiet(ctx, screen),
        "voices": [lang for lang in LANGUAGES if voice.speaks(lang)],
        "chime": voice.chime_address(),
        "now_ms": _ms(ctx),
        "preview": draft is not None,
    }


def told(ctx: Context, centre: Centre) -> list[dict[str, Any]]:
    found = notices.current(ctx.session, centre.id, now=ctx.now)
    return [{"id": n.id, "ar": n.text_ar, "en": n.text_en, "urgent": n.urgent, "icon": icon_of(n)} for n in found]


def icon_of(notice: Notice) -> str:
    return "warning" if notice.urgent else "info"


def standing(ctx: Context) -> list[dict[str, Any]]:
    """Where nobody has written a notice."""
    number = f"\u2066{ctx.settings.hotline_number}\u2069"
    return [
        {"id": f"standing-{n}", **{lang: _say(lang, text).format(number=number) for lang in LANGUAGES}}
        for n, text in enumerate(STANDING, 1)
    ]


def back(ctx: Context, counters: Sequence[Counter]) -> list[dict[str, Any]]:
    """Counters whose clerk is away, and until when: in turn with the notices. Who is late is not told to the hall."""
    zone = ctx.settings.timezone
    return [
        {
            "id": f"back-{one.number}",
            "icon": "clock",
            **{
                lang: _say(lang, BACK).format(counter=one.name(lang), time=calendar.clock(one.back_at, lang, zone))
                for lang in LANGUAGES
            },
        }
        for one in counters
        if one.open and one.back_at is not None and one.back_at > ctx.now
    ]


def _say(lang: str, text: str) -> str:
    return str(catalogue(lang, HERE / "locale").gettext(text))


def _quiet(ctx: Context, screen: HallScreen) -> bool:
    zone = ctx.settings.timezone
    start, _ = day_bounds(local_day(ctx.now, zone), zone)
    minute = int((ctx.now - start).total_seconds() // 60)
    return notice_rules.is_quiet(screen.quiet_from, screen.quiet_until, minute=minute)


def _ms(ctx: Context) -> int:
    return round(ctx.now.timestamp() * 1000)
