"""A sender with a gateway of one's own, and what it did."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from core import clock
from core.db import Database
from core.settings import Settings
from messaging import service
from messaging.models import Message
from messaging.sending import Sender

APPOINTMENT = {
    "when": "الأربعاء ١٧ جمادى الأولى ١٤٤٨هـ (٢٨ أكتوبر ٢٠٢٦م) ١٠:٣٠ صباحًا",
    "place": "مركز الرياض، طريق الملك فهد",
    "code": "k7m2x9qd",
}


class Bench:
    """One database, one sender, driven by hand: `until` turns rounds until something holds."""

    def __init__(self, db: Database, folder: Path) -> None:
        self.db, self.folder = db, folder
        self.sender: Sender | None = None

    def open(self, *gateways: Mapping[str, Any], **more: Any) -> Sender:
        settings = Settings(
            data_dir=self.folder, sms_providers=json.dumps([dict(one) for one in gateways]), sms_quiet="", **more
        )
        self.sender = Sender.of(settings, self.db, clock.now)
        return self.sender

    def write(self, to: str = "+966501234567", template: str = "petition_to_office", **more: Any) -> str:
        given: dict[str, Any] = {"fields": {"case": "48-000123"}, "language": "ar", "subject": ("petition", "p")}
        given["key"] = str(time.monotonic_ns())
        with self.db.write() as session:
            return service.queue(session, to=to, template=template, now=clock.now(), **{**given, **more}).id

    def appointment(self, to: str = "+966501234567") -> str:
        return self.write(to, "appointment_audience", fields=APPOINTMENT, subject=("appointment", "a"))

    def until(self, done: Callable[[], bool], seconds: float = 30.0) -> None:
        assert self.sender is not None
        end = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < end, f"it took too long: {self.states()}"
            self.sender.step()
            time.sleep(0.01)

    def states(self) -> dict[str, int]:
        with self.db.read() as session:
            return dict(session.execute(select(Message.state, func.count()).group_by(Message.state)).all())

    def get(self, message_id: str) -> Message:
        with self.db.read() as session:
            return service.get(session, message_id)


@pytest.fixture
def bench(db: Database, tmp_path: Path) -> Iterator[Bench]:
    one = Bench(db, tmp_path)
    yield one
    if one.sender is not None:
        one.sender.close()
