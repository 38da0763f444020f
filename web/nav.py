"""The navigation of desk screens: one table, filtered by who is signed in."""

from typing import TYPE_CHECKING, Any

from core.language import N_
from core.staff.rules import (
    ADMIN,
    AIDE,
    ATTENDANT,
    HOTLINE,
    INTERPRETER,
    MANAGER,
    OFFICER,
    OFFICIAL,
    RECEPTIONIST,
    VERIFIER,
)

if TYPE_CHECKING:
    from web.http import Context

ENTRIES: tuple[tuple[str, str, str, frozenset[str]], ...] = (
    ("/admin", N_("Administration"), "settings", frozenset({ADMIN})),
    ("/centre", N_("Centre today"), "clock", frozenset({MANAGER})),
    ("/notices", N_("Hall notices"), "screen", frozenset({MANAGER, ADMIN})),
    ("/verification", N_("Verification"), "check", frozenset({VERIFIER})),
    ("/video-hall", N_("Video hall"), "video", frozenset({ATTENDANT})),
    ("/counter", N_("Counter"), "ticket", frozenset({RECEPTIONIST, VERIFIER, ATTENDANT, MANAGER})),
    ("/intake", N_("New petition"), "plus", frozenset({RECEPTIONIST})),
    ("/returned", N_("At the centre"), "undo", frozenset({RECEPTIONIST, VERIFIER, MANAGER})),
    ("/department", N_("Department"), "building", frozenset({OFFICER})),
    ("/office", N_("Office"), "home", frozenset({OFFICIAL, AIDE})),
    ("/office/calendar", N_("Calendar"), "calendar", frozenset({OFFICIAL, AIDE})),
    ("/waitlist", N_("Waitlist"), "queue", frozenset({OFFICIAL, AIDE, MANAGER, HOTLINE})),
    ("/office/directives", N_("Directives"), "gavel", frozenset({OFFICIAL, AIDE})),
    ("/interpreting", N_("Interpreting"), "hand", frozenset({INTERPRETER})),
    ("/hotline", N_("Hotline"), "phone", frozenset({HOTLINE})),
    ("/late", N_("Deadlines"), "clock", frozenset({OFFICER, MANAGER, AIDE})),
    ("/concerns", N_("Complaints"), "flag", frozenset({MANAGER, OFFICIAL, AIDE})),
    ("/library", N_("Recordings"), "play", frozenset({OFFICIAL, AIDE, OFFICER})),
    ("/ministry", N_("In numbers"), "chart", frozenset({OFFICIAL, AIDE, MANAGER, ADMIN})),
    ("/quality", N_("Quality of meetings"), "signal", frozenset({OFFICIAL, AIDE, MANAGER, ADMIN})),
    ("/messages", N_("Messages"), "message", frozenset({AIDE, MANAGER, HOTLINE, ADMIN})),
)

BELONGS = (("/office/sessions", "/office/calendar"), ("/office/holidays", "/office/calendar"))
"""Pages that stand under an entry which is no beginning of their address."""


def nav_for(ctx: "Context") -> list[dict[str, Any]]:
    """Entries this person may open; the longest matching address is the current one."""
    roles = ctx.me.roles if ctx.me else frozenset()
    mine = [entry for entry in ENTRIES if entry[3] & roles]
    here = ctx.request.url.path
    here = next((entry for address, entry in BELONGS if here.startswith(address)), here)
    current = max((e[0] for e in mine if here == e[0] or here.startswith(e[0] + "/")), key=len, default=None)
    return [
        {"href": href, "label": ctx._(label), "icon": icon, "current": href == current, "badge": _waits(ctx, href)}
        for href, label, icon, _ in mine
    ]


def _waits(ctx: "Context", href: str) -> int | None:
    """How much waits behind an entry for whoever may open it."""
    if href != "/admin":
        return None
    from web.admin import proposals

    return sum(proposals.waiting(ctx.session, now=ctx.now).values()) or None


def home_of(roles: frozenset[str]) -> str:
    """Where a person starts the day."""
    return next((href for href, _, _, allowed in ENTRIES if allowed & roles), "/welcome")
