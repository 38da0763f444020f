import hashlib
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from core import audit
from core.db import new_id
from core.errors import NotFound, Refused
from core.events import emit
from core.staff.models import Staff, StaffRole
from video.meetings.events import (
    MeetingCancelled,
    MeetingEnded,
    MeetingScheduled,
    MeetingStarted,
    ParticipantAdmitted,
    ParticipantJoined,
    ParticipantLeft,
    ParticipantRemoved,
    RecordingLost,
    RoomOpened,
)
from video.meetings.models import Meeting, MeetingQuality, Participant, RoomPass
from video.meetings.rules import HOSTS, MOST, OFFICIAL, VISITOR, check_joinable, is_abandoned, may_host
from video.meetings.states import ADMITTED, HELD, LIVE, MEETING, OVER, PARTICIPANT, REMOVED

PASS_LIFE = timedelta(hours=4)
AROUND = timedelta(days=1)
"""A meeting goes live well within a day of its time, by which it is found (ix_meeting_state_starts)."""
AT_ONCE = 500
"""Ids in one question: databases bound how many there may be."""


def schedule(
    session: Session,
    *,
    appointment_id: str,
    petition_id: str,
    visitor_id: str,
    visitor_name: tuple[str, str],
    official: tuple[str, str, str],
    centre_id: str,
    starts_at: datetime,
    ends_at: datetime,
    now: datetime,
) -> Meeting:
    """A meeting for an appointment, with the visitor and the official (id, Arabic name, English name) invited.

    Called again for the same appointment it moves the meeting to the new time.
    """
    meeting = session.scalar(select(Meeting).where(Meeting.appointment_id == appointment_id))
    if meeting:
        meeting.starts_at, meeting.ends_at = starts_at, ends_at
        return meeting
    official_id, *official_name = official
    meeting = Meeting(
        id=new_id(),
        appointment_id=appointment_id,
        petition_id=petition_id,
        visitor_id=visitor_id,
        centre_id=centre_id,
        official_id=official_id,
        starts_at=starts_at,
        ends_at=ends_at,
    )
    session.add(meeting)
    session.flush()
    _seat(session, meeting, VISITOR, None, *visitor_name)
    _seat(session, meeting, OFFICIAL, official_id, *official_name)
    emit(session, MeetingScheduled(meeting.id, petition_id), now=now)
    return meeting


def seat(
    session: Session, meeting: Meeting, *, role: str, staff_id: str, name_ar: str, name_en: str, now: datetime
) -> Participant:
    """Invite a member of staff (aide, interpreter). Raises Refused when the room is full or the meeting over.

    Whoever has a place has it as it is: who was shown out stays out, for only a host may `invite` them again.
    """
    present = next((p for p in meeting.participants if p.staff_id == staff_id), None)
    if present:
        return present
    _need_room(session, meeting)
    present = _seat(session, meeting, role, staff_id, name_ar, name_en)
    audit.note(session, "invite", "meeting", meeting.id, now=now, detail={"role": role, "staff_id": staff_id})
    return present


def open_room(session: Session, meeting_id: str, *, now: datetime) -> str:
    """The attendant opens the hall's screen for the visitor; returns the secret that the device keeps.

    Earlier passes of the place are withdrawn: one visitor, one screen. Raises Refused when it is too early or over.
    """
    meeting = locked(session, meeting_id)
    check_joinable(meeting.state, meeting.starts_at, now=now)
    if MEETING.allows(meeting.state, "open_room"):
        meeting.state, meeting.opened_at = MEETING.next(meeting.state, "open_room"), now
        emit(session, RoomOpened(meeting.id, meeting.petition_id), now=now)
    visitor = next(p for p in meeting.participants if p.role == VISITOR)
    for old in session.scalars(select(RoomPass).where(RoomPass.participant_id == visitor.id)):
        session.delete(old)
    secret = secrets.token_urlsafe(32)
    session.add(RoomPass(secret_hash=_hash(secret), participant_id=visitor.id, expires_at=now + PASS_LIFE))
    audit.note(session, "open room", "meeting", meeting.id, now=now)
    return secret


def place_of_pass(session: Session, secret: str, *, now: datetime) -> tuple[Meeting, Participant] | None:
    """The visitor's place that a hall device may take, while its pass lasts."""
    row = session.get(RoomPass, _hash(secret))
    if row is None or row.expires_at <= now:
        return None
    participant = session.get_one(Participant, row.participant_id)
    return session.get_one(Meeting, participant.meeting_id), participant


def admit(session: Session, meeting_id: str, *, by: str, participant_id: str, now: datetime) -> Participant:
    """A host lets someone in from the lobby. Raises Refused for anyone else's press; admitting twice is harmless."""
    meeting = locked(session, meeting_id)
    _host(meeting, by)
    guest = _participant(meeting, participant_id)
    if guest.state == ADMITTED:
        return guest
    guest.state, guest.admitted_at = PARTICIPANT.next(guest.state, "admit"), now
    emit(session, ParticipantAdmitted(meeting.id, guest.id), now=now)
    audit.note(session, "admit", "meeting", meeting.id, now=now, detail={"participant": guest.id})
    return guest


def remove(session: Session, meeting_id: str, *, by: str, participant_id: str, now: datetime) -> None:
    """A host shows someone out; the way back in is a new invitation. Raises Refused for the official, whose it is."""
    meeting = locked(session, meeting_id)
    _host(meeting, by)
    guest = _participant(meeting, participant_id)
    if guest.role == OFFICIAL:
        raise Refused("The official can't be shown out of the meeting.")
    guest.state = PARTICIPANT.next(guest.state, "remove")
    emit(session, ParticipantRemoved(meeting.id, guest.id), now=now)
    audit.note(session, "remove", "meeting", meeting.id, now=now, detail={"participant": guest.id})


def invite(session: Session, meeting_id: str, *, by: str, participant_id: str, now: datetime) -> Participant:
    """A host calls back whoever was shown out: through the lobby, unless they are a host. Twice is harmless.

    Raises Refused for anyone else's press, when the room is full or the meeting over.
    """
    meeting = locked(session, meeting_id)
    _host(meeting, by)
    guest = _participant(meeting, participant_id)
    if guest.state != REMOVED:
        return guest
    _need_room(session, meeting)
    guest.state = PARTICIPANT.next(guest.state, "invite")
    audit.note(session, "invite", "meeting", meeting.id, now=now, detail={"participant": guest.id})
    return guest


def went_live(session: Session, meeting_id: str, *, now: datetime) -> None:
    meeting = locked(session, meeting_id)
    if meeting.state == LIVE:
        return
    meeting.state, meeting.live_at = MEETING.next(meeting.state, "go_live"), now
    emit(session, MeetingStarted(meeting.id, meeting.petition_id, meeting.visitor_id), now=now)


def joined(session: Session, meeting_id: str, participant_id: str, *, now: datetime) -> None:
    participant = _participant(get(session, meeting_id), participant_id)
    participant.joined_at, participant.left_at = participant.joined_at or now, None
    emit(session, ParticipantJoined(meeting_id, participant_id), now=now)


def left(session: Session, meeting_id: str, participant_id: str, *, now: datetime) -> None:
    participant = _participant(get(session, meeting_id), participant_id)
    participant.left_at = now
    emit(session, ParticipantLeft(meeting_id, participant_id), now=now)


def end(session: Session, meeting_id: str, *, by: str | None, now: datetime) -> Meeting:
    """A host ends the meeting (`by` None: the system). Ending twice is harmless."""
    meeting = locked(session, meeting_id)
    if by is not None:
        _host(meeting, by)
    if meeting.state in OVER:
        return meeting
    met = meeting.state == LIVE
    meeting.state, meeting.ended_at = MEETING.next(meeting.state, "end"), now
    emit(
        session,
        MeetingEnded(meeting.id, meeting.petition_id, meeting.visitor_id, meeting.appointment_id, met),
        now=now,
    )
    audit.note(session, "end", "meeting", meeting.id, now=now)
    return meeting


def end_abandoned(session: Session, *, now: datetime) -> int:
    """End running meetings that were left without a press of the button, so that their recordings are closed."""
    ended = 0
    for meeting in session.scalars(select(Meeting).where(Meeting.state == LIVE, Meeting.ends_at < now)):
        came = [p.left_at for p in meeting.participants if p.joined_at]
        if is_abandoned(meeting.ends_at, came, now=now):
            end(session, meeting.id, by=None, now=now)
            ended += 1
    return ended


def cancel(session: Session, appointment_id: str, *, now: datetime) -> None:
    """The appointment was cancelled: so is its meeting, unless it is already running or over."""
    meeting = session.scalar(select(Meeting).where(Meeting.appointment_id == appointment_id).with_for_update())
    if meeting and MEETING.allows(meeting.state, "cancel"):
        meeting.state = MEETING.next(meeting.state, "cancel")
        emit(session, MeetingCancelled(meeting.id, meeting.petition_id), now=now)


def recording_lost(session: Session, meeting_id: str, why: str, *, now: datetime) -> None:
    meeting = locked(session, meeting_id)
    meeting.recording_lost = why
    emit(session, RecordingLost(meeting_id, why), now=now)


def keep_quality(
    session: Session,
    meeting_id: str,
    participant_id: str,
    *,
    began_at: datetime,
    figures: Mapping[str, Any],
    now: datetime,
) -> MeetingQuality:
    """How a connection fared until now; what was kept of the same one before is replaced."""
    row = session.get(MeetingQuality, (meeting_id, participant_id, began_at))
    if row is None:
        _participant(get(session, meeting_id), participant_id)
        row = MeetingQuality(meeting_id=meeting_id, participant_id=participant_id, began_at=began_at)
        session.add(row)
    row.updated_at = now
    for name, value in figures.items():
        setattr(row, name, value)
    return row


def quality_of(session: Session, meeting_id: str) -> dict[str, list[MeetingQuality]]:
    """Participant id → how each of their connections fared, in the order in which they began.

    `rules.total` sums them up.
    """
    return qualities(session, [meeting_id]).get(meeting_id, {})


def qualities(session: Session, meeting_ids: Sequence[str]) -> dict[str, dict[str, list[MeetingQuality]]]:
    """The same for many meetings at once; one of which nothing was kept is not in it."""
    found: dict[str, dict[str, list[MeetingQuality]]] = {}
    for at in range(0, len(meeting_ids), AT_ONCE):
        some = meeting_ids[at : at + AT_ONCE]
        query = select(MeetingQuality).where(MeetingQuality.meeting_id.in_(some)).order_by(MeetingQuality.began_at)
        for row in session.scalars(query):
            found.setdefault(row.meeting_id, {}).setdefault(row.participant_id, []).append(row)
    return found


def held_between(
    session: Session, start: datetime, end: datetime, *, centre_ids: Sequence[str] | None, official_id: str | None
) -> list[Meeting]:
    """Meetings that went live in [start, end), latest first: those of these centres and those of this official.

    Both None: all of them.
    """
    planned = (Meeting.state.in_(HELD), Meeting.starts_at >= start - AROUND, Meeting.starts_at < end + AROUND)
    query = select(Meeting).where(*planned, Meeting.live_at >= start, Meeting.live_at < end)
    query = query.order_by(Meeting.live_at.desc())
    if centre_ids is not None or official_id is not None:
        query = query.where(or_(Meeting.centre_id.in_(centre_ids or ()), Meeting.official_id == official_id))
    return list(session.scalars(query))


def get(session: Session, meeting_id: str) -> Meeting:
    meeting = session.get(Meeting, meeting_id)
    if meeting is None:
        raise NotFound("There is no such meeting.")
    return meeting


def locked(session: Session, meeting_id: str) -> Meeting:
    """The meeting under a row lock, so that two presses take their turns. Raises NotFound."""
    meeting = session.scalar(
        select(Meeting).where(Meeting.id == meeting_id).with_for_update().execution_options(populate_existing=True)
    )
    if meeting is None:
        raise NotFound("There is no such meeting.")
    return meeting


def places(session: Session, meeting_id: str) -> list[tuple[Participant, bool]]:
    """Everybody's place, and whether they may be in it now: not shown out and, of staff, still with the role it needs.

    One question, since the media node asks it each second of every meeting: rights that an administrator takes away
    must end what runs. A place of staff bears the name of its role; the visitor's needs no account.
    """
    at_work = and_(Staff.id == Participant.staff_id, Staff.active)
    held = and_(StaffRole.staff_id == Staff.id, StaffRole.role == Participant.role)
    rows = session.execute(
        select(Participant, StaffRole.id)
        .outerjoin(Staff, at_work)
        .outerjoin(StaffRole, held)
        .where(Participant.meeting_id == meeting_id)
        .order_by(Participant.id)
    )
    return [(p, p.state != REMOVED and (p.staff_id is None or role is not None)) for p, role in rows]


def of_appointment(session: Session, appointment_id: str) -> Meeting | None:
    return session.scalar(select(Meeting).where(Meeting.appointment_id == appointment_id))


def about(session: Session, petition_id: str) -> list[Meeting]:
    """The meetings about a petition, latest first."""
    return list(
        session.scalars(select(Meeting).where(Meeting.petition_id == petition_id).order_by(Meeting.starts_at.desc()))
    )


def between(
    session: Session,
    start: datetime,
    end: datetime,
    *,
    centre_id: str | None = None,
    staff_id: str | None = None,
) -> list[Meeting]:
    """Meetings that begin in [start, end): of one centre's hall, or to which a member of staff is invited."""
    query = select(Meeting).where(Meeting.starts_at >= start, Meeting.starts_at < end).order_by(Meeting.starts_at)
    if centre_id:
        query = query.where(Meeting.centre_id == centre_id)
    if staff_id:
        mine = select(Participant.meeting_id).where(Participant.staff_id == staff_id, Participant.state != REMOVED)
        query = query.where(Meeting.id.in_(mine))
    return list(session.scalars(query))


def _seat(
    session: Session, meeting: Meeting, role: str, staff_id: str | None, name_ar: str, name_en: str
) -> Participant:
    row = Participant(
        id=new_id(),
        meeting_id=meeting.id,
        role=role,
        staff_id=staff_id,
        name_ar=name_ar,
        name_en=name_en,
        state=ADMITTED if role in HOSTS else PARTICIPANT.initial,
    )
    meeting.participants.append(row)
    session.flush()
    return row


def _need_room(session: Session, meeting: Meeting) -> None:
    if meeting.state in OVER:
        raise Refused("This meeting is over.")
    if sum(may for _, may in places(session, meeting.id)) >= MOST:
        raise Refused("A private meeting holds four people at the most.")


def _participant(meeting: Meeting, participant_id: str) -> Participant:
    found = next((p for p in meeting.participants if p.id == participant_id), None)
    if found is None:
        raise NotFound("There is no such participant.")
    return found


def _host(meeting: Meeting, participant_id: str) -> Participant:
    host = _participant(meeting, participant_id)
    if host.state == REMOVED or not may_host(host.role):
        raise Refused("Only the official's side can do this.")
    return host


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
