from datetime import datetime, timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy.orm import Session

from core.errors import Mistake
from core.staff import service
from core.staff.models import Staff, StaffSession
from core.staff.rules import pause_after


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
    later = now + timedelta(seconds=31)
    assert service.check_password(session, "clerk", "long-enough", now=later) is clerk


def test_a_stranger_who_goes_on_guessing_cannot_shut_anybody_out_for_long(now: datetime) -> None:
    for failures in (5, 6, 20, 400):
        until = pause_after(failures, now=now)
        assert until and timedelta(seconds=30) <= until - now <= timedelta(minutes=1)


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
