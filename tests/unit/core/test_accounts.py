"""What an administrator may do to accounts, and what follows from it at once."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from core.audit import AuditEntry
from core.errors import Mistake, Refused
from core.staff import accounts, rules, service
from core.staff.models import SignInPace, Staff

PLAIN = {"name_ar": "هدى", "name_en": "Huda", "title_ar": "", "title_en": "", "centre_id": None, "department_id": None}


def person(session: Session, username: str, *roles: str, now: datetime) -> Staff:
    return service.create(
        session, username=username, password="ten letters", name_ar="-", name_en="-", roles=list(roles), now=now
    )


def signed_in(session: Session, staff: Staff, now: datetime) -> str:
    return service.sign_in(session, staff, address=None, hours=9, now=now)


@pytest.fixture
def admin(session: Session, now: datetime) -> Staff:
    return person(session, "admin", "admin", now=now)


@pytest.fixture
def aide(session: Session, now: datetime) -> Staff:
    return person(session, "huda", "aide", now=now)


def test_a_first_password_opens_only_the_page_where_another_is_chosen(session: Session, now: datetime) -> None:
    staff, password = accounts.add(session, username="New.One", name_ar="-", name_en="-", roles=["aide"], now=now)
    assert staff.username == "new.one" and staff.must_change_password
    assert service.check_password(session, "new.one", password, now=now) is staff
    token = signed_in(session, staff, now)
    session.flush()
    assert service.session_of(session, token, now=now) is None
    assert service.first_sign_in(session, token, now=now) is staff
    assert service.first_sign_in(session, token, now=now + timedelta(minutes=15)) is None
    with pytest.raises(Mistake):
        accounts.choose_password(session, staff, new=password, now=now)
    accounts.choose_password(session, staff, new="three quiet rivers", now=now)
    assert service.first_sign_in(session, token, now=now) is None, "the limited session is used up"
    assert service.check_password(session, "new.one", password, now=now) is None
    token = signed_in(session, staff, now)
    session.flush()
    assert service.session_of(session, token, now=now) is not None
    assert service.first_sign_in(session, token, now=now) is None


def test_first_passwords_are_long_unlike_and_kept_nowhere(session: Session, now: datetime) -> None:
    made = {accounts.first_password() for _ in range(50)}
    assert len(made) == 50 and all(len(one) == 19 for one in made)
    staff, password = accounts.add(session, username="new", name_ar="-", name_en="-", roles=[], now=now)
    session.flush()
    assert password not in staff.password_hash
    assert not [row for row in session.query(AuditEntry) if password in str(row.detail)]


def test_resetting_a_password_ends_the_old_one_the_pause_and_all_sessions(
    session: Session, aide: Staff, now: datetime
) -> None:
    token = signed_in(session, aide, now)
    for _ in range(5):
        service.check_password(session, "huda", "guess", now=now)
    password = accounts.reset_password(session, aide.id, now=now)
    assert service.session_of(session, token, now=now) is None
    assert service.check_password(session, "huda", "ten letters", now=now) is None
    assert service.check_password(session, "huda", password, now=now) is aide
    assert aide.must_change_password


def test_a_change_of_roles_or_place_signs_out_and_a_change_of_name_does_not(
    session: Session, aide: Staff, now: datetime
) -> None:
    token = signed_in(session, aide, now)
    accounts.update(session, aide.id, **PLAIN, roles=["aide"], now=now)
    assert service.session_of(session, token, now=now) is not None
    accounts.update(session, aide.id, **PLAIN, roles=["aide", "hotline"], now=now)
    session.flush()
    session.expire_all()
    assert service.session_of(session, token, now=now) is None
    assert aide.roles == {"aide", "hotline"}
    token = signed_in(session, aide, now)
    accounts.update(session, aide.id, **PLAIN | {"centre_id": "c1"}, roles=["hotline"], now=now)
    session.flush()
    session.expire_all()
    assert service.session_of(session, token, now=now) is None
    assert aide.roles == {"hotline"}


def test_deactivating_signs_out_and_keeps_out_until_activated(session: Session, aide: Staff, now: datetime) -> None:
    token = signed_in(session, aide, now)
    accounts.deactivate(session, aide.id, now=now)
    assert service.session_of(session, token, now=now) is None
    assert service.check_password(session, "huda", "ten letters", now=now) is None
    accounts.activate(session, aide.id, now=now)
    assert service.check_password(session, "huda", "ten letters", now=now) is aide
    assert service.session_of(session, token, now=now) is None, "an old session does not come back"


def test_the_last_active_administrator_stays(session: Session, admin: Staff, now: datetime) -> None:
    other = person(session, "second", "admin", now=now)
    accounts.deactivate(session, other.id, now=now)
    session.flush()
    with pytest.raises(Refused):
        accounts.deactivate(session, admin.id, now=now)
    with pytest.raises(Refused):
        accounts.update(session, admin.id, **PLAIN, roles=["aide"], now=now)
    assert admin.active and admin.roles == {"admin"}
    accounts.activate(session, other.id, now=now)
    session.flush()
    accounts.update(session, admin.id, **PLAIN, roles=["aide"], now=now)
    session.flush()
    with pytest.raises(Refused):
        accounts.deactivate(session, other.id, now=now)


def test_the_own_password_is_changed_with_the_old_one_and_other_devices_are_signed_out(
    session: Session, aide: Staff, now: datetime
) -> None:
    here, elsewhere = signed_in(session, aide, now), signed_in(session, aide, now)
    with pytest.raises(Mistake) as wrong:
        accounts.set_password(session, aide.id, old="not it", new="three quiet rivers", keep_token=here, now=now)
    assert wrong.value.field == "old_password"
    assert session.query(SignInPace).count() == 1, "it counts as a wrong sign-in"
    assert service.session_of(session, elsewhere, now=now) is not None
    accounts.set_password(session, aide.id, old="ten letters", new="three quiet rivers", keep_token=here, now=now)
    assert service.session_of(session, here, now=now) is not None
    assert service.session_of(session, elsewhere, now=now) is None
    assert service.check_password(session, "huda", "three quiet rivers", now=now) is aide


def test_guessing_the_old_password_is_paused_like_signing_in(session: Session, aide: Staff, now: datetime) -> None:
    for _ in range(5):
        with pytest.raises(Mistake):
            accounts.set_password(session, aide.id, old="guess", new="three quiet rivers", now=now)
    with pytest.raises(Mistake):
        accounts.set_password(session, aide.id, old="ten letters", new="three quiet rivers", now=now)


@pytest.mark.parametrize("password", ["nine char", "x" * 201, "aaaaaaaaaaaa", "huda-and-more", "the old one"])
def test_a_weak_password_is_not_taken(password: str) -> None:
    with pytest.raises(Mistake) as found:
        rules.check_new_password(password, username="huda", old="the old one")
    assert found.value.field == "new_password"


def test_ten_characters_of_any_script_are_enough() -> None:
    rules.check_new_password("١٢٣٤ كلمة٠", username="huda")


@pytest.mark.parametrize("name", ["", "a", "هدى", "a b", "-a", "x" * 41, "a/b", "a@b"])
def test_an_unfit_sign_in_name_is_not_taken(name: str) -> None:
    with pytest.raises(Mistake):
        rules.sign_in_name(name)


def test_a_sign_in_name_is_kept_small_with_latin_digits() -> None:
    assert rules.sign_in_name(" S.Harbi٢ ") == "s.harbi2"


@pytest.mark.parametrize(("role", "field"), [("receptionist", "centre_id"), ("officer", "department_id")])
def test_a_role_bound_to_a_place_needs_it(session: Session, now: datetime, role: str, field: str) -> None:
    with pytest.raises(Mistake) as found:
        accounts.add(session, username="new", name_ar="-", name_en="-", roles=[role], now=now)
    assert found.value.field == field
    accounts.add(session, username="new", name_ar="-", name_en="-", roles=[role], **{field: "x"}, now=now)


def test_every_verb_leaves_a_row_that_names_who_did_it(session: Session, aide: Staff, now: datetime) -> None:
    session.info.update(actor_id="boss", actor_name="boss")
    accounts.update(session, aide.id, **PLAIN, roles=["hotline"], now=now)
    accounts.reset_password(session, aide.id, now=now)
    accounts.deactivate(session, aide.id, now=now)
    accounts.activate(session, aide.id, now=now)
    session.flush()
    rows = [row.action for row in session.query(AuditEntry).filter_by(actor_name="boss", subject_id=aide.id)]
    assert sorted(rows) == ["activate", "change", "deactivate", "reset password"]
