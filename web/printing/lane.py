"""Where slips meet the worker: the job that prints one, lanes of their own, and the round that asks the printers.

A text or a film must not hold a visitor's paper up, nor one broken printer the paper of others: two lanes beside the
worker's loop print, a third asks. A print that failed is not tried again by itself: paper for somebody who has gone
misleads the next one.
"""

import threading
from datetime import timedelta
from functools import partial
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import clock
from core.db import Database
from core.jobs import Handler
from core.settings import Settings
from queueing.tickets.models import Ticket
from reception.kiosks import rules, service, states
from reception.kiosks.models import Kiosk, Slip
from reception.kiosks.service import PRINT
from web.printing.printers import print_slip, status
from web.printing.slip import draw
from web.printing.words import slip_of
from web.static_files import VENDOR
from web.worker import Worker

log = structlog.get_logger()
FONTS = VENDOR["ibm-plex-sans-arabic"]
LANES = 2
KNOWN_FOR = timedelta(seconds=8)  # so long a fault that was seen is believed without asking again
LOOK_S = 1.0


class PrintLane(Worker):
    """Prints and does nothing else."""

    def step(self, thread: str | None = None) -> bool:
        return self._run_job(thread)


def print_handler(settings: Settings, db: Database) -> Handler:
    def act(payload: dict[str, Any]) -> str | None:
        now = clock.now()
        with db.read() as session:
            slip = session.get(Slip, payload["ticket_id"])
            if slip is None or slip.state != states.WANTED:
                return None
            kiosk, ticket = session.get_one(Kiosk, slip.kiosk_id), session.get_one(Ticket, slip.ticket_id)
            if not rules.in_time(slip.asked_at, now=now):
                return states.LATE
            if kiosk.condition not in states.WORKS and kiosk.asked_at and now - kiosk.asked_at < KNOWN_FOR:
                return kiosk.condition
            base = str(payload.get("base") or "")
            words = slip_of(session, ticket, lang=slip.lang, settings=settings, now=now, base=base)
            picture = partial(draw, words, paper_mm=kiosk.paper_mm, fonts=FONTS)
            where = (kiosk.printer, kiosk.address)
            name = f"{ticket.day.isoformat()}-{ticket.label}-{ticket.code[:4]}.pdf"
        return print_slip(*where, picture, name=name, folder=settings.data_dir / "printing")

    def record(session: Session, payload: dict[str, Any], condition: str | None, now: Any) -> None:
        if condition:
            service.finish_slip(session, payload["ticket_id"], condition, now=now)

    def gave_up(session: Session, payload: dict[str, Any], error: str, now: Any) -> None:
        log.error("a slip could not be printed", error=error)
        service.finish_slip(session, payload["ticket_id"], states.UNFIT, now=now)

    return Handler(act=act, record=record, gave_up=gave_up, tries=1, lease=timedelta(seconds=20))


def ask_printers(db: Database) -> bool:
    """One printer that hasn't been asked for a while; False where none is due."""
    with db.read() as session:
        due = session.scalar(select(Kiosk.id).where(*service.due_to_be_asked(clock.now())).limit(1))
    if due is None:
        return False
    with db.write() as session:
        kiosk = service.next_to_ask(session, now=clock.now())
        where = (kiosk.id, kiosk.printer, kiosk.address) if kiosk else None
    if where is None:
        return False
    condition = status(*where[1:])
    with db.write() as session:
        service.told(session, where[0], condition, now=clock.now())
    return True


def start_printing(settings: Settings, db: Database, stop: threading.Event) -> list[threading.Thread]:
    """The lanes and the round, beside the worker's own loop, until `stop`."""

    def round_() -> None:
        while not stop.is_set():
            try:
                busy = ask_printers(db)
            except Exception:
                log.exception("printers")
                busy = False
            if not busy:
                stop.wait(LOOK_S)

    lane = [
        PrintLane(db=db, reactions={}, handlers={PRINT: print_handler(settings, db)}, stop=stop) for _ in range(LANES)
    ]
    threads = [threading.Thread(target=one.run, name="printing", daemon=True) for one in lane]
    threads.append(threading.Thread(target=round_, name="printers", daemon=True))
    for thread in threads:
        thread.start()
    return threads
