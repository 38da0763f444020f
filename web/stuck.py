"""Work that waits for a job has one: what lost it is asked for again, so that nothing stays "being prepared" for ever.

A state and its job are written together and end together (a closed recording's a moment later, by a reaction), so this
never finds anything. Databases are restored from backups, though, and rows are removed by hand.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from core import jobs
from core.jobs import PENDING, Job
from core.sweeping import gated
from recordings.archive import service as archive
from recordings.archive.models import Recording
from recordings.archive.service import FINISH
from recordings.archive.states import CLOSED
from recordings.export.models import Export
from recordings.export.service import MAKE
from recordings.export.states import UNDER_WAY
from recordings.retention.models import Destruction
from recordings.retention.service import DESTROY
from recordings.retention.states import AGREED, DESTROYING
from recordings.storage.models import StoredFile
from recordings.storage.service import REMOVE, SEND
from recordings.storage.states import TO_REMOVE, TO_SEND

log = structlog.get_logger()
EVERY = timedelta(minutes=10)


def _waiting(before: datetime) -> list[tuple[str, str, int, Select[tuple[str]]]]:
    """(kind of job, the name of the id in its payload, its lane, whose id waits for one)."""
    closed = select(Recording.id).where(Recording.state == CLOSED, Recording.closed_at < before)
    return [
        (FINISH, "recording_id", 1, closed),
        (MAKE, "export_id", 8, select(Export.id).where(Export.state.in_(UNDER_WAY))),
        (DESTROY, "destruction_id", 5, select(Destruction.id).where(Destruction.state.in_({AGREED, DESTROYING}))),
        (SEND, "file_id", 8, select(StoredFile.id).where(StoredFile.state.in_(TO_SEND))),
        (REMOVE, "file_id", 8, select(StoredFile.id).where(StoredFile.state.in_(TO_REMOVE))),
    ]


def ask_again(session: Session, *, now: datetime) -> int:
    """Returns how many jobs were lost."""
    count = 0
    for kind, name, lane, query in _waiting(now - EVERY):
        ids = set(session.scalars(query))
        if not ids:
            continue
        there = session.scalars(select(Job.payload).where(Job.kind == kind, Job.state == PENDING))
        for id_ in sorted(ids - {payload.get(name) for payload in there}):
            if kind == FINISH:  # its event may yet be on the way, and asks for the same
                asked = archive.ask_to_finish(session, id_, now=now)
            else:
                asked = jobs.enqueue(session, kind, {name: id_}, now=now, lane=lane) is not None
            if asked:
                log.warning("a job was lost and is asked for again", kind=kind, id=id_)
                count += 1
    return count


def sweep_stuck() -> Callable[[Session, datetime], None]:
    last: list[datetime] = []

    def sweep(session: Session, now: datetime) -> None:
        if not last or now - last[-1] >= EVERY:
            last[:] = [now]
            ask_again(session, now=now)

    return gated(sweep, lambda now: not last or now - last[-1] >= EVERY)
