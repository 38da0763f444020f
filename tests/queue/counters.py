"""A centre with reception, verification and a video hall, and two clerks at counters: a real web process in front."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import delete

from core import clock
from core.db import Database, new_id
from core.settings import Settings
from core.staff import service as staff
from core.staff.rules import MANAGER, RECEPTIONIST
from queueing.tickets import models, service
from queueing.tickets.models import Counter, ServicePoint, Ticket
from reception.centres.models import Centre
from tests.children import WebProcess
from web.demo.people import PASSWORD
from web.schema import create_all

SECTIONS = ["men", "women", "family"]
ROWS = (models.TicketPress, models.TicketUrgency, models.TicketNear, models.CallLog, models.TicketPeriod, models.Ticket)


class Desks(WebProcess):
    """Clerks huda (counter 1) and salem (counter 2), and mona, who manages the centre."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(data_dir=folder, secret_hex="44" * 32)
        self.db = Database(self.settings.database)
        create_all(self.db.engine)
        self.people: dict[str, str] = {}
        self.counters: list[str] = []
        self.points: dict[str, str] = {}
        self._furnish()
        super().__init__(folder, "44" * 32)

    def take(self, count: int = 1, *, ago: float = 0, point: str = "new", **wishes: Any) -> list[Ticket]:
        """Visitors who came `ago` minutes ago, one after the other by a tenth of a minute."""
        with self.db.write() as session:
            return [
                service.issue(
                    session,
                    centre_id=self.centre_id,
                    service_point_id=self.points[point],
                    now=clock.now() - timedelta(minutes=ago - n / 10),
                    zone="Asia/Riyadh",
                    **({"section": "men", "language": "ar"} | wishes),
                )
                for n in range(count)
            ]

    def verb(self, name: str, *given: Any, ago: float = 0, **more: Any) -> Any:
        """A verb of the queue, done by somebody else or some minutes ago."""
        with self.db.write() as session:
            return getattr(service, name)(session, *given, now=clock.now() - timedelta(minutes=ago), **more)

    def state(self, ticket_id: str) -> str:
        with self.db.read() as session:
            return session.get_one(Ticket, ticket_id).state

    def clear(self) -> None:
        """An empty hall; huda and salem sit at their counters."""
        with self.db.write() as session:
            for row in ROWS:
                session.execute(delete(row))
            for number, name in enumerate(("huda", "salem")):
                counter = session.get_one(Counter, self.counters[number])
                counter.open, counter.staff_id = True, self.people[name]

    def _furnish(self) -> None:
        now: datetime = clock.now()
        with self.db.write() as session:
            centre = Centre(
                id=new_id(), code="riyadh", name_ar="مركز الرياض", name_en="Riyadh centre", place_ar="-", place_en="-",
                sections=SECTIONS,
            )  # fmt: skip
            session.add(centre)
            session.flush()
            self.centre_id = centre.id
            for order, (code, letter, ar, en, kind, icon) in enumerate(
                (
                    ("new", "E", "استقبال الطلبات", "Reception", "reception", "document"),
                    ("check", "V", "التدقيق", "Verification", "verification", "check"),
                    ("video", "W", "قاعة الاتصال المرئي", "Video hall", "video", "video"),
                )
            ):
                point = ServicePoint(
                    id=new_id(), centre_id=centre.id, code=code, letter=letter, name_ar=ar, name_en=en, kind=kind,
                    icon=icon, order=order, sections=SECTIONS,
                )  # fmt: skip
                session.add(point)
                self.points[code] = point.id
            session.flush()
            session.get_one(ServicePoint, self.points["new"]).then = [self.points["check"]]
            session.get_one(ServicePoint, self.points["check"]).then = [self.points["video"]]
            for number, codes in ((1, ("new", "check")), (2, ("new", "check")), (3, ("video",))):
                counter = Counter(
                    id=new_id(), centre_id=centre.id, number=number, name_ar=f"الشباك {number}",
                    name_en=f"Counter {number}", service_point_ids=[self.points[code] for code in codes],
                    sections=SECTIONS, languages=["ar", "en"],
                )  # fmt: skip
                session.add(counter)
                self.counters.append(counter.id)
            for name, ar, en, role in (
                ("huda", "هدى المثالية", "Huda Mithali", RECEPTIONIST),
                ("salem", "سالم النموذجي", "Salem Namuthaj", RECEPTIONIST),
                ("mona", "منى العينة", "Mona Ayina", MANAGER),
            ):
                person = staff.create(
                    session, username=name, password=PASSWORD, name_ar=ar, name_en=en, roles=[role],
                    centre_id=centre.id, now=now,
                )  # fmt: skip
                self.people[name] = person.id
