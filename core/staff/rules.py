"""Roles and the rules of signing in."""

import re
from datetime import datetime, timedelta

from core.errors import Mistake
from core.text import latin_digits

RECEPTIONIST = "receptionist"
VERIFIER = "verifier"
ATTENDANT = "attendant"
OFFICER = "officer"
OFFICIAL = "official"  # the minister and those who receive visitors in the minister's place
AIDE = "aide"
INTERPRETER = "interpreter"
HOTLINE = "hotline"
MANAGER = "manager"
ADMIN = "admin"
ROLES = (RECEPTIONIST, VERIFIER, ATTENDANT, OFFICER, OFFICIAL, AIDE, INTERPRETER, HOTLINE, MANAGER, ADMIN)
# Whose work is bound to one centre or department: without it they would see nothing of their own.
CENTRE_ROLES = frozenset({RECEPTIONIST, VERIFIER, ATTENDANT, MANAGER})
DEPARTMENT_ROLES = frozenset({OFFICER})

ATTEMPTS_BEFORE_PAUSE = 5
PASSWORD_LENGTH = 10  # NIST SP 800-63B asks for 8; the longest is bounded so that hashing stays cheap
PASSWORD_LONGEST = 200
FIRST_PASSWORD_CHANGE = timedelta(minutes=15)  # how long a sign-in with a first password waits for the person's own
_USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}")


def pause_after(failed_attempts: int, *, now: datetime) -> datetime | None:
    """Until when sign-in is paused: none before the fifth failure, then 30 s, then a minute each time.

    Short on purpose: a minute leaves a guesser some 1,440 tries a day against ten characters, and a stranger who goes
    on guessing can't keep the minister out for long. Pausing by device as well would be better still.
    """
    if failed_attempts < ATTEMPTS_BEFORE_PAUSE:
        return None
    return now + timedelta(seconds=30 if failed_attempts == ATTEMPTS_BEFORE_PAUSE else 60)


def sign_in_name(text: str) -> str:
    """The name as it is kept: small Latin letters and digits, typed alike on every keyboard. Raises Mistake."""
    name = latin_digits(text).strip().lower()
    if not _USERNAME.fullmatch(name):
        raise Mistake(
            "A sign-in name has 2 to 40 Latin letters, digits, dots or hyphens, and begins with a letter or digit.",
            field="username",
        )
    return name


def check_new_password(password: str, *, username: str, old: str = "") -> None:
    """Length rather than kinds of characters (NIST SP 800-63B §3.1.1.2). Raises Mistake."""
    if len(password) < PASSWORD_LENGTH:
        raise Mistake("A password has at least 10 characters.", field="new_password")
    if len(password) > PASSWORD_LONGEST:
        raise Mistake("A password has at most 200 characters.", field="new_password")
    if username and username in password.lower():
        raise Mistake("The password must not contain the sign-in name.", field="new_password")
    if len(set(password)) < 4:
        raise Mistake("This password is too easy to guess. Please choose another.", field="new_password")
    if old and password == old:
        raise Mistake("Please choose a password that differs from the old one.", field="new_password")


def check_place(roles: frozenset[str], *, centre_id: str | None, department_id: str | None) -> None:
    """A role that works in a centre or department needs it named. Raises Mistake at the field that is missing."""
    if roles & CENTRE_ROLES and centre_id is None:
        raise Mistake("One of these roles works in a centre. Please choose it.", field="centre_id")
    if roles & DEPARTMENT_ROLES and department_id is None:
        raise Mistake("One of these roles works in a department. Please choose it.", field="department_id")
