from datetime import datetime, timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy.orm import Session

from core.errors import Mistake
from core.staff import service
from core.staff.models import Staff, StaffSession
from core.staff.rules import NAME_PACE, source_of


@pytest.fixture
def clerk(session: Session, now: datetime) -> Staff:
    return service.create(
        session,
        username="clerk",
        password="long-enough",
        name_ar="موظف",
        name_en="Clerk",
        roles=["receptionist"],
        now=now,
    )


def test_the_right_password_signs_in_and_the_wrong_one_does_not(session: Session, clerk: Staff, now: datetime) -> None:
    assert service.check_password(session, " Clerk ", "long-enough", now=now) is clerk
    assert service.check_password(session, "clerk", "wrong", now=now) is None
    assert service.check_password(session, "nobody", "long-enough", now=now) is None


def test_an_unknown_name_costs_what_a_wrong_password_costs() -> None:
    assert not PasswordHasher().check_needs_rehash(service._nobody), "the parameters new passwords are hashed with"


def test_guessing_is_paused_and_the_pause_ends(session: Session, clerk: Staff, now: datetime) -> None:
    for _ in range(5):
        service.check_password(session, "clerk", "guess", now=now)
    with pytest.raises(Mistake):
        service.check_password(session, "clerk", "long-enough", now=now)
    later = now + timedelta(minutes=1)
    assert service.check_password(session, "clerk", "long-enough", now=later) is clerk


def test_a_stranger_who_goes_on_guessing_cannot_shut_anybody_out_for_long(now: datetime) -> None:
    free_at = None
    for _ in range(400):  # each as soon as it may
        while not NAME_PACE.may_try(free_at, now=now):
            now += timedelta(seconds=10)
        free_at = NAME_PACE.after_wrong(free_at, now=now)
        assert NAME_PACE.may_try(free_at, now=now + NAME_PACE.every)
    assert NAME_PACE.may_try(None, now=now)
    assert not NAME_PACE.may_try(free_at, now=now)


def test_one_address_is_one_whatever_it_is_written_like() -> None:
    assert source_of("::ffff:192.0.2.7") == source_of("192.0.2.7") == "192.0.2.7"
    assert source_of("2001:db8:1:2::7") == source_of("2001:DB8:1:2:ffff::1") != source_of("2001:db8:1:3::7")
    assert source_of("testclient") == "testclient"


def test_the_table_of_sessions_holds_nothing_that_opens_one(session: Session, clerk: Staff, now: datetime) -> None:
    token = service.sign_in(session, clerk, address=None, hours=1, now=now)
    session.flush()
    row = session.query(StaffSession).one()
    assert token not in (row.token_hash, row.csrf)
    assert service.session_of(session, row.token_hash, now=now) is None
    found = service.session_of(session, token, now=now)
    assert found and found[0] is clerk


def test_a_session_ends_by_time_by_signing_out_and_with_the_account(
    session: Session, clerk: Staff, now: datetime
) -> None:
    token = service.sign_in(session, clerk, address=None, hours=1, now=now)
    assert service.session_of(session, token, now=now + timedelta(hours=1)) is None
    clerk.active = False
    assert service.session_of(session, token, now=now) is None
    clerk.active = True
    service.sign_out(session, token, now=now)
    session.flush()
    assert service.session_of(session, token, now=now) is None
