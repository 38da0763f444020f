"""What is looked for, and the times that fit it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from core.calendar import day_bounds, within_tables
from core.staff.rules import HOTLINE
from queueing.appointments import service
from queueing.appointments.models import Appointment, Slot
from queueing.appointments.rules import KINDS, VIDEO
from reception.petitions.models import Petition
from reception.petitions.rules import URGENT
from web.http import Context

MORNING, AFTERNOON = "morning", "afternoon"
PARTS = (MORNING, AFTERNOON)
NOON = 12
BATCH, LOOKED_AT = 60, 600  # a wish for the morning is looked for in so many free times at most


@dataclass(frozen=True, slots=True)
class Wishes:
    kind: str = ""
    centre_id: str = ""
    part: str = ""  # of the day
    signs: bool = False
    since: date | None = None  # not before this day

    @property
    def query(self) -> str:
        given = {"kind": self.kind, "centre": self.centre_id, "part": self.part, "since": self.since or ""}
        return urlencode({"wished": "1", "signs": "1" if self.signs else "", **given})

    def fits(self, slot: Slot, zone: str) -> bool:
        if not self.part:
            return True
        return (slot.starts_at.astimezone(ZoneInfo(zone)).hour < NOON) == (self.part == MORNING)


def read(ctx: Context, petition: Petition, old: Appointment | None = None) -> Wishes:
    """As asked for; at first whatever comes soonest here, with an interpreter for who signs."""
    asked: Mapping[str, str] = ctx.query
    if ctx.request.method != "GET":
        asked = {key: value for key, value in ctx.form.items() if isinstance(value, str)}
    if "wished" in asked:
        return Wishes(
            kind=asked.get("kind", "") if asked.get("kind") in KINDS else "",
            centre_id=asked.get("centre", "")[:40],
            part=asked.get("part", "") if asked.get("part") in PARTS else "",
            signs=asked.get("signs", "") not in ("", "0"),
            since=_day(asked.get("since", "")),
        )
    if old is not None:
        return Wishes(old.slot.kind, old.slot.centre_id or "", signs=old.needs_interpreter)
    here = petition.centre_id if HOTLINE in ctx.staff.roles else ctx.staff.centre_id or petition.centre_id
    return Wishes(centre_id=here, signs=petition.visitor.sign_language)


def fitting(
    ctx: Context, petition: Petition, wishes: Wishes, *, limit: int, instead_of: Appointment | None = None
) -> list[Slot]:
    """The next free times for this visitor. `instead_of`: what is held or booked and would be given up for it."""
    zone = ctx.settings.timezone
    since: datetime | None = day_bounds(wishes.since, zone)[0] if wishes.since else None
    found: list[Slot] = []
    for _ in range(LOOKED_AT // BATCH):
        free = service.open_slots(
            ctx.session,
            now=ctx.now,
            kind=wishes.kind or None,
            centre_id=wishes.centre_id or None,
            needs_interpreter=wishes.signs,
            urgent=petition.urgency == URGENT,
            visitor_id=petition.visitor_id,
            instead_of=instead_of,
            since=since,
            limit=BATCH,
        )
        found += [slot for slot in free if wishes.fits(slot, zone)]
        if len(found) >= limit or len(free) < BATCH:
            break
        since = free[-1].starts_at + timedelta(microseconds=1)
    return found[:limit]


def soonest(ctx: Context, petition: Petition, wishes: Wishes, *, limit: int, held: Appointment | None) -> list[Slot]:
    """What `fitting` finds once the held place is given up, that place among it."""
    found = fitting(ctx, petition, wishes, limit=limit, instead_of=held)
    if held is None or not _suits(held.slot, wishes, ctx.settings.timezone):
        return found
    return sorted([*found, held.slot], key=lambda slot: (slot.starts_at, slot.id))[:limit]


def _suits(slot: Slot, wishes: Wishes, zone: str) -> bool:
    """Whether a place one has is what is wished for; if an interpreter is free, only holding it again can tell."""
    elsewhere = slot.kind == VIDEO and wishes.centre_id not in ("", slot.centre_id)
    soon = wishes.since is not None and slot.starts_at < day_bounds(wishes.since, zone)[0]
    return wishes.kind in ("", slot.kind) and not elsewhere and not soon and wishes.fits(slot, zone)


def _day(text: str) -> date | None:
    try:
        return within_tables(date.fromisoformat(text))
    except ValueError:
        return None
