"""`majlis staff`: the first account of a new house is made at the terminal."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core import clock
from core.audit import AuditEntry
from core.db import Database
from core.settings import Settings
from core.staff import accounts, service
from web.cli import app
from web.schema import create_all


@pytest.fixture
def db(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    monkeypatch.setenv("MAJLIS_DATA_DIR", str(tmp_path))
    made = Database(Settings().database)
    create_all(made.engine)
    return made


def run(*words: str) -> tuple[int, str]:
    answer = CliRunner().invoke(app, ["staff", *words], env={"COLUMNS": "120"})
    return answer.exit_code, answer.output


def password_in(text: str) -> str:
    return re.findall(r"[a-z0-9]{4}(?:-[a-z0-9]{4}){3}", text)[0]


def test_the_first_administrator_signs_in_with_what_is_printed(db: Database) -> None:
    code, text = run("add", "Chief")
    assert code == 0
    with db.write() as session:
        found = service.check_password(session, "chief", password_in(text), now=clock.now())
        assert found and found.roles == {"admin"} and found.must_change_password
        assert {row.actor_name for row in session.query(AuditEntry)} == {"command line"}


def test_a_new_first_password_replaces_the_old_one(db: Database) -> None:
    first = password_in(run("add", "chief")[1])
    second = password_in(run("reset-password", "chief")[1])
    with db.write() as session:
        assert service.check_password(session, "chief", first, now=clock.now()) is None
        assert service.check_password(session, "chief", second, now=clock.now())


def test_what_is_wrong_is_said_in_a_line_and_nothing_is_made(db: Database) -> None:
    for words in (("add", "x"), ("add", "huda", "--role", "king"), ("add", "huda", "--role", "receptionist")):
        code, text = run(*words)
        assert code == 1 and "Traceback" not in text
    assert run("add", "huda", "--role", "receptionist", "--centre", "nowhere")[0] == 1
    assert run("reset-password", "nobody")[0] == 1
    with db.read() as session:
        assert accounts.listed(session) == []


def test_the_list_shows_roles_and_who_has_not_signed_in(db: Database) -> None:
    run("add", "chief", "--role", "admin", "--role", "aide")
    code, text = run("list")
    assert code == 0 and "admin, aide" in text and "not changed yet" in text
