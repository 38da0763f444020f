"""How the gateways fare, how much goes through them, and how much of it arrives."""

import functools
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from starlette.responses import Response

from core.calendar import day_bounds, digits, local_day
from core.errors import Fault
from core.settings import Settings
from messaging import seen
from messaging.models import GatewayState, Message
from messaging.providers.config import Wrong
from messaging.providers.config import gateways as made_of
from messaging.sending import faults, manners_of
from messaging.states import DELIVERED, EXPIRED, FAILED, HELD, SENT, UNKNOWN, WAITING
from messaging.templates import CLASSES
from web.http import Context, Pages
from web.messages.common import readers, tabs
from web.messages.titles import CLASS_TITLES, GATEWAYS, KIND_TITLES

pages = Pages()

HOURS, DAYS = 24, 14
LEFT = (SENT, DELIVERED, FAILED, EXPIRED, UNKNOWN)
STALE = timedelta(minutes=2)  # the sender writes every few seconds


@dataclass(frozen=True, slots=True)
class Bucket:
    """One column of a chart: its label, whether the axis names it, and the values of its series."""

    label: str
    hour: bool
    values: tuple[int, ...]


@pages.get("/messages/gateways", audience=readers)
def gateways(ctx: Context) -> Response:
    rows = seen.gateways(ctx.session)
    hours = throughput(ctx.session, now=ctx.now, lang=ctx.lang, zone=ctx.settings.timezone)
    days = arrivals(ctx.session, now=ctx.now, lang=ctx.lang, zone=ctx.settings.timezone)
    today = _of(ctx.session, ctx.now - timedelta(days=1), ctx.now)
    left = sum(today.values())
    waiting, oldest = _waiting(ctx.session)
    return ctx.render(
        "messages/gateways.html",
        tab_items=tabs(ctx, "/messages/gateways"),
        gateways=[_shown(ctx, row) for row in rows] + _never_seen(ctx, {row.name for row in rows}),
        faults=[ctx.say(fault) for fault in faults(ctx.settings)],
        hours=hours if any(sum(one.values) for one in hours) else [],
        days=days if any(sum(one.values) for one in days) else [],
        left=left,
        arrived=today.get(DELIVERED, 0),
        known=sum(today.get(state, 0) for state in (DELIVERED, FAILED, EXPIRED, UNKNOWN)),
        missed=sum(today.get(state, 0) for state in (FAILED, EXPIRED, UNKNOWN)),
        waiting=waiting,
        oldest=oldest,
        pilot=ctx.settings.sms_pilot,
        classes=_classes(ctx),
    )


def throughput(session: Session, *, now: datetime, lang: str, zone: str) -> list[Bucket]:
    """So many texts left in each of the last hours, and so many of them have arrived."""
    last = now.replace(minute=0, second=0, microsecond=0)
    found = []
    for back in range(HOURS - 1, -1, -1):
        begin = last - timedelta(hours=back)
        counts = _of(session, begin, begin + timedelta(hours=1))
        local = begin.astimezone(ZoneInfo(zone))
        label = digits(f"{local.hour}:00", lang)
        found.append(Bucket(label, True, (sum(counts.values()), counts.get(DELIVERED, 0))))
    return found


def arrivals(session: Session, *, now: datetime, lang: str, zone: str) -> list[Bucket]:
    """Of a hundred texts whose end is known, so many arrived: by days."""
    today = local_day(now, zone)
    found = []
    for back in range(DAYS - 1, -1, -1):
        day = today - timedelta(days=back)
        counts = _of(session, *day_bounds(day, zone))
        known = sum(counts.get(state, 0) for state in (DELIVERED, FAILED, EXPIRED, UNKNOWN))
        if not known:  # a day of which nothing is known is no day on which nothing arrived
            continue
        share = round(100 * counts.get(DELIVERED, 0) / known)
        found.append(Bucket(digits(f"{day.day}/{day.month}", lang), True, (share,)))
    return found


def _of(session: Session, begin: datetime, end: datetime) -> dict[str, int]:
    """State → how many of those that were sent in this stretch; each state is a range of the index."""
    return {
        state: count
        for state in LEFT
        if (
            count := session.scalar(
                select(func.count()).where(Message.state == state, Message.sent_at >= begin, Message.sent_at < end)
            )
        )
    }


def _waiting(session: Session) -> tuple[int, datetime | None]:
    states = [state for state in WAITING if state != HELD]
    row = session.execute(select(func.count(), func.min(Message.created_at)).where(Message.state.in_(states))).one()
    return row[0], row[1]


def _classes(ctx: Context) -> list[dict[str, object]]:
    """Under which name each class goes out, and when it is quiet."""
    manners = manners_of(ctx.settings)
    found = []
    for name in CLASSES:
        hours = manners.quiet.get(name)
        found.append(
            {
                "title": ctx._(CLASS_TITLES[name]),
                "sender": manners.sender(name),
                "quiet": (digits(f"{hours[0]}:00", ctx.lang), digits(f"{hours[1] % 24}:00", ctx.lang))
                if hours and hours[0] != hours[1]
                else None,
            }
        )
    return found


@functools.lru_cache(maxsize=4)
def _wrong(settings: Settings) -> dict[str, Wrong]:
    return {one.name: one for one in made_of(settings)[1]}


def _never_seen(ctx: Context, seen_names: set[str]) -> list[dict[str, object]]:
    """What is set up wrongly and no worker has told of: none has started since."""
    return [
        {"name": one.name, "kind": _kind(ctx, one.kind), "state": "wrong", "trouble": ctx.say(one.why)}
        for one in _wrong(ctx.settings).values()
        if one.name not in seen_names
    ]


def _kind(ctx: Context, kind: str) -> str:
    return ctx._(KIND_TITLES[kind]) if kind in KIND_TITLES else kind


def _shown(ctx: Context, row: GatewayState) -> dict[str, object]:
    stale = ctx.now - row.seen_at > STALE
    wrong = _wrong(ctx.settings).get(row.name)
    why: Fault | None = wrong.why if wrong else None
    unusable = not stale and not row.ready and (why is not None or row.priority == seen.LAST)
    return {
        "name": _kind(ctx, row.name) if row.name in GATEWAYS else row.name,
        "note": ctx._(GATEWAYS[row.name]) if row.name in GATEWAYS else "",
        "kind": "" if row.name in GATEWAYS else _kind(ctx, row.kind),
        "priority": row.priority,
        "state": "stale" if stale else "wrong" if unusable else "ready" if row.ready else "down",
        "health": round(row.health * 100) if row.ready else 0,  # whatever it was: nothing goes through it now
        "rate": row.rate,
        "in_flight": row.in_flight,
        "taken": row.taken,
        "refused": row.refused,
        "unanswered": row.unanswered,
        "trouble": ctx.say(why) if unusable and why else row.trouble or "",
        "changed_at": row.changed_at,
        "seen_at": row.seen_at,
    }
