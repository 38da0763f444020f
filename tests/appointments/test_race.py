"""64 people race for ten slots on both databases, by themselves and through the waitlist.

Holds and offers run out meanwhile, processes die and connections break.
"""

import os
import random
import signal
import subprocess
import sys
import time as clock
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.db import Database
from core.errors import MajlisError, Refused
from core.staff.models import Staff, StaffRole
from core.staff.rules import ATTENDANT, INTERPRETER
from core.workdays import service as workdays
from queueing.appointments import calendar, holidays, rearranging, service, urgent
from queueing.appointments.models import Appointment, Claim, Slot
from queueing.appointments.series import service as series
from queueing.appointments.series.rules import Pattern
from queueing.appointments.states import BOOKED, HELD, LIVE
from queueing.waitlist import line
from queueing.waitlist import service as waitlist
from queueing.waitlist.models import Offer, Waiting
from queueing.waitlist.states import IN_LINE
from reception.rearranging import hours
from tests.appointments.invariants import check, check_sessions
from tests.children import die_with_parent
from tests.conftest import attendant

ROOT = Path(__file__).resolve().parents[2]
PEOPLE = 64
ZONE = "Asia/Riyadh"
WAITLIST = ("join", "join", "earlier", "wish", "sweep", "give", "accept", "accept", "decline", "leave")
OFFICE = ("holiday", "work after all", "move everybody", "urgent", "hours", "session", "last session")
PASSES = (1, 60, 200, 400) * 4 + (5 * 3600,)  # seconds between two rounds; rarely an afternoon, and offers lapse
LEAST = 2  # rounds after the first, in any case
SHORT_S = 5.0  # of racing in the short version; a slow machine gets through fewer rounds
MORNING, EVENING = (datetime(2026, 10, 27, hour, tzinfo=UTC) for hour in (9, 20))
DAY = timedelta(days=1)
SECOND_DAY = datetime(2026, 10, 29, tzinfo=UTC)
LONGEST_HOLD = timedelta(hours=15)  # an offer in the evening, answered by the next morning
ROUNDS = int(os.environ.get("MAJLIS_ROUNDS", "2000"))


class PulledPlug(Exception):
    """A process or a connection ends where it stood."""


def ten_slots(db: Database, now: datetime) -> list[str]:
    """On two days, with halls and officials that cut across each other, one interpreter who is an attendant as well."""
    with db.write() as session:
        roles = [StaffRole(role=INTERPRETER), StaffRole(role=ATTENDANT)]
        session.add(
            Staff(
                id="i", username="i", password_hash="-", name_ar="م", name_en="I", centre_id="riyadh", role_rows=roles
            )
        )
        session.add_all([attendant("riyadh"), attendant("jeddah")])
        offers = [
            ("minister", "video", "riyadh", 20, 1, 28), ("minister", "video", "jeddah", 30, 1, 28),
            ("deputy", "video", "riyadh", 30, 1, 28), ("minister", "audience", None, 60, 3, 29),
            ("deputy", "video", "jeddah", 30, 1, 29),
        ]  # fmt: skip
        made = [
            slot.id
            for official, kind, centre, minutes, capacity, day in offers
            for slot in calendar.add_session(
                session, official_id=official, kind=kind, centre_id=centre, place_ar="م", place_en="P",
                day=date(2026, 10, day), start=time(10), end=time(11), minutes=minutes, capacity=capacity,
                zone="Asia/Riyadh", now=now,
            )
        ]  # fmt: skip
    assert len(made) == 10
    return made


def one_person(db: Database, slots: list[str], n: int, dice: random.Random, now: datetime) -> str:
    """Three steps, each in a transaction of its own as a desk would take them; some end half-way."""
    done = "looked"
    mine: str | None = None
    for _ in range(3):
        act = dice.choice(
            ["first", "hold", "hold", "book", "confirm", "confirm", "cancel", "move", "offers", *OFFICE, *WAITLIST]
        )
        plug = dice.random()
        try:
            with db.write() as session:
                if act == "first":
                    mine = first_that_fits(session, n, dice, now)
                elif act in ("hold", "book"):
                    verb = service.hold if act == "hold" else service.book
                    mine = verb(
                        session, slot_id=dice.choice(slots), visitor_id=f"v{n % 40}", petition_id=f"p{n % 50}",
                        by="aide", now=now, needs_interpreter=dice.random() < 0.3, urgent=True,
                    ).id  # fmt: skip
                elif act in WAITLIST:
                    in_the_line(session, act, slots, n, dice, now)
                elif act in OFFICE:
                    at_the_office(session, act, n, dice, now)
                elif act == "offers":
                    service.first_fitting(session, now=now, needs_interpreter=True)
                else:
                    present = calendar.current(session, f"p{n % 50}")
                    mine = mine or (present.id if present else None)
                    if mine is None:
                        continue
                    if act == "confirm":
                        service.confirm(session, mine, by="aide", now=now)
                    elif act == "cancel":
                        service.cancel(session, mine, reason="because", by="aide", now=now)
                    else:
                        mine = service.reschedule(session, mine, slot_id=dice.choice(slots), by="aide", now=now).id
                if plug < 0.1:
                    raise PulledPlug
                if plug < 0.15:
                    session.connection().invalidate()  # the line is cut: the server learns of it by itself
                    raise PulledPlug
            done = act
        except MajlisError:
            done = "refused"
        except PulledPlug:
            done, mine = "crashed", None
    return done


def first_that_fits(session: Session, n: int, dice: random.Random, now: datetime) -> str | None:
    """As the page of the booking does it, which lets go what it holds already: one try after the other."""
    free = service.open_slots(session, now=now, urgent=True)
    for slot_id in dice.sample([slot.id for slot in free], min(3, len(free))):
        with suppress(Refused), session.begin_nested():
            return service.hold(
                session, slot_id=slot_id, visitor_id=f"v{n % 40}", petition_id=f"p{n % 50}", by="aide", now=now,
                urgent=True,
            ).id  # fmt: skip
    return None


def at_the_office(session: Session, act: str, n: int, dice: random.Random, now: datetime) -> None:
    """A day becomes a holiday or is worked on after all, whom it hits is moved, and an urgent case gets a place."""
    days = workdays.holidays(session)
    if act in ("hours", "session", "last session"):
        a_session(session, act, dice, now)
    elif act == "holiday":
        day = date(2026, 10, dice.choice([28, 29]))
        holiday = workdays.declare_holiday(
            session, first_day=day, last_day=day, name_ar="ع", name_en="H", kind="other", zone=ZONE, now=now
        )
        holidays.close(session, holiday, zone=ZONE, now=now)
    elif act == "urgent":
        wish = urgent.Wish(
            visitor_id=f"v{n % 40}", petition_id=f"p{n % 50}", kind="video", official_id="deputy", centre_id="riyadh",
            needs_interpreter=False, until=now + timedelta(days=3), zone=ZONE,
        )  # fmt: skip
        room = urgent.find(session, wish, ranks={}, urgent={}, now=now)
        urgent.place(session, wish, mark=room.mark, ranks={}, urgent={}, by="aide", reason="u", now=now)
    elif days and act == "move everybody":
        hit = holidays.hit(session, dice.choice(days), zone=ZONE, now=now)
        mark = rearranging.plan(session, hit, now=now).mark
        rearranging.carry_out(
            session, [row.id for row in hit], mark=mark, by="aide", reason="h", moved_for="holiday", now=now
        )  # fmt: skip
    elif days:
        holiday = workdays.withdraw_holiday(session, dice.choice(days).id, zone=ZONE, now=now)
        holidays.reopen(session, holiday, zone=ZONE, now=now)
        series.refill(session, holiday.first_day, holiday.last_day, now=now)


def a_session(session: Session, act: str, dice: random.Random, now: datetime) -> None:
    """The hours become others, and beside the ten slots a session begins, changes or ends."""
    if act == "hours":
        hours.set_hours(session, {day: [[480, dice.choice([660, 900])]] for day in "60123"}, zone=ZONE, now=now)
        return
    pattern = Pattern(
        weekdays=frozenset({dice.choice([2, 3])}), every_weeks=1, times=(600, dice.choice([660, 780])), ramadan=None,
        minutes=30, pause=0, capacity=dice.choice([1, 2]), reserved_urgent=0, first_day=SECOND_DAY.date() - DAY,
        last_day=SECOND_DAY.date(), zone=ZONE,
    )  # fmt: skip
    place = {"place_ar": "م", "place_en": "P", "by": "aide", "now": now}
    row = next(iter(series.listed(session)), None)
    if row is None:
        series.begin(session, pattern, official_id="third", kind="audience", centre_id=None, **place)
    elif act == "session":
        mark = series.propose(session, row.id, pattern, now=now).plan.mark
        series.change(session, row.id, pattern, **place, mark=mark)
    else:
        series.end(session, row.id, SECOND_DAY.date() - 2 * DAY, by="aide", now=now)


def in_the_line(session: Session, act: str, slots: list[str], n: int, dice: random.Random, now: datetime) -> None:
    """What somebody who waits, a desk, or one of several workers may do, each as if alone."""
    if act == "join":
        waitlist.join(
            session, petition_id=f"p{n % 50}", visitor_id=f"v{n % 40}", label=f"{n % 50}", by="aide", now=now,
            zone="Asia/Riyadh", needs_interpreter=dice.random() < 0.3, urgent=dice.random() < 0.5,
        )  # fmt: skip
    elif act == "earlier":
        booked = select(Appointment).where(Appointment.state == BOOKED).order_by(Appointment.id)
        who = [(row.petition_id, row.visitor_id) for row in session.scalars(booked) if row.slot.starts_at > SECOND_DAY]
        petition_id, visitor_id = dice.choice(who or [(f"p{n % 50}", f"v{n % 40}")])
        waitlist.join(
            session, petition_id=petition_id, visitor_id=visitor_id, label=petition_id, by="visitor", now=now,
            zone="Asia/Riyadh", urgent=dice.random() < 0.5, for_earlier=True,
        )  # fmt: skip
    elif act == "wish":
        row = waitlist.of_petition(session, f"p{n % 50}")
        if row is not None:
            waitlist.change(
                session, row.id, zone="Asia/Riyadh", now=now, kind="", centre_id=dice.choice([None, "riyadh"]),
                official_id=None, earliest=None, latest=None, needs_interpreter=dice.random() < 0.3,
                visitor_class=row.visitor_class,
            )  # fmt: skip
    elif act == "sweep":
        waitlist.sweep(session, now=now)
    elif act == "give":
        waitlist.offer_next(session, dice.choice(slots), now=now)
    else:
        latest = select(Offer).order_by(Offer.state != "open", Offer.offered_at.desc(), Offer.id)
        offers = list(session.scalars(latest.limit(8)))  # the open ones, and some of those that have ended
        offer = dice.choice(offers) if offers else None
        if offer is not None and act == "accept":
            waitlist.accept(session, offer.id, by="visitor", now=now)
        elif offer is not None and act == "decline":
            waitlist.decline(session, offer.id, keep=dice.random() < 0.5, by="visitor", now=now)
        elif offer is not None:
            waitlist.leave(session, offer.waiting_id, reason="because", by="aide", now=now)


def race(db: Database, now: datetime, *, rounds: int, seconds: float = 1e9, seed: int = 1) -> Counter[str]:
    slots = ten_slots(db, now)
    came_to: Counter[str] = Counter()
    until = clock.monotonic() + seconds
    with ThreadPoolExecutor(PEOPLE) as pool:
        for number in range(rounds):
            ready = Barrier(PEOPLE)

            def run(n: int, number: int = number, now: datetime = now, ready: Barrier = ready) -> str:
                dice = random.Random(f"{seed} {number} {n}")
                ready.wait(timeout=60)
                return one_person(db, slots, n, dice, now)

            came_to.update(pool.map(run, range(PEOPLE)))
            came_to["rounds"] += 1
            with db.read() as session:
                check(session)
                check_sessions(session, now=now)
            now = after_round(db, now, random.Random(f"{seed} {number}"))
            if clock.monotonic() > until and number >= LEAST:
                break
    with db.write() as session:
        after = now + LONGEST_HOLD
        service.expire_holds(session, now=after)
        while session.scalar(select(Offer.id).where(Offer.state == "open")):
            assert waitlist.sweep(session, now=after.replace(hour=0)), "no offer is left for ever, night or day"
    with db.read() as session:
        assert all(row.state != HELD for row in check(session)), "no hold is left for ever"
    return came_to


def after_round(db: Database, now: datetime, dice: random.Random) -> datetime:
    """Seconds or minutes go by; sometimes the sweep comes, sometimes the desk gives places back for the next race."""
    now += timedelta(seconds=dice.choice(PASSES))
    with db.write() as session:
        if now > EVENING:  # a long race takes the day again; nothing is left of the holds of this one
            service.expire_holds(session, now=now + LONGEST_HOLD)
            now = MORNING
        if dice.random() < 0.5:
            service.expire_holds(session, now=now)
        for row in list(session.scalars(select(Appointment).where(Appointment.state.in_(LIVE)))):
            if dice.random() < (0.2 if row.slot.starts_at > SECOND_DAY else 0.6):
                service.cancel(session, row.id, reason="next round", by="aide", now=now)
        for waiting in list(session.scalars(select(Waiting).where(Waiting.state.in_(IN_LINE)))):
            if dice.random() < (0.1 if waiting.for_earlier else 0.6):  # those with no appointment come first
                with suppress(Refused), session.begin_nested():  # a desk has confirmed what was offered
                    waitlist.leave(session, waiting.id, reason="next round", by="aide", now=now)
        for holiday in workdays.holidays(session):  # else the next race would be run on a day of rest
            workdays.withdraw_holiday(session, holiday.id, zone=ZONE, now=now)
            holidays.reopen(session, holiday, zone=ZONE, now=now)
        check(session)
    return now


def test_a_short_race(any_db: Database, now: datetime) -> None:
    came_to = race(any_db, now, rounds=12, seconds=SHORT_S)
    assert came_to["refused"] > PEOPLE / 8, "they were in each other's way"
    assert came_to["crashed"] > 0
    with any_db.read() as session:
        ever = Counter(session.scalars(select(Appointment.state)))
        offered = Counter(session.scalars(select(Offer.state)))
    assert ever[BOOKED] + ever["cancelled"] + ever["expired"] > 3
    assert offered.total() > 0, "some of the places went by way of the waitlist"


@pytest.mark.long
@pytest.mark.timeout(0)  # however slow the machine
def test_thousands_of_rounds(any_db: Database, now: datetime) -> None:
    """`MAJLIS_ROUNDS` says how many; about a second each. Old appointments stay, as they would."""
    came_to = race(any_db, now, rounds=ROUNDS, seed=int(os.environ.get("MAJLIS_SEED", "1")))
    assert came_to["rounds"] == ROUNDS
    with any_db.read() as session:
        offered = Counter(session.scalars(select(Offer.state)))
        given_back = func.count(Appointment.id)
        earlier = session.scalar(select(given_back).where(Appointment.reason == service.TOOK_EARLIER))
    print(f"{any_db.engine.dialect.name}: {dict(came_to)}, offers {dict(offered)}, earlier times taken {earlier}")
    assert ROUNDS < 500 or earlier, "some gave their appointment back for an earlier one"
    assert ROUNDS < 500 or all(offered[state] for state in ("accepted", "declined", "lapsed", "withdrawn")), offered


@pytest.mark.parametrize("any_db", ["postgresql"], indirect=True)  # on SQLite there is nothing between
def test_who_leaves_while_a_time_is_offered_is_asked_to_look_again(
    any_db: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker makes its offer between the look for one and the change of the row: neither may miss the other."""
    slot_id = ten_slots(any_db, now)[0]
    with any_db.write() as session:
        row = waitlist.join(session, petition_id="p", visitor_id="v", label="p", by="aide", zone=ZONE, now=now)

    def leave(session: Session) -> None:
        waitlist.leave(session, row.id, reason="because", by="aide", now=now)

    def look_before_the_offer(session: Session, waiting_id: str) -> None:
        assert line.open_offer(session, waiting_id) is None
        with any_db.write() as other:
            assert waitlist.offer_next(other, slot_id, now=now)

    with any_db.write() as session, monkeypatch.context() as between:
        between.setattr(waitlist, "open_offer", look_before_the_offer)
        with pytest.raises(Refused):
            leave(session)
    with any_db.write() as session:
        assert [one.state for one in check(session)] == [HELD]
        leave(session)
        assert not check(session)


WRITER = """
import sys, time
from datetime import datetime
from core.db import Database
from queueing.appointments import service
from queueing.waitlist import service as waitlist
url, what, step, now = sys.argv[1:]
now = datetime.fromisoformat(now)
db = Database(url)
if step in ("offering", "accepting"):
    with db.write() as session:
        if step == "offering":
            assert waitlist.sweep(session, now=now)
        else:
            waitlist.accept(session, what, by="visitor", now=now)
        session.flush()
        print("there", flush=True)
        time.sleep(60)
slot_id = what
with db.write() as session:
    held = service.hold(session, slot_id=slot_id, visitor_id="dying", petition_id="dying", by="aide", now=now)
    held_id = held.id
    if step == "holding":
        print("there", flush=True)
        time.sleep(60)
with db.write() as session:
    service.confirm(session, held_id, by="aide", now=now)
    print("there", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def dying(any_db: Database) -> Iterator[object]:
    """Lets another process do a step of a booking, and kills it there."""
    children: list[subprocess.Popen[str]] = []

    def die(slot_id: str, step: str, now: datetime) -> None:
        url = any_db.engine.url.render_as_string(hide_password=False).replace("+psycopg", "")
        command = [sys.executable, "-c", WRITER, url, slot_id, step, now.isoformat()]
        child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
        children.append(child)
        assert child.stdout and child.stdout.readline() == "there\n"
        os.kill(child.pid, signal.SIGKILL)
        child.wait(timeout=30)

    yield die
    for child in children:
        if child.poll() is None:
            child.kill()
        child.communicate(timeout=30)


def book(session: Session, slot_id: str, now: datetime) -> Appointment:
    return service.book(session, slot_id=slot_id, visitor_id="v", petition_id="p", by="aide", now=now)


def test_a_process_killed_while_it_holds_leaves_nothing(any_db: Database, now: datetime, dying: object) -> None:
    slot_id = ten_slots(any_db, now)[0]
    dying(slot_id, "holding", now)  # type: ignore[operator]
    with any_db.write() as session:
        assert session.scalar(select(func.count()).select_from(Claim)) == 0
        assert book(session, slot_id, now).state == BOOKED
    with any_db.read() as session:
        assert len(check(session)) == 1


def test_a_process_killed_between_hold_and_confirmation_leaves_a_hold_that_ends(
    any_db: Database, now: datetime, dying: object
) -> None:
    """The next to ask gets the place when the hold is over, whether or not a sweep has come by."""
    slot_id = ten_slots(any_db, now)[0]
    dying(slot_id, "confirming", now)  # type: ignore[operator]
    with any_db.read() as session:
        assert [row.state for row in check(session)] == [HELD], "the hold was committed, the confirmation was not"
    with pytest.raises(MajlisError), any_db.write() as session:
        book(session, slot_id, now + timedelta(minutes=4))
    with any_db.write() as session:
        book(session, slot_id, now + timedelta(minutes=5))
    with any_db.read() as session:
        assert [row.visitor_id for row in check(session)] == ["v"]
        assert session.scalar(select(Slot.taken).where(Slot.id == slot_id)) == 1


def test_a_worker_killed_at_an_offer_and_a_page_killed_at_its_answer_leave_nothing_half_done(
    any_db: Database, now: datetime, dying: object
) -> None:
    """The visitor has an appointment on the second day, and a place of the first one becomes free."""
    *_, booked = slots = ten_slots(any_db, now)
    morning = now.replace(hour=9)
    with any_db.write() as session:
        book(session, booked, morning)
        waitlist.join(
            session, petition_id="p", visitor_id="v", label="p", by="visitor", zone=ZONE, for_earlier=True, now=morning
        )

    def stands(offers: int, *states: str) -> None:
        with any_db.read() as session:
            assert sorted(row.state for row in check(session)) == sorted(states)
            assert session.scalar(select(func.count()).select_from(Offer)) == offers

    dying(slots[0], "offering", morning)  # type: ignore[operator]
    stands(0, BOOKED)
    with any_db.write() as session:
        assert waitlist.sweep(session, now=morning), "the next worker finds the same to do"
        offer_id = session.scalars(select(Offer.id)).one()
    stands(1, BOOKED, HELD)
    dying(offer_id, "accepting", morning)  # type: ignore[operator]
    stands(1, BOOKED, HELD)
    with any_db.write() as session:
        code = session.scalars(select(Appointment.code).where(Appointment.state == BOOKED)).one()
        taken = waitlist.accept(session, offer_id, by="visitor", now=morning)
        assert taken.code == code and taken.slot_id != booked and taken.previous_id is not None
    stands(1, BOOKED)
