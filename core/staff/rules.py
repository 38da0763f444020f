"""Roles and the rules of signing in."""

from datetime import datetime, timedelta

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

ATTEMPTS_BEFORE_PAUSE = 5


def pause_after(failed_attempts: int, *, now: datetime) -> datetime | None:
    """Until when sign-in is paused: none for five failures, then 30 s doubling, at most 15 minutes.

    A pause rather than a lock: a stranger must not be able to shut the minister out.
    """
    if failed_attempts < ATTEMPTS_BEFORE_PAUSE:
        return None
    return now + timedelta(seconds=min(30 * 2 ** (failed_attempts - ATTEMPTS_BEFORE_PAUSE), 900))
