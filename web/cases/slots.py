"""What other crafts show on a case's page: texts sent, appointments, meetings, recordings.

A slot is `(ctx, petition) -> Panel | None`; its template gets `petition` and the panel's `values`. Add yours to SLOTS.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from core.calendar import local_day
from core.staff.rules import AIDE, HOTLINE, MANAGER, OFFICIAL, RECEPTIONIST
from messaging import service as messaging
from queueing.appointments import calendar
from queueing.appointments.states import AWAITED
from queueing.waitlist import service as waitlist
from reception import access
from reception.appointed import waiting as line
from reception.appointed.service import expected
from reception.parties import rules as party_rules
from reception.parties import service as parties
from reception.petitions.models import Petition
from recordings.archive import service as archive
from recordings.archive.leave import may_view
from video.meetings import service as video
from web.http import Context
from web.messages.common import body
from web.messages.outbox import reason
from web.waitlist.words import STATES


@dataclass(frozen=True, slots=True)
class Panel:
    id: str
    template: str
    values: dict[str, Any]


BOOKERS = frozenset({RECEPTIONIST, MANAGER, HOTLINE, AIDE, OFFICIAL})
Slot = Callable[[Context, Petition], Panel | None]


def appointments(ctx: Context, petition: Petition) -> Panel | None:
    found = calendar.current(ctx.session, petition.id)
    booked = found is not None and found.state in AWAITED
    if found is None or not booked:
        return None
    coming = found.id in expected(ctx.session, [found.id])
    return Panel("appointments", "cases/slot_appointment.html", {"appointment": found, "coming": coming})


def texts(ctx: Context, petition: Petition) -> Panel | None:
    sent = messaging.about(ctx.session, "petition", petition.id)
    reasons = {one.id: reason(ctx, one.error) for one in sent}
    bodies = {one.id: body(ctx, one) for one in sent}
    values = {"texts": sent, "bodies": bodies, "reasons": reasons}
    return Panel("texts", "cases/slot_texts.html", values) if sent else None


def meetings(ctx: Context, petition: Petition) -> Panel | None:
    """The meetings held about the case; a recording is linked only for those who may view it."""
    held = [m for m in video.about(ctx.session, petition.id) if m.live_at]
    rows = [
        (m, [r for r in archive.of_meeting(ctx.session, m.id) if may_view(ctx.session, r, ctx.staff.id, now=ctx.now)])
        for m in held
    ]
    return Panel("meetings", "cases/slot_meetings.html", {"rows": rows}) if rows else None


def waits(ctx: Context, petition: Petition) -> Panel | None:
    """The petition's place on the waitlist."""
    waiting = waitlist.of_petition(ctx.session, petition.id)
    if waiting is None or not ctx.staff.roles & BOOKERS:
        return None
    place, total = line.place_of(ctx.session, waiting, now=ctx.now)
    offer = waitlist.open_offer(ctx.session, waiting.id)
    said = ctx._(STATES[waiting.state])
    return Panel("waits", "waitlist/panel.html", {"place": place, "total": total, "state": said, "offer": offer})


def people(ctx: Context, petition: Petition) -> Panel | None:
    """Who asks with the visitor, and who may act for the visitor until when."""
    if not access.may_read_text(ctx.staff, petition) or not (beside := parties.of_petition(ctx.session, petition.id)):
        return None
    today = local_day(ctx.now, ctx.settings.timezone)
    rows = [(one, party_rules.in_force(one.role, one.valid_until, today=today)) for one in beside]
    names = {"powers": party_rules.POWERS, "relations": party_rules.RELATIONS}
    return Panel("people", "cases/slot_people.html", {"people": rows, **names})


SLOTS: list[Slot] = [people, appointments, waits, meetings, texts]


def panels(ctx: Context, petition: Petition) -> list[Panel]:
    return [panel for slot in SLOTS if (panel := slot(ctx, petition))]
