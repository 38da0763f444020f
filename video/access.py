"""The one door to meetings: which place a person may take, and who may know that a meeting goes on."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.staff.models import Staff
from core.staff.rules import ADMIN, AIDE, ATTENDANT, MANAGER, OFFICIAL
from video.meetings import service
from video.meetings.models import Meeting, Participant
from video.meetings.states import REMOVED


def place_of(session: Session, staff: Staff, meeting_id: str) -> tuple[Meeting, Participant]:
    """The place that a member of staff holds in a meeting.

    Raises NotFound alike for no such meeting, none of yours, or a place that was withdrawn or needs a role that they
    have no more: a place of staff bears its name.
    """
    meeting = session.get(Meeting, meeting_id)
    for participant in meeting.participants if meeting is not None else ():
        mine = participant.staff_id == staff.id and participant.role in staff.roles
        if mine and participant.state != REMOVED:
            return meeting, participant
    raise NotFound(
        "You are on the list of no meeting here. If you were asked to take part, please tell the minister's office."
    )


def may_watch_meeting(session: Session, staff: Staff, meeting_id: str) -> bool:
    """Hints that a meeting changed: its participants, the office, and the attendants of its hall."""
    meeting = session.get(Meeting, meeting_id)
    if meeting is None:
        return False
    if staff.roles & {AIDE, OFFICIAL}:
        return True
    if ATTENDANT in staff.roles and staff.centre_id == meeting.centre_id:
        return True
    invited = select(Participant.id).where(
        Participant.meeting_id == meeting_id, Participant.staff_id == staff.id, Participant.state != REMOVED
    )
    return session.scalar(invited) is not None


def may_see_quality(staff: Staff, meeting: Meeting) -> bool:
    """How the connections of a meeting fared, which says nothing of what was spoken: the office and the administrators
    of every meeting, a manager of those in the own centre's hall, an official of the own."""
    if staff.roles & {AIDE, ADMIN}:
        return True
    if MANAGER in staff.roles and staff.centre_id is not None and staff.centre_id == meeting.centre_id:
        return True
    return OFFICIAL in staff.roles and meeting.official_id == staff.id


def meeting_with_quality(session: Session, staff: Staff, meeting_id: str) -> Meeting:
    """Raises NotFound alike for no such meeting and for one that is none of theirs."""
    meeting = session.get(Meeting, meeting_id)
    if meeting is None or not may_see_quality(staff, meeting):
        raise NotFound
    return meeting


def meetings_with_quality(session: Session, staff: Staff, start: datetime, end: datetime) -> list[Meeting]:
    """Those held in [start, end) of which `staff` may see how the connections fared, latest first."""
    if staff.roles & {AIDE, ADMIN}:
        return service.held_between(session, start, end, centre_ids=None, official_id=None)
    mine = [staff.centre_id] if MANAGER in staff.roles and staff.centre_id else []
    own = staff.id if OFFICIAL in staff.roles else None
    return service.held_between(session, start, end, centre_ids=mine, official_id=own)
