"""Petitions joined to others: nobody learns of a case by its number, and neither words, papers nor a turn are lost."""

from datetime import datetime, time, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.calendar import local_day
from core.errors import Mistake
from core.settings import Settings
from messaging.models import Message
from queueing.appointments import calendar
from queueing.appointments import service as appointments
from queueing.waitlist import service as waitlist
from queueing.waitlist.models import Waiting
from reception import access
from reception.appointed import waiting
from reception.petitions import service, states, story
from reception.petitions.models import Petition
from tests.unit.reception.appointed.reacting import react
from tests.unit.reception.conftest import Ministry

ZONE = "Asia/Riyadh"
SETTINGS = Settings(public_url="https://majlis.example")


def two(ministry: Ministry, first: str = "violation", second: str = "violation") -> tuple[Petition, Petition]:
    visitor = ministry.visitor()
    return ministry.petition(first, visitor=visitor), ministry.petition(second, visitor=visitor)


def join(ministry: Ministry, one: Petition, into: Petition | str, by: str = "officer") -> Petition:
    number = into if isinstance(into, str) else into.case_number
    return service.merge(ministry.session, one.id, into=number, staff_id=ministry.id(by), now=ministry.now)


def give(ministry: Ministry, petition: Petition, code: str) -> None:
    service.transfer(
        ministry.session, petition.id, department_id=ministry.departments[code].id, reason="لهم",
        staff_id=ministry.id("officer"), now=ministry.now,
    )  # fmt: skip


def say(ministry: Ministry, petition: Petition) -> str:
    return "\n".join(step.say(str, "en") for step in story.story(ministry.session, petition.id))


def test_a_case_that_one_may_not_see_is_like_a_number_that_nobody_has(ministry: Ministry) -> None:
    mine, secret = two(ministry, "violation", "threat")
    settled = ministry.petition("threat", visitor=mine.visitor)
    settled.state = states.CLOSED
    assert not access.may_see(ministry.session, ministry.staff["officer"], secret)
    said = []
    for into in (secret, settled, "48-999999"):
        with pytest.raises(Mistake) as mistake:
            join(ministry, mine, into)
        said.append((str(mistake.value), mistake.value.field))
    assert len(set(said)) == 1 and mine.state == states.ROUTED


def test_who_holds_the_case_that_goes_on_reads_what_was_joined_to_it(ministry: Ministry) -> None:
    first, second = two(ministry)
    third = ministry.petition(visitor=first.visitor)
    far = ministry.staff["far-officer"]
    join(ministry, first, second)
    assert not access.may_see(ministry.session, far, first)
    give(ministry, second, "prisons")
    assert access.may_see(ministry.session, far, first) and access.verbs(ministry.session, far, first) == set()
    give(ministry, third, "prisons")
    join(ministry, second, third, by="far-officer")
    ministry.session.expire_all()
    assert access.may_see(ministry.session, far, first), "also what was joined before"
    assert first.merged_into_id == second.merged_into_id == third.id


def test_a_secret_case_is_read_by_none_but_the_holder_of_what_it_was_joined_to(ministry: Ministry) -> None:
    secret, plain = two(ministry, "threat", "violation")
    secret.department_id = plain.department_id
    ministry.session.flush()
    join(ministry, secret, plain)
    give(ministry, plain, "prisons")
    sees = {who for who, one in ministry.staff.items() if access.may_see(ministry.session, one, secret)}
    assert "far-officer" in sees and "hotline" not in sees
    give_back = {"reason": "لهم", "staff_id": ministry.id("far-officer"), "now": ministry.now}
    service.transfer(ministry.session, plain.id, department_id=ministry.departments["welfare"].id, **give_back)
    assert not access.may_see(ministry.session, ministry.staff["far-officer"], secret)
    assert access.may_see(ministry.session, ministry.staff["far-officer"], plain)


def test_no_story_names_a_secret_case(ministry: Ministry) -> None:
    plain, secret = two(ministry, "violation", "threat")
    secret.department_id = plain.department_id
    ministry.session.flush()
    join(ministry, plain, secret)
    assert secret.case_number not in say(ministry, plain) and "another petition" in say(ministry, plain)
    assert plain.case_number in say(ministry, secret)
    assert "another petition of yours" in story.public_story(ministry.session, plain.id)[-1].say(str, "en")


def test_the_visitor_hears_that_it_goes_on_not_that_it_is_over(ministry: Ministry) -> None:
    session = ministry.session
    one, other = two(ministry)
    repeated = ministry.petition("violation")
    react(session, now=ministry.now, settings=SETTINGS)
    join(ministry, one, other)
    assert react(session, now=ministry.now, settings=SETTINGS) == ["petition_joined"]
    body = session.scalars(select(Message.body).where(Message.template == "petition_joined")).one()
    assert one.case_number in body and f"/p/{one.follow_code}" in body
    close = {"reason": "duplicate", "staff_id": ministry.id("officer"), "now": ministry.now}
    service.close(session, repeated.id, **close)
    assert react(session, now=ministry.now, settings=SETTINGS) == ["petition_closed"], "joined to nothing"


# ── Turn and appointment ─────────────────────────────────────────────


def times(ministry: Ministry) -> list[str]:
    rows = calendar.add_session(
        ministry.session, official_id=ministry.id("official"), kind="audience", centre_id=None, place_ar="المكتب",
        place_en="The office", day=local_day(ministry.now + timedelta(days=2), ZONE), start=time(10), end=time(12),
        minutes=30, zone=ZONE, now=ministry.now,
    )  # fmt: skip
    return [row.id for row in rows]


def wait(ministry: Ministry, petition: Petition, *, now: datetime, **wishes: object) -> Waiting:
    return waiting.join(ministry.session, petition, by="aide", zone=ZONE, now=now, **wishes)


def in_line(session: Session, petition: Petition) -> Waiting | None:
    row = waitlist.of_petition(session, petition.id)
    if row is not None:
        session.refresh(row)
    return row


def test_what_has_an_appointment_is_not_joined(ministry: Ministry) -> None:
    session = ministry.session
    one, other = two(ministry)
    booked = appointments.book(
        session, slot_id=times(ministry)[0], visitor_id=one.visitor_id, petition_id=one.id, by="aide", now=ministry.now
    )
    with pytest.raises(Mistake, match="appointment"):
        join(ministry, one, other)
    assert one.state == states.ROUTED
    appointments.cancel(session, booked.id, reason="-", by="aide", now=ministry.now)
    join(ministry, one, other)


def test_a_place_that_is_held_in_vain_keeps_nobody_from_joining(ministry: Ministry) -> None:
    one, other = two(ministry)
    held = appointments.hold(
        ministry.session, slot_id=times(ministry)[0], visitor_id=one.visitor_id, petition_id=one.id, by="aide",
        now=ministry.now,
    )  # fmt: skip
    with pytest.raises(Mistake, match="appointment"):
        join(ministry, one, other)
    held.held_until = ministry.now
    join(ministry, one, other)


def test_the_turn_goes_over_to_the_case_that_goes_on(ministry: Ministry) -> None:
    session, now = ministry.session, ministry.now
    one, other = two(ministry)
    was = wait(ministry, one, now=now - timedelta(days=9), kind="audience", visitor_class="elderly")
    since = was.joined_at
    join(ministry, one, other)
    react(session, now=now, settings=SETTINGS)
    is_ = in_line(session, other)
    assert in_line(session, one) is None and is_ is not None
    assert (is_.joined_at, is_.kind, is_.visitor_class, is_.label) == (since, "audience", "elderly", other.case_number)


@pytest.mark.parametrize(("kind", "keeps"), [("", True), ("audience", True), ("video", False)])
def test_who_waits_there_already_has_the_earlier_turn_unless_the_wish_is_another(
    ministry: Ministry, kind: str, keeps: bool
) -> None:
    session, now = ministry.session, ministry.now
    one, other = two(ministry)
    since = wait(ministry, one, now=now - timedelta(days=9), kind="audience", centre_id=ministry.riyadh.id).joined_at
    later = wait(ministry, other, now=now - timedelta(days=1), kind=kind, centre_id=ministry.riyadh.id).joined_at
    join(ministry, one, other)
    react(session, now=now, settings=SETTINGS)
    row = in_line(session, other)
    assert in_line(session, one) is None and row is not None
    assert (row.joined_at, row.kind) == (since if keeps else later, kind)


def test_what_goes_on_with_an_appointment_needs_no_turn(ministry: Ministry) -> None:
    session = ministry.session
    one, other = two(ministry)
    wait(ministry, one, now=ministry.now)
    appointments.book(
        session, slot_id=times(ministry)[0], visitor_id=one.visitor_id, petition_id=other.id, by="aide",
        now=ministry.now,
    )  # fmt: skip
    join(ministry, one, other)
    react(session, now=ministry.now, settings=SETTINGS)
    assert in_line(session, one) is None and in_line(session, other) is None
