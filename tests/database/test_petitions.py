"""Petitions on both databases, with rivals: numbers stay unique, and one hand-over is confirmed once."""

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import cast

import pytest
from sqlalchemy import select

from core.db import Database
from core.errors import Mistake, Refused
from core.staff.models import Staff
from core.workdays import service as workdays
from reception import access
from reception.centres.models import Centre, Department
from reception.deadlines import escalation, moving
from reception.deadlines.models import Clock, Escalation
from reception.follow import rules as follow_rules
from reception.follow import service as follow
from reception.follow.models import FollowDoor
from reception.petitions import catalogue, custody, entries, service, states, story, verification
from reception.petitions.models import Petition, PetitionNote
from reception.visitors import service as visitors
from tests.unit.reception.conftest import build, identity  # noqa: F401 - the fixture of the small ministry
from web.cases import door
from web.http import Context


def rivals(count: int, work: Callable[[int], object]) -> list[object]:
    """Run `work` in `count` threads that start together; exceptions come back as results."""
    gate = threading.Barrier(count)

    def one(number: int) -> object:
        gate.wait()
        try:
            return work(number)
        except Exception as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


@pytest.fixture
def town(any_db: Database, build: Callable, now: datetime) -> Database:  # noqa: F811
    with any_db.write() as session:
        build(session)
    return any_db


def receive(db: Database, serial: int, now: datetime) -> str:
    with db.write() as session:
        visitor = visitors.register(
            session, identity_number=identity(serial), name="سالم بن أحمد الحربي", phone="0501234567", now=now
        )
        petition = service.receive(
            session,
            visitor=visitor,
            type=catalogue.by_code(session, "violation"),
            subject="اعتراض",
            body="سُجّلت عليّ مخالفة في مدينة لم أزرها.",
            centre_id=session.scalars(select(Centre.id).where(Centre.code == "riyadh")).one(),
            staff_id=who(session, "receptionist"),
            now=now,
        )
        return petition.id


def who(session, name: str) -> str:
    return session.scalars(select(Staff.id).where(Staff.username == name)).one()


def test_rivals_never_share_a_case_number(town: Database, now: datetime) -> None:
    found = rivals(8, lambda n: receive(town, n + 1, now))
    assert all(isinstance(result, str) for result in found), found
    with town.read() as session:
        numbers = sorted(session.scalars(select(Petition.case_number)))
    assert numbers == [f"48-{n:06d}" for n in range(1, 9)]


def test_of_clerks_who_enter_the_same_new_person_at_once_none_is_turned_away(town: Database, now: datetime) -> None:
    met = threading.Barrier(2)

    def enter(n: int) -> str:
        with town.write() as session:
            with contextlib.suppress(threading.BrokenBarrierError):  # SQLite lets one write at a time
                met.wait(0.3)
            return visitors.register(
                session, identity_number=identity(900), name="هند بنت سعد العتيبي", phone=f"050111111{n}", now=now
            ).id

    found = rivals(2, enter)
    assert all(isinstance(result, str) for result in found) and found[0] == found[1], found
    with town.read() as session:
        assert len(visitors.search(session, "هند العتيبي")) == 1


def test_of_two_officers_who_confirm_at_once_one_is_told_it_is_done(town: Database, now: datetime) -> None:
    petition_id = receive(town, 1, now)

    def confirm(_: int) -> None:
        with town.write() as session:
            service.acknowledge(session, petition_id, staff_id=who(session, "officer"), now=now)

    found = rivals(4, confirm)
    assert sum(result is None for result in found) == 1
    assert sum(isinstance(result, Refused) for result in found) == 3, found
    with town.read() as session:
        assert [s.kind for s in story.story(session, petition_id)] == ["received", "routed", "acknowledged"]


def test_steps_of_rivals_follow_each_other_in_number(town: Database, now: datetime) -> None:
    petition_id = receive(town, 1, now)

    def write(number: int) -> None:
        with town.write() as session:
            entries.add_note(session, petition_id, text=f"{number}", staff_id=who(session, "officer"), now=now)

    assert rivals(6, write) == [None] * 6
    with town.read() as session:
        assert [s.number for s in story.story(session, petition_id)] == list(range(1, 9))


def test_many_wrong_tries_at_once_count_as_many(town: Database, now: datetime) -> None:
    petition_id = receive(town, 1, now)

    def knock(_: int) -> None:
        with town.write() as session:
            assert not follow.knock(session, session.get_one(Petition, petition_id), typed="0000", now=now)

    assert rivals(8, knock) == [None] * 8
    with town.read() as session:
        assert session.get_one(FollowDoor, petition_id).wrong == follow_rules.TRIES
        assert follow.paused_until(session, petition_id, now=now)


def test_the_door_is_the_same_on_both_databases(town: Database, now: datetime) -> None:
    petition_id = receive(town, 1, now)
    with town.read() as session:
        cast = session.scalars(select(Staff)).all()
        seeing = {person.username for person in cast if access.may_see_petition(session, person, petition_id)}
    assert seeing == {"receptionist", "verifier", "manager", "officer", "official", "aide", "hotline"}


def test_names_are_found_by_prefix_on_both_databases(town: Database, now: datetime) -> None:
    receive(town, 1, now)
    with town.read() as session:
        assert len(visitors.search(session, "حرب")) == 1
        assert len(visitors.search(session, "سالم حربي")) == 1
        assert visitors.search(session, "حربيين") == []


def test_of_two_officers_who_decide_at_once_one_wins_and_the_other_is_told(town: Database, now: datetime) -> None:
    petition_id = receive(town, 1, now)
    with town.write() as session:
        service.acknowledge(session, petition_id, staff_id=who(session, "officer"), now=now)
        verification.verify(session, petition_id, staff_id=who(session, "verifier"), now=now)

    def answer(n: int) -> None:
        with town.write() as session:
            service.answer(session, petition_id, text=f"answer {n}", staff_id=who(session, "officer"), now=now)

    found = rivals(4, answer)
    assert sum(result is None for result in found) == 1
    assert sum(isinstance(result, Refused) for result in found) == 3, found
    with town.read() as session:
        written = session.scalars(select(PetitionNote.text).where(PetitionNote.kind == "answer")).all()
        assert written == [f"answer {found.index(None)}"]
        assert [row.kept for row in session.scalars(select(Clock).where(Clock.step == "answer"))] == [True]


def test_two_workers_tell_of_a_deadline_once(town: Database, now: datetime) -> None:
    receive(town, 1, now)
    later = now + timedelta(days=2)

    def climb(_: int) -> int:
        with town.write() as session:
            return escalation.climb(session, now=later)

    found = rivals(4, climb)
    assert all(isinstance(result, int) for result in found), found
    with town.read() as session:
        told = session.execute(select(Escalation.clock_id, Escalation.staff_id, Escalation.hours)).all()
    assert told and len(told) == len(set(told))


@pytest.mark.parametrize("of_the_worker", ["climb", "move"])
def test_an_officer_who_answers_while_the_worker_is_at_the_deadlines_loses_nothing(
    town: Database, now: datetime, of_the_worker: str
) -> None:
    """Both take the case, then its clock: the other way round each would hold what the other waits for."""
    petition_id, held, done = receive(town, 1, now), threading.Event(), threading.Event()
    with town.write() as session:
        service.acknowledge(session, petition_id, staff_id=who(session, "officer"), now=now)
        verification.verify(session, petition_id, staff_id=who(session, "verifier"), now=now)
        workdays.declare_holiday(
            session, first_day=now.date() + timedelta(days=2), last_day=now.date() + timedelta(days=3),
            name_ar="إجازة", name_en="A holiday", kind="national", zone="Asia/Riyadh", now=now,
        )  # fmt: skip
    later = now + timedelta(days=14)

    def answer() -> None:
        with town.write() as session:
            custody.locked(session, petition_id)
            held.set()
            done.wait(0.5)
            service.answer(session, petition_id, text="answer", staff_id=who(session, "officer"), now=now)

    def worker() -> None:
        held.wait(10)
        with town.write() as session:
            if of_the_worker == "climb":
                escalation.climb(session, now=later)
            else:
                moving.move(session, since=now, until=None, now=now)
        done.set()

    assert rivals(2, lambda n: (answer, worker)[n]()) == [None, None]
    with town.write() as session:
        assert escalation.climb(session, now=later) == 0
        assert [row.kept for row in session.scalars(select(Clock).where(Clock.step == "answer"))] == [True]


def test_whoever_waited_for_a_rival_is_asked_again_whether_the_case_is_still_theirs(
    town: Database, now: datetime
) -> None:
    """One officer sends the case on while another of the department presses “close”."""
    petition_id, held, waits = receive(town, 1, now), threading.Event(), threading.Event()

    def send_on() -> None:
        with town.write() as session:
            custody.locked(session, petition_id)
            held.set()
            waits.wait(0.5)
            prisons = session.scalars(select(Department.id).where(Department.code == "prisons")).one()
            service.transfer(
                session, petition_id, department_id=prisons, reason="لهم", staff_id=who(session, "officer"), now=now
            )

    def close() -> None:
        held.wait(10)
        with town.write() as session:
            officer = session.get_one(Staff, who(session, "officer"))
            ctx = cast(Context, SimpleNamespace(session=session, staff=officer, now=now))
            door.require(ctx, petition_id, "close")
            service.close(session, petition_id, reason="settled", staff_id=officer.id, now=now)

    sent, closed = rivals(2, lambda n: (send_on, close)[n]())
    assert sent is None and isinstance(closed, Refused), closed
    with town.read() as session:
        assert session.get_one(Petition, petition_id).state == states.ROUTED


def test_two_who_join_two_cases_to_each_other_wait_in_one_order(town: Database, now: datetime) -> None:
    first, second = receive(town, 1, now), receive(town, 2, now)
    with town.write() as session:
        one, other = session.get_one(Petition, first), session.get_one(Petition, second)
        other.visitor_id = one.visitor_id
        numbers = (other.case_number, one.case_number)

    def join(n: int) -> None:
        with town.write() as session:
            officer = session.get_one(Staff, who(session, "officer"))
            ctx = cast(Context, SimpleNamespace(session=session, staff=officer, now=now))
            into = service.by_case_number(session, numbers[n])
            petition = door.require(ctx, (first, second)[n], "merge", beside=into)
            service.merge(session, petition.id, into=numbers[n], staff_id=officer.id, now=now)

    found = rivals(2, join)
    assert sum(result is None for result in found) == 1, found
    assert sum(isinstance(result, Mistake) for result in found) == 1, found  # that one is settled now
