"""Wrong passwords by name, by address and by device: guessers are slowed, an office goes on."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from core.errors import Mistake
from core.staff import accounts, pacing, service
from core.staff.models import SignInDevice, SignInPace, Staff
from core.staff.rules import DEVICE_KEPT, NAME_PACE, SOURCE_PACE

OFFICE, ELSEWHERE = "192.0.2.7", "198.51.100.9"
RIGHT = "long-enough"


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes that cost nothing: what is tested is the counting."""

    class Plain:
        def hash(self, password: str) -> str:
            return f"plain {password}"

        def verify(self, kept: str, password: str) -> bool:
            if kept != f"plain {password}":
                raise service.VerifyMismatchError
            return True

    monkeypatch.setattr(service, "_hasher", Plain())


def person(session: Session, name: str, now: datetime) -> Staff:
    return service.create(
        session, username=name, password=RIGHT, name_ar="موظفة", name_en="Clerk", roles=["hotline"], now=now
    )


@pytest.fixture
def clerk(session: Session, now: datetime) -> Staff:
    return person(session, "clerk", now)


def answer(session: Session, name: str, password: str, *, now: datetime, **where: str) -> str:
    try:
        return "in" if service.check_password(session, name, password, now=now, **where) else "wrong"
    except Mistake as refused:
        return refused.message


def works_on(session: Session, staff: Staff, device: str, *, now: datetime) -> None:
    service.sign_in(session, staff, address=OFFICE, hours=1, device=device, now=now)
    session.flush()


def exhaust(session: Session, *, now: datetime, tries: int = SOURCE_PACE.tries) -> None:
    for n in range(tries):
        assert answer(session, f"name{n}", "guess", address=OFFICE, now=now) == "wrong"


def test_a_name_that_nobody_has_is_answered_like_a_real_one(session: Session, clerk: Staff, now: datetime) -> None:
    def answers(name: str) -> list[str]:
        tries = [(now, "guess")] * 7 + [(now + timedelta(seconds=70), "guess")] * 2 + [(now + DEVICE_KEPT, "guess")] * 6
        return [answer(session, name, password, address=f"{name}.example", now=when) for when, password in tries]

    real, unreal = answers("clerk"), answers("nobody")
    assert real == unreal and [one[:5] for one in real[3:9]] == ["wrong", "wrong", "Too m", "Too m", "wrong", "Too m"]


def test_many_names_from_one_address_are_slowed_and_another_address_is_not(
    session: Session, clerk: Staff, now: datetime
) -> None:
    exhaust(session, now=now)
    assert answer(session, "another", "guess", address=OFFICE, now=now).startswith("Too many")
    assert answer(session, "another", "guess", address=ELSEWHERE, now=now) == "wrong"
    later = now + SOURCE_PACE.every
    assert answer(session, "another", "guess", address=OFFICE, now=later) == "wrong"
    assert answer(session, "one.more", "guess", address=OFFICE, now=later).startswith("Too many")


def test_an_attacker_cannot_wash_an_address_clean_with_an_account_of_their_own(
    session: Session, clerk: Staff, now: datetime
) -> None:
    exhaust(session, now=now, tries=SOURCE_PACE.tries - 1)
    assert answer(session, "clerk", RIGHT, address=OFFICE, now=now) == "in"
    assert answer(session, "last", "guess", address=OFFICE, now=now) == "wrong"
    assert answer(session, "beyond", "guess", address=OFFICE, now=now).startswith("Too many")


def test_who_works_there_signs_in_beside_an_attacker_of_the_same_office(
    session: Session, clerk: Staff, now: datetime
) -> None:
    works_on(session, clerk, "her own browser", now=now)
    exhaust(session, now=now)
    here = {"address": OFFICE, "device": "her own browser"}
    assert answer(session, "clerk", "mistyped", **here, now=now) == "wrong"
    assert answer(session, "clerk", RIGHT, **here, now=now) == "in"
    assert answer(session, "another", "guess", **here, now=now).startswith("Too many"), "it opens one name only"


def test_a_stranger_who_guesses_at_a_name_keeps_nobody_from_their_own_device(
    session: Session, clerk: Staff, now: datetime
) -> None:
    works_on(session, clerk, "her own browser", now=now)
    for _ in range(NAME_PACE.tries):
        answer(session, "clerk", "guess", address=ELSEWHERE, now=now)
    assert pacing.paused(session, "clerk", now=now)
    assert answer(session, "clerk", RIGHT, address=ELSEWHERE, now=now).startswith("Too many")
    assert answer(session, "clerk", RIGHT, address=OFFICE, device="her own browser", now=now) == "in"
    assert pacing.paused(session, "clerk", now=now), "the stranger goes on waiting"


def test_a_device_is_paced_too_and_forgotten_with_a_new_first_password(
    session: Session, clerk: Staff, now: datetime
) -> None:
    works_on(session, clerk, "left open", now=now)
    here = {"address": OFFICE, "device": "left open"}
    for _ in range(NAME_PACE.tries):
        assert answer(session, "clerk", "guess", **here, now=now) == "wrong"
    assert answer(session, "clerk", RIGHT, **here, now=now).startswith("Too many")
    accounts.reset_password(session, clerk.id, now=now)
    session.flush()
    assert not session.query(SignInDevice).count() and not pacing.paused(session, "clerk", now=now)


def test_a_first_password_makes_no_device_known(session: Session, clerk: Staff, now: datetime) -> None:
    clerk.must_change_password = True
    works_on(session, clerk, "somebody's", now=now)
    assert not session.query(SignInDevice).count()


def test_what_says_nothing_any_more_is_swept_away(session: Session, clerk: Staff, now: datetime) -> None:
    works_on(session, clerk, "old", now=now)
    exhaust(session, now=now, tries=3)
    assert session.query(SignInPace).count() == 4
    works_on(session, person(session, "second", now), "new", now=now + DEVICE_KEPT + timedelta(days=1))
    assert not session.query(SignInPace).count()
    assert session.query(SignInDevice).count() == 1


def test_names_as_typed_are_not_kept(session: Session, now: datetime) -> None:
    answer(session, "my-password-in-the-wrong-field", "x", address=OFFICE, now=now)
    assert not [row.key for row in session.query(SignInPace) if "password" in row.key]
