"""Papers that were taken while the virus scanner was away are shown to it as soon as it answers again."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from core.db import Database
from core.jobs import READING, Handler
from core.settings import Settings
from reception.files import service, virus
from reception.files.models import Attachment
from reception.files.virus import Verdict
from web.cases.papers import store_of

TRIES = 2000  # two weeks of asking every ten minutes


class ScannerAway(Exception):
    """No verdict yet: the job is tried again."""


def scan_handler(settings: Settings, db: Database) -> Handler:
    def act(payload: dict[str, Any]) -> dict[str, str]:
        with db.read() as session:
            paper = session.get(Attachment, payload["file_id"])
            path = paper.path if paper is not None and paper.scan == service.WAITING else None
        if path is None or not settings.clamd:
            return {}
        verdict = virus.scan(settings.clamd, store_of(settings).get(path))
        if verdict.state == virus.AWAY:
            raise ScannerAway(verdict.found)
        return {"state": verdict.state, "found": verdict.found}

    def record(session: Session, payload: dict[str, Any], result: dict[str, str], now: datetime) -> None:
        if result:
            service.enter_scan(session, payload["file_id"], Verdict(result["state"], result["found"]), now=now)

    return Handler(act=act, record=record, tries=TRIES, thread=READING)
