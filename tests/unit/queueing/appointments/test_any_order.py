"""Whatever is done in whatever order, nobody is in two places at once and no place is given twice."""

import tempfile
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import combinations
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import select

from core.errors import MajlisError, Refused
from core.staff.models import Staff, StaffRole
from core.staff.rules import ATTENDANT, INTERPRETER
from core.workdays import service as workdays
from queueing.appointments import calendar, holidays, rearranging, rules, service, urgent
from queueing.appointments.models import Appointment, Claim, Slot
from queueing.appointments.series import service as series
from queueing.appointments.series.rules import Pattern
from queueing.appointments.states import HELD, LIVE, MET, MISSED
from queueing.waitlist import service as waitlist
from queueing.waitlist.models import Offer
from tests.appointments.invariants import check_offers
from tests.blank import blank
from tests.conftest import attendant

START = datetime(2026, 10, 27, 9, tzinfo=UTC)
DAYS = (date(2026, 10, 28), date(2026, 10, 29))
ZONE = "Asia/Riyadh"
picks = st.integers(0, 10_000)


class AnyOrder(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.db = blank(Path(self.folder.name) / "any.sqlite3")
        self.session = self.db._sessions()
        self.now = START

    def teardown(self) -> None:
        self.session.close()
        self.db.dispose()
        self.folder.cleanup()

    @initialize()
    def a_week_with_rivals(self) -> None:
        """Two officials, two halls, lengths that overlap crookedly, one audience for two; one interpreter, who is an
        attendant in Riyadh too, and one more attendant there and in Jeddah."""
        self.session.add(
            Staff(
                id="i1",
                username="i1",
                password_hash="-",
                name_ar="م",
                name_en="I",
                centre_id="riyadh",
                role_rows=[StaffRole(role=INTERPRETER), StaffRole(role=ATTENDANT)],
            )
        )
        self.session.add_all([attendant("riyadh"), attendant("jeddah")])
        offers = [
            ("minister", "video", "riyadh", 20, 1), ("minister", "video", "jeddah", 30, 1),
            ("deputy", "video", "riyadh", 25, 1), ("minister", "audience", None, 30, 2),
        ]  # fmt: skip
        for official, kind, centre, minutes, capacity in offers:
            calendar.add_session(
                self.session, official_id=official, kind=kind, centre_id=centre, place_ar="م", place_en="P",
                day=date(2026, 10, 28), start=time(10), end=time(11), minutes=minutes, capacity=capacity,
                zone="Asia/Riyadh", now=self.now,
            )  # fmt: skip
        for kind, centre, capacity in (("video", "riyadh", 1), ("audience", None, 2)):
            calendar.add_session(
                self.session, official_id="minister", kind=kind, centre_id=centre, place_ar="م", place_en="P",
                day=DAYS[1], start=time(10), end=time(10, 40), minutes=20, capacity=capacity, zone=ZONE, now=self.now,
            )  # fmt: skip
        pattern = Pattern(
            weekdays=frozenset({2, 3}), every_weeks=1, times=(780, 830), ramadan=None, minutes=25, pause=0, capacity=1,
            reserved_urgent=1, first_day=DAYS[0], last_day=DAYS[1], zone=ZONE,
        )  # fmt: skip
        self.series = series.begin(
            self.session, pattern, official_id="deputy", kind="video", centre_id="riyadh", place_ar="م", place_en="P",
            by="aide", now=self.now,
        ).id  # fmt: skip
        self.session.commit()

    @property
    def slots(self) -> list[str]:
        return list(self.session.scalars(select(Slot.id).order_by(Slot.starts_at, Slot.id)))

    def attempt(self, verb: object, *args: object, **kwargs: object) -> None:
        with suppress(MajlisError), self.session.begin_nested():  # a refusal is an answer, and its transaction ends
            verb(self.session, *args, now=self.now, **kwargs)  # type: ignore[operator]

    def some_appointment(self, pick: int) -> str:
        rows = list(self.session.scalars(select(Appointment.id).order_by(Appointment.id)))
        return rows[pick % len(rows)] if rows else "none"

    @rule(
        slot=picks, visitor=st.integers(0, 4), petition=st.integers(0, 6), signs=st.booleans(), only_hold=st.booleans()
    )
    def ask(self, slot: int, visitor: int, petition: int, signs: bool, only_hold: bool) -> None:
        self.attempt(
            service.hold if only_hold else service.book,
            slot_id=self.slots[slot % len(self.slots)],
            visitor_id=f"v{visitor}",
            petition_id=f"p{petition}",
            by="aide",
            needs_interpreter=signs,
        )

    @rule(pick=picks)
    def confirm(self, pick: int) -> None:
        self.attempt(service.confirm, self.some_appointment(pick), by="aide")

    @rule(pick=picks, slot=picks)
    def move(self, pick: int, slot: int) -> None:
        self.attempt(
            service.reschedule, self.some_appointment(pick), slot_id=self.slots[slot % len(self.slots)], by="aide"
        )

    @rule(pick=picks)
    def cancel(self, pick: int) -> None:
        self.attempt(service.cancel, self.some_appointment(pick), reason="because", by="aide")

    @rule(pick=picks, verb=st.sampled_from([service.check_in, service.mark_met, service.mark_missed]))
    def happen(self, pick: int, verb: object) -> None:
        self.attempt(verb, self.some_appointment(pick))

    @rule(visitor=st.integers(0, 4), petition=st.integers(0, 6), signs=st.booleans(), urgent=st.booleans())
    def wait_for_a_place(self, visitor: int, petition: int, signs: bool, urgent: bool) -> None:
        self.attempt(
            waitlist.join, petition_id=f"p{petition}", visitor_id=f"v{visitor}", label=f"{petition}", by="aide",
            zone="Asia/Riyadh", needs_interpreter=signs, urgent=urgent,
        )  # fmt: skip

    @rule(visitor=st.integers(0, 4), petition=st.integers(0, 6), urgent=st.booleans())
    def wait_for_an_earlier_day(self, visitor: int, petition: int, urgent: bool) -> None:
        self.attempt(
            waitlist.join, petition_id=f"p{petition}", visitor_id=f"v{visitor}", label=f"{petition}", by="visitor",
            zone="Asia/Riyadh", urgent=urgent, for_earlier=True,
        )  # fmt: skip

    @rule()
    def the_list_goes_on(self) -> None:
        waitlist.sweep(self.session, now=self.now)

    @rule(pick=picks, answer=st.sampled_from(["accept", "keep", "drop", "leave", "settle", "resume"]))
    def answer(self, pick: int, answer: str) -> None:
        offers = list(self.session.scalars(select(Offer).order_by(Offer.offered_at, Offer.id)))
        if not offers:
            return
        offer = offers[pick % len(offers)]
        if answer == "accept":
            self.attempt(waitlist.accept, offer.id, by="visitor")
        elif answer == "leave":
            self.attempt(waitlist.leave, offer.waiting_id, reason="because", by="aide")
        elif answer in ("settle", "resume"):
            verb, subject = (waitlist.settle, offer.id) if answer == "settle" else (waitlist.resume, offer.waiting_id)
            self.attempt(verb, subject)
        else:
            self.attempt(waitlist.decline, offer.id, keep=answer == "keep", by="visitor")

    @rule(slot=picks, verb=st.sampled_from([calendar.close_slot, calendar.reopen_slot]))
    def close(self, slot: int, verb: object) -> None:
        self.attempt(verb, self.slots[slot % len(self.slots)])

    @rule(day=st.sampled_from(DAYS), hall=st.sampled_from(["riyadh", None]))
    def declare_a_holiday(self, day: date, hall: str | None) -> None:
        with suppress(MajlisError):
            holiday = workdays.declare_holiday(
                self.session, first_day=day, last_day=day, name_ar="ع", name_en="H", kind="other", centre_id=hall,
                zone=ZONE, now=self.now,
            )  # fmt: skip
            holidays.close(self.session, holiday, zone=ZONE, now=self.now)

    @rule(pick=picks)
    def withdraw_a_holiday(self, pick: int) -> None:
        if rows := workdays.holidays(self.session):
            holiday = rows[pick % len(rows)]
            with suppress(MajlisError):
                workdays.withdraw_holiday(self.session, holiday.id, zone=ZONE, now=self.now)
                holidays.reopen(self.session, holiday, zone=ZONE, now=self.now)

    @rule(pick=picks, stale=st.booleans())
    def move_whom_a_holiday_hits(self, pick: int, stale: bool) -> None:
        """What is done is what was shown, to the minute; an older plan does nothing at all."""
        rows = workdays.holidays(self.session)
        if not rows:
            return
        hit = holidays.hit(self.session, rows[pick % len(rows)], zone=ZONE, now=self.now)
        plan = rearranging.plan(self.session, hit, urgent={"p1"}, now=self.now)
        shown = {move.appointment.id: move.to.id for move in plan.moves}
        before = {row.id: row.state for row in hit}
        try:
            rearranging.carry_out(
                self.session, list(before), mark="old" if stale else plan.mark, by="aide", reason="h",
                moved_for="holiday", urgent={"p1"}, now=self.now,
            )  # fmt: skip
        except Refused:
            assert stale
            shown = {}
        self.session.expire_all()
        for row in (self.session.get_one(Appointment, id_) for id_ in before):
            assert row.state == ("moved" if row.id in shown else before[row.id])
            if row.id in shown:
                after = self.session.scalars(select(Appointment).where(Appointment.previous_id == row.id)).one()
                assert (after.slot_id, after.state, after.moved_for) == (shown[row.id], "booked", "holiday")

    @rule(petition=st.integers(0, 6), visitor=st.integers(0, 4), official=st.sampled_from(["minister", "deputy"]))
    def place_an_urgent_case(self, petition: int, visitor: int, official: str) -> None:
        """One gets a place and one another, or nothing happens."""
        wish = urgent.Wish(
            visitor_id=f"v{visitor}", petition_id=f"p{petition}", kind="video", official_id=official,
            centre_id="riyadh", needs_interpreter=False, until=START + timedelta(days=2), zone=ZONE,
        )  # fmt: skip
        before = {row.id: row.slot_id for row in self.placed()}
        try:
            room = urgent.find(self.session, wish, ranks={}, urgent={"p1": True}, now=self.now)
            urgent.place(
                self.session, wish, mark=room.mark, ranks={}, urgent={"p1": True}, by="aide", reason="u", now=self.now
            )
        except Refused:
            assert before.items() >= {row.id: row.slot_id for row in self.placed()}.items()
            return
        gone = before.keys() - {row.id for row in self.placed() if row.state != HELD}
        leavers = [id_ for id_ in gone if self.session.get_one(Appointment, id_).state == "moved"]
        assert leavers == ([room.leaver.id] if room.leaver else [])

    @rule(start=st.sampled_from([780, 795, 900]), minutes=st.sampled_from([15, 25]), agreed=st.booleans())
    def change_the_session_that_recurs(self, start: int, minutes: int, agreed: bool) -> None:
        row = series.get(self.session, self.series)
        pattern = replace(series.pattern_of(row), times=(start, start + 50), minutes=minutes)
        proposal = series.propose(self.session, self.series, pattern, now=self.now)
        before = {(one.id, one.slot_id) for one in self.placed()}
        mark = proposal.plan.mark if agreed else ""
        try:
            series.change(
                self.session, self.series, pattern, place_ar="م", place_en="P", by="aide", mark=mark, now=self.now
            )
        except Refused:
            assert proposal.hit and {(one.id, one.slot_id) for one in self.placed()} == before
        else:
            assert agreed or not proposal.hit
            assert not proposal.plan.unplaced

    @rule(minutes=st.sampled_from([1, 4, 6, 60, 600]))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(centre=st.sampled_from(["riyadh", "jeddah"]))
    def fall_ill_or_recover(self, centre: str) -> None:
        """Who is not on duty is given nothing more to do."""
        person = self.session.get_one(Staff, f"attendant.{centre}")
        person.active = not person.active
        self.session.flush()

    @rule()
    def sweep(self) -> None:
        service.expire_holds(self.session, now=self.now)

    @rule(signs=st.booleans())
    def what_is_offered_is_what_can_be_had(self, signs: bool) -> None:
        """Every slot shown as free can be booked, and every one not shown cannot (nothing happening in between)."""
        service.expire_holds(self.session, now=self.now)
        offered = service.open_slots(self.session, now=self.now, needs_interpreter=signs, urgent=True)
        had = set()
        for slot_id in self.slots:
            trial = self.session.begin_nested()
            with suppress(Refused):
                service.book(
                    self.session, slot_id=slot_id, visitor_id="new", petition_id="new", by="aide", now=self.now,
                    needs_interpreter=signs, urgent=True,
                )  # fmt: skip
                had.add(slot_id)
            trial.rollback()
        too_soon = {id_ for id_ in had if self.session.get_one(Slot, id_).starts_at < self.now + rules.URGENT_NOTICE}
        assert {slot.id for slot in offered} == had - too_soon

    def placed(self) -> list[Appointment]:
        self.session.expire_all()
        taking = (*LIVE, MET, MISSED)
        return list(self.session.scalars(select(Appointment).where(Appointment.state.in_(taking))))

    @invariant()
    def nobody_is_in_two_places(self) -> None:
        for one, two in combinations(self.placed(), 2):
            a, b = one.slot, two.slot
            if not (a.starts_at < b.ends_at and b.starts_at < a.ends_at):
                continue
            assert one.visitor_id != two.visitor_id
            helpers = [person for row in (one, two) for person in (row.interpreter_id, row.attendant_id) if person]
            assert len(helpers) == len(set(helpers))
            assert a.official_id != b.official_id or a.id == b.id
            halls = {a.centre_id, b.centre_id} if a.kind == b.kind == "video" else {1, 2}
            assert len(halls) == 2

    @invariant()
    def the_count_of_a_slot_is_the_people_in_it(self) -> None:
        placed = self.placed()
        for slot in self.session.scalars(select(Slot)):
            assert slot.taken == sum(row.slot_id == slot.id for row in placed) <= slot.capacity

    @invariant()
    def a_petition_has_one_live_appointment(self) -> None:
        petitions = [(row.petition_id, row.for_earlier) for row in self.placed() if row.state in LIVE]
        assert len(petitions) == len(set(petitions)), "and beside it at most one place is kept"

    @invariant()
    def claims_belong_to_somebody(self) -> None:
        placed = self.placed()
        owners = {row.id for row in placed} | {row.slot_id for row in placed}
        assert set(self.session.scalars(select(Claim.owner_id))) == owners

    @invariant()
    def all_that_a_meeting_needs_is_there_or_nothing(self) -> None:
        rows = self.placed()
        assert all((row.interpreter_id is not None) == row.needs_interpreter for row in rows)
        assert all((row.attendant_id is not None) == (row.slot.kind == "video") for row in rows)
        assert all(row.attendant_id is None or row.attendant_id != row.interpreter_id for row in rows)
        claimed: dict[str, set[str]] = {}
        for resource, owner in self.session.execute(select(Claim.resource, Claim.owner_id)):
            claimed.setdefault(owner, set()).add(resource)
        for row in rows:
            people = {("interpreter", row.interpreter_id), ("attendant", row.attendant_id), ("visitor", row.visitor_id)}
            assert claimed[row.id] == {f"{kind}:{person}" for kind, person in people if person}
            hall = {f"hall:{row.slot.centre_id}"} if row.slot.kind == "video" else set()
            assert claimed[row.slot_id] == {f"official:{row.slot.official_id}"} | hall

    @invariant()
    def a_place_is_kept_for_one_who_can_still_answer(self) -> None:
        check_offers(self.session, self.placed())

    @invariant()
    def only_holds_have_an_end(self) -> None:
        assert all((row.held_until is not None) == (row.state == HELD) for row in self.placed())


AnyOrder.TestCase.settings = settings(
    max_examples=12, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
TestAnyOrder = AnyOrder.TestCase
