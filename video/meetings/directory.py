"""What the media node asks and tells about meetings, answered from the database in threads."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, cast

import anyio
from sqlalchemy.orm import Session, lazyload

from core.db import Database
from core.errors import MajlisError
from core.staff.models import Staff
from video.media.directory import LegSummary, MeetingInfo, ParticipantInfo, Refused
from video.media.tokens import Role
from video.meetings import service
from video.meetings.models import Meeting, Participant
from video.meetings.states import ADMITTED, CANCELLED, ENDED


class DatabaseDirectory:
    """Implements `video.media.directory.Directory` over the meetings' tables."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def meeting(self, meeting_id: str) -> MeetingInfo | None:
        return await anyio.to_thread.run_sync(self._read, meeting_id)

    async def joined(self, meeting_id: str, participant_id: str, at: float) -> None:
        await self._write(service.joined, meeting_id, participant_id, at=at)

    async def left(self, meeting_id: str, participant_id: str, at: float) -> None:
        await self._write(service.left, meeting_id, participant_id, at=at)

    async def went_live(self, meeting_id: str, at: float) -> None:
        await self._write(service.went_live, meeting_id, at=at)

    async def recording_lost(self, meeting_id: str, at: float, why: str) -> None:
        await self._write(service.recording_lost, meeting_id, why, at=at)

    async def quality(self, meeting_id: str, participant_id: str, at: float, summary: LegSummary) -> None:
        figures = asdict(summary)
        began_at = datetime.fromtimestamp(figures.pop("began_at"), UTC)
        await self._write(service.keep_quality, meeting_id, participant_id, at=at, began_at=began_at, figures=figures)

    async def admit(self, meeting_id: str, by: str, participant_id: str, at: float) -> None:
        await self._write(service.admit, meeting_id, by=by, participant_id=participant_id, at=at)

    async def end(self, meeting_id: str, by: str, at: float) -> None:
        await self._write(service.end, meeting_id, by=by, at=at)

    async def _write(self, verb: Callable[..., Any], *args: Any, at: float, **kwargs: Any) -> None:
        def act() -> None:
            with self._db.write() as session:
                _act_as(session, kwargs.get("by"))
                verb(session, *args, now=datetime.fromtimestamp(at, UTC), **kwargs)

        try:
            await anyio.to_thread.run_sync(act)
        except MajlisError as error:
            raise Refused(error.message) from error

    def _read(self, meeting_id: str) -> MeetingInfo | None:
        with self._db.read() as session:
            meeting = session.get(Meeting, meeting_id, options=[lazyload(Meeting.participants)])
            if meeting is None:
                return None
            people = service.places(session, meeting_id)
            return MeetingInfo(
                id=meeting.id,
                state=cast(Any, ENDED if meeting.state == CANCELLED else meeting.state),
                participants={p.id: ParticipantInfo(cast(Role, p.role), p.name_ar, p.name_en) for p, _ in people},
                admitted=frozenset(p.id for p, may in people if may and p.state == ADMITTED),
                removed=frozenset(p.id for p, may in people if not may),
                node=meeting.node,
            )


def _act_as(session: Session, participant_id: str | None) -> None:
    """Whoever pressed the button stands in the audit trail under their own sign-in, as with what they do on a page."""
    participant = session.get(Participant, participant_id) if participant_id else None
    person = session.get(Staff, participant.staff_id) if participant and participant.staff_id else None
    if person:
        session.info.update(actor_id=person.id, actor_name=person.username)
    else:
        session.info["actor_name"] = f"participant {participant_id}" if participant_id else "media"
