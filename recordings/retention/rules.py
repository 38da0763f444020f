"""Pure decisions about retention: until when, what is due, and who decides its end."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from core.errors import Refused
from core.staff.rules import AIDE, OFFICIAL

OFFICE = frozenset({AIDE, OFFICIAL})
DEFAULT_YEARS = 25
"""What is kept where nobody decided otherwise: too long can be mended, too short can't."""
LEAST_YEARS, MOST_YEARS = 1, 100
DEFAULT = ""
"""The code under which the term for all other types of case stands."""


def years_for(codes: Sequence[str], terms: Mapping[str, int]) -> int:
    """`codes`: the case's type and those above it, the nearest first; the nearest that has a term decides."""
    for code in codes:
        if code in terms:
            return terms[code]
    return terms.get(DEFAULT, DEFAULT_YEARS)


def kept_until(started_at: datetime, years: int) -> datetime:
    """The same day so many years on; 29 February ends on 1 March."""
    try:
        return started_at.replace(year=started_at.year + years)
    except ValueError:
        return started_at.replace(year=started_at.year + years, month=3, day=1)


def due(until: datetime, *, held: bool, now: datetime) -> bool:
    return not held and until <= now


def check_office(roles: frozenset[str]) -> None:
    if not roles & OFFICE:
        raise Refused("This is for the minister's office.")


def check_second(first: str, first_roles: frozenset[str], by: str, roles: frozenset[str]) -> None:
    """Two people of the office, one of them an official. Raises Refused."""
    check_office(roles)
    if first == by:
        raise Refused("Someone else has to agree.")
    if OFFICIAL not in first_roles | roles:
        raise Refused("One of the two has to be an official.")
