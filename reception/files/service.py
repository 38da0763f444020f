import hashlib
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core import audit
from core.db import new_id
from core.errors import Mistake, NotFound
from reception.files import rules
from reception.files.models import Attachment
from reception.files.store import FileStore


def accept(
    session: Session,
    store: FileStore,
    *,
    name: str,
    data: bytes,
    staff_id: str,
    draft_id: str | None = None,
    now: datetime,
) -> Attachment:
    """Check an upload, make it harmless, seal it and keep it as a pending one. Raises Mistake with the reason.

    The same paper sent twice into one form is kept once.
    """
    paper = rules.inspect(name, data, limit=store.limit)
    digest = hashlib.sha256(paper.data).hexdigest()
    same = session.scalar(
        select(Attachment).where(
            Attachment.uploaded_by == staff_id,
            Attachment.petition_id.is_(None),
            Attachment.draft_id == draft_id,
            Attachment.sha256 == digest,
        )
    )
    if same is not None:
        return same
    file_id = new_id()
    attachment = Attachment(
        id=file_id,
        petition_id=None,
        draft_id=draft_id,
        name=paper.name,
        media_type=paper.media_type,
        size=len(paper.data),
        sha256=digest,
        path=store.put(file_id, paper.data),
        uploaded_by=staff_id,
        at=now,
    )
    session.add(attachment)
    audit.note(session, "upload", "attachment", file_id, now=now, detail={"type": paper.media_type})
    session.flush()
    return attachment


def pending(session: Session, *, staff_id: str, draft_id: str | None = None) -> list[Attachment]:
    """Uploads of this person that belong to no case yet (of one form, where `draft_id` is given)."""
    wanted = select(Attachment).where(Attachment.uploaded_by == staff_id, Attachment.petition_id.is_(None))
    if draft_id is not None:
        wanted = wanted.where(Attachment.draft_id == draft_id)
    return list(session.scalars(wanted.order_by(Attachment.at, Attachment.id)))


def attach(session: Session, file_ids: list[str], *, petition_id: str, staff_id: str) -> list[Attachment]:
    """Make pending uploads of `staff_id` part of a case. Raises Mistake when one is gone or somebody else's."""
    if not file_ids:
        return []
    taken = session.scalars(
        update(Attachment)
        .where(
            Attachment.id.in_(file_ids),
            Attachment.petition_id.is_(None),
            Attachment.uploaded_by == staff_id,
        )
        .values(petition_id=petition_id, draft_id=None)
        .returning(Attachment)
        .execution_options(synchronize_session="fetch")
    ).all()
    if len(taken) != len(set(file_ids)):
        raise Mistake("A paper is no longer there. Please add it again.", field="files")
    return list(taken)


def of_petition(session: Session, petition_id: str) -> list[Attachment]:
    return list(
        session.scalars(
            select(Attachment).where(Attachment.petition_id == petition_id).order_by(Attachment.at, Attachment.id)
        )
    )


def get(session: Session, file_id: str, *, petition_id: str | None) -> Attachment:
    """Raises NotFound unless the paper belongs to just this petition (None: to none yet)."""
    found = session.get(Attachment, file_id)
    if found is None or found.petition_id != petition_id:
        raise NotFound("There is no such paper.")
    return found


def read(session: Session, store: FileStore, attachment: Attachment, *, now: datetime) -> bytes:
    """The paper's bytes; the reading is audited."""
    audit.note(session, "read", "attachment", attachment.id, now=now, detail={"petition": attachment.petition_id or ""})
    return store.get(attachment.path)


def discard(session: Session, store: FileStore, file_id: str, *, staff_id: str, now: datetime) -> None:
    """Take back a pending upload. Papers of a case are never thrown away here."""
    found = session.get(Attachment, file_id)
    if found is None or found.petition_id is not None or found.uploaded_by != staff_id:
        raise NotFound("There is no such paper.")
    session.delete(found)
    audit.note(session, "discard", "attachment", file_id, now=now)
    store.drop(found.path)


def discard_older(session: Session, store: FileStore, *, before: datetime, now: datetime) -> int:
    """Throw away uploads that never became part of a case. Returns how many."""
    old = session.scalars(select(Attachment).where(Attachment.petition_id.is_(None), Attachment.at < before)).all()
    for attachment in old:
        session.delete(attachment)
        audit.note(session, "discard", "attachment", attachment.id, now=now, detail={"reason": "never used"})
        store.drop(attachment.path)
    return len(old)
