"""Roles and the rules of signing in."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

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

PASSWORD_LENGTH = 10  # NIST SP 800-63B asks for 8; the longest is bounded so that hashing stays cheap
PASSWORD_LONGEST = 200
FIRST_PASSWORD_CHANGE = timedelta(minutes=15)  # how long a sign-in with a first password waits for the person's own
_USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}")


@dataclass(frozen=True, slots=True)
class Pace:
    """`tries` wrong ones in a row, then one each `every`: a leaky bucket, kept as the moment when it is empty again
    (the virtual scheduling of ITU-T I.371). Nothing has to be counted, and a row that says nothing can go."""

    tries: int
    every: timedelta

    def may_try(self, free_at: datetime | None, *, now: datetime) -> bool:
        return free_at is None or free_at - now <= self.every * (self.tries - 1)

    def after_wrong(self, free_at: datetime | None, *, now: datetime) -> datetime:
        return max(free_at or now, now) + self.every


# Short on purpose: a guesser has some 1,440 tries a day against ten characters, and keeps nobody waiting for long.
NAME_PACE = Pace(tries=5, every=timedelta(minutes=1))
# A whole office sits behind one address, and mistypes on its first morning; whoever tries many names needs far more.
SOURCE_PACE = Pace(tries=40, every=timedelta(seconds=15))
DEVICE_KEPT = timedelta(days=180)  # since the last sign-in


def source_of(address: str) -> str:
    """What counts as one address: of IPv6 the network, since each has more addresses than anybody could count."""
    try:
        ip = ip_address(address)
    except ValueError:
        return address[:80]
    if isinstance(ip, IPv6Address):
        ip = ip.ipv4_mapped or ip
    return str(ip) if isinstance(ip, IPv4Address) else str(ip_network((ip, 64), strict=False))


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
