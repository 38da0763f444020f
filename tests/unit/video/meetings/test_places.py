"""Who may take which place in a meeting, who loses it, and who gives it back."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from core.db import Database
from core.errors import NotFound, Refused
from core.staff import accounts
from core.staff import rules as roles
from core.staff import service as staff_service
from core.staff.models import Staff
from video.access import place_of
from video.media.directory import MeetingInfo
from video.meetings import rules, service
from video.meetings.directory import DatabaseDirectory
from video.meetings.models import Meeting, Participant

PEOPLE = {"minister": rules.OFFICIAL, "aide": rules.AIDE, "interpreter": rules.INTERPRETER}


def account(session: Session, name: str, *held: str, now: datetime) -> Staff:
    return staff_service.create(
        session, username=name, password="-", hashed="-", name_ar=name, name_en=name, roles=list(held), now=now
    )


def arranged(session: Session, now: datetime) -> Meeting:
    """A visitor, and of each role of PEOPLE somebody. Another administrator than `admin` is there."""
    account(session, "admin", roles.ADMIN, now=now)
    who = {name: account(session, name, role, now=now) for name, role in PEOPLE.items()}
    made = service.schedule(
        session,
        appointment_id="a",
        petition_id="p",
        visitor_id="v",
        visitor_name=("سارة", "Sara"),
        official=(who["minister"].id, "الوزير", "Minister"),
        centre_id="c",
        starts_at=now,
        ends_at=now + timedelta(hours=1),
        now=now,
    )
    for name in ("aide", "interpreter"):
        service.seat(session, made, role=PEOPLE[name], staff_id=who[name].id, name_ar=name, name_en=name, now=now)
    return made


@pytest.fixture
def meeting(session: Session, now: datetime) -> Meeting:
    return arranged(session, now)


def place(meeting: Meeting, role: str) -> Participant:
    return next(p for p in meeting.participants if p.role == role)


def person(session: Session, meeting: Meeting, role: str) -> Staff:
    return session.get_one(Staff, place(meeting, role).staff_id)


def test_the_places_of_staff_bear_the_names_of_the_roles_that_they_need() -> None:
    assert {rules.OFFICIAL, rules.AIDE, rules.INTERPRETER} == {roles.OFFICIAL, roles.AIDE, roles.INTERPRETER}
    assert rules.VISITOR not in roles.ROLES


def test_no_such_meeting_and_one_of_others_look_alike_and_say_whom_to_ask(
    session: Session, meeting: Meeting, now: datetime
) -> None:
    official = person(session, meeting, rules.OFFICIAL)
    assert place_of(session, official, meeting.id)[1].staff_id == official.id
    stranger = account(session, "stranger", roles.AIDE, now=now)
    said = []
    for meeting_id in (meeting.id, "none"):
        with pytest.raises(NotFound) as told:
            place_of(session, stranger, meeting_id)
        said.append(told.value.message)
    assert said[0] == said[1] and "minister's office" in said[0]


def test_a_place_is_no_use_without_the_role_that_it_needs(session: Session, meeting: Meeting, now: datetime) -> None:
    """Else an aide who has become an interpreter would go on reading the dossier beside the picture."""
    aide = person(session, meeting, rules.AIDE)
    accounts.update(
        session, aide.id, name_ar="م", name_en="A", title_ar="", title_en="", roles=[roles.INTERPRETER],
        centre_id=None, department_id=None, now=now,
    )  # fmt: skip
    with pytest.raises(NotFound):
        place_of(session, aide, meeting.id)


def test_who_was_shown_out_does_not_sit_down_again(session: Session, meeting: Meeting, now: datetime) -> None:
    host, aide = place(meeting, rules.OFFICIAL), place(meeting, rules.AIDE)
    service.remove(session, meeting.id, by=host.id, participant_id=aide.id, now=now)
    again = service.seat(
        session, meeting, role=rules.AIDE, staff_id=aide.staff_id or "", name_ar="م", name_en="A", now=now
    )
    assert again is aide and aide.state == "removed"
    with pytest.raises(Refused):
        service.invite(session, meeting.id, by=aide.id, participant_id=aide.id, now=now)
    assert aide.state == "removed"


@pytest.mark.parametrize("role", [rules.AIDE, rules.INTERPRETER, rules.VISITOR])
def test_a_host_invites_again_whoever_was_shown_out(
    session: Session, meeting: Meeting, now: datetime, role: str
) -> None:
    host, guest = place(meeting, rules.OFFICIAL), place(meeting, role)
    service.remove(session, meeting.id, by=host.id, participant_id=guest.id, now=now)
    for _ in range(2):  # a second press does no harm
        service.invite(session, meeting.id, by=host.id, participant_id=guest.id, now=now)
    assert guest.state == "invited", "whoever is no host waits in the lobby once more"


def test_an_interpreter_invites_nobody(session: Session, meeting: Meeting, now: datetime) -> None:
    aide = place(meeting, rules.AIDE)
    service.remove(session, meeting.id, by=place(meeting, rules.OFFICIAL).id, participant_id=aide.id, now=now)
    with pytest.raises(Refused):
        service.invite(session, meeting.id, by=place(meeting, rules.INTERPRETER).id, participant_id=aide.id, now=now)


def test_nobody_is_invited_again_to_a_full_meeting_or_one_that_is_over(
    session: Session, meeting: Meeting, now: datetime
) -> None:
    host, aide = place(meeting, rules.OFFICIAL), place(meeting, rules.AIDE)
    service.remove(session, meeting.id, by=host.id, participant_id=aide.id, now=now)
    other = account(session, "other", roles.AIDE, now=now)
    taken = service.seat(session, meeting, role=rules.AIDE, staff_id=other.id, name_ar="م", name_en="O", now=now)
    with pytest.raises(Refused, match="four people"):
        service.invite(session, meeting.id, by=host.id, participant_id=aide.id, now=now)
    service.remove(session, meeting.id, by=host.id, participant_id=taken.id, now=now)
    service.open_room(session, meeting.id, now=now)
    service.end(session, meeting.id, by=host.id, now=now)
    with pytest.raises(Refused, match="over"):
        service.invite(session, meeting.id, by=host.id, participant_id=aide.id, now=now)


def test_nobody_shows_the_official_out(session: Session, meeting: Meeting, now: datetime) -> None:
    official = place(meeting, rules.OFFICIAL)
    with pytest.raises(Refused, match="official"):
        service.remove(session, meeting.id, by=place(meeting, rules.AIDE).id, participant_id=official.id, now=now)
    assert official.state == "admitted"


# Rights that are taken away while the meeting runs


def told(db: Database, meeting_id: str) -> MeetingInfo:
    info = asyncio.run(DatabaseDirectory(db).meeting(meeting_id))
    assert info is not None
    return info


@pytest.fixture
def running(db: Database, now: datetime) -> tuple[str, dict[str, tuple[str, str | None]]]:
    """The meeting's id, and role → (participant id, account)."""
    with db.write() as session:
        made = arranged(session, now)
        for role in (rules.VISITOR, rules.INTERPRETER):
            host = place(made, rules.OFFICIAL)
            service.admit(session, made.id, by=host.id, participant_id=place(made, role).id, now=now)
        service.went_live(session, made.id, now=now)
        return made.id, {p.role: (p.id, p.staff_id) for p in made.participants}


@pytest.mark.parametrize("role", list(PEOPLE.values()))
def test_an_account_that_is_deactivated_is_out_of_a_running_meeting(
    db: Database, running: tuple[str, dict[str, tuple[str, str | None]]], now: datetime, role: str
) -> None:
    meeting_id, people = running
    participant, staff_id = people[role]
    with db.write() as session:
        accounts.deactivate(session, staff_id or "", now=now)
    info = told(db, meeting_id)
    assert info.removed == {participant}, "nobody else is touched, the visitor's hall least of all"
    assert participant not in info.admitted
    with db.write() as session:
        accounts.activate(session, staff_id or "", now=now)
    assert not told(db, meeting_id).removed


@pytest.mark.parametrize("role", list(PEOPLE.values()))
def test_an_account_that_loses_the_role_of_its_place_is_out_of_a_running_meeting(
    db: Database, running: tuple[str, dict[str, tuple[str, str | None]]], now: datetime, role: str
) -> None:
    meeting_id, people = running
    participant, staff_id = people[role]
    for held, out in (([roles.ADMIN], {participant}), ([role, roles.ADMIN], set())):
        with db.write() as session:
            accounts.update(
                session, staff_id or "", name_ar="م", name_en="A", title_ar="", title_en="", roles=held,
                centre_id=None, department_id=None, now=now,
            )  # fmt: skip
        assert told(db, meeting_id).removed == out


def test_who_is_at_work_stays_and_visitors_need_no_account(
    db: Database, running: tuple[str, dict[str, tuple[str, str | None]]], now: datetime
) -> None:
    meeting_id, people = running
    info = told(db, meeting_id)
    assert not info.removed and people[rules.VISITOR][1] is None
    assert set(info.participants) == {participant for participant, _ in people.values()}
    assert {people[rules.VISITOR][0], people[rules.INTERPRETER][0]} <= info.admitted
    with db.write() as session:
        host, guest = people[rules.OFFICIAL][0], people[rules.VISITOR][0]
        service.remove(session, meeting_id, by=host, participant_id=guest, now=now)
    info = told(db, meeting_id)
    assert info.removed == {guest} and guest not in info.admitted


def test_a_place_that_nobody_may_take_any_more_is_free_for_another(
    db: Database, running: tuple[str, dict[str, tuple[str, str | None]]], now: datetime
) -> None:
    meeting_id, people = running
    with db.write() as session:
        other = account(session, "other", roles.AIDE, now=now)
        with pytest.raises(Refused, match="four people"):
            _sit(session, meeting_id, other, now)
        accounts.deactivate(session, people[rules.AIDE][1] or "", now=now)
        assert _sit(session, meeting_id, other, now).staff_id == other.id


def _sit(session: Session, meeting_id: str, who: Staff, now: datetime) -> Participant:
    return service.seat(
        session,
        service.locked(session, meeting_id),
        role=rules.AIDE,
        staff_id=who.id,
        name_ar="م",
        name_en="O",
        now=now,
    )


def test_what_is_asked_each_second_is_two_questions(
    db: Database, running: tuple[str, dict[str, tuple[str, str | None]]]
) -> None:
    asked: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    told(db, running[0])
    assert len([one for one in asked if one.lstrip().startswith("SELECT")]) == 2
