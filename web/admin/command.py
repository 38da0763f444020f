"""`majlis staff add | reset-password | list`: accounts from the server's own terminal; how the first one is made."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import clock
from core.db import Database
from core.errors import MajlisError, Mistake
from core.settings import Settings
from core.staff import accounts
from core.staff.rules import ADMIN
from reception.centres.models import Centre, Department

app = typer.Typer(no_args_is_help=True, help="Accounts: add, give a new first password, list.")
console = Console(highlight=False)
Name = Annotated[str, typer.Argument(help="Sign-in name.")]


@app.command()
def add(
    username: Name,
    role: Annotated[list[str] | None, typer.Option(help="A role; may be given several times.")] = None,
    name_ar: Annotated[str, typer.Option(help="Name in Arabic; default: the sign-in name.")] = "",
    name_en: Annotated[str, typer.Option(help="Name in English; default: the sign-in name.")] = "",
    centre: Annotated[str, typer.Option(help="Code of the centre.")] = "",
    department: Annotated[str, typer.Option(help="Code of the department.")] = "",
) -> None:
    """Make an account (an administrator, unless a role is given) and print its first password, once."""
    with _changing() as session:
        _, password = accounts.add(
            session,
            username=username,
            name_ar=name_ar or username,
            name_en=name_en or username,
            roles=role or [ADMIN],
            centre_id=_place(session, Centre, centre, "centre"),
            department_id=_place(session, Department, department, "department"),
            now=clock.now(),
        )
    _hand_over(username, password)


@app.command("reset-password")
def reset_password(username: Name) -> None:
    """Give an account a new first password and sign it out everywhere."""
    with _changing() as session:
        password = accounts.reset_password(session, accounts.by_name(session, username).id, now=clock.now())
    _hand_over(username, password)


@app.command("list")
def list_() -> None:
    """All accounts with their roles."""
    table = Table("Sign-in name", "Name", "Roles", "State")
    with Database(Settings().database).read() as session:
        for one in accounts.listed(session):
            state = "active" if one.active else "inactive"
            if one.active and one.must_change_password:
                state = "first password not changed yet"
            table.add_row(one.username, one.name_en, ", ".join(sorted(one.roles)) or "-", state)
    console.print(table)


@contextmanager
def _changing() -> Iterator[Session]:
    """A write transaction of the command line's; what a person can put right is said in a line, not a traceback."""
    try:
        with Database(Settings().database).write() as session:
            session.info.update(actor_name="command line")
            yield session
    except MajlisError as error:
        console.print(str(error))
        raise typer.Exit(1) from None


def _place(session: Session, kind: type[Centre] | type[Department], code: str, word: str) -> str | None:
    if not code:
        return None
    found = session.scalar(select(kind.id).where(kind.code == code))
    if found is None:
        raise Mistake("There is no {kind} with the code “{code}”.", kind=word, code=code)
    return found


def _hand_over(username: str, password: str) -> None:
    console.print(f"{username.strip().lower()}: the first password is {password}")
    console.print("It is shown only now, and must be changed at the first sign-in.")
