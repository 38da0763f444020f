"""Setting up centres, departments, services and counters; what is in use can't be closed."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from core.audit import AuditEntry
from core.errors import Mistake, NotFound, Refused
from queueing.tickets import service as queue
from queueing.tickets.models import Counter, ServicePoint, Ticket
from reception.centres import hall, rules, setup
from reception.centres.models import Centre, Department
from reception.petitions.models import RoutingRule
from tests.conftest import ZONE

BOTH = {"name_ar": "اسم", "name_en": "Name"}
PLACE = {"place_ar": "شارع", "place_en": "Street"}
ALL = ["women", "men"]


@pytest.fixture
def centre(session: Session, now: datetime) -> Centre:
    return setup.add_centre(session, code="south", **BOTH, **PLACE, sections=ALL, video_hall=True, now=now)


@pytest.fixture
def point(session: Session, centre: Centre, now: datetime) -> ServicePoint:
    return hall.add_point(session, centre.id, code="new", letter="a", **BOTH, icon="document", sections=ALL, now=now)


@pytest.fixture
def counter(session: Session, centre: Centre, point: ServicePoint, now: datetime) -> Counter:
    return add_counter(session, centre, point, now=now)


def add_counter(session: Session, centre: Centre, point: ServicePoint, *, now: datetime, number: int = 1) -> Counter:
    return hall.add_counter(
        session, centre.id, number=number, **BOTH, service_point_ids=[point.id], sections=ALL, languages=["ar"],
        sign_language=False, now=now,
    )  # fmt: skip


def visitor(session: Session, centre: Centre, point: ServicePoint, now: datetime) -> Ticket:
    return queue.issue(
        session, centre_id=centre.id, service_point_id=point.id, section="men", language="ar", now=now, zone=ZONE
    )


def close(session: Session, centre: Centre, now: datetime) -> Centre:
    return setup.change_centre(
        session, centre.id, **BOTH, **PLACE, sections=ALL, video_hall=True, active=False, now=now
    )


def change(session: Session, centre: Centre, counter: Counter, now: datetime, **values: object) -> Counter:
    given = {
        "number": counter.number, **BOTH, "service_point_ids": counter.service_point_ids, "sections": ALL,
        "languages": ["ar"], "sign_language": False,
    }  # fmt: skip
    return hall.change_counter(session, centre.id, counter.id, **given | values, now=now)  # type: ignore[arg-type]


def test_a_new_centre_takes_visitors_at_once(
    session: Session, centre: Centre, point: ServicePoint, counter: Counter, now: datetime
) -> None:
    assert centre.sections == ["men", "women"], "in their usual order"
    assert point.letter == "A"
    ticket = visitor(session, centre, point, now)
    queue.open_counter(session, counter.id, "clerk", now=now)
    called = queue.call_next(session, counter.id, "clerk", now=now)
    assert called is not None and called.id == ticket.id and called.label == "A1"


def test_codes_letters_and_numbers_are_not_given_twice(
    session: Session, centre: Centre, point: ServicePoint, counter: Counter, now: datetime
) -> None:
    with pytest.raises(Mistake) as found:
        setup.add_centre(session, code=" South ", **BOTH, **PLACE, sections=ALL, video_hall=True, now=now)
    assert found.value.field == "code"
    for code, letter, field in (("new2", "A", "letter"), ("NEW2", "A", "letter"), ("new3", "AB", "letter")):
        with pytest.raises(Mistake) as found:
            hall.add_point(session, centre.id, code=code, letter=letter, **BOTH, icon="document", sections=ALL, now=now)
        assert found.value.field == field
    with pytest.raises(Mistake) as found:
        add_counter(session, centre, point, now=now)
    assert found.value.field == "number"


@pytest.mark.parametrize("code", ["", "a", "a b", "مركز", "x" * 21, "../etc"])
def test_an_unfit_code_is_not_taken(code: str) -> None:
    with pytest.raises(Mistake):
        rules.code(code)


def test_a_counter_without_services_sections_or_languages_is_not_set_up(
    session: Session, centre: Centre, counter: Counter, now: datetime
) -> None:
    for field, name in (("services", "service_point_ids"), ("sections", "sections"), ("languages", "languages")):
        with pytest.raises(Mistake) as found:
            change(session, centre, counter, now, **{name: []})
        assert found.value.field == field
    with pytest.raises(Mistake):
        change(session, centre, counter, now, service_point_ids=["another-centres"])


def test_a_counter_that_called_nobody_is_removed(
    session: Session, centre: Centre, counter: Counter, now: datetime
) -> None:
    assert hall.retire_counter(session, centre.id, counter.id, now=now)
    session.flush()
    assert session.get(Counter, counter.id) is None


def test_a_counter_with_a_past_stays_without_services_and_comes_back(
    session: Session, centre: Centre, point: ServicePoint, counter: Counter, now: datetime
) -> None:
    visitor(session, centre, point, now)
    queue.open_counter(session, counter.id, "clerk", now=now)
    ticket = queue.call_next(session, counter.id, "clerk", now=now)
    assert ticket is not None
    with pytest.raises(Refused):
        hall.retire_counter(session, centre.id, counter.id, now=now)
    queue.start(session, ticket.id, now=now, counter_id=counter.id)
    queue.finish(session, ticket.id, now=now, counter_id=counter.id)
    queue.close_counter(session, counter.id, now=now)
    assert not hall.retire_counter(session, centre.id, counter.id, now=now)
    session.flush()
    assert session.get(Counter, counter.id) is counter and not hall.in_service(counter)
    change(session, centre, counter, now, service_point_ids=[point.id])
    assert hall.in_service(counter)


def test_the_number_of_an_open_counter_stays(session: Session, centre: Centre, counter: Counter, now: datetime) -> None:
    queue.open_counter(session, counter.id, "clerk", now=now)
    with pytest.raises(Mistake):
        change(session, centre, counter, now, number=9)
    assert change(session, centre, counter, now, sign_language=True).sign_language
    queue.close_counter(session, counter.id, now=now)
    assert change(session, centre, counter, now, number=9).number == 9


def test_another_centres_things_are_not_there(
    session: Session, centre: Centre, point: ServicePoint, counter: Counter, now: datetime
) -> None:
    other = setup.add_centre(session, code="west", **BOTH, **PLACE, sections=ALL, video_hall=False, now=now)
    with pytest.raises(NotFound):
        hall.retire_counter(session, other.id, counter.id, now=now)
    with pytest.raises(NotFound):
        hall.point(session, other.id, point.id)


def test_nothing_closes_while_visitors_wait_for_it(
    session: Session, centre: Centre, point: ServicePoint, counter: Counter, now: datetime
) -> None:
    visitor(session, centre, point, now)
    with pytest.raises(Refused):
        close(session, centre, now)
    with pytest.raises(Refused):
        hall.change_point(session, centre.id, point.id, **BOTH, icon="document", sections=ALL, active=False, now=now)
    tomorrow = now + timedelta(days=1)
    hall.change_point(session, centre.id, point.id, **BOTH, icon="document", sections=ALL, active=False, now=tomorrow)
    assert not close(session, centre, tomorrow).active


def test_a_centre_with_an_open_counter_is_not_closed(
    session: Session, centre: Centre, counter: Counter, now: datetime
) -> None:
    queue.open_counter(session, counter.id, "clerk", now=now)
    with pytest.raises(Refused):
        close(session, centre, now)
    hall.free_counters_of(session, "clerk", now=now)
    assert not close(session, centre, now).active


def test_a_department_closes_when_no_rule_leads_to_it_and_the_office_never(session: Session, now: datetime) -> None:
    row = setup.add_department(session, code="civil", **BOTH, now=now)
    rule = RoutingRule(order=1, type_codes=["docs"], department_id=row.id, reason_ar="-", reason_en="-")
    session.add(rule)
    session.flush()
    with pytest.raises(Refused):
        setup.change_department(session, row.id, **BOTH, active=False, now=now)
    rule.active = False
    session.flush()
    assert not setup.change_department(session, row.id, **BOTH, active=False, now=now).active
    assert row not in setup.departments_at_work(session)
    office = Department(code="office", **BOTH, is_office=True)
    session.add(office)
    session.flush()
    with pytest.raises(Refused):
        setup.change_department(session, office.id, **BOTH, active=False, now=now)


def test_only_what_changed_is_written_down(session: Session, centre: Centre, now: datetime) -> None:
    given = {**BOTH, **PLACE, "sections": ALL, "video_hall": True, "active": True}
    setup.change_centre(session, centre.id, **given, now=now)  # type: ignore[arg-type]
    session.flush()
    assert session.query(AuditEntry).filter_by(action="change", subject_id=centre.id).count() == 0
    setup.change_centre(session, centre.id, **given | {"name_en": "South"}, now=now)  # type: ignore[arg-type]
    session.flush()
    row = session.query(AuditEntry).filter_by(action="change", subject_id=centre.id).one()
    assert row.detail == {"fields": ["name_en"]}
