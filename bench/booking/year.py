"""A year of an office with many officials and centres, filled from its near end as calendars are."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert

from core.calendar import wall_clock
from core.db import Database, new_id
from core.staff.models import Staff, StaffRole
from core.staff.rules import ATTENDANT, INTERPRETER
from queueing.appointments.models import Appointment, Claim, Slot
from queueing.appointments.rules import AUDIENCE, VIDEO, steps
from queueing.appointments.service import propose_code
from queueing.appointments.states import BOOKED

NOW = datetime(2026, 11, 22, 5, tzinfo=UTC)
ZONE = "Asia/Riyadh"
CENTRES, INTERPRETERS, DAYS = 10, 6, 250  # a minister and nine others, each with a centre's hall of their own
MINUTES = 20
FULL = 0.85  # of the year from now on is all but full: the free places that a search must find lie far ahead
LATE_CANCELLED = 0.01  # of the places in that part are free again
BATCH = 5_000


@dataclass(frozen=True, slots=True)
class Year:
    slots: int
    taken: int
    claims: int


def build(db: Database, *, slots: int, share: float, seed: int) -> Year:
    """Rows as the services would leave them, written in bulk; what is measured afterwards goes through the services."""
    dice = random.Random(seed)
    with db.write() as session:
        session.add_all(_staff())
    rows = list(_slots(slots))
    edge = int(FULL * len(rows))
    near = [n for n in range(edge) if dice.random() >= LATE_CANCELLED]
    far = dice.sample(range(edge, len(rows)), max(0, min(len(rows) - edge, round(share * len(rows)) - len(near))))
    chosen = set(near[: round(share * len(rows))]) | set(far)
    appointments: list[dict[str, Any]] = []
    claims: list[dict[str, Any]] = []
    for n in sorted(chosen):
        slot = rows[n]
        slot["taken"] = 1
        appointment = _appointment(slot, n)
        appointments.append(appointment)
        claims += _claims(slot, appointment)
    for model, values in ((Slot, rows), (Appointment, appointments), (Claim, claims)):
        for first in range(0, len(values), BATCH):
            with db.write() as session:
                session.execute(insert(model), values[first : first + BATCH])
    return Year(len(rows), len(chosen), len(claims))


def _staff() -> Iterator[Staff]:
    people = [(f"attendant{n}", ATTENDANT, f"centre{n}") for n in range(CENTRES)]
    people += [(f"interpreter{n}", INTERPRETER, None) for n in range(INTERPRETERS)]  # type: ignore[list-item]
    for name, role, centre in people:
        yield Staff(
            id=name, username=name, password_hash="-", name_ar="م", name_en=name, centre_id=centre,
            role_rows=[StaffRole(role=role)],
        )  # fmt: skip


def _slots(count: int) -> Iterator[dict[str, Any]]:
    """The same number every day, over all officials; every fifth official receives at the office."""
    per_official = -(-count // (DAYS * CENTRES))
    made = 0
    for day in range(DAYS):
        for n in range(per_official):
            for official in range(CENTRES):
                if made == count:
                    return
                starts_at = NOW + timedelta(days=1 + day * 365 // DAYS, minutes=n * MINUTES)
                video = official % 5 != 4
                made += 1
                yield {
                    "id": new_id(),
                    "official_id": f"official{official}",
                    "kind": VIDEO if video else AUDIENCE,
                    "centre_id": f"centre{official}" if video else None,
                    "place_ar": "قاعة",
                    "place_en": "Hall",
                    "starts_at": starts_at,
                    "ends_at": starts_at + timedelta(minutes=MINUTES),
                    "wall_start": wall_clock(starts_at, ZONE),
                    "zone": ZONE,
                    "capacity": 1,
                    "taken": 0,
                    "state": "open",
                    "reserved_urgent": n % 10 == 9,
                }


def _appointment(slot: dict[str, Any], n: int) -> dict[str, Any]:
    video = slot["kind"] == VIDEO
    signs = n % 37 == 0
    return {
        "id": new_id(),
        "slot_id": slot["id"],
        "visitor_id": f"visitor{n}",
        "petition_id": f"petition{n}",
        "state": BOOKED,
        "needs_interpreter": signs,
        "interpreter_id": f"interpreter{n % INTERPRETERS}" if signs else None,
        "attendant_id": slot["centre_id"].replace("centre", "attendant") if video else None,
        "booked_by": "aide",
        "code": propose_code(),
        "created_at": NOW,
        "changed_at": NOW,
    }


def _claims(slot: dict[str, Any], appointment: dict[str, Any]) -> Iterator[dict[str, Any]]:
    names = [
        (f"official:{slot['official_id']}", slot["id"]),
        (f"visitor:{appointment['visitor_id']}", appointment["id"]),
    ]
    if slot["kind"] == VIDEO:
        names += [
            (f"hall:{slot['centre_id']}", slot["id"]),
            (f"attendant:{appointment['attendant_id']}", appointment["id"]),
        ]
    if appointment["interpreter_id"]:
        names.append((f"interpreter:{appointment['interpreter_id']}", appointment["id"]))
    for resource, owner in names:
        for at in steps(slot["starts_at"], slot["ends_at"]):
            yield {"resource": resource, "at": at, "owner_id": owner}
