"""Deadlines against cases worked out by hand. Work is Sunday to Thursday, 8:00 to 15:00 in Riyadh (UTC+3)."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from core import jobs
from core.events import OutboxEvent, name_of
from core.settings import Settings
from core.workdays import service as workdays
from core.workdays.events import HolidayDeclared, HolidayWithdrawn
from core.workdays.rules import DEFAULT_RAMADAN, DEFAULT_WEEK, Closed, WorkCalendar, closed_days
from reception.deadlines import escalation, moving, rules, service
from reception.deadlines.events import DeadlinesMoved
from reception.deadlines.models import Clock, Escalation
from reception.deadlines.rules import ANSWER, CUSTODY, OFFICE, OFFICER, OPINION, WORK, Allowance
from reception.petitions import opinions, states, story, urgency, verification
from reception.petitions import service as petitions
from reception.petitions.models import Petition, Referral
from tests.unit.reception.conftest import Ministry

ZONE = "Asia/Riyadh"
PLAIN = WorkCalendar(zone=ZONE, week=DEFAULT_WEEK, ramadan=DEFAULT_RAMADAN, closed={})


def at(day: str, hour: int = 0, minute: int = 0) -> datetime:
    """An instant by the clock in Riyadh."""
    return datetime.fromisoformat(f"{day}T{hour:02d}:{minute:02d}+03:00").astimezone(UTC)


def with_holiday(first: str, last: str, name: str = "Holiday") -> WorkCalendar:
    closed = closed_days([(date.fromisoformat(first), date.fromisoformat(last), Closed("h", "إجازة", name))])
    return WorkCalendar(zone=ZONE, week=DEFAULT_WEEK, ramadan=DEFAULT_RAMADAN, closed=closed)


def test_three_days_from_a_tuesday_pass_over_the_weekend() -> None:
    # Tuesday 27 October: Wednesday 1, Thursday 2, (Friday, Saturday), Sunday 3.
    assert rules.due(at("2026-10-27", 12), Allowance(3), (), PLAIN) == at("2026-11-01", 15)


def test_what_comes_on_a_day_of_rest_counts_from_the_next_day_of_work() -> None:
    assert rules.due(at("2026-10-30", 22), Allowance(1), (), PLAIN) == at("2026-11-01", 15)


def test_a_holiday_declared_late_moves_it_by_its_days_of_work() -> None:
    # Thursday 29 and Sunday 1 are free now: Wednesday 1, Monday 2, Tuesday 3.
    free = with_holiday("2026-10-29", "2026-11-01")
    assert rules.due(at("2026-10-27", 12), Allowance(3), (), free) == at("2026-11-03", 15)


def test_in_ramadan_a_day_of_work_ends_when_it_ends_and_hours_are_fewer() -> None:
    # Ramadan 1448 begins on Monday 8 February 2027; work is from 10:00 to 15:00. Ten hours are two of its days.
    assert rules.due(at("2027-02-08", 9), Allowance(2), (), PLAIN) == at("2027-02-10", 15)
    assert rules.due(at("2027-02-08", 9), Allowance(minutes=600), (), PLAIN) == at("2027-02-09", 15)
    assert rules.due(at("2027-02-02", 9), Allowance(minutes=600), (), PLAIN) == at("2027-02-03", 12), "before it"


def test_a_suspension_gives_its_working_time_back() -> None:
    # Due Sunday 15:00. Asked on Wednesday at 10:00: 5 h then, 7 h on Thursday, 7 h on Sunday are left: 19 h.
    # The reply comes on Monday at 9:00: 6 h then, 7 h on Tuesday, 6 h on Wednesday.
    pauses = [(at("2026-10-28", 10), at("2026-11-02", 9))]
    assert rules.due(at("2026-10-27", 12), Allowance(3), pauses, PLAIN) == at("2026-11-04", 14)


def test_a_suspension_over_a_weekend_alone_gives_nothing() -> None:
    pauses = [(at("2026-10-29", 15), at("2026-11-01", 8))]
    assert rules.due(at("2026-10-27", 12), Allowance(3), pauses, PLAIN) == at("2026-11-01", 15)


def test_two_suspensions_add_up() -> None:
    # Each takes two hours of work out of Wednesday: four hours later than Sunday 15:00 is Monday 12:00.
    pauses = [(at("2026-10-28", 8), at("2026-10-28", 10)), (at("2026-10-28", 11), at("2026-10-28", 13))]
    assert rules.due(at("2026-10-27", 12), Allowance(3), pauses, PLAIN) == at("2026-11-02", 12)


def test_what_was_late_before_it_was_suspended_stays_late() -> None:
    pauses = [(at("2026-11-03", 9), at("2026-11-09", 9))]
    assert rules.due(at("2026-10-27", 12), Allowance(3), pauses, PLAIN) == at("2026-11-01", 15)


def test_the_urgent_lane_goes_by_the_clock_on_the_wall() -> None:
    assert rules.due(at("2026-10-29", 23), Allowance(minutes=120, by_the_clock=True), (), PLAIN) == at("2026-10-30", 1)


def test_it_is_explained_day_by_day() -> None:
    lines, due = rules.explain(at("2026-10-27", 12), Allowance(3), (), with_holiday("2026-10-28", "2026-10-28"), "en")
    told = [(line.kind, line.first.isoformat(), line.last.isoformat(), line.n, line.why) for line in lines]
    assert told == [
        ("skip", "2026-10-28", "2026-10-28", 0, "Holiday"),
        ("count", "2026-10-29", "2026-10-29", 1, ""),
        ("skip", "2026-10-30", "2026-10-31", 0, "Weekly day of rest"),
        ("count", "2026-11-01", "2026-11-02", 3, ""),
    ]
    assert due == at("2026-11-02", 15)


def test_a_standstill_stands_in_the_explanation() -> None:
    pauses = [(at("2026-10-28", 10), at("2026-11-02", 9))]
    lines, due = rules.explain(at("2026-10-27", 12), Allowance(3), pauses, PLAIN, "ar")
    assert due == at("2026-11-04", 14)
    pause = next(line for line in lines if line.kind == "pause")
    assert (pause.first, pause.last) == (date(2026, 10, 28), date(2026, 11, 2))
    assert not [line for line in lines[: lines.index(pause)] if line.first > pause.first]


@given(
    hour=st.integers(0, 24 * 28),
    days=st.integers(1, 20),
    pauses=st.lists(st.tuples(st.integers(0, 200), st.integers(0, 200)), max_size=3),
)
def test_a_deadline_is_never_before_its_beginning_nor_sooner_for_having_stood_still(
    hour: int, days: int, pauses: list[tuple[int, int]]
) -> None:
    start = at("2026-10-20") + timedelta(hours=hour)
    spans, after = [], start
    for wait, length in pauses:
        begun = after + timedelta(hours=wait)
        after = begun + timedelta(hours=length)
        spans.append((begun, after))
    plain = rules.due(start, Allowance(days), (), PLAIN)
    due = rules.due(start, Allowance(days), spans, PLAIN)
    assert start < plain <= due
    worked = sum((PLAIN.between(a, min(b, due)) for a, b in spans if a < due), timedelta())
    assert PLAIN.between(start, due) - worked <= PLAIN.between(start, plain), "not a minute of work is added"
    told, explained = rules.explain(start, Allowance(days), spans, PLAIN, "en")
    assert explained == due and told


def test_rungs_fall_into_office_hours_only() -> None:
    thursday = at("2026-10-29", 15)
    assert rules.rung_at(thursday, 0, PLAIN) == at("2026-11-01", 8), "not on Thursday evening"
    assert rules.rung_at(thursday, 7, PLAIN) == at("2026-11-02", 8)
    assert rules.rung_at(thursday, -7, PLAIN) == at("2026-10-29", 8)
    assert rules.rung_at(thursday, -9, PLAIN) == at("2026-10-28", 13)
    assert not rules.may_tell(PLAIN, by_the_clock=False, now=at("2026-10-30", 12))
    assert rules.may_tell(PLAIN, by_the_clock=True, now=at("2026-10-30", 12))


# ── On petitions ─────────────────────────────────────────────────────
# The ministry's noon is Tuesday 27 October 2026, 12:00 in Riyadh.


def clock(ministry: Ministry, petition: Petition, step: str) -> Clock:
    found = service.one(ministry.session, petition.id, step)
    assert found is not None
    return found


def work_off(ministry: Ministry, *, most: int = 100) -> int:
    """What the worker does with the jobs that wait; how many."""
    for done in range(most):
        job = jobs.claim(ministry.session, [moving.MOVE], now=ministry.now, lease=lambda kind: jobs.LEASE)
        if job is None:
            return done
        assert jobs.finish(ministry.session, job, now=ministry.now)
        record = moving.move_handler().record
        assert record is not None
        record(ministry.session, job.payload, None, ministry.now)
    return most


def test_each_step_has_its_clock(ministry: Ministry) -> None:
    petition = ministry.petition("violation")  # ten working days
    assert petition.due_at == at("2026-11-10", 15) == clock(ministry, petition, ANSWER).due_at
    assert clock(ministry, petition, CUSTODY).due_at == at("2026-10-28", 15)
    petitions.acknowledge(ministry.session, petition.id, staff_id=ministry.id("officer"), now=ministry.now)
    assert service.one(ministry.session, petition.id, CUSTODY) is None
    assert clock(ministry, petition, WORK).due_at == at("2026-10-29", 15)
    petitions.begin(ministry.session, petition.id, staff_id=ministry.id("officer"), now=ministry.now)
    assert service.one(ministry.session, petition.id, WORK) is None


def test_a_transfer_starts_the_receivers_clock_and_keeps_the_total(ministry: Ministry) -> None:
    petition = ministry.petition("violation")
    officer, prisons = ministry.id("officer"), ministry.departments["prisons"].id
    petitions.acknowledge(ministry.session, petition.id, staff_id=officer, now=ministry.now)
    petitions.transfer(
        ministry.session, petition.id, department_id=prisons, reason="لهم", staff_id=officer, now=at("2026-10-29", 9)
    )
    assert petition.due_at == at("2026-11-10", 15)
    custody = clock(ministry, petition, CUSTODY)
    assert (custody.due_at, custody.department_id) == (at("2026-11-01", 15), prisons)


def test_a_joined_petition_stops_and_the_other_goes_on(ministry: Ministry) -> None:
    visitor = ministry.visitor()
    first, second = ministry.petition(visitor=visitor), ministry.petition(visitor=visitor)
    merge = {"into": first.case_number, "staff_id": ministry.id("officer"), "now": at("2026-10-28", 9)}
    petitions.merge(ministry.session, second.id, **merge)
    assert (second.state, second.merged_into_id) == (states.CLOSED, first.id)
    assert service.running(ministry.session, second.id) == []
    assert clock(ministry, first, ANSWER).due_at == at("2026-11-10", 15)
    told = [step.kind for step in story.story(ministry.session, first.id)]
    assert told[-1] == "joined"


def test_a_holiday_declared_late_moves_the_petitions_under_way_and_says_so(ministry: Ministry) -> None:
    petition, settled = ministry.petition("violation"), ministry.petition("violation")
    petitions.close(ministry.session, settled.id, reason="withdrawn", staff_id=ministry.id("officer"), now=ministry.now)
    first, last = date(2026, 11, 1), date(2026, 11, 2)
    row = workdays.declare_holiday(
        ministry.session, first_day=first, last_day=last, name_ar="إجازة", name_en="A holiday", kind="national",
        zone=ZONE, now=ministry.now,
    )  # fmt: skip
    event = HolidayDeclared(row.id, "", first.isoformat(), last.isoformat())
    moving.move_for_holiday(ministry.session, event, now=ministry.now, settings=Settings())
    work_off(ministry)
    assert petition.due_at == at("2026-11-12", 15), "two days of work later"
    referral = ministry.session.query(Referral).filter_by(petition_id=petition.id).one()
    assert referral.due_at == at("2026-10-28", 15), "due before the holiday begins"
    assert settled.due_at == at("2026-11-10", 15)
    last_step = story.story(ministry.session, petition.id)[-1]
    assert "12 November" in last_step.say(str, "en") and "١٢ نوفمبر" in last_step.say(str, "ar")
    before = len(story.story(ministry.session, petition.id))
    moving.move_for_holiday(ministry.session, event, now=ministry.now, settings=Settings())
    work_off(ministry)
    assert len(story.story(ministry.session, petition.id)) == before, "a reaction done twice changes nothing"
    workdays.withdraw_holiday(ministry.session, row.id, zone=ZONE, now=ministry.now)
    back = HolidayWithdrawn(row.id, "", first.isoformat(), last.isoformat())
    moving.move_for_holiday(ministry.session, back, now=ministry.now, settings=Settings())
    work_off(ministry)
    assert petition.due_at == at("2026-11-10", 15)


def test_a_holiday_holds_few_cases_at_once_and_comes_to_all(
    ministry: Ministry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "PORTION", 2)
    cases = [ministry.petition("violation") for _ in range(5)]
    first = last = date(2026, 11, 1)
    row = workdays.declare_holiday(
        ministry.session, first_day=first, last_day=last, name_ar="إجازة", name_en="A holiday", kind="national",
        zone=ZONE, now=ministry.now,
    )  # fmt: skip
    event = HolidayDeclared(row.id, "", first.isoformat(), last.isoformat())
    moving.move_for_holiday(ministry.session, event, now=ministry.now, settings=Settings())

    def moved() -> int:
        return sum(case.due_at == at("2026-11-11", 15) for case in cases)

    assert moved() == 0
    assert [moved() for _ in iter(lambda: work_off(ministry, most=1), 0)] == [2, 4, 5]
    told = ministry.session.scalars(select(OutboxEvent).where(OutboxEvent.name == name_of(DeadlinesMoved))).all()
    assert [row.payload["count"] for row in told] == [5]


def test_everything_stands_still_while_the_visitor_is_asked(ministry: Ministry) -> None:
    petition = ministry.petition("violation")
    officer = ministry.id("officer")
    petitions.acknowledge(ministry.session, petition.id, staff_id=officer, now=ministry.now)
    petitions.ask_visitor(ministry.session, petition.id, question="؟", staff_id=officer, now=at("2026-10-28", 8))
    assert escalation.climb(ministry.session, now=at("2026-12-01", 10)) == 0, "nobody is told meanwhile"
    petitions.visitor_replied(
        ministry.session, petition.id, reply="نعم", staff_id=ministry.id("receptionist"), now=at("2026-11-01", 8)
    )
    # Wednesday and Thursday were waited: from Tuesday the 10th to Thursday the 12th.
    assert petition.due_at == at("2026-11-12", 15)


def test_the_ladder_is_climbed_rung_by_rung_in_office_hours(ministry: Ministry) -> None:
    session, petition = ministry.session, ministry.petition("violation")
    verification.verify(session, petition.id, staff_id=ministry.id("verifier"), now=ministry.now)

    def told() -> list[tuple[str, str]]:
        rows = session.query(Escalation).order_by(Escalation.at, Escalation.id)
        return [(row.whom, next(who for who, p in ministry.staff.items() if p.id == row.staff_id)) for row in rows]

    assert escalation.climb(session, now=at("2026-10-28", 20)) == 0, "past its time, but nobody is at work"
    assert escalation.climb(session, now=at("2026-10-29", 8, 1)) == 1
    assert told() == [("officer", "officer")]
    assert escalation.climb(session, now=at("2026-10-29", 8, 2)) == 0, "each rung once"
    escalation.set_head(session, ministry.departments["traffic"].id, ministry.id("officer"), now=ministry.now)
    escalation.climb(session, now=at("2026-10-29", 11, 1))
    escalation.climb(session, now=at("2026-11-01", 8, 1))
    escalation.climb(session, now=at("2026-11-02", 8, 1))
    assert told()[1:] == [("head", "officer"), ("manager", "manager"), ("office", "aide")]
    assert escalation.climb(session, now=at("2026-11-04", 8)) == 0
    assert [step.kind for step in story.story(session, petition.id)].count("late") == 4
    assert escalation.unseen(session, ministry.id("aide")) == 1
    assert escalation.take_note(session, ministry.id("aide"), now=ministry.now) == 1
    assert escalation.unseen(session, ministry.id("aide")) == 0


def test_the_urgent_lanes_clock_runs_at_night_too(ministry: Ministry) -> None:
    session = ministry.session
    petition = ministry.petition("retribution", urgency="urgent", urgent_reason="غدًا")
    urgency.agree(session, petition.id, staff_id=ministry.id("manager"), now=at("2026-10-30", 1))
    custody = clock(ministry, petition, CUSTODY)
    assert petition.department.is_office and custody.due_at == at("2026-10-30", 3)
    assert petition.due_at == at("2026-11-02", 15), "two working days after a Friday"
    assert escalation.climb(session, now=at("2026-10-30", 3, 1)) == 1
    row = session.query(Escalation).filter_by(clock_id=custody.id).one()
    assert (row.whom, row.staff_id) == (OFFICER, ministry.id("aide"))


def test_a_ladder_of_ones_own_replaces_the_usual_one(ministry: Ministry) -> None:
    session, petition = ministry.session, ministry.petition("violation")
    escalation.set_ladder(session, CUSTODY, [(-3, OFFICE)], now=ministry.now)
    assert clock(ministry, petition, CUSTODY).next_at == at("2026-10-28", 12)
    escalation.set_ladder(session, CUSTODY, [], now=ministry.now)
    assert clock(ministry, petition, CUSTODY).next_at == at("2026-10-29", 8)


def test_an_answer_stops_every_clock_and_tells_whether_it_was_in_time(ministry: Ministry) -> None:
    session, petition, officer = ministry.session, ministry.petition("violation"), ministry.id("officer")
    petitions.acknowledge(session, petition.id, staff_id=officer, now=ministry.now)
    verification.verify(session, petition.id, staff_id=ministry.id("verifier"), now=ministry.now)
    petitions.answer(session, petition.id, text="نعم", staff_id=officer, now=at("2026-11-11", 9))
    kept = {row.step: row.kept for row in session.query(Clock).filter_by(petition_id=petition.id)}
    assert kept[ANSWER] is False and kept[CUSTODY] is True
    assert escalation.climb(session, now=at("2026-12-01", 9)) == 0


def test_an_opinion_has_its_own_time(ministry: Ministry) -> None:
    session, petition, officer = ministry.session, ministry.petition("violation"), ministry.id("officer")
    petitions.acknowledge(session, petition.id, staff_id=officer, now=ministry.now)
    asked = opinions.ask(
        session, petition.id, department_ids=[ministry.departments["prisons"].id], question="ما رأيكم؟",
        staff_id=officer, now=ministry.now,
    )  # fmt: skip
    assert asked[0].due_at == at("2026-11-01", 15) == clock(ministry, petition, OPINION).due_at
    told = escalation.recipients(session, petition, clock(ministry, petition, OPINION), OFFICER)
    assert [person.username for person in told] == ["far-officer"]


def test_of_a_deadline_that_moved_on_everybody_is_warned_anew(ministry: Ministry) -> None:
    session, petition = ministry.session, ministry.petition("violation")  # ten working days
    kept = clock(ministry, petition, ANSWER)
    late = at("2026-12-01", 9)
    while escalation.climb(session, now=late):
        pass
    assert (kept.rung, kept.next_at) == (4, None)
    longer = ministry.type("retribution")
    longer.days = 30
    session.flush()
    verification.reclassify(
        session, petition.id, type_id=longer.id, staff_id=ministry.id("verifier"), now=at("2026-12-01", 10)
    )
    assert petition.due_at == at("2026-12-08", 15)
    assert (kept.rung, kept.next_at) == (0, at("2026-12-07", 8))
    assert escalation.climb(session, now=at("2026-12-07", 8)) and kept.rung == 1


def test_who_was_warned_in_time_for_a_moved_deadline_is_not_warned_twice(ministry: Ministry) -> None:
    session, petition = ministry.session, ministry.petition("violation")
    officer = ministry.id("officer")
    petitions.acknowledge(session, petition.id, staff_id=officer, now=ministry.now)
    petitions.begin(session, petition.id, staff_id=officer, now=ministry.now)
    kept = clock(ministry, petition, ANSWER)
    reminder = at("2026-11-09", 8)
    assert kept.next_at == reminder and escalation.climb(session, now=at("2026-11-09", 11)) >= 1
    petitions.ask_visitor(session, petition.id, question="؟", staff_id=officer, now=at("2026-11-09", 11))
    reply = {"reply": "نعم", "staff_id": ministry.id("receptionist")}
    petitions.visitor_replied(session, petition.id, now=at("2026-11-09", 12), **reply)
    assert petition.due_at == at("2026-11-11", 9), "an hour later than Tuesday at 15:00"
    assert (kept.rung, kept.next_at) == (1, at("2026-11-11", 9)), "the reminder's new time has passed, too"


def test_an_officer_who_went_to_another_department_is_reminded_of_nothing_left_behind(ministry: Ministry) -> None:
    session, petition, officer = ministry.session, ministry.petition("violation"), ministry.staff["officer"]
    petitions.acknowledge(session, petition.id, staff_id=officer.id, now=ministry.now)
    petitions.begin(session, petition.id, staff_id=officer.id, now=ministry.now)
    ministry.staff["far-officer"].department_id = ministry.departments["traffic"].id
    session.flush()
    assert escalation.recipients(session, petition, clock(ministry, petition, ANSWER), OFFICER) == [officer]
    officer.department_id = ministry.departments["prisons"].id
    session.flush()
    told = escalation.recipients(session, petition, clock(ministry, petition, ANSWER), OFFICER)
    assert [person.username for person in told] == ["far-officer"]


@pytest.mark.parametrize("step", rules.STEPS)
def test_every_step_has_a_usual_ladder_that_ends_with_somebody_above(step: str) -> None:
    hours = [hour for hour, _ in rules.RUNGS[step]]
    assert hours == sorted(hours) and all(whom in rules.LADDER for _, whom in rules.RUNGS[step])
