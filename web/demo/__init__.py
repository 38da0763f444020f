"""The demo ministry: everything is played through the product's own services, at the times it would have happened."""

import logging
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import clock
from core.db import Database
from core.ids import new_id
from core.settings import Settings
from core.staff.models import Staff
from reception.directives import service as directives
from reception.petitions import defaults
from reception.petitions import service as petitions
from recordings.archive import service as archive
from video.meetings import service as meetings
from video.meetings.rules import AIDE
from video.meetings.states import ADMITTED
from web.demo import calls, cases, history, meeting, people, queue, texts
from web.demo.people import ACCOUNTS, PASSWORD, Ministry

ORDER = "تُشكّل لجنة من الأحوال المدنية والحقوق للنظر في ملكية الأرض، وترفع نتيجتها خلال أسبوعين."


def seed_if_empty(settings: Settings, *, say: Callable[[str], object]) -> None:
    """Seed once: a database with any account is left alone."""
    db = Database(settings.database)
    try:
        with db.read() as session:
            if session.scalar(select(Staff.id).limit(1)):
                return
        say("Setting up the demo ministry …")
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
        _seed(db, settings)
    finally:
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))
        db.dispose()


def reset(settings: Settings) -> None:
    """Throw the data folder away. Only for the embedded default: a database of its own server is never dropped."""
    if settings.database_url:
        raise SystemExit("demo --reset works on the embedded database only")
    shutil.rmtree(settings.data_dir, ignore_errors=True)


def sign_ins(url: str) -> str:
    """The addresses and accounts that a newcomer needs."""
    rows = "\n".join(f"  {name:<14} {title_en or en}" for name, _role, _place, _ar, en, _t, title_en in ACCOUNTS)
    return (
        f"\nDemo sign-ins (password for all: {PASSWORD}):\n{rows}\n\n"
        f"  Staff sign in at   {url}/sign-in\n"
        f"  A centre's kiosk   {url}/kiosk/central\n"
        f"  Its waiting hall   {url}/hall/central\n"
    )


def _seed(db: Database, settings: Settings) -> None:
    from web.wiring import make_worker

    now = clock.now()
    past = now - timedelta(days=14)
    times = [past]
    worker = make_worker(settings, db, clock=lambda: times[-1])
    with db.write() as session:
        defaults.withdraw_untouched(session)
        ministry = people.found(session, now=past)
        played = cases.received(now=now)
        year = history.write(session, ministry, played=played, zone=settings.timezone, now=now)

    def number(session: Session, when: datetime) -> None:
        history.number(session, year, played, now=when)

    made: dict[str, str] = {}
    course = [*cases.steps(ministry, made, number=number, now=now), *_past_meeting(ministry, made, settings, now=now)]
    course += _coming_meeting(ministry, made, settings, now=now)
    course += texts.steps(ministry, now=now)
    course += calls.steps(ministry, made, settings, now=now)
    for when, act in sorted(course, key=lambda step: step[0]):
        times.append(when)
        with db.write() as session:
            session.info["actor_name"] = "demo"
            act(session, when)
        times.append(when + timedelta(seconds=20))
        worker.drain()
    times.append(now)
    with db.write() as session:
        number(session, now)
        cases.open_calendar(session, ministry, settings, now=now)
        queue.play(session, ministry, zone=settings.timezone, now=now)
    worker.drain(120)


def _past_meeting(ministry: Ministry, made: dict[str, str], settings: Settings, *, now: datetime) -> list[cases.Step]:
    """Yesterday's video meeting about the first petition, recorded, with one order given in it."""
    began = now - timedelta(days=1)
    day, start, end = cases.soon(began - timedelta(minutes=20), settings.timezone)
    minister, aide = ministry.people["minister"], ministry.people["aide"]

    def book(session, when):  # type: ignore[no-untyped-def]
        slots = cases.video_session(
            session, ministry, settings, "central", day=day, start=start, end=end, now=when, minutes=20
        )
        petition = petitions.get(session, made["petition0"])
        made["appointment"] = cases.book(session, ministry, petition, slots[0], now=when)

    def hold(session, when):  # type: ignore[no-untyped-def]
        found = meetings.of_appointment(session, made["appointment"])
        assert found
        meetings.seat(session, found, role=AIDE, staff_id=aide.id, name_ar=aide.name_ar, name_en=aide.name_en, now=when)
        meetings.open_room(session, found.id, now=when)
        host = next(p for p in found.participants if p.staff_id == minister.id)
        for participant in found.participants:
            if participant.state != ADMITTED:
                meetings.admit(session, found.id, by=host.id, participant_id=participant.id, now=when)
            meetings.joined(session, found.id, participant.id, now=when)
        meetings.went_live(session, found.id, now=when)
        recording_id = new_id()
        meeting.write_journal(
            settings,
            recording_id=recording_id,
            meeting_id=found.id,
            participants={p.role: p.id for p in found.participants if p.role in ("visitor", "official")},
            started_at=when,
        )
        archive.start(session, recording_id=recording_id, meeting_id=found.id, petition_id=found.petition_id, now=when)
        made.update(meeting=found.id, recording=recording_id, host=host.id)

    def order(session, when):  # type: ignore[no-untyped-def]
        directives.mark(session, made["meeting"], made["petition0"], 18.0, text=ORDER, by=aide.id, now=when)

    def finish(session, when):  # type: ignore[no-untyped-def]
        meeting.keep_quality(session, made["meeting"], ended_at=when)
        meetings.end(session, made["meeting"], by=made["host"], now=when)
        archive.close(session, made["recording"], now=when)

    return [
        (now - timedelta(days=4), book),
        (began, hold),
        (began + timedelta(seconds=18), order),
        (began + timedelta(seconds=meeting.LENGTH), finish),
    ]


def _coming_meeting(ministry: Ministry, made: dict[str, str], settings: Settings, *, now: datetime) -> list[cases.Step]:
    """A meeting with an interpreter within the hour, so that a newcomer can open the room and try the call."""

    def book(session, when):  # type: ignore[no-untyped-def]
        day, start, end = cases.soon(now, settings.timezone)
        slots = cases.video_session(
            session, ministry, settings, "central", day=day, start=start, end=end, now=when, minutes=20
        )
        petition = petitions.get(session, made["petition3"])
        cases.book(session, ministry, petition, slots[0], interpreter=True, now=when)

    return [(now - timedelta(hours=5), book)]
