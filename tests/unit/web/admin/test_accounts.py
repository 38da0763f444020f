"""From "I need an account" to the first day's work, through the pages, in both languages."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event
from starlette.testclient import TestClient

from core import audit, clock
from core.audit import AuditEntry
from core.db import Database
from core.settings import Settings
from core.staff import accounts
from core.staff import service as staff_service
from core.staff.models import SignInPace, Staff
from tests.unit.web.conftest import Cast
from web.admin import trail, words
from web.app import create_app
from web.demo.people import PASSWORD, Ministry

ROOT = Path(__file__).parents[4]
OWN = "three quiet rivers"


@pytest.fixture
def browser(settings: Settings, house: tuple[Database, Ministry]) -> Iterator[TestClient]:
    """A device on which nobody is signed in."""
    yield TestClient(create_app(settings, house[0]), base_url="http://majlis.test", follow_redirects=False)


def fields(html: str, action: str) -> dict[str, str]:
    """The hidden fields of the form that posts to `action`."""
    form = re.search(rf'<form[^>]*action="{re.escape(action)}"[^>]*>(.*?)</form>', html, re.DOTALL)
    assert form, f"there is no form for {action}"
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form.group(1)))


def submit(client: TestClient, page: str, action: str, **typed: object):  # type: ignore[no-untyped-def]
    return client.post(action, data=fields(client.get(page).text, action) | typed)


def new_account(admin: TestClient, username: str, **typed: object):  # type: ignore[no-untyped-def]
    given = {"username": username, "name_ar": "سلمى", "name_en": "Salma", "roles": ["aide"]} | typed
    return submit(admin, "/admin/people/new", "/admin/people/new", **given)


def password_in(html: str) -> str:
    found = re.search(r"[a-z0-9]{4}(-[a-z0-9]{4}){3}", html)
    assert found, "the first password is not shown"
    return found.group(0)


def account(house: tuple[Database, Ministry], username: str) -> Staff:
    with house[0].read() as session:
        return accounts.by_name(session, username)


def sign_in(client: TestClient, username: str, password: str):  # type: ignore[no-untyped-def]
    return client.post("/sign-in", data={"username": username, "password": password})


def test_an_account_is_made_handed_over_and_made_ones_own(
    cast: Cast, browser: TestClient, house: tuple[Database, Ministry]
) -> None:
    shown = new_account(cast("admin"), "salma")
    assert shown.status_code == 200 and shown.headers["cache-control"] == "no-store"
    first = password_in(shown.text)

    answer = sign_in(browser, "salma", first)
    assert answer.headers["location"] == "/sign-in/password"
    assert browser.get("/office").headers["location"].startswith("/sign-in?")
    assert browser.get("/account/password").headers["location"].startswith("/sign-in?")

    page = "/sign-in/password"
    assert submit(browser, page, page, new_password=first, again=first).status_code == 422
    assert submit(browser, page, page, new_password="short", again="short").status_code == 422
    wrong = submit(browser, page, page, new_password=OWN, again=OWN + "?")
    assert wrong.status_code == 422 and OWN not in wrong.text
    answer = submit(browser, page, page, new_password=OWN, again=OWN)
    assert answer.headers["location"] == "/office"
    assert browser.get("/office").status_code == 200
    assert browser.get(page).headers["location"] == "/sign-in"
    assert sign_in(TestClient(browser.app, base_url="http://majlis.test"), "salma", first).status_code == 422


def test_the_first_password_is_shown_once(cast: Cast, house: tuple[Database, Ministry]) -> None:
    admin = cast("admin")
    form = fields(admin.get("/admin/people/new").text, "/admin/people/new")
    typed = form | {"username": "once", "name_ar": "-", "name_en": "Once", "roles": ["aide"]}
    first = password_in(admin.post("/admin/people/new", data=typed).text)
    again = admin.post("/admin/people/new", data=typed)
    person = account(house, "once")
    assert again.status_code == 303 and again.headers["location"] == f"/admin/people/{person.id}"
    assert first not in admin.get(again.headers["location"]).text
    with house[0].read() as session:
        assert not [row for row in session.query(AuditEntry) if first in str(row.detail)]


@pytest.mark.parametrize(("lang", "message"), [("ar", "اسم الدخول مستخدم."), ("en", "This sign-in name is in use.")])
def test_an_error_stands_beside_its_field_and_what_was_typed_is_kept(cast: Cast, lang: str, message: str) -> None:
    admin = cast("admin")
    form = fields(admin.get("/admin/people/new").text, "/admin/people/new")
    typed = form | {"username": "aide", "name_ar": "ريم", "name_en": "Reem <b>", "roles": ["hotline", "aide"]}
    answer = admin.post(f"/admin/people/new?lang={lang}", data=typed)
    assert answer.status_code == 422
    beside = re.search(r'id="f-username-error">.*?<span>(.*?)</span>', answer.text, re.DOTALL)
    assert beside and beside.group(1) == message
    assert 'value="ريم"' in answer.text and 'value="Reem &lt;b&gt;"' in answer.text
    ticked = re.findall(r'name="roles" value="(\w+)" checked', answer.text)
    assert sorted(ticked) == ["aide", "hotline"]


def test_a_role_in_a_centre_asks_for_the_centre(cast: Cast, house: tuple[Database, Ministry]) -> None:
    answer = new_account(cast("admin"), "nowhere", roles=["receptionist"])
    assert answer.status_code == 422 and 'id="f-centre_id-error"' in answer.text
    answer = new_account(cast("admin"), "nowhere", roles=["receptionist"], centre_id="no-such-centre")
    assert answer.status_code == 422 and 'id="f-centre_id-error"' in answer.text
    centre = house[1].centres["north"]
    assert new_account(cast("admin"), "somewhere", roles=["receptionist"], centre_id=centre.id).status_code == 200
    assert account(house, "somewhere").centre_id == centre.id


def test_an_unknown_role_is_not_given(cast: Cast) -> None:
    answer = new_account(cast("admin"), "king", roles=["king"])
    assert answer.status_code == 422 and "king" in answer.text


def test_new_roles_end_the_sessions_that_had_the_old_ones(
    cast: Cast, browser: TestClient, house: tuple[Database, Ministry]
) -> None:
    admin, person = cast("admin"), own_account(house, "changing", "hotline")
    sign_in(browser, "changing", OWN)
    assert browser.get("/hotline").status_code == 200
    page = f"/admin/people/{person.id}"
    answer = submit(admin, page, page, name_ar="-", name_en="-", roles=["aide"])
    assert answer.status_code == 303, answer.text
    assert browser.get("/hotline").headers["location"].startswith("/sign-in?")
    assert sign_in(browser, "changing", OWN).headers["location"] == "/office"


def test_deactivating_and_resetting_shut_the_door_at_once(
    cast: Cast, browser: TestClient, house: tuple[Database, Ministry]
) -> None:
    admin, person = cast("admin"), own_account(house, "leaving", "aide")
    page = f"/admin/people/{person.id}"
    sign_in(browser, "leaving", OWN)
    first = password_in(submit(admin, page, f"{page}/password").text)
    assert browser.get("/office").status_code == 303
    assert sign_in(browser, "leaving", OWN).status_code == 422
    assert sign_in(browser, "leaving", first).headers["location"] == "/sign-in/password"
    submit(admin, page, f"{page}/deactivate")
    assert browser.get("/sign-in/password").headers["location"] == "/sign-in"
    assert sign_in(browser, "leaving", first).status_code == 422
    assert "leaving" in admin.get("/admin?kind=inactive").text
    submit(admin, page, f"{page}/activate")
    assert sign_in(browser, "leaving", first).status_code == 303


def test_a_clerk_who_is_shut_out_leaves_no_open_counter(cast: Cast, house: tuple[Database, Ministry]) -> None:
    from queueing.tickets import service as queue
    from queueing.tickets.models import Counter

    db, ministry = house
    person = own_account(house, "sitting", "receptionist", centre_id=ministry.centres["coast"].id)
    counter_id = ministry.counters["coast"][0].id
    with db.write() as session:
        queue.open_counter(session, counter_id, person.id, now=clock.now())
    page = f"/admin/people/{person.id}"
    submit(cast("admin"), page, f"{page}/deactivate")
    with db.read() as session:
        assert not session.get_one(Counter, counter_id).open


def test_the_last_administrator_can_neither_leave_nor_lose_the_role(
    cast: Cast, house: tuple[Database, Ministry]
) -> None:
    admin, person = cast("admin"), account(house, "admin")
    page = f"/admin/people/{person.id}"
    assert submit(admin, page, f"{page}/deactivate").status_code == 409
    answer = submit(admin, page, page, name_ar="مدير", name_en="Chief", roles=["aide"])
    assert answer.status_code == 422 and 'id="form-errors"' in answer.text and 'value="Chief"' in answer.text
    assert account(house, "admin").roles == {"admin"} and account(house, "admin").active
    assert admin.get("/admin").status_code == 200


def test_ones_own_password_is_changed_with_the_old_one(
    cast: Cast, browser: TestClient, house: tuple[Database, Ministry]
) -> None:
    own_account(house, "owner", "aide")
    other = TestClient(browser.app, base_url="http://majlis.test", follow_redirects=False)
    sign_in(browser, "owner", OWN)
    sign_in(other, "owner", OWN)
    page, new = "/account/password", "four quiet rivers"
    wrong = submit(browser, page, page, old_password="not it at all", new_password=new, again=new)
    assert wrong.status_code == 422 and 'id="f-old_password-error"' in wrong.text and new not in wrong.text
    with house[0].read() as session:
        counted = [row.key for row in session.query(SignInPace) if row.key.startswith("device:")]
    assert len(counted) == 1, "counted although the page answers with an error"
    weak = submit(browser, page, page, old_password=OWN, new_password="short", again="short")
    assert weak.status_code == 422 and 'id="f-new_password-error"' in weak.text
    answer = submit(browser, page, page, old_password=OWN, new_password=new, again=new)
    assert answer.headers["location"] == "/office"
    assert browser.get("/office").status_code == 200
    assert other.get("/office").status_code == 303
    assert sign_in(other, "owner", new).headers["location"] == "/office"


def test_nobody_but_the_administrator_reaches_an_account(cast: Cast, house: tuple[Database, Ministry]) -> None:
    person = account(house, "minister")
    for who in ("aide", "manager", "minister", "receptionist"):
        assert cast(who).get(f"/admin/people/{person.id}").status_code == 404
        csrf = re.search(r'name="csrf" content="([^"]+)"', cast(who).get("/account/password").text)
        assert csrf
        answer = cast(who).post(f"/admin/people/{person.id}/password", data={"csrf": csrf.group(1)})
        assert answer.status_code == 404
    with house[0].write() as session:
        assert staff_service.check_password(session, "minister", PASSWORD, now=clock.now())


def test_accounts_are_found_by_name_in_either_language_and_without_a_role(
    cast: Cast, house: tuple[Database, Ministry]
) -> None:
    own_account(house, "roleless")
    admin = cast("admin")
    assert "roleless" in admin.get("/admin?kind=without-role").text
    assert "officer2" in admin.get("/admin", params={"q": "منى التمثيليه"}).text
    assert "officer2" in admin.get("/admin", params={"q": "TAMTHIL"}).text
    assert "officer2" not in admin.get("/admin?kind=aide").text


def test_the_trail_speaks_arabic(cast: Cast, house: tuple[Database, Ministry]) -> None:
    new_account(cast("admin"), "traced")
    text = cast("admin").get("/admin/audit?who=admin&lang=ar").text
    assert ">أنشأ<" in text and "الحساب" in text and "traced" in text
    assert "من قام به" in text and ">create<" not in text


def test_the_trail_of_one_account_is_found_and_a_name_that_nobody_has_costs_nothing(
    cast: Cast, house: tuple[Database, Ministry], monkeypatch: pytest.MonkeyPatch
) -> None:
    db, admin = house[0], cast("admin")
    new_account(admin, "watched")
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    def shown(who: str) -> list[str]:
        page = admin.get("/admin/audit", params={"lang": "en", "who": who}).text
        return re.findall(r'<td data-label="Done by"><a href="\?who=([^"]+)"', page)

    for few in (1000, 1):  # by the account, and by reading the latest
        monkeypatch.setattr(trail, "FEW", few)
        assert set(shown(" Admin ")) == {"admin"}
    with db.write() as session:
        audit.note(session, "create", "staff", "s", now=clock.now())
    assert set(shown("system")) == {"system"}
    assert shown("watched") == []
    event.listen(db.engine, "before_cursor_execute", note)
    try:
        assert "Nobody with this sign-in name" in admin.get("/admin/audit?lang=en&who=amdin").text
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    assert asked and not [one for one in asked if "FROM audit_entry" in one and "actor" in one]


def test_every_code_of_the_trail_has_its_words() -> None:
    """Read from the source, so that a new `audit.note` can't forget its word."""
    actions, subjects = set(), set()
    for package in ("core", "messaging", "queueing", "video", "recordings", "reception", "web"):
        for path in (ROOT / package).rglob("*.py"):
            for call in ast.walk(ast.parse(path.read_text())):
                if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
                    continue
                if call.func.attr == "note" and getattr(call.func.value, "id", "") == "audit" and len(call.args) > 3:
                    actions |= strings(call.args[1])
                    subjects |= strings(call.args[2])
    assert actions - set(words.ACTIONS) == set()
    assert subjects - set(words.SUBJECTS) == set()
    assert len(actions) > 25


def strings(node: ast.expr) -> set[str]:
    if isinstance(node, ast.IfExp):
        return strings(node.body) | strings(node.orelse)
    return {node.value} if isinstance(node, ast.Constant) and isinstance(node.value, str) else set()


def own_account(house: tuple[Database, Ministry], username: str, *roles: str, centre_id: str | None = None) -> Staff:
    """Somebody who has chosen a password already."""
    with house[0].write() as session:
        return staff_service.create(
            session,
            username=username,
            password=OWN,
            name_ar=username,
            name_en=username,
            roles=list(roles),
            centre_id=centre_id,
            now=clock.now(),
        )
