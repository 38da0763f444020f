import hashlib
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core import audit, jobs
from core.db import new_id
from core.errors import Mistake, NotFound, Refused
from core.events import emit
from reception.files.events import PaperInfected
from reception.files.models import Attachment
from reception.files.rules import MAX_PAPERS, Paper
from reception.files.store import FileStore
from reception.files.virus import INFECTED, Verdict

SCAN = "papers.scan"
PAPER, NOTE, PROOF = "paper", "note", "proof"
WAITING = "waiting"  # for the scanner; the other states are its verdicts
FIRST_LOOK = timedelta(seconds=30)


def accept(
    session: Session,
    store: FileStore,
    paper: Paper,
    *,
    staff_id: str = "",
    draft_id: str | None = None,
    petition_id: str | None = None,
    kind: str = PAPER,
    scan: str = "",
    now: datetime,
) -> Attachment:
    """Seal a harmless copy (reading.Reader made it) and keep it, as a pending upload or at once with its petition.

    The same paper sent twice into one form is kept once. Raises Mistake for one too many. With `scan` waiting it is
    asked about again until the scanner answers.
    """
    digest = hashlib.sha256(paper.data).hexdigest()
    beside = (
        Attachment.uploaded_by == staff_id,
        Attachment.petition_id.is_(None) if petition_id is None else Attachment.petition_id == petition_id,
        Attachment.draft_id == draft_id,
    )
    same = session.scalar(select(Attachment).where(*beside, Attachment.sha256 == digest))
    if same is not None:
        return same
    if (session.scalar(select(func.count(Attachment.id)).where(*beside)) or 0) >= MAX_PAPERS:
        raise Mistake(
            "“{name}” was not added: {max} papers are the most. Scan several pages into one.",
            field="files",
            name=paper.name,
            max=MAX_PAPERS,
        )
    file_id = new_id()
    attachment = Attachment(
        id=file_id,
        petition_id=petition_id,
        draft_id=draft_id,
        name=paper.name,
        media_type=paper.media_type,
        size=len(paper.data),
        sha256=digest,
        path=store.put(file_id, paper.data),
        uploaded_by=staff_id,
        at=now,
        kind=kind,
        pages=paper.pages,
        scan=scan,
        found="",
    )
    session.add(attachment)
    audit.note(session, "upload", "attachment", file_id, now=now, detail={"type": paper.media_type})
    if scan == WAITING:
        jobs.enqueue(
            session, SCAN, {"file_id": file_id}, now=now, run_at=now + FIRST_LOOK, unique_key=f"{SCAN}:{file_id}"
        )
    session.flush()
    return attachment


def refused_infected(session: Session, name: str, found: str, *, staff_id: str, now: datetime) -> Mistake:
    """Put down that somebody brought what the scanner knows; what to say about it."""
    audit.note(session, "infected", "upload", staff_id or "visitor", now=now, detail={"name": name, "found": found})
    return Mistake(
        "The virus scanner found something harmful in “{name}”. It was not kept. Ask for the paper itself.",
        field="files",
        name=name,
    )


def enter_scan(session: Session, file_id: str, verdict: Verdict, *, now: datetime) -> None:
    """What the scanner said of a paper that waited for it. An infected one stays, locked: it may be evidence."""
    found = session.get(Attachment, file_id)
    if found is None or found.scan != WAITING:
        return
    found.scan, found.found = verdict.state, verdict.found
    if verdict.state == INFECTED:
        audit.note(session, "infected", "attachment", file_id, now=now, detail={"found": verdict.found})
        emit(session, PaperInfected(file_id=file_id, petition_id=found.petition_id or "", found=verdict.found), now=now)


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
    """The paper's bytes; the reading is audited. Raises Refused for a locked one."""
    if attachment.locked:
        raise Refused("The virus scanner found something harmful in this paper. It stays locked.")
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
