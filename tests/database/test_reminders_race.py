"""A reminder and a change of the same appointment at the same moment."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from core.db import Database
from messaging.models import Message
from queueing.appointments import service
from reception.appointed.reminders import send_due
from reception.appointed.rules import DAY
from tests.unit.reception.appointed.conftest import SETTINGS, a_morning


@pytest.mark.parametrize("any_db", ["postgresql"], indirect=True)  # SQLite lets one writer in at a time
def test_nobody_is_reminded_of_a_time_that_is_being_changed(any_db: Database, now: datetime) -> None:
    with any_db.write() as session:
        slots = a_morning(session, now)
        old = service.book(
            session, slot_id=slots[0], visitor_id="visitor", petition_id="petition", by="aide", now=now
        ).id
    tomorrow = now + timedelta(days=1)
    with any_db.write() as office:
        new = service.reschedule(office, old, slot_id=slots[3], by="aide", now=now).id
        with any_db.write() as worker:
            assert send_due(worker, now=tomorrow, settings=SETTINGS) == [], "passed by, without waiting for the office"
    with any_db.write() as worker:
        assert send_due(worker, now=tomorrow, settings=SETTINGS) == [f"{DAY}:{new}"]
        assert "١١:٣٠" in worker.scalars(select(Message.body).where(Message.template == DAY)).one()
