"""Which screens an event concerns, and who may watch them: two small tables."""

from typing import Any

from sqlalchemy.orm import Session

from core import clock
from core.staff.models import Staff
from core.staff.rules import ADMIN, AIDE, ATTENDANT, HOTLINE, INTERPRETER, MANAGER, OFFICER, OFFICIAL

OFFICE = frozenset({AIDE, OFFICIAL})


def topics_of(name: str, payload: dict[str, Any]) -> set[str]:
    """The topics of an event row. Ids become topics by their kind; a few events concern whole desks."""
    topics = set()
    if payload.get("centre_id"):
        topics.add(f"queue:{payload['centre_id']}")
    for key in ("petition", "department", "meeting", "recording"):
        if payload.get(f"{key}_id"):
            topics.add(f"{key}:{payload[f'{key}_id']}")
    for key, topic in (("agent_id", "calls"), ("at_centre_id", "concerns")):
        if payload.get(key):
            topics.add(f"{topic}:{payload[key]}")
    if payload.get("from_department_id"):
        topics.add(f"department:{payload['from_department_id']}")
    if name.startswith(("reception.", "queueing.appointments.", "video.", "recordings.")):
        topics.add("office")
    if name.startswith(("queueing.appointments.", "queueing.waitlist.", "video.")):
        topics.add("calendar")
    if name.startswith("messaging."):
        topics.add("messages")
    return topics


def may_watch(session: Session, person: Staff | None, topic: str) -> bool:
    """Hints carry no data, yet even that something happened is told only to those who may see it."""
    from reception.access import may_see_petition
    from recordings.archive.leave import may_view
    from recordings.archive.models import Recording
    from video.access import may_watch_meeting

    kind, _, key = topic.partition(":")
    if kind == "queue":
        return True  # a hall's display is in a public hall
    if person is None:
        return False
    roles = person.roles
    if kind == "office":
        return bool(roles & OFFICE)
    if kind == "calendar":
        return bool(roles & (OFFICE | {ATTENDANT, INTERPRETER}))
    if kind == "messages":
        return bool(roles & {AIDE, MANAGER, HOTLINE, ADMIN})
    if kind == "calls":
        return person.id == key
    if kind == "concerns":
        return MANAGER in roles and person.centre_id == key
    if kind == "department":
        return OFFICER in roles and person.department_id == key
    if kind == "petition":
        return may_see_petition(session, person, key)
    if kind == "meeting":
        return may_watch_meeting(session, person, key)
    if kind == "recording":
        row = session.get(Recording, key)
        return bool(roles & OFFICE) or (row is not None and may_view(session, row, person.id, now=clock.now()))
    return False
