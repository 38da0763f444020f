import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, false, func, not_, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.db import new_id
from core.errors import NotFound, Refused
from core.events import emit
from core.text import latin_digits
from messaging.events import MessageDropped, MessageFailed, MessageQueued, MessageReleased
from messaging.lanes import expiry, lane_of
from messaging.models import Dispatch, Message, MessagePart, MessageReceipt
from messaging.numbers.service import refuses
from messaging.rules import can_be_written_to, segments
from messaging.states import CREATED, HELD, MESSAGE, TEMPORARY
from messaging.templates import CAMPAIGN, OTP
from messaging.wording.service import in_force

HIDDEN = "••••"
_TO_LEAVE = (CREATED, HELD, TEMPORARY)
CASE_NUMBER = re.compile(r"\d{2}-\d{6}")


def queue(
    session: Session,
    *,
    to: str,
    template: str,
    fields: Mapping[str, str],
    language: str,
    subject: tuple[str, str],
    key: str,
    now: datetime,
    visitor_id: str | None = None,
    due_at: datetime | None = None,
    expires_at: datetime | None = None,
    secret: str = "",
) -> Message:
    """Write the text and its place in the outbox, in the present transaction; `key` makes it once and for ever.

    `secret` is a part of the text for its reader alone: the outbox has it until the text has left, the record never.

    `subject` is (kind, id) of what the text is about, so that a case can list its texts. A number that can't be written
    to makes a failed message rather than an error: the change the text tells of has happened all the same. The text
    doesn't leave after `expires_at`; without one its class says how long it serves anybody.
    """
    if earlier := _with_key(session, key):
        return earlier
    form = in_force(session, template)
    body = form.render(language, fields)
    cut = segments(body)
    kind = form.message_class
    message = Message(
        id=new_id(),
        key=key,
        to_number=to,
        language=language,
        template=template,
        message_class=kind,
        body=body.replace(secret, HIDDEN) if secret else body,
        encoding=cut.encoding,
        parts=cut.count,
        state=CREATED,
        subject_kind=subject[0],
        subject_id=subject[1],
        visitor_id=visitor_id,
        created_at=now,
        due_at=due_at or now,
        expires_at=expires_at or expiry(kind, due_at or now),
        attempts=0,
        doubts=0,
    )
    try:
        with session.begin_nested():
            session.add(message)
    except IntegrityError:  # another worker wrote the same text in the meantime
        if earlier := _with_key(session, key):
            return earlier
        raise
    if kind != CAMPAIGN:  # thousands at once: their campaign says how far it is
        emit(session, _event(MessageQueued, message), now=now)
    if not can_be_written_to(to):
        _fail(session, message, "not a complete phone number", now=now)
        return message
    if refuses(session, to, kind):
        _fail(session, message, "the number asked for no more texts (STOP)", now=now)
        return message
    session.add(
        Dispatch(
            message_id=message.id,
            to_number=to,
            body=body,
            message_class=kind,
            lane=lane_of(kind),
            run_at=due_at or now,
            expires_at=message.expires_at,
            attempts=0,
            held=False,
            released=False,
        )
    )
    return message


def drop(session: Session, message_id: str, *, now: datetime) -> Message:
    """Take back a text that has not left. Raises Refused once it has, or while a sender has it in hand."""
    message = _locked(session, message_id)
    message.state = MESSAGE.next(message.state, "drop")
    session.execute(delete(Dispatch).where(Dispatch.message_id == message_id))
    emit(session, _event(MessageDropped, message), now=now)
    return message


def overtake(session: Session, subject: tuple[str, str], of: str, *, now: datetime) -> int:
    """Take back the texts of one occasion (a part of their keys) that have yet to leave; how many there were.

    After an outage they would come behind the news that has overtaken them. What a sender has in hand leaves.
    """
    waiting = select(Message.id, Message.key).where(
        Message.subject_kind == subject[0], Message.subject_id == subject[1], Message.state.in_(_TO_LEAVE)
    )
    taken_back = 0
    for message_id, key in session.execute(waiting).all():
        if of in key.split(":"):
            with suppress(Refused), session.begin_nested():
                drop(session, message_id, now=now)
                taken_back += 1
    return taken_back


def release(session: Session, message_id: str, *, now: datetime) -> Message:
    """Let a text go that a pilot holds, though its number is not on the list. Raises Refused where it isn't held."""
    message = _locked(session, message_id)
    message.state = MESSAGE.next(message.state, "release")
    waiting = session.get_one(Dispatch, message_id)
    waiting.held, waiting.released, waiting.run_at = False, True, now
    emit(session, _event(MessageReleased, message), now=now)
    return message


def held(session: Session, *, limit: int = 100) -> list[Message]:
    """What the pilot keeps back, the oldest first."""
    return list(session.scalars(select(Message).where(Message.state == HELD).order_by(Message.created_at).limit(limit)))


def parts(session: Session, message_id: str) -> list[MessagePart]:
    """Every part of every attempt, in the order in which they left."""
    query = select(MessagePart).where(MessagePart.message_id == message_id)
    return list(session.scalars(query.order_by(MessagePart.at, MessagePart.attempt, MessagePart.number)))


def receipts(session: Session, message_id: str) -> list[MessageReceipt]:
    """Everything gateways told of this text, in the order in which it came, repetitions included."""
    query = select(MessageReceipt).where(MessageReceipt.message_id == message_id)
    return list(session.scalars(query.order_by(MessageReceipt.received_at, MessageReceipt.id)))


def get(session: Session, message_id: str, *, within: ColumnElement[bool] | None = None) -> Message:
    """Raises NotFound, also for one beyond `within`, which is as for `outbox`."""
    wanted = select(Message).where(Message.id == message_id)
    message = session.scalar(wanted if within is None else wanted.where(within))
    if message is None:
        raise NotFound("There is no such message.")
    return message


def about(session: Session, subject_kind: str, subject_id: str) -> list[Message]:
    """The texts of one case, the newest first; one-time codes are nobody's to read again."""
    query = select(Message).where(
        Message.subject_kind == subject_kind, Message.subject_id == subject_id, Message.message_class != OTP
    )
    return list(session.scalars(query.order_by(Message.created_at.desc(), Message.id.desc())))


def outbox(
    session: Session,
    *,
    state: str | None = None,
    template: str | None = None,
    language: str | None = None,
    search: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    within: ColumnElement[bool] | None = None,
    keyless: bool = False,
    limit: int = 50,
    offset: int = 0,
) -> tuple[list[Message], bool]:
    """Texts, the newest first, and whether more follow. `search` finds words, case numbers and phone numbers.

    How many there are in all is not told: to count them, each ever written would be looked at.
    `within` is the condition under which one may be seen; None is all of them. `keyless`: links are covered for who
    looks, so no word is looked for in them; else one could find them out letter by letter.
    """
    wanted: list[ColumnElement[bool]] = [Message.message_class != OTP]
    for column, value in ((Message.state, state), (Message.template, template), (Message.language, language)):
        if value:
            wanted.append(column == value)
    if since:
        wanted.append(Message.created_at >= since)
    if until:
        wanted.append(Message.created_at < until)
    if within is not None:
        wanted.append(within)
    if text := search.strip():
        wanted.append(or_(_outside_links(text) if keyless else _says(text), *_number_like(text)))
    query = select(Message).where(*wanted).order_by(Message.created_at.desc(), Message.id.desc())
    rows = list(session.scalars(query.limit(limit + 1).offset(offset)))
    return rows[:limit], len(rows) > limit


def counts(session: Session, *, since: datetime, within: ColumnElement[bool] | None = None) -> dict[str, int]:
    """How many texts are in each state, of those written since; `within` as for `outbox`."""
    query = select(Message.state, func.count()).where(Message.created_at >= since, Message.message_class != OTP)
    if within is not None:
        query = query.where(within)
    return dict(session.execute(query.group_by(Message.state)).all())


def _says(text: str) -> ColumnElement[bool]:
    return Message.body.icontains(text, autoescape=True)


def _outside_links(text: str) -> ColumnElement[bool]:
    """As `_says`, but not behind the beginning of a link; a case number can't be a part of one.

    Words behind a link are not found either: better a text too few than a key.
    """
    if CASE_NUMBER.fullmatch(text):
        return _says(text)
    if "/" in text:
        return false()
    behind = "".join(f"\\{c}" if c in "\\%_" else c for c in text)
    return and_(_says(text), not_(Message.body.ilike(f"%://%{behind}%", escape="\\")))


def _number_like(text: str) -> list[ColumnElement[bool]]:
    """Matches the end of a number, so that 0501234567 finds +966501234567."""
    digits = "".join(c for c in latin_digits(text) if c.isdigit()).lstrip("0")
    return [Message.to_number.endswith(digits)] if len(digits) >= 4 else []


def _with_key(session: Session, key: str) -> Message | None:
    return session.scalar(select(Message).where(Message.key == key))


def _locked(session: Session, message_id: str) -> Message:
    """Raises NotFound."""
    message = session.scalar(select(Message).where(Message.id == message_id).with_for_update())
    if message is None:
        raise NotFound("There is no such message.")
    return message


def _fail(session: Session, message: Message, error: str, *, now: datetime) -> None:
    message.state, message.failed_at, message.error = MESSAGE.next(message.state, "fail"), now, error[:500]
    emit(session, _event(MessageFailed, message), now=now)


def _event(kind: type, message: Message) -> object:
    return kind(message_id=message.id, subject_kind=message.subject_kind, subject_id=message.subject_id)
