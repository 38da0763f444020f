"""One job a night: what has done its work goes by published terms, and nothing else does."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from core import jobs
from core.db import Database, new_id
from core.events import EventDelivery, OutboxEvent, emit
from core.jobs import DONE, FAILED, Job
from core.once import OnceKey
from core.settings import Settings
from core.staff.events import SignedIn
from messaging.campaigns import service as campaigns
from messaging.campaigns.models import Campaign, CampaignRecipient
from messaging.clearing import Terms
from messaging.inbound.models import InboundAnswer
from messaging.models import InboundText, Message, MessagePart, MessageReceipt
from queueing.appointments.models import Appointment, Slot
from reception.appointed.models import AppointmentLink
from reception.centres.models import Centre
from reception.kiosks.models import Kiosk, Slip
from video.meetings.events import RecordingLost
from web import housekeeping
from web.housekeeping import TIDY, sweep_housekeeping, tidy

NOW = datetime(2026, 10, 27, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
pytestmark = pytest.mark.real


def count(db: Database, table: Any) -> int:
    with db.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_only_what_is_past_its_term_goes(any_db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "PORTION", 3)
    monkeypatch.setattr(housekeeping, "NEWEST_EVENTS", 2)
    with any_db.write() as session:
        for n in range(8):
            session.add(OnceKey(key=f"old{n}", location="/", at=NOW - 8 * DAY))
            jobs.enqueue(session, "sent", {"to": "0500000000"}, now=NOW - 9 * DAY, unique_key=f"k{n}")
        session.add(OnceKey(key="new", location="/", at=NOW - 6 * DAY))
        session.flush()
        for job in session.scalars(select(Job)):
            job.state, job.finished_at = DONE, NOW - 8 * DAY
        jobs.enqueue(session, "waits", {}, now=NOW - 400 * DAY)
        gave_up = jobs.enqueue(session, "failed", {}, now=NOW - 40 * DAY)
        session.flush()
        failed = session.get_one(Job, gave_up)
        failed.state, failed.finished_at = FAILED, NOW - 40 * DAY
        for age in (100, 100, 99, 98, 97, 1, 0, 0):
            emit(session, SignedIn("s"), now=NOW - age * DAY)
            session.flush()
        rows = list(session.scalars(select(OutboxEvent).order_by(OutboxEvent.id)))
        for row in rows:
            row.fanned_out_at = row.occurred_at
            session.add(EventDelivery(event_id=row.id, reaction="r", due_at=NOW, done_at=NOW, attempts=1))
        session.flush()
        session.get_one(EventDelivery, (rows[1].id, "r")).done_at = None
        rows[2].fanned_out_at = None
        keep = {rows[1].id, rows[2].id}
    removed = {one.what: one.rows for one in tidy(any_db, now=NOW)}
    assert removed["once_keys"] == 8 and count(any_db, OnceKey) == 1
    assert removed["done_jobs"] == 8 and removed["failed_jobs"] == 0
    with any_db.read() as session:
        assert sorted(session.scalars(select(Job.kind))) == ["failed", "waits"]
        left = set(session.scalars(select(OutboxEvent.id)))
        assert keep <= left, "a reaction that is owed keeps its event, and so does one that nobody took up yet"
        assert removed["events"] == 3 and set(session.scalars(select(EventDelivery.event_id))) == left
    assert {one.what: one.rows for one in tidy(any_db, now=NOW)} == dict.fromkeys(removed, 0)


def test_the_way_of_a_ticket_through_the_printer_is_forgotten_after_a_week(any_db: Database) -> None:
    with any_db.write() as session:
        centre = Centre(code="c", name_ar="مركز", name_en="Centre", place_ar="-", place_en="-", sections=["men"])
        session.add(centre)
        session.flush()
        kiosk = Kiosk(centre_id=centre.id, code="k", name_ar="جهاز", name_en="Device", printer="browser")
        session.add(kiosk)
        session.flush()
        for days in (6, 8):
            session.add(Slip(ticket_id=f"{days} days", kiosk_id=kiosk.id, lang="ar", asked_at=NOW - days * DAY))
    assert {one.what: one.rows for one in tidy(any_db, now=NOW)}["slips"] == 1
    with any_db.read() as session:
        assert list(session.scalars(select(Slip.ticket_id))) == ["6 days"]


def test_links_say_what_became_of_an_appointment_for_a_month(any_db: Database) -> None:
    with any_db.write() as session:
        for days in (-1, 29, 31):
            at = NOW - days * DAY
            slot = Slot(
                official_id="m", kind="audience", place_ar="م", place_en="P", starts_at=at, ends_at=at + DAY / 48
            )
            session.add(slot)
            session.flush()
            row = Appointment(slot_id=slot.id, visitor_id="v", petition_id=f"p{days}", state="met", booked_by="a",
                              code=f"c{days}", created_at=at, changed_at=at)  # fmt: skip
            session.add(row)
            session.flush()
            session.add(AppointmentLink(token_hash=f"of {days}", appointment_id=row.id, made_at=NOW - 60 * DAY))
    assert {one.what: one.rows for one in tidy(any_db, now=NOW)}["appointment_links"] == 1
    with any_db.read() as session:
        assert set(session.scalars(select(AppointmentLink.token_hash))) == {"of -1", "of 29"}


def test_evidence_and_the_newest_numbers_stay(any_db: Database) -> None:
    """What a manifest tells of, and the end of the table: SQLite gives a number out again when its row is gone."""
    from dataclasses import fields

    with any_db.write() as session:
        emit(session, RecordingLost(*["x"] * len(fields(RecordingLost))), now=NOW - 900 * DAY)
        for _ in range(5):
            emit(session, SignedIn("s"), now=NOW - 900 * DAY)
        session.flush()
        for row in session.scalars(select(OutboxEvent)):
            row.fanned_out_at = row.occurred_at
    tidy(any_db, now=NOW)
    assert count(any_db, OutboxEvent) == 6


def test_it_is_asked_for_once_a_night_however_many_workers_there_are(any_db: Database) -> None:
    settings = Settings(timezone="Asia/Riyadh")
    night = datetime(2026, 10, 27, 0, 0, tzinfo=UTC)  # three in the morning
    workers = [sweep_housekeeping(settings) for _ in range(3)]

    def sweep(now: datetime) -> int:
        for one in workers:
            with any_db.write() as session:
                one(session, now)
        return count(any_db, Job)

    before = sweep(night - timedelta(minutes=1))
    assert before == 1 and sweep(night) == 2 and sweep(night + timedelta(hours=20)) == 2
    with any_db.read() as session:
        assert set(session.scalars(select(Job.kind))) == {TIDY}


def test_texts_of_no_case_go_after_a_year_and_those_of_a_case_stay(
    any_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "PORTION", 2)
    old, young = NOW - 366 * DAY - DAY, NOW - 364 * DAY

    def text(subject: str, at: datetime, state: str = "delivered", about: str = "x") -> Message:
        return Message(
            id=new_id(), key=new_id(), to_number="+966501234567", language="ar", template="t", message_class="service",
            body="b", encoding="UCS-2", parts=1, state=state, subject_kind=subject, subject_id=about, created_at=at,
            due_at=at, attempts=1, doubts=0,
        )  # fmt: skip

    def receipt(message: Message, at: datetime) -> MessageReceipt:
        return MessageReceipt(
            id=new_id(), provider="p", provider_id="1", provider_key="1", from_number="", message_id=message.id,
            part_id=None, state="delivered", code="", repeated=False, received_at=at,
        )  # fmt: skip

    def inbound(at: datetime, handled: bool, needs_person: bool = False) -> str:
        row = InboundText(
            id=new_id(), key=new_id(), provider="p", from_number="+966501234567", to_number="8004", body="b",
            complete=True, received_at=at, handled_at=at if handled else None,
        )  # fmt: skip
        answer = InboundAnswer(
            inbound_id=row.id, number=row.from_number, command="", outcome="", needs_person=needs_person, at=at
        )
        session.add(row)
        session.flush()
        session.add(answer)
        return row.id

    with any_db.write() as session:
        ended = Campaign(
            id="c", name="n", group_kind="all", group_detail={}, words={}, state="finished", created_by="s",
            created_at=old, finished_at=old, changed_at=old, total=2, skipped=1, parts=2, written=2,
        )  # fmt: skip
        session.add(ended)
        session.flush()
        for number, state in (("+1", "written"), ("+2", "written"), ("+3", "skipped")):
            why = "stopped" if state == "skipped" else ""
            session.add(CampaignRecipient(campaign_id="c", number=number, language="ar", state=state, why=why))
        gone = [text(kind, old) for kind in ("number", "inbound", "ticket", "campaign", "campaign")]
        gone[3].subject_id, gone[4].subject_id, gone[4].state = "c", "c", "failed"
        kept = [
            text("petition", old, about="p"),
            text("number", young),
            text("number", old, "temporary"),
            text("something new", old),
            text("campaign", old, about="runs"),
        ]
        session.add_all([*gone, *kept])
        session.flush()
        for message in (*gone, *kept):
            session.add(
                MessagePart(
                    id=new_id(), message_id=message.id, number=1, attempt=1, provider="p", state="delivered", at=old
                )
            )
        session.add_all([receipt(kept[0], NOW - 91 * DAY), receipt(kept[0], NOW - 89 * DAY), receipt(gone[0], young)])
        inbound(old, handled=True)
        stays = {inbound(old, handled=False), inbound(old, handled=True, needs_person=True), inbound(young, True)}
        wanted = {message.id for message in kept}
        was = campaigns.figures(session, "c")
    removed = {one.what: one.rows for one in tidy(any_db, now=NOW)}
    assert (removed["texts"], removed["texts_to_us"], removed["campaigns_summed_up"]) == (5, 1, 1)
    with any_db.read() as session:
        assert set(session.scalars(select(Message.id))) == wanted
        assert set(session.scalars(select(MessagePart.message_id))) == wanted, "what a case shows of a text is whole"
        assert set(session.scalars(select(MessageReceipt.message_id))) == {kept[0].id} and removed["receipts"] == 2
        assert (
            set(session.scalars(select(InboundText.id)))
            == stays
            == set(session.scalars(select(InboundAnswer.inbound_id)))
        )
        assert campaigns.figures(session, "c") == was
        assert was == {"states": {"delivered": 1, "failed": 1}, "left_out": {"stopped": 1}, "languages": {"ar": 2}}
        assert not session.scalars(select(CampaignRecipient)).all(), "to whom it went is forgotten with its texts"
    for_ever = Terms(texts=None, receipts=None)
    later = {one.what: one.rows for one in tidy(any_db, now=NOW + 4000 * DAY, terms=for_ever)}
    assert later.get("texts", 0) == later.get("receipts", 0) == 0
    with any_db.read() as session:
        assert len(session.scalars(select(Message.id)).all()) == len(wanted)
