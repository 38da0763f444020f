"""The one door to meetings: which place a person may take, and who may know that a meeting goes on."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.staff.models import Staff
from core.staff.rules import AIDE, ATTENDANT, OFFICIAL
from video.meetings import service
from video.meetings.models import Meeting, Participant
from video.meetings.states import REMOVED


def place_of(session: Session, staff: Staff, meeting_id: str) -> tuple[Meeting, Participant]:
    """The place that a member of staff holds in a meeting.

    Raises NotFound alike for no such meeting, none of yours, or a place that was withdrawn.
    """
    meeting = service.get(session, meeting_id)
    for participant in meeting.participants:
        if participant.staff_id == staff.id and participant.state != REMOVED:
            return meeting, participant
    raise NotFound


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
