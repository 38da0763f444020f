"""The office's shelves, and whom to call about a secret case: one query each, that says the same on both databases."""

from collections.abc import Callable
from datetime import datetime, time, timedelta

from sqlalchemy.orm import Session

from core.calendar import local_day
from core.db import Database
from core.staff.models import Staff
from queueing.appointments import calendar
from queueing.appointments import service as appointments
from reception.hotline import service as hotline
from reception.petitions.models import Petition
from reception.petitions.states import WAITING_VISITOR
from tests.unit.reception.conftest import Ministry, build
from web.office import waiting

__all__ = ["build"]
ZONE = "Asia/Riyadh"


def test_each_petition_of_the_office_lies_on_one_shelf(
    any_db: Database, build: Callable[[Session], Ministry], now: datetime
) -> None:
    with any_db.write() as session:
        ministry = build(session)
        aide, made = ministry.staff["aide"], {}
        for shelf in waiting.SHELVES:
            made[shelf] = ministry.petition("meet-person", visitor=ministry.visitor(phone=f"050000000{len(made)}"))
        assert waiting.counts(session, aide) == {waiting.WAITING: 3, waiting.BOOKED: 0, waiting.ASKED: 0}
        made[waiting.ASKED].state = WAITING_VISITOR
        slot = calendar.add_session(
            session, official_id=ministry.staff["official"].id, kind="audience", centre_id=None, place_ar="-",
            place_en="-", day=local_day(now, ZONE) + timedelta(days=2), start=time(10), end=time(11), minutes=30,
            zone=ZONE, now=now,
        )[0]  # fmt: skip
        booked: Petition = made[waiting.BOOKED]
        appointments.book(
            session, slot_id=slot.id, visitor_id=booked.visitor_id, petition_id=booked.id, by=aide.id, now=now
        )
        session.flush()
        assert waiting.counts(session, aide) == dict.fromkeys(waiting.SHELVES, 1)
        for shelf, petition in made.items():
            assert waiting.lying(session, aide, shelf) == [petition]
        without = [made[waiting.WAITING], made[waiting.ASKED]]
        assert waiting.without_time(session, aide, page=1, size=5) == (without, 1, 1)
        assert waiting.without_time(session, aide, page=9, size=1) == (without[1:], 2, 2)
        assert waiting.counts(session, ministry.staff["receptionist"])[waiting.BOOKED] == 1, "their centre's"
        assert not any(waiting.counts(session, ministry.staff["far-receptionist"]).values())


def test_who_calls_about_a_secret_case(any_db: Database, build: Callable[[Session], Ministry], now: datetime) -> None:
    with any_db.write() as session:
        ministry = build(session)
        secret = ministry.petition("threat", visitor=ministry.visitor(phone="0500000001"))
        plain = ministry.petition("violation", visitor=ministry.visitor(phone="0500000002"))
        tasks = [
            hotline.call_back(session, visitor_id=one.visitor_id, petition_id=about, reason="Call", now=now).id
            for one, about in ((secret, secret.id), (plain, plain.id), (plain, None))
        ]

        def waits(who: Staff) -> list[bool]:
            return [id_ in {task.id for task in hotline.waiting(session, who)} for id_ in tasks]

        assert waits(ministry.staff["hotline"]) == [False, True, True]
        for who in ("manager", "aide"):
            assert waits(ministry.staff[who]) == [True, False, False]
        for who in ("official", "officer", "receptionist", "verifier", "admin"):
            assert not any(waits(ministry.staff[who]))
