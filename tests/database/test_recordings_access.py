"""Leave as a query says what the rule says, and holds and destructions don't pass each other, on both databases."""

import random
import threading
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db import Database
from core.errors import NotFound, Refused
from core.ids import new_id
from core.staff.models import Staff, StaffRole
from core.staff.rules import AIDE, OFFICER, OFFICIAL, RECEPTIONIST
from recordings.archive import leave, rules, views
from recordings.archive.models import Grant, Recording, View
from recordings.archive.rules import TOOK_PART
from recordings.archive.states import READY
from recordings.retention import service
from recordings.retention.models import Destruction, Hold

NOW = datetime(2026, 10, 27, 9, tzinfo=UTC)


def _person(session: Session, *roles: str, department: str | None = None, active: bool = True) -> str:
    id_ = new_id()
    rows = [StaffRole(role=role) for role in roles]
    session.add(
        Staff(
            id=id_, username=id_, password_hash="-", name_ar="x", name_en="x", department_id=department,
            active=active, role_rows=rows,
        )
    )  # fmt: skip
    return id_


def _recording(session: Session, petition: str, *, at: datetime = NOW, host: str | None = None) -> str:
    id_ = new_id()
    session.add(Recording(id=id_, meeting_id=id_, petition_id=petition, state=READY, started_at=at, journal="-"))
    session.flush()
    if host:
        session.add(Grant(recording_id=id_, staff_id=host, purpose=TOOK_PART, granted_at=at))
    return id_


def test_the_query_is_the_rule(any_db: Database) -> None:
    draw = random.Random(4)
    with any_db.write() as session:
        people = [_person(session, role) for role in (OFFICIAL, OFFICIAL, AIDE, AIDE, RECEPTIONIST)]
        people += [_person(session, OFFICER, department=d) for d in ("d", "e", None)]
        people += [_person(session, AIDE, OFFICER, department="d"), _person(session, AIDE, active=False)]
        session.flush()
        made = [_recording(session, draw.choice("pq"), host=draw.choice(people)) for _ in range(12)]
        for _ in range(120):
            case = draw.random() < 0.3
            to = draw.choice([*people, None, None])
            role = None if to else draw.choice([AIDE, OFFICIAL, OFFICER])
            session.add(
                Grant(
                    recording_id=None if case else draw.choice(made),
                    petition_id=draw.choice("pq") if case else None,
                    staff_id=to,
                    role=role,
                    department_id=draw.choice(["d", "e"]) if role == OFFICER else None,
                    purpose=draw.choice(["x", TOOK_PART]),
                    granted_by=draw.choice(people),
                    granted_at=NOW,
                    until=draw.choice([NOW + timedelta(days=1), NOW - timedelta(days=1), NOW, None]),
                    revoked_at=draw.choice([None, None, None, NOW]),
                )
            )
    with any_db.read() as session:
        counted = set()
        for person in people:
            who = leave.viewer(session, person)
            assert who
            by_query = set(session.scalars(leave.visible(select(Recording.id), who, now=NOW)))
            rows = session.scalars(select(Recording)).all()
            by_rule = {r.id for r in rows if rules.may_view(leave.grants_of(session, r), who, now=NOW)}
            assert by_query == by_rule
            counted.add(len(by_rule))
        assert len(counted) > 3, "the draw tells nothing apart"


def test_two_sides_opened_at_once_are_one_sitting(any_db: Database) -> None:
    with any_db.write() as session:
        host = _person(session, OFFICIAL)
        id_ = _recording(session, "p", host=host)
    start = threading.Barrier(4)

    def open_(side: str) -> None:
        start.wait()
        with any_db.write() as session:
            recording = session.scalars(
                select(Recording).where(Recording.id == id_).with_for_update(of=Recording)
            ).one()
            by = leave.leave_of(session, recording, host, now=NOW)
            assert by
            views.begin(session, recording, host, by, what=side, anew=True, now=NOW)

    threads = [threading.Thread(target=open_, args=(side,)) for side in "abcd"]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    with any_db.read() as session:
        row = session.scalars(select(View)).one()
        assert sorted(row.what) == ["a", "b", "c", "d"]


def test_a_hold_and_an_agreement_at_once_never_end_in_destruction(any_db: Database) -> None:
    for _ in range(8):
        with any_db.write() as session:
            aide, official = _person(session, AIDE), _person(session, OFFICIAL)
            id_ = _recording(session, new_id(), at=NOW - timedelta(days=365 * 40), host=official)
            session.flush()
            row = service.propose(session, id_, reason="over", codes=[], by=aide, now=NOW).id
        start = threading.Barrier(2)

        def run(verb: str, by: str, id_: str = id_, row: str = row, start: threading.Barrier = start) -> None:
            start.wait()
            try:
                with any_db.write() as session:
                    if verb == "hold":
                        service.hold(session, id_, reason="court", by=by, now=NOW)
                    else:
                        service.agree(session, row, codes=[], by=by, now=NOW)
            except Refused:
                pass

        threads = [threading.Thread(target=run, args=one) for one in (("hold", aide), ("agree", official))]
        [thread.start() for thread in threads]
        [thread.join(30) for thread in threads]
        with any_db.write() as session:
            assert session.scalars(select(Hold).where(Hold.recording_id == id_)).one()
            assert not service.begin(session, row, now=NOW)
            assert session.get_one(Destruction, row).state == "stopped"
            assert session.get_one(Recording, id_).state == READY


def test_neither_an_aide_alone_nor_two_aides_end_a_recording(any_db: Database) -> None:
    with any_db.write() as session:
        first, second, officer = _person(session, AIDE), _person(session, AIDE), _person(session, OFFICER)
        id_ = _recording(session, "p", at=NOW - timedelta(days=365 * 40))
        young = _recording(session, "p", at=NOW - timedelta(days=365 * 3))
        row = service.propose(session, id_, reason="over", codes=[], by=first, now=NOW).id
    for by in (first, second, officer):
        try:
            with any_db.write() as session:
                service.agree(session, row, codes=[], by=by, now=NOW)
        except (Refused, NotFound):
            continue
        raise AssertionError("agreed")
    try:
        with any_db.write() as session:
            service.propose(session, young, reason="too early", codes=[], by=first, now=NOW)
    except Refused:
        return
    raise AssertionError("proposed before its time")
