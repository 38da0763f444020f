"""One job a night: what has done its work and serves nobody any more is removed. Its terms: docs/operations.md.

Short transactions, each of a few hundred rows: it holds up nobody, and killed at any moment it goes on the next night.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Delete, delete, exists, func, select
from sqlalchemy.orm import Session

from core import jobs
from core.calendar import local_day
from core.db import Database
from core.events import EventDelivery, OutboxEvent, name_of
from core.jobs import DONE, FAILED, READING, Handler, Job
from core.once import OnceKey
from core.settings import Settings
from core.sweeping import gated
from messaging import clearing
from messaging.clearing import Terms
from messaging.inbound.models import Dialogue
from messaging.models import InboundText, Message, MessageReceipt
from messaging.numbers.models import NumberCode
from queueing.appointments.models import Appointment, Slot
from reception.appointed.models import AppointmentLink
from reception.kiosks.models import Slip
from video.meetings.events import RecordingLost
from video.meetings.models import RoomPass
from web.worker import Sweep

log = structlog.get_logger()
TIDY = "core.tidy"
HOUR = 3  # by the clock on the wall
PORTION = 500

ONCE_KEYS = timedelta(days=7)
LINKS = timedelta(days=30)  # after their appointment began: so long they say what became of it
ROOM_PASSES = timedelta(days=1)  # after they ended
DONE_JOBS = timedelta(days=7)  # there are numbers and words of texts in them
CODES = timedelta(days=2)  # a day's are counted before another is sent
DIALOGUES = timedelta(days=30)  # where an exchange by text stood
SLIPS = timedelta(days=7)  # their tickets are of that day
FAILED_JOBS = timedelta(days=90)
EVENTS = timedelta(days=90)  # of which every reaction is done
NEWEST_EVENTS = 1000
"""Stay whatever their age: whoever follows the table goes by numbers, and SQLite would give the last ones out again."""
EVIDENCE = (name_of(RecordingLost),)
"""Events that a manifest tells of, whenever it is signed anew."""


@dataclass(frozen=True, slots=True)
class Removed:
    what: str
    rows: int


def terms_of(settings: Settings) -> Terms:
    """Of texts; 0 days is for ever."""

    def days(count: int) -> timedelta | None:
        return timedelta(days=count) if count > 0 else None

    return Terms(texts=days(settings.sms_keep_days), receipts=days(settings.sms_keep_receipt_days))


def tidy_handler(db: Database, clock: Callable[[], datetime], terms: Terms | None = None) -> Handler:
    def act(_payload: dict[str, Any]) -> None:
        removed = [one for one in tidy(db, now=clock(), terms=terms) if one.rows]
        if removed:
            log.info("tidied", **{one.what: one.rows for one in removed})

    return Handler(act=act, tries=3, thread=READING)


def tidy(db: Database, *, now: datetime, terms: Terms | None = None) -> list[Removed]:
    """Remove whatever is past its term; `terms`: those of texts, where they aren't the usual ones."""
    with db.read() as session:
        newest = session.scalar(select(func.max(OutboxEvent.id))) or 0
    undone = exists().where(EventDelivery.event_id == OutboxEvent.id, EventDelivery.done_at.is_(None))
    events = (
        select(OutboxEvent.id)
        .where(
            OutboxEvent.fanned_out_at.is_not(None),
            OutboxEvent.occurred_at < now - EVENTS,
            OutboxEvent.id <= newest - NEWEST_EVENTS,
            OutboxEvent.name.not_in(EVIDENCE),
            ~undone,
        )
        .order_by(OutboxEvent.id)
    )
    return [
        _remove(db, "once_keys", OnceKey, OnceKey.key, select(OnceKey.key).where(OnceKey.at < now - ONCE_KEYS)),
        _remove(
            db,
            "room_passes",
            RoomPass,
            RoomPass.secret_hash,
            select(RoomPass.secret_hash).where(RoomPass.expires_at < now - ROOM_PASSES),
        ),
        _remove(
            db,
            "appointment_links",
            AppointmentLink,
            AppointmentLink.token_hash,
            select(AppointmentLink.token_hash)
            .join(Appointment, Appointment.id == AppointmentLink.appointment_id)
            .join(Slot, Slot.id == Appointment.slot_id)
            .where(Slot.starts_at < now - LINKS),
        ),
        _remove(
            db, "done_jobs", Job, Job.id, select(Job.id).where(Job.state == DONE, Job.finished_at < now - DONE_JOBS)
        ),
        _remove(
            db,
            "failed_jobs",
            Job,
            Job.id,
            select(Job.id).where(Job.state == FAILED, Job.finished_at < now - FAILED_JOBS),
        ),
        _remove(db, "codes", NumberCode, NumberCode.id, select(NumberCode.id).where(NumberCode.made_at < now - CODES)),
        _remove(
            db,
            "dialogues",
            Dialogue,
            Dialogue.number,
            select(Dialogue.number).where(Dialogue.seen_at < now - DIALOGUES),
        ),
        _remove(db, "slips", Slip, Slip.ticket_id, select(Slip.ticket_id).where(Slip.asked_at < now - SLIPS)),
        _remove(db, "events", OutboxEvent, OutboxEvent.id, events, also=_deliveries),
        *_texts(db, terms or Terms(), now),
    ]


def _texts(db: Database, terms: Terms, now: datetime) -> list[Removed]:
    summed_up = 0
    while True:
        with db.write() as session:
            if not clearing.sum_up(session, now=now, terms=terms):
                break
        summed_up += 1
    removed = [Removed("campaigns_summed_up", summed_up)]
    for what, table, past, before in (
        ("receipts", MessageReceipt, clearing.receipts(now, terms), None),
        ("texts", Message, clearing.texts(now, terms), clearing.of_texts),
        ("texts_to_us", InboundText, clearing.inbound(now, terms), clearing.of_inbound),
    ):
        if past is not None:
            removed.append(_remove(db, what, table, table.id, past, before=before))
    return removed


def sweep_housekeeping(settings: Settings) -> Sweep:
    """Once a night, by whichever worker comes first."""
    asked: list[str] = []

    def night(now: datetime) -> str:
        return local_day(now - timedelta(hours=HOUR), settings.timezone).isoformat()

    def sweep(session: Session, now: datetime) -> None:
        day = night(now)
        if asked == [day]:
            return
        asked[:] = [day]
        jobs.enqueue(session, TIDY, {}, now=now, lane=9, unique_key=f"{TIDY}:{day}")

    return gated(sweep, lambda now: asked != [night(now)])


def _remove(
    db: Database,
    what: str,
    table: Any,
    key: Any,
    past: Any,
    also: Callable[[list[Any]], Delete] | None = None,
    before: Callable[[list[Any]], list[Delete]] | None = None,
) -> Removed:
    count = 0
    while True:
        with db.write() as session:
            keys = list(session.scalars(past.limit(PORTION)))
            if keys:
                for statement in before(keys) if before is not None else ():
                    session.execute(statement)
                session.execute(delete(table).where(key.in_(keys)))
                if also is not None:
                    session.execute(also(keys))
        count += len(keys)
        if len(keys) < PORTION:
            return Removed(what, count)


def _deliveries(events: list[Any]) -> Delete:
    return delete(EventDelivery).where(EventDelivery.event_id.in_(events))
