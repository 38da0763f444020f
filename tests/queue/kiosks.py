"""A centre with a kiosk, a printer and a counter, its web process in front of a real Chromium."""

import threading
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from core import clock
from core.db import Database, new_id
from core.settings import Settings
from queueing.appointments.models import Appointment, Slot
from queueing.appointments.states import BOOKED
from queueing.tickets import service
from queueing.tickets.models import Counter, ServicePoint, Ticket
from reception.centres.models import Centre
from reception.kiosks import service as devices
from reception.visitors.models import Visitor
from tests.children import WebProcess
from tests.queue.printer import NetworkPrinter
from web.printing.lane import start_printing
from web.schema import create_all

SECTIONS = ["men", "women", "family"]
APPOINTMENT_CODE = "k7m2x9qd"


class House(WebProcess):
    """The web process is a real one and can be killed; the printing lanes run here, beside the printer."""

    def __init__(self, folder: Path, printer: NetworkPrinter) -> None:
        self.settings = Settings(data_dir=folder, secret_hex="33" * 32)
        self.db = Database(self.settings.database)
        create_all(self.db.engine)
        self.printer = printer
        self._stop = threading.Event()
        self._furnish()
        start_printing(self.settings, self.db, self._stop)
        super().__init__(folder, "33" * 32)

    def close(self) -> None:
        self._stop.set()
        self.kill()

    def tickets(self) -> list[Ticket]:
        with self.db.read() as session:
            return list(session.scalars(select(Ticket).order_by(Ticket.issued_at)))

    def call_next(self) -> None:
        with self.db.write() as session:
            service.call_next(session, self.counter_id, "clerk", now=clock.now())

    def clear(self) -> None:
        """Nobody waits any more."""
        with self.db.write() as session:
            for ticket in session.scalars(select(Ticket).where(Ticket.state == "waiting")):
                service.cancel(session, ticket.id, now=clock.now())

    def _furnish(self) -> None:
        now = clock.now()
        with self.db.write() as session:
            centre = Centre(
                id=new_id(), code="riyadh", name_ar="مركز الرياض", name_en="Riyadh centre", place_ar="-", place_en="-",
                sections=SECTIONS,
            )  # fmt: skip
            session.add(centre)
            session.flush()
            points = [
                ServicePoint(
                    id=new_id(), centre_id=centre.id, code=code, letter=letter, name_ar=ar, name_en=en, kind=kind,
                    kiosk=kind != "video", sections=SECTIONS,
                )
                for code, letter, ar, en, kind in (
                    ("new", "A", "استقبال المعاملات", "Hand in a petition", "reception"),
                    ("ask", "B", "الاستعلام عن معاملة", "Ask about a case", "reception"),
                    ("hall", "V", "قاعة الاتصال المرئي", "Video hall", "video"),
                )
            ]  # fmt: skip
            counter = Counter(
                id=new_id(), centre_id=centre.id, number=1, name_ar="الشباك ١", name_en="Counter 1",
                service_point_ids=[point.id for point in points], sections=SECTIONS, languages=["ar", "en"],
                open=True, staff_id="clerk",
            )  # fmt: skip
            session.add_all([*points, counter])
            kiosk = devices.add(
                session,
                centre.id,
                code="hall-1",
                name_ar="المدخل",
                name_en="Entrance",
                printer="network",
                address=self.printer.address,
                paper_mm=80,
                now=now,
            )
            self.centre_id, self.counter_id, self.kiosk_id, self.key = centre.id, counter.id, kiosk.id, kiosk.key
            session.flush()
            visitor, slot, booked = self._appointment(centre.id)
            session.add_all([visitor, slot])
            session.flush()
            session.add(booked)

    def _appointment(self, centre_id: str) -> tuple[Visitor, Slot, Appointment]:
        now = clock.now()
        visitor = Visitor(
            id=new_id(), identity_number="1000000511", name="سالم بن غانم", name_search="سالم بن غانم",
            phone="+966500000051", language="ar", created_at=now,
        )  # fmt: skip
        slot = Slot(
            id=new_id(), official_id="minister", kind="video", centre_id=centre_id, place_ar="-", place_en="-",
            starts_at=now + timedelta(minutes=1), ends_at=now + timedelta(minutes=40), taken=1,
        )  # fmt: skip
        booked = Appointment(
            id=new_id(), slot_id=slot.id, visitor_id=visitor.id, petition_id="petition", state=BOOKED,
            booked_by="aide", code=APPOINTMENT_CODE, created_at=now, changed_at=now,
        )  # fmt: skip
        return visitor, slot, booked
