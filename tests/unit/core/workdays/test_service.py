"""Holidays and hours in the database, and the calendar made of them."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import Mistake, NotFound, Refused
from core.events import OutboxEvent
from core.workdays import rules, service
from core.workdays.models import Holiday

NOON = datetime(2026, 10, 27, 9, 0, tzinfo=UTC)
ZONE = "Asia/Riyadh"
FIRST, LAST = date(2026, 11, 1), date(2026, 11, 3)


def declare(session: Session, first: date = FIRST, last: date = LAST, centre_id: str | None = None) -> Holiday:
    return service.declare_holiday(
        session,
        first_day=first, last_day=last, name_ar="إجازة", name_en="Holiday", kind=rules.OTHER,
        centre_id=centre_id, zone=ZONE, now=NOON,
    )  # fmt: skip


def events(session: Session) -> list[tuple[str, str]]:
    session.flush()
    rows = session.scalars(select(OutboxEvent).order_by(OutboxEvent.id))
    return [(row.name.rpartition(".")[2], row.payload["centre_id"]) for row in rows]


def test_nothing_set_is_the_usual_week(session: Session) -> None:
    work = service.calendar_for(session, zone=ZONE)
    assert [work.is_working(date(2026, 11, day)) for day in range(1, 8)] == [True] * 5 + [False] * 2


def test_a_ministrys_holiday_holds_in_every_centre_and_a_centres_in_it_alone(session: Session) -> None:
    declare(session)
    declare(session, date(2026, 11, 4), date(2026, 11, 4), centre_id="coast")
    here, there = (service.calendar_for(session, zone=ZONE, centre_id=centre) for centre in ("coast", "north"))
    ministry = service.calendar_for(session, zone=ZONE)
    assert [work.is_working(LAST) for work in (here, there, ministry)] == [False, False, False]
    assert [work.is_working(date(2026, 11, 4)) for work in (here, there, ministry)] == [False, True, True]
    assert here.why_closed(LAST, "ar") == "إجازة"
    assert events(session) == [("HolidayDeclared", ""), ("HolidayDeclared", "coast")]
    assert [row.centre_id for row in service.holidays(session, centre_id="north")] == [None]
    assert len(service.holidays(session)) == 2


def test_asking_again_costs_nothing_and_never_hides_a_change(session: Session) -> None:
    work = service.calendar_for(session, zone=ZONE)
    assert service.calendar_for(session, zone=ZONE) is work
    row = declare(session)
    assert not service.calendar_for(session, zone=ZONE).is_working(FIRST)
    service.withdraw_holiday(session, row.id, zone=ZONE, now=NOON)
    assert service.calendar_for(session, zone=ZONE).is_working(FIRST)
    with pytest.raises(Refused), session.begin_nested():
        declare(session)
        assert not service.calendar_for(session, zone=ZONE).is_working(FIRST)
        raise Refused("no")
    assert service.calendar_for(session, zone=ZONE).is_working(FIRST)


def test_the_same_days_are_declared_once(session: Session) -> None:
    row = declare(session)
    with pytest.raises(Refused, match="declared already"):
        declare(session)
    declare(session, centre_id="coast")
    service.withdraw_holiday(session, row.id, zone=ZONE, now=NOON)
    assert declare(session).id != row.id


def test_a_holiday_that_moves_with_the_moon_is_told_of_twice(session: Session) -> None:
    row = declare(session)
    service.change_holiday(
        session, row.id, first_day=date(2026, 11, 2), last_day=LAST, name_ar="عيد", name_en="Eid", zone=ZONE, now=NOON
    )
    work = service.calendar_for(session, zone=ZONE)
    assert work.is_working(FIRST) and work.why_closed(LAST, "en") == "Eid"
    assert [name for name, _ in events(session)] == ["HolidayDeclared", "HolidayWithdrawn", "HolidayDeclared"]
    service.change_holiday(
        session, row.id, first_day=date(2026, 11, 2), last_day=LAST, name_ar="العيد", name_en="Eid", zone=ZONE, now=NOON
    )
    assert len(events(session)) == 3 and row.name("ar") == "العيد"


def test_of_a_holiday_under_way_only_the_rest_is_taken_back(session: Session) -> None:
    row = declare(session)
    later = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
    with pytest.raises(Mistake, match="has begun"):
        service.change_holiday(
            session, row.id, first_day=LAST, last_day=LAST, name_ar="-", name_en="-", zone=ZONE, now=later
        )
    service.withdraw_holiday(session, row.id, zone=ZONE, now=later)
    work = service.calendar_for(session, zone=ZONE)
    assert [work.is_working(date(2026, 11, day)) for day in (1, 2, 3)] == [False, True, True]
    with pytest.raises(Refused, match="has passed"):
        service.withdraw_holiday(session, row.id, zone=ZONE, now=datetime(2026, 11, 5, tzinfo=UTC))


def test_what_was_withdrawn_or_never_was_is_not_found(session: Session) -> None:
    row = declare(session)
    service.withdraw_holiday(session, row.id, zone=ZONE, now=NOON)
    for ask in (lambda: service.holiday(session, row.id), lambda: service.holiday(session, "no")):
        with pytest.raises(NotFound):
            ask()
    with pytest.raises(NotFound):
        service.withdraw_holiday(session, row.id, zone=ZONE, now=NOON)


def test_a_centre_may_have_its_own_hours_and_give_them_up(session: Session) -> None:
    service.set_hours(session, {"5": [[960, 1200]]}, {"5": [[1200, 1380]]}, now=NOON, centre_id="coast")
    coast, north = (service.calendar_for(session, zone=ZONE, centre_id=centre) for centre in ("coast", "north"))
    saturday, fasting = date(2026, 11, 7), date(2027, 2, 13)
    assert coast.is_working(saturday) and not north.is_working(saturday)
    assert coast.hours(fasting)[0][0] == datetime(2027, 2, 13, 17, 0, tzinfo=UTC)
    service.set_hours(session, {}, now=NOON, centre_id="coast")
    assert not service.calendar_for(session, zone=ZONE, centre_id="coast").is_working(saturday)
    assert events(session) == [("WorkingHoursChanged", "coast")] * 2


@pytest.mark.parametrize(
    ("week", "ramadan", "field"),
    [
        ({}, {}, "day_6"),
        ({"6": [[900, 480]]}, {}, "day_6"),
        ({"6": [[480, 900]]}, {"0": [[480, 900], [800, 1000]]}, "ramadan_0"),
        ({"7": [[480, 900]]}, {}, "hours"),
    ],
)
def test_hours_that_make_no_week_leave_the_old_ones(
    session: Session, week: dict[str, list[list[int]]], ramadan: dict[str, list[list[int]]], field: str
) -> None:
    service.set_hours(session, {"6": [[480, 900]]}, now=NOON)
    with pytest.raises(Mistake) as mistake:
        service.set_hours(session, week, ramadan, now=NOON)
    assert mistake.value.field == field
    row = service.hours_of(session)
    assert row is not None and row.week == {"6": [[480, 900]]}
