from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import audit
from core.db import new_id
from core.errors import Mistake, NotFound, Refused
from core.events import emit
from core.language import LANGUAGES
from core.text import clean
from messaging.templates import CAMPAIGN, TEMPLATES, Template, TemplateFault
from messaging.wording import rules
from messaging.wording.events import WordingApproved, WordingDeclined, WordingProposed
from messaging.wording.models import Wording
from messaging.wording.states import DRAFT, IN_FORCE, OPEN, PROPOSED, WORDING

log = structlog.get_logger(__name__)


def in_force(session: Session, name: str) -> Template:
    """The text as it is to be sent now: its approved words, else the built-in ones.

    Words that a newer version of the program no longer fits (a field more, a field less) are left aside and logged:
    a text in its built-in words is better than none.
    """
    built_in = TEMPLATES[name]
    if built_in.message_class == CAMPAIGN:  # its words are the campaign's own
        return built_in
    words = session.scalar(select(Wording.words).where(Wording.template == name, Wording.state == IN_FORCE))
    if words is None:
        return built_in
    try:
        return replace(built_in, words=dict(words))
    except TemplateFault as fault:
        log.warning("approved words don't fit any more", template=name, error=str(fault))
        return built_in


def get(session: Session, wording_id: str) -> Wording:
    """Raises NotFound."""
    row = session.get(Wording, wording_id)
    if row is None:
        raise NotFound("There is no such version.")
    return row


def versions(session: Session, name: str) -> list[Wording]:
    """Of one text, the newest first."""
    return list(session.scalars(select(Wording).where(Wording.template == name).order_by(Wording.version.desc())))


def open_of(session: Session, name: str) -> Wording | None:
    """The version being worked on; there is one at a time."""
    return session.scalar(
        select(Wording).where(Wording.template == name, Wording.state.in_(OPEN)).order_by(Wording.version.desc())
    )


def states_of_all(session: Session) -> dict[str, dict[str, int]]:
    """Template → state → the newest version in it."""
    found: dict[str, dict[str, int]] = {}
    query = select(Wording.template, Wording.state, func.max(Wording.version)).group_by(Wording.template, Wording.state)
    for name, state, version in session.execute(query):
        found.setdefault(name, {})[state] = version
    return found


def write(session: Session, name: str, words: Mapping[str, str], *, by: str, now: datetime) -> Wording:
    """Keep these words as the draft of `name`. A draft may be unfinished; what may stand in no text raises Mistake."""
    if name not in TEMPLATES or TEMPLATES[name].message_class == CAMPAIGN:
        raise NotFound("There is no such text.")
    kept = {language: rules.written(words.get(language, ""), field=language) for language in LANGUAGES}
    row = _locked_open(session, name)
    if row is None:
        last = session.scalar(select(func.max(Wording.version)).where(Wording.template == name)) or 0
        row = Wording(id=new_id(), template=name, version=last + 1, state=DRAFT)
        session.add(row)
    elif row.state == PROPOSED:
        row.state = WORDING.next(row.state, "rewrite")
    row.words, row.written_by, row.written_at, row.proposed_at = kept, by, now, None
    session.flush()
    audit.note(session, "write", "template", name, now=now, detail={"version": row.version})
    return row


def propose(session: Session, wording_id: str, *, now: datetime) -> Wording:
    """Raises Mistake at the language that lacks something."""
    row = _locked(session, wording_id)
    _complete(row)
    row.state, row.proposed_at = WORDING.next(row.state, "propose"), now
    emit(session, WordingProposed(wording_id=row.id, template=row.template), now=now)
    return row


def approve(session: Session, wording_id: str, *, by: str, now: datetime) -> Wording:
    """Put the words in force. Raises Refused for who wrote them: two people look at what thousands will read."""
    row = _locked(session, wording_id)
    _second_person(row, by)
    state = WORDING.next(row.state, "approve")
    _complete(row)
    for earlier in session.scalars(
        select(Wording).where(Wording.template == row.template, Wording.state == IN_FORCE).with_for_update()
    ):
        earlier.state = WORDING.next(earlier.state, "replace")
    session.flush()
    row.state, row.decided_by, row.decided_at = state, by, now
    session.flush()
    audit.note(session, "approve", "template", row.template, now=now, detail={"version": row.version})
    emit(session, WordingApproved(wording_id=row.id, template=row.template), now=now)
    return row


def decline(session: Session, wording_id: str, *, reason: str, by: str, now: datetime) -> Wording:
    row = _locked(session, wording_id)
    _second_person(row, by)
    why = clean(reason)[:500]
    if not why:
        raise Mistake("Please say why.", field="reason")
    row.state = WORDING.next(row.state, "decline")
    row.decided_by, row.decided_at, row.reason = by, now, why
    audit.note(session, "decline", "template", row.template, now=now, detail={"version": row.version})
    emit(session, WordingDeclined(wording_id=row.id, template=row.template), now=now)
    return row


def discard(session: Session, wording_id: str, *, by: str, now: datetime) -> Wording:
    row = _locked(session, wording_id)
    row.state = WORDING.next(row.state, "discard")
    row.decided_by, row.decided_at = by, now
    audit.note(session, "discard", "template", row.template, now=now, detail={"version": row.version})
    return row


def _second_person(row: Wording, by: str) -> None:
    if row.written_by == by:
        raise Refused("A colleague must agree: you wrote these words yourself.")


def _complete(row: Wording) -> None:
    for lack in rules.lacks(row.words, TEMPLATES[row.template].fields):
        raise Mistake(lack.message, field=lack.language, **lack.fields)


def _locked(session: Session, wording_id: str) -> Wording:
    row = session.scalar(select(Wording).where(Wording.id == wording_id).with_for_update())
    if row is None:
        raise NotFound("There is no such version.")
    return row


def _locked_open(session: Session, name: str) -> Wording | None:
    wanted = select(Wording).where(Wording.template == name, Wording.state.in_(OPEN))
    return session.scalar(wanted.order_by(Wording.version.desc()).with_for_update())
