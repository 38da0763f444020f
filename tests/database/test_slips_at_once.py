"""Paper asked for by two hands at one moment, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from sqlalchemy import func, select

from core.db import Database, new_id
from core.jobs import Job
from queueing.tickets import service as tickets
from queueing.tickets.models import ServicePoint, Ticket
from reception.centres.models import Centre
from reception.kiosks import service, states
from reception.kiosks.models import Kiosk, Slip
from tests.conftest import NOON, ZONE

NAMES = {"name_ar": "م", "name_en": "C"}


def test_many_presses_make_one_slip_and_one_job_and_what_is_told_twice_counts_once(any_db: Database) -> None:
    with any_db.write() as session:
        centre = Centre(id=new_id(), code="hall", place_ar="-", place_en="-", sections=["men"], **NAMES)
        session.add(centre)
        session.flush()
        point = ServicePoint(id=new_id(), centre_id=centre.id, code="new", letter="A", sections=["men"], **NAMES)
        session.add(point)
        session.flush()
        kiosk_id = service.add(
            session, centre.id, code="a", printer="network", address="10.0.0.9", paper_mm=80, now=NOON, **NAMES
        ).id
        ticket_id = tickets.issue(
            session,
            centre_id=centre.id,
            service_point_id=point.id,
            section="men",
            language="ar",
            now=NOON,
            zone=ZONE,
        ).id
    together = Barrier(6)

    def press(_: int) -> None:
        together.wait()
        with any_db.write() as session:
            kiosk, ticket = session.get_one(Kiosk, kiosk_id), session.get_one(Ticket, ticket_id)
            service.ask_slip(session, kiosk, ticket, lang="ar", now=NOON)

    with ThreadPoolExecutor(6) as hands:
        list(hands.map(press, range(6)))
    with any_db.read() as session:
        assert session.scalar(select(func.count()).select_from(Slip)) == 1
        assert session.scalar(select(func.count()).where(Job.kind == service.PRINT)) == 1

    def finish(_: int) -> None:
        together.wait()
        with any_db.write() as session:
            service.finish_slip(session, ticket_id, states.PAPER_OUT, now=NOON)

    with ThreadPoolExecutor(6) as hands:
        list(hands.map(finish, range(6)))
    with any_db.write() as session:
        slip, kiosk = session.get_one(Slip, ticket_id), session.get_one(Kiosk, kiosk_id)
        assert (slip.state, slip.tries, kiosk.condition) == (states.FAILED, 1, states.PAPER_OUT)
        assert service.next_to_ask(session, now=NOON) is kiosk
        assert service.next_to_ask(session, now=NOON) is None
