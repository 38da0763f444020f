"""A founded ministry with one busy centre: desks for services, desks for verification, a session for each clerk."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from random import Random

from sqlalchemy import func, select

from core import clock
from core.db import Database, new_id
from core.settings import Settings
from core.staff import rules as roles
from core.staff import service as staff
from core.staff.models import StaffSession
from queueing.tickets import service, states
from queueing.tickets.models import Counter, Ticket
from reception.centres.models import Centre
from reception.kiosks import service as devices
from reception.kiosks.rules import NONE
from web.demo import people
from web.migrate import upgrade

SECRET = "33" * 32
KIOSK = ("reception", "followup", "records")
DESKS, VERIFIERS = 9, 3
KEPT_WAITING = 40  # clerks call while more wait, so that every call of the day weighs a line of one length
ZONE = "Asia/Riyadh"


@dataclass(frozen=True, slots=True)
class Clerk:
    """Who sits at a counter, with what a browser would send."""

    id: str
    counter_id: str
    token: str
    csrf: str
    verifies: bool


@dataclass
class Town:
    settings: Settings
    db: Database
    centre: Centre
    points: dict[str, str]
    device: str  # the key of a kiosk of the centre's: other browsers get tickets by measure
    clerks: list[Clerk] = field(default_factory=list)

    def number_waiting(self, verifies: bool) -> int:
        with self.db.read() as session:
            of = Ticket.service_point_id == self.points["verification"]
            query = select(func.count()).where(
                Ticket.centre_id == self.centre.id, Ticket.state == states.WAITING, of if verifies else ~of
            )
            return session.scalar(query) or 0

    def at_counter(self, counter_id: str) -> str | None:
        with self.db.read() as session:
            here = Ticket.state.in_(states.AT_COUNTER)
            return session.scalar(select(Ticket.id).where(Ticket.counter_id == counter_id, here))


@dataclass(frozen=True, slots=True)
class Wish:
    """What a visitor says at the kiosk."""

    service: str
    section: str
    language: str
    need: str


def wish(random: Random) -> Wish:
    return Wish(
        random.choice(("reception", "reception", "followup", "records")),
        random.choice(("men", "women", "women", "family")),
        random.choice(("ar", "ar", "ar", "en")),
        random.choice(("",) * 7 + ("elderly", "disabled", "sign")),
    )


def course(random: Random, verifies: bool) -> str:
    """What becomes of a visitor who has come to the counter."""
    chance = random.random()
    if chance < 0.04:
        return "park"
    if chance < 0.08 and not verifies:
        return "transfer"
    if chance < 0.20 and not verifies:
        return "forward"
    return "finish" if chance < 0.35 else "next"


def found(folder: Path, *, database_url: str = "", now: datetime | None = None) -> Town:
    """Doors are open at every hour, so that the bench runs whenever it is wanted."""
    now = now or clock.now()
    settings = Settings(data_dir=folder, secret_hex=SECRET, database_url=database_url, timezone=ZONE)
    upgrade(settings)
    db = Database(settings.database)
    with db.write() as session:
        ministry = people.found(session, now=now)
        centre = ministry.centres["central"]
        points = {code: point.id for (place, code), point in ministry.points.items() if place == "central"}
        hall = {"name_ar": "الصالة", "name_en": "Hall", "printer": NONE, "address": "", "paper_mm": 80}
        kiosk = devices.add(session, centre.id, code="hall", now=now, **hall)
        town = Town(settings, db, centre, points, kiosk.key)
        seats, hashed = list(ministry.counters["central"]), staff.hash_password(people.PASSWORD)
        for counter in seats:
            session.delete(counter)
        session.flush()
        for number in range(1, DESKS + VERIFIERS + 1):
            verifies = number > DESKS
            counter = Counter(
                id=new_id(),
                centre_id=centre.id,
                number=number,
                name_ar=f"الشباك {number}",
                name_en=f"Counter {number}",
                service_point_ids=[points["verification"]] if verifies else [points[code] for code in KIOSK],
                sections=list(people.ALL),
                languages=["ar", "en"],
                sign_language=verifies or number <= 3,
            )
            session.add(counter)
            session.flush()
            person = staff.create(
                session,
                username=f"clerk{number}",
                password=people.PASSWORD,
                hashed=hashed,
                name_ar=f"موظف {number}",
                name_en=f"Clerk {number}",
                roles=[roles.RECEPTIONIST],
                centre_id=centre.id,
                now=now,
            )
            token = staff.sign_in(session, person, address=None, hours=24, now=now)
            session.flush()
            csrf = session.scalars(select(StaffSession.csrf).where(StaffSession.staff_id == person.id)).one()
            service.open_counter(session, counter.id, person.id, now=now)
            town.clerks.append(Clerk(person.id, counter.id, token, csrf, verifies))
    return town
