from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import audit
from core.errors import NotFound, Refused
from core.events import emit
from core.text import clean
from messaging.inbound import rules
from messaging.inbound.events import InboundNeedsPerson, InboundSettled
from messaging.inbound.models import Dialogue, InboundAnswer
from messaging.models import InboundText, Message
from messaging.templates import OTP


def dialogue(session: Session, number: str, *, now: datetime) -> Dialogue:
    """The exchange with this number, locked: two texts that come at once are answered one after the other."""
    wanted = select(Dialogue).where(Dialogue.number == number).with_for_update()
    if (row := session.scalar(wanted)) is not None:
        return row
    try:
        with session.begin_nested():
            session.add(Dialogue(number=number, question="", detail={}, count=0, seen_at=now))
    except IntegrityError:  # a rival was first
        pass
    return session.scalars(wanted).one()


def count_in(row: Dialogue, *, now: datetime) -> bool:
    """Count this text; False when the number has had its answers for this hour."""
    row.window_at, row.count = rules.window(row.window_at, row.count, now=now)
    row.seen_at = now
    return not rules.too_many(row.count)


def ask(row: Dialogue, question: str, *, now: datetime, **detail: Any) -> None:
    """Leave a question open: the next text may be its answer."""
    row.question, row.detail, row.expires_at = question, detail, now + rules.DIALOGUE


def asked(row: Dialogue, *, now: datetime) -> tuple[str, dict[str, Any]]:
    """The question that waits and what belongs to it."""
    return rules.still_asked(row.question, row.expires_at, now=now), dict(row.detail)


def close(row: Dialogue) -> None:
    row.question, row.detail, row.expires_at = "", {}, None


def settle(
    session: Session, text: InboundText, *, command: str, outcome: str, needs_person: bool = False, now: datetime
) -> InboundAnswer:
    """Write down what was understood and done. Once for each text."""
    answer = InboundAnswer(
        inbound_id=text.id,
        number=text.from_number,
        command=command,
        outcome=outcome,
        needs_person=needs_person,
        at=now,
    )
    session.add(answer)
    text.handled_at = now
    session.flush()
    if needs_person:
        emit(session, InboundNeedsPerson(inbound_id=text.id), now=now)
    return answer


def done(session: Session, inbound_id: str, *, by: str, note: str = "", now: datetime) -> InboundAnswer:
    """A person has looked after it. Raises NotFound, Refused for one that somebody else has done."""
    answer = session.scalar(select(InboundAnswer).where(InboundAnswer.inbound_id == inbound_id).with_for_update())
    if answer is None:
        raise NotFound("There is no such message.")
    if not answer.needs_person or answer.done_at is not None:
        raise Refused("A colleague has looked after this already.")
    answer.done_by, answer.done_at, answer.note = by, now, clean(note)[:500]
    audit.note(session, "settle", "inbound text", inbound_id, now=now)
    emit(session, InboundSettled(inbound_id=inbound_id), now=now)
    return answer


def answer_of(session: Session, inbound_id: str) -> InboundAnswer | None:
    return session.get(InboundAnswer, inbound_id)


def texts(
    session: Session,
    *,
    open_only: bool = False,
    search: str = "",
    within: ColumnElement[bool] | None = None,
    limit: int = 30,
    offset: int = 0,
) -> tuple[list[tuple[InboundText, InboundAnswer | None]], int]:
    """What came in, the newest first, with what was understood; and how many there are.

    `within` is the condition under which one may be seen; None is all of them.
    """
    query = _with_answers()
    if within is not None:
        query = query.where(within)
    if open_only:
        query = query.where(InboundAnswer.needs_person, InboundAnswer.done_at.is_(None))
    if search:
        digits = "".join(c for c in search if c.isdigit()).lstrip("0")
        found = InboundText.body.icontains(search, autoescape=True)
        query = query.where(found | InboundText.from_number.endswith(digits) if len(digits) >= 4 else found)
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    ordered = query.order_by(InboundText.received_at.desc(), InboundText.id.desc()).limit(limit).offset(offset)
    return [(text, answer) for text, answer in session.execute(ordered)], total


def waiting(session: Session) -> int:
    """How many texts wait for a person."""
    wanted = select(func.count()).where(InboundAnswer.needs_person, InboundAnswer.done_at.is_(None))
    return session.scalar(wanted) or 0


def conversation(
    session: Session,
    number: str,
    *,
    came_within: ColumnElement[bool] | None = None,
    went_within: ColumnElement[bool] | None = None,
    limit: int = 60,
) -> list[tuple[datetime, InboundText | Message, InboundAnswer | None]]:
    """Both sides of what was written with one number, the oldest first; one-time codes are nobody's to read.

    `came_within` and `went_within` are the conditions under which a text of either side may be seen; None is all.
    """
    theirs = _with_answers().where(InboundText.from_number == number)
    if came_within is not None:
        theirs = theirs.where(came_within)
    came = session.execute(theirs.order_by(InboundText.received_at.desc()).limit(limit)).all()
    ours = select(Message).where(Message.to_number == number, Message.message_class != OTP)
    if went_within is not None:
        ours = ours.where(went_within)
    went = session.scalars(ours.order_by(Message.created_at.desc()).limit(limit)).all()
    both: list[tuple[datetime, InboundText | Message, InboundAnswer | None]] = [
        *((text.received_at, text, answer) for text, answer in came),
        *((message.created_at, message, None) for message in went),
    ]
    return sorted(both, key=lambda one: one[0])[-limit:]


def _with_answers() -> Select[tuple[InboundText, InboundAnswer]]:
    """Texts beside what was understood of them; None where nobody has looked yet."""
    return select(InboundText, InboundAnswer).outerjoin(InboundAnswer, InboundAnswer.inbound_id == InboundText.id)
