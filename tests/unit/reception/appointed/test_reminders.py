"""The day before and two hours before, once each, and nothing that no longer makes sense."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from core.calendar import at_local
from core.sweeping import is_due
from messaging.models import Message
from queueing.appointments import service
from queueing.appointments.models import Appointment
from reception.appointed import rules
from reception.appointed.reminders import EVERY, send_due, sweep_reminders
from reception.appointed.rules import DAY, HOURS
from reception.petitions.models import Petition
from reception.visitors.models import Visitor

from .conftest import AGENT_NUMBER, SETTINGS, ZONE

START = datetime(2026, 10, 29, 7, 0, tzinfo=UTC)  # Thursday, 10:00 in Riyadh
LONG_AGO = START - timedelta(days=9)


def local(day: int, hour: int, minute: int = 0) -> datetime:
    return at_local(datetime(2026, 10, day).date(), hour, minute, ZONE)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (local(28, 9, 59), None),
        (local(28, 10), DAY),
        (local(28, 19, 59), DAY),
        (local(28, 20), None),
        (local(29, 7, 59), None),
        (local(29, 8), HOURS),
        (local(29, 8, 59), HOURS),
        (local(29, 9), None),  # a worker that was away does not write to somebody who is on the way
        (local(29, 10), None),
        (local(30, 10), None),
    ],
)
def test_the_hours_of_the_reminders(at: datetime, expected: str | None) -> None:
    assert rules.due(START, LONG_AGO, zone=ZONE, now=at) == expected


@pytest.mark.parametrize(
    ("arranged", "at", "expected"),
    [
        (local(27, 23), local(28, 10), DAY),
        (local(28, 8), local(28, 10), None),  # told this morning
        (local(28, 15), local(28, 15), None),
        (local(28, 15), local(29, 8), HOURS),
        (local(29, 7), local(29, 8), HOURS),
        (local(29, 7, 1), local(29, 8), None),
        (local(29, 8, 30), local(29, 8, 31), None),
    ],
)
def test_what_was_told_just_now_is_not_told_again(arranged: datetime, at: datetime, expected: str | None) -> None:
    assert rules.due(START, arranged, zone=ZONE, now=at) == expected


def test_a_meeting_after_midnight_is_announced_on_the_day_before_by_its_own_calendar() -> None:
    start = local(29, 0, 30)
    assert rules.due(start, LONG_AGO, zone=ZONE, now=local(28, 12)) == DAY
    assert rules.due(start, LONG_AGO, zone=ZONE, now=local(28, 22, 45)) == HOURS


def test_each_minute_of_the_last_days_has_at_most_one_reminder_in_zones_that_change_their_clocks() -> None:
    """Also over the night in which the clocks go back: the windows stay apart and within the sweep's horizon."""
    for zone in ("Africa/Cairo", "Europe/Berlin", "Asia/Riyadh", "Pacific/Apia"):
        for hour in range(24):
            start = at_local(datetime(2026, 10, 25).date(), hour, 0, zone)
            found = [
                (at, rules.due(start, LONG_AGO, zone=zone, now=at))
                for at in (start - timedelta(minutes=10 * n) for n in range(-6, 6 * 60))
            ]
            kinds = [kind for _, kind in found if kind]
            assert kinds.count(HOURS) == 6, (zone, hour)
            assert DAY in kinds, (zone, hour)
            assert all(start - rules.HORIZON < at < start for at, kind in found if kind)


def book(session: Session, slot_id: str, now: datetime) -> Appointment:
    return service.book(session, slot_id=slot_id, visitor_id="visitor", petition_id="petition", by="aide", now=now)


def texts(session: Session) -> list[Message]:
    reminders = select(Message).where(Message.message_class == "reminder")
    return list(session.scalars(reminders.order_by(Message.created_at, Message.id)))


def test_both_reminders_are_written_once_through_a_whole_life(
    session: Session, slots: list[str], now: datetime
) -> None:
    """Swept every ten minutes by a worker that is new each time, as after a restart."""
    appointment = book(session, slots[0], now)
    at = now
    while at < START + timedelta(hours=3):
        sweep_reminders(SETTINGS)(session, at)
        at += timedelta(minutes=10)
    first, second = texts(session)
    when = "الخميس ١٨ جمادى الأولى ١٤٤٨هـ (٢٩ أكتوبر ٢٠٢٦م) ١٠:٠٠ صباحًا"
    place = "مركز الرياض، طريق الملك فهد"
    assert first.body == f"تذكير بموعدكم غدًا {when}، في {place}. رمز الموعد {appointment.code}"
    assert second.body == f"اقترب موعدكم {when}، في {place}. رمز الموعد {appointment.code}"
    assert (first.created_at, second.created_at) == (local(28, 10), local(29, 8))
    link = session.scalars(select(Message).where(Message.template == "appointment_link")).one()
    assert link.created_at == first.created_at < link.due_at  # the day before is when plans are weighed


def test_a_moved_appointment_has_the_reminders_of_its_new_time_only(
    session: Session, slots: list[str], now: datetime
) -> None:
    old = book(session, slots[0], now)
    new = service.reschedule(session, old.id, slot_id=slots[3], by="aide", now=now + timedelta(minutes=5))
    assert send_due(session, now=local(28, 12), settings=SETTINGS) == [f"{DAY}:{new.id}"]
    assert send_due(session, now=local(29, 8, 10), settings=SETTINGS) == []  # two hours before the old time
    assert send_due(session, now=local(29, 9, 40), settings=SETTINGS) == [f"{HOURS}:{new.id}"]
    assert "١١:٣٠" in texts(session)[-1].body


def test_a_cancelled_appointment_and_one_that_was_only_held_have_none(
    session: Session, slots: list[str], now: datetime
) -> None:
    appointment = book(session, slots[0], now)
    service.cancel(session, appointment.id, reason="illness", by="aide", now=now)
    service.hold(
        session, slot_id=slots[1], visitor_id="visitor", petition_id="petition", by="aide", now=now, minutes=9999
    )
    for at in (local(28, 12), local(29, 8, 15), local(29, 8, 45)):
        assert send_due(session, now=at, settings=SETTINGS) == []


def test_who_is_there_already_is_not_reminded(session: Session, slots: list[str], now: datetime) -> None:
    appointment = book(session, slots[0], now)
    service.check_in(session, appointment.id, now=local(29, 7, 50))
    assert send_due(session, now=local(29, 8, 10), settings=SETTINGS) == []


def test_a_text_whose_dates_disagree_is_not_sent(
    session: Session, slots: list[str], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cross-check of the confirmation guards the reminder as well."""
    book(session, slots[0], now)
    monkeypatch.setattr("core.calendar.hijri_of", lambda day: (1448, 5, 19))
    assert send_due(session, now=local(28, 12), settings=SETTINGS) == []
    assert texts(session) == []
    monkeypatch.undo()
    assert len(send_due(session, now=local(28, 12), settings=SETTINGS)) == 1


def test_the_sweep_looks_seldom_and_again_after_a_clock_that_went_back(
    session: Session, slots: list[str], now: datetime
) -> None:
    sweep = sweep_reminders(SETTINGS)
    sweep(session, local(28, 12))
    book(session, slots[0], now)
    sweep(session, local(28, 12) + EVERY / 2)
    assert texts(session) == []
    sweep(session, local(28, 11))
    assert len(texts(session)) == 1


def test_an_agent_who_alone_is_told_is_reminded_once_and_has_the_link(
    session: Session, slots: list[str], agent: Visitor, now: datetime
) -> None:
    appointment = book(session, slots[0], now)
    assert send_due(session, now=local(28, 12), settings=SETTINGS) == [f"{DAY}:{appointment.id}"]
    written = session.scalars(select(Message)).all()
    assert {(row.template, row.to_number) for row in written} == {
        (DAY, AGENT_NUMBER), ("appointment_link", AGENT_NUMBER)
    }  # fmt: skip
    statements: list[str] = []
    with told_to_the_database(session, statements):
        assert send_due(session, now=local(28, 12, 1), settings=SETTINGS) == []
    assert len(statements) <= 2, "what is written is not looked at row by row, every twenty seconds"


@contextmanager
def told_to_the_database(session: Session, statements: list[str]) -> Iterator[None]:
    def note(_c: object, _k: object, statement: str, *_: object) -> None:
        statements.append(statement)

    engine = session.get_bind()
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", note)


def test_many_reminders_are_written_a_portion_at_a_time_and_one_that_fails_stops_no_other(
    session: Session, slots: list[str], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reception.appointed.reminders.PORTION", 1)
    first = book(session, slots[0], now)
    petition = session.get_one(Petition, "petition")
    values = {column.name: getattr(petition, column.name) for column in Petition.__table__.columns}
    session.add(Petition(**values | {"id": "second", "case_number": "48-000124", "follow_code": "another1"}))
    session.add(Visitor(id="guest", identity_number="1000000032", name="ناصر", name_search="ناصر",
                        phone="+966500000002", language="ar", created_at=now))  # fmt: skip
    session.flush()
    service.book(session, slot_id=slots[1], visitor_id="guest", petition_id="second", by="aide", now=now)
    first.petition_id = "nobody"  # there is nobody to tell: it stays unwritten
    sweep = sweep_reminders(SETTINGS)
    for _ in range(3):
        sweep(session, local(28, 12))
    assert [row.template for row in texts(session)] == [DAY]
    assert not is_due(sweep, local(28, 12)), "the round is over"
