"""Pure decisions about meetings: who hosts, who may enter when."""

from datetime import datetime, timedelta

from core.errors import Refused
from video.meetings.states import JOINABLE

VISITOR, OFFICIAL, AIDE, INTERPRETER = "visitor", "official", "aide", "interpreter"
ROLES = (VISITOR, OFFICIAL, AIDE, INTERPRETER)
HOSTS = frozenset({OFFICIAL, AIDE})
"""They need no admission, see the lobby, admit others and end the meeting."""

MOST = 4
EARLY = timedelta(minutes=60)


def check_joinable(state: str, starts_at: datetime, *, now: datetime) -> None:
    """Raises Refused for a meeting that is over or still more than an hour away."""
    if state not in JOINABLE:
        raise Refused("This meeting is over.")
    if now < starts_at - EARLY:
        raise Refused("The room opens an hour before the meeting.")


def needs_admission(role: str) -> bool:
    return role not in HOSTS


def may_host(role: str) -> bool:
    return role in HOSTS
