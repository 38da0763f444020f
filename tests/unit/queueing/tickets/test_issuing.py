"""Doors, days and numbers: when a ticket is given, and what is said when it isn't."""

from datetime import UTC, date, datetime, timedelta
from gettext import NullTranslations

import pytest
from sqlalchemy.orm import Session

from core.errors import Mistake, Refused
from core.language import say
from queueing.opening import service as opening
from queueing.tickets import places, rules, service, standing
from queueing.tickets.discipline import Discipline
from queueing.tickets.models import CallLog
from tests.unit.queueing.tickets.hall import CENTRE, NOON, ZONE, Hall, build, minutes

WORKING = {day: [[480, 900]] for day in ("6", "0", "1", "2", "3")}  # Sunday to Thursday, 8:00 to 15:00


@pytest.fixture
def hall(session: Session) -> Hall:
    return build(session)


def riyadh(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 10, day, hour - 3, minute, tzinfo=UTC)


def test_closed_doors_say_when_they_open(session: Session, hall: Hall) -> None:
    opening.set_hours(session, CENTRE, WORKING, now=NOON)
    assert hall.take(session, now=riyadh(29, 14, 59)).label == "A1"
    with pytest.raises(Refused, match=r"It opens on Sunday 1 November, 8:00 am\."):  # the 29th is a Thursday
        hall.take(session, now=riyadh(29, 15))
    with pytest.raises(Refused, match="It opens on Tuesday 27 October, 8:00 am"):
        hall.take(session, now=riyadh(27, 7))
    offer = service.offer(session, hall.new, zone=ZONE, now=riyadh(29, 15))
    assert (offer.state, offer.opens_at) == (service.CLOSED, datetime(2026, 11, 1, 5, tzinfo=UTC))


def test_the_moment_is_said_in_the_readers_language(session: Session, hall: Hall) -> None:
    opening.set_hours(session, CENTRE, WORKING, now=NOON)
    with pytest.raises(Refused) as refusal:
        hall.take(session, now=riyadh(29, 15))
    assert "الأحد ١ نوفمبر، ٨:٠٠ صباحًا" in say(refusal.value, NullTranslations(), "ar")


def test_a_day_of_rest_is_passed_over(session: Session, hall: Hall) -> None:
    opening.set_hours(session, CENTRE, WORKING, now=NOON)
    opening.close_on(session, CENTRE, date(2026, 10, 28), name_ar="عطلة", name_en="Rest", zone=ZONE, now=NOON)
    with pytest.raises(Refused, match="It opens on Thursday 29 October"):
        hall.take(session, now=riyadh(28, 9))
    opening.open_again_on(session, CENTRE, date(2026, 10, 28), zone=ZONE, now=NOON)
    assert hall.take(session, now=riyadh(28, 9)).label == "A1"
    with pytest.raises(Mistake, match="This day has passed"):
        opening.close_on(session, CENTRE, date(2026, 10, 26), name_ar="-", name_en="-", zone=ZONE, now=NOON)


def test_a_service_may_have_hours_of_its_own(session: Session, hall: Hall) -> None:
    opening.set_hours(session, CENTRE, WORKING, now=NOON)
    hall.ask.hours = {"1": [[600, 660]]}
    with pytest.raises(Refused, match="Tuesday 3 November, 10:00 am"):
        hall.take(session, service_point_id=hall.ask.id, now=riyadh(27, 11))
    assert hall.take(session, now=riyadh(27, 11)).label == "A1"


def test_a_centre_that_stays_closed_promises_nothing(session: Session, hall: Hall) -> None:
    opening.set_hours(session, CENTRE, {"1": [[480, 481]]}, now=NOON)
    for week in range(10):
        day = date(2026, 10, 27) + timedelta(weeks=week)
        opening.close_on(session, CENTRE, day, name_ar="-", name_en="-", zone=ZONE, now=NOON)
    with pytest.raises(Refused, match=r"closed now\.$"):
        hall.take(session)


def test_a_full_day_says_when_there_are_numbers_again(session: Session, hall: Hall) -> None:
    hall.new.daily_limit = 2
    assert [hall.take(session).label for _ in range(2)] == ["A1", "A2"]
    with pytest.raises(Refused, match=r"new ones on Wednesday 28 October\.$"):
        hall.take(session)
    assert service.offer(session, hall.new, zone=ZONE, now=NOON).state == service.FULL
    assert hall.take(session, by_staff=True).label == "A3"  # no number was spent on the refusal
    assert hall.take(session, now=NOON + timedelta(days=1)).label == "A1"
    opening.set_hours(session, CENTRE, WORKING, now=NOON)
    with pytest.raises(Refused, match="Wednesday 28 October, 8:00 am"):
        hall.take(session)


def test_the_first_number_of_a_day_holds_for_that_day(session: Session, hall: Hall) -> None:
    hall.new.first_number, hall.new.daily_limit = 101, 3
    assert hall.take(session).label == "A101"
    hall.new.first_number = 1
    assert [hall.take(session).label for _ in range(2)] == ["A102", "A103"]
    with pytest.raises(Refused):
        hall.take(session)
    assert hall.take(session, now=NOON + timedelta(days=1)).label == "A1"


@pytest.mark.parametrize(
    ("zone", "before", "after"),
    [
        # the clocks go forward at midnight: there is no 0:00 on 26 April 2024 in Cairo
        ("Africa/Cairo", "2024-04-25T21:59:59+00:00", "2024-04-25T22:00:00+00:00"),
        # and back at midnight: 23:00 comes twice on 31 October 2024
        ("Africa/Cairo", "2024-10-31T21:59:59+00:00", "2024-10-31T22:00:00+00:00"),
        ("Europe/Berlin", "2026-10-25T22:59:59+00:00", "2026-10-25T23:00:00+00:00"),
    ],
)
def test_the_day_ends_once_when_the_clocks_change(
    session: Session, hall: Hall, zone: str, before: str, after: str
) -> None:
    given = {"centre_id": CENTRE, "service_point_id": hall.new.id, "section": "men", "language": "ar", "zone": zone}
    last = service.issue(session, **given, now=datetime.fromisoformat(before))
    first = service.issue(session, **given, now=datetime.fromisoformat(after))
    assert (last.label, first.label) == ("A1", "A1") and last.day < first.day
    assert last.expires_at == datetime.fromisoformat(after)
    assert hall.next(session, now=datetime.fromisoformat(after)) is first


def test_in_the_hour_that_comes_twice_numbers_go_on(session: Session, hall: Hall) -> None:
    """31 October 2024 in Cairo: 23:30 summer time, 23:30 winter time, one day."""
    given = {"centre_id": CENTRE, "service_point_id": hall.new.id, "section": "men", "language": "ar"}
    labels = [
        service.issue(session, **given, zone="Africa/Cairo", now=datetime(2024, 10, 31, hour, 30, tzinfo=UTC)).label
        for hour in (20, 21)
    ]
    assert labels == ["A1", "A2"]


def test_doors_open_by_the_clock_on_the_wall_when_the_clocks_change(session: Session, hall: Hall) -> None:
    opening.set_hours(session, CENTRE, {day: [[480, 900]] for day in "0123456"}, now=NOON)
    given = {"centre_id": CENTRE, "service_point_id": hall.new.id, "section": "men", "language": "ar"}
    for day, opens in ((24, 6), (25, 7)):  # 8:00 in Berlin in UTC, the day before and the day of the change
        at = datetime(2026, 10, day, opens, tzinfo=UTC)
        with pytest.raises(Refused):
            service.issue(session, **given, zone="Europe/Berlin", now=at - timedelta(seconds=1))
        assert service.issue(session, **given, zone="Europe/Berlin", now=at).label == "A1"


def test_a_clock_that_was_set_back_harms_nobody(session: Session, hall: Hall) -> None:
    """The machine's clock was wrong and is put right, two minutes back, while people wait."""
    ticket = hall.take(session, now=NOON + minutes(2))
    other = hall.take(session, now=NOON)
    assert other.label == "A2"
    assert hall.next(session, now=NOON + minutes(1)) is other
    assert hall.next(session, hall.second, now=NOON + minutes(3)) is ticket


def test_classes_that_are_not_published_are_not_taken(session: Session, hall: Hall) -> None:
    with pytest.raises(Mistake):
        hall.take(session, also=["cousin"])
    ticket = hall.take(session, visitor_class=rules.ELDERLY, also=[rules.RETURNING, rules.ELDERLY])
    assert ticket.also == [rules.RETURNING]
    assert ticket.candidate().also == (rules.RETURNING,)


def test_a_call_is_decided_by_the_rates_of_its_time(session: Session, hall: Hall) -> None:
    regular = hall.take(session, now=NOON - minutes(30))
    elderly = hall.take(session, now=NOON - minutes(16))
    elderly.visitor_class = rules.ELDERLY
    standing.set_discipline(session, CENTRE, Discipline(rates={rules.ELDERLY: 2.0}), by="admin", now=NOON)
    assert standing.discipline_at(session, CENTRE, now=NOON - minutes(1)).rate(rules.ELDERLY) == 1.5
    called = hall.next(session, now=NOON + minutes(1))
    assert called is elderly and regular.state == "waiting"
    log = session.query(CallLog).one()
    version = standing.version_at(session, CENTRE, now=NOON)
    assert version and log.discipline_id == version.id
    standing.set_discipline(session, CENTRE, Discipline(rates={rules.ELDERLY: 1.0}), by="admin", now=NOON + minutes(2))
    assert rules.replay(rules.Reasons.from_json(log.reasons)) == elderly.id
    assert [v.content["rates"]["elderly"] for v in standing.versions(session, CENTRE)] == [1.0, 2.0]
    with pytest.raises(Mistake, match="passed"):
        standing.set_discipline(session, CENTRE, Discipline(), by="admin", valid_from=NOON, now=NOON + minutes(2))


def test_no_press_looks_into_the_future_while_others_wait_for_the_lock(
    session: Session, hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The forecast takes longer than all else that a press does: it belongs to whoever only reads."""

    def never(*_: object, **__: object) -> None:
        raise AssertionError("a forecast under lock")

    monkeypatch.setattr(places, "ranges", never)
    ticket = hall.take(session)
    assert hall.next(session) is not None
    service.start(session, ticket.id, now=NOON)
    service.forward(session, ticket.id, hall.ask.id, now=NOON)
    with pytest.raises(AssertionError):
        service.place_in_line(session, ticket, now=NOON)


def test_a_range_is_kept_once_and_only_while_the_first_call_is_to_come(session: Session, hall: Hall) -> None:
    ticket, other = hall.take(session), hall.take(session)
    service.note_told(session, other.id, places.Place(2, 4, 9), now=NOON + minutes(3))
    service.note_told(session, other.id, places.Place(2, 1, 3), now=NOON + minutes(5))
    assert (other.promised_low, other.promised_high) == (7, 12), "counted from the issue, as the wait is"
    hall.next(session)
    service.note_told(session, ticket.id, places.Place(1, 4, 9), now=NOON)
    assert ticket.promised_low is None and not service.untold(ticket)
