"""Where the media plane's recorder meets the archive: opening a journal, and making it playable afterwards."""

import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy.orm import Session

from core import clock
from core.db import Database
from core.errors import NotFound
from core.ids import new_id
from core.jobs import MEDIA, Handler
from core.settings import Settings
from core.sweeping import read_first
from recordings.archive import service as archive
from recordings.archive.rules import ABANDONED
from recordings.archive.service import Side
from recordings.archive.states import CLOSED
from recordings.container import SealBroken, read_header
from recordings.follow import discard, take
from recordings.journal import JournalWriter, open_journal
from recordings.keys import KeyLost
from recordings.proof import manifest
from recordings.proof import service as proof
from recordings.remux import RemuxResult, remux
from recordings.sealed_log import Head
from recordings.storage.rules import RESERVE
from video.meetings import service as meetings
from video.meetings.models import Meeting
from video.meetings.rules import HOSTS
from video.meetings.states import OVER, REMOVED
from web.disk import room
from web.keys import key_ring
from web.proof import Witnesses
from web.storage import here

__all__ = ["finish_handler", "key_ring", "make_playable", "sink_opener", "sweep_abandoned"]

log = structlog.get_logger()
MARGIN = RESERVE  # bytes that no meeting may count on


class Sink:
    """A journal that tells the archive when it is closed, and where it ended. Everything else is the journal's own."""

    def __init__(self, journal: JournalWriter, closed: Callable[[Head], None]) -> None:
        self._journal, self._closed = journal, closed
        self.track, self.write, self.mark, self.healthy = (
            journal.track,
            journal.write,
            journal.mark,
            journal.healthy,
        )

    @property
    def last_durable_at(self) -> float:
        return self._journal.last_durable_at

    def close(self, at: float) -> None:
        self._journal.close(at)
        self._closed(self._journal.head)


def sink_opener(settings: Settings, db: Database) -> Callable[[str], Sink]:
    """What a media node calls (in a thread) when a meeting goes live. Raises OSError when the disk can't take it,
    KeyLost without the archive's key."""
    keyring, witnesses = key_ring(settings), Witnesses(db)

    def open_sink(meeting_id: str) -> Sink:
        if keyring.lost:
            log.error("archive.key is gone: meetings can't be recorded until it is back", meeting_id=meeting_id)
            raise KeyLost("without its key a meeting can't be recorded, and does not start")
        settings.recordings_dir.mkdir(parents=True, exist_ok=True)
        with db.read() as session:
            found = room(settings, session, now=clock.now(), meeting_id=meeting_id, reserve=MARGIN)
        if not found.fits:
            log.error("no room to record a meeting", free_gib=found.free_gib, need_gib=found.need_gib)
            raise OSError("the disk is almost full: a meeting that can't be recorded does not start")
        recording_id = new_id()
        folder = settings.recordings_dir / recording_id
        folder.mkdir()
        started = clock.now()
        try:
            journal = open_journal(
                folder / "journal", keyring, recording_id=recording_id, meeting_id=meeting_id, started_at=started
            )
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        try:
            with db.write() as session:
                petition_id = meetings.get(session, meeting_id).petition_id
                archive.start(
                    session, recording_id=recording_id, meeting_id=meeting_id, petition_id=petition_id, now=started
                )
                proof.witness(session, {recording_id: journal.head}, now=started)
        except BaseException:  # a journal that the archive doesn't know would stay open, and on the disk for ever
            journal.close(0.0)
            shutil.rmtree(folder, ignore_errors=True)
            raise

        def closed(head: Head) -> None:
            witnesses.forget(recording_id)
            with db.write() as session:
                proof.witness(session, {recording_id: head}, now=clock.now())
                archive.close(session, recording_id, now=clock.now())

        witnesses.watch(recording_id, journal)
        return Sink(journal, closed)

    return open_sink


def finish_handler(settings: Settings, db: Database) -> Handler:
    """The job: journal → one sealed WebM for each participant, copied and never decoded.

    Only of a recording that waits for it: one that came to an end keeps its films, however often it is asked for.
    """

    def act(payload: dict[str, Any]) -> RemuxResult | None:
        with db.read() as session:
            if archive.get(session, payload["recording_id"]).state != CLOSED:
                return None
        return make_playable(settings, payload["recording_id"], db)

    def record(session: Session, payload: dict[str, Any], result: RemuxResult | None, now: datetime) -> None:
        recording = archive.locked(session, payload["recording_id"])
        if result is None or recording.state != CLOSED:  # another worker has come to an end with it
            return
        meeting = meetings.get(session, recording.meeting_id)
        people = {p.id: p for p in meeting.participants}
        sides = [
            Side(
                participant_id=r.participant_id,
                role=people[r.participant_id].role,
                name_ar=people[r.participant_id].name_ar,
                name_en=people[r.participant_id].name_en,
                path=f"{payload['recording_id']}/{Path(r.path).name}",
                duration_s=r.duration_s,
                width=r.width,
                height=r.height,
                has_audio=r.has_audio,
                has_video=r.has_video,
                gaps=[[gap.kind, gap.start, gap.end] for gap in r.gaps],
            )
            for r in result.renditions
        ]
        recording_id, viewers = payload["recording_id"], _viewers(meeting)
        archive.finish(session, recording_id, sides, viewers, now=now, duration_s=result.duration_s)
        proof.ask_to_sign(session, recording_id, now=now)

    def gave_up(session: Session, payload: dict[str, Any], error: str, now: datetime) -> None:
        recording = archive.get(session, payload["recording_id"])
        if recording.state != CLOSED:  # another worker has come to an end with it
            return
        viewers = _viewers(session.get(Meeting, recording.meeting_id))
        archive.fail(session, recording.id, error, now=now, viewers=viewers)
        proof.ask_to_sign(session, recording.id, now=now)  # the journal is evidence, playable or not

    return Handler(act=act, record=record, gave_up=gave_up, tries=3, thread=MEDIA)


def make_playable(settings: Settings, recording_id: str, db: Database | None = None) -> RemuxResult:
    """What a follower has made, where one was at work while the meeting ran; else the journal is gone through now.

    That of a recording which failed long ago may lie in the bucket alone: it comes back first.
    """
    keyring, folder = key_ring(settings), settings.recordings_dir / recording_id
    _keep_what_is_signed(folder)
    here(settings, recording_id, manifest.JOURNAL, db=db)
    for leftover in folder.glob("*.webm*"):  # of a worker that was killed half-way
        leftover.unlink()
    owner = read_header(folder / "journal").owner
    if owner != recording_id:  # it would open, and show one meeting's film under another's name
        raise SealBroken(f"the journal is that of another recording, {owner}")
    if result := take(folder, keyring):
        return result
    try:
        return remux(folder / "journal", keyring, out_dir=folder)
    finally:
        discard(folder)  # of a follower that was told of it too late


def _keep_what_is_signed(folder: Path) -> None:
    """A job that comes twice must not throw away films that its first run made and a manifest vouches for.

    Raises FileExistsError. A manifest of a recording that failed names none, so that one is made anew.
    """
    vouched = folder / manifest.NAME
    signed = vouched.read_bytes() if vouched.exists() else b""
    for film in folder.glob("*.webm.sealed*"):
        if film.name.removesuffix(".away").encode() in signed:
            raise FileExistsError(f"{film.name} was made and signed already")


def _viewers(meeting: Meeting | None) -> list[str]:
    """The members of staff who took part as hosts and were not shown out.

    Whoever was shown out was not to hear the rest, and a recording can't be cut at that moment: a second in the room
    would give all of it, and the right to give leave. Who stayed can still give them leave.
    """
    people = meeting.participants if meeting else []
    took_part = (p for p in people if p.role in HOSTS and p.joined_at and p.state != REMOVED)
    return sorted({p.staff_id for p in took_part if p.staff_id})


def sweep_abandoned(settings: Settings) -> Callable[[Session, datetime], None]:
    """Close recordings whose writer died: the journal stands still, and the meeting is over or goes on elsewhere."""

    def sweep(session: Session, now: datetime) -> None:
        for recording in archive.open_ones(session):
            journal = settings.recordings_dir / recording.journal
            try:
                still = now.timestamp() - journal.stat().st_mtime
            except FileNotFoundError:
                still = (now - recording.started_at).total_seconds()
            if still < ABANDONED.total_seconds():
                continue
            try:
                over = meetings.get(session, recording.meeting_id).state in OVER
            except NotFound:
                over = True
            newer = archive.of_meeting(session, recording.meeting_id)[-1].id != recording.id
            if over or newer or still > 6 * 3600:
                archive.close(session, recording.id, now=now)
                log.warning("closed an abandoned recording", recording_id=recording.id)

    return read_first(sweep)
