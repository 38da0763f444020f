"""One-time codes: the one way in which somebody shows that a number reaches them, at a counter, a kiosk or at home."""

import secrets
from datetime import datetime, timedelta
from hmac import compare_digest

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core import audit
from core.db import new_id
from core.errors import Refused
from messaging import service as messages
from messaging.models import Dispatch, Message
from messaging.numbers import rules, service
from messaging.numbers.models import NumberCode
from messaging.numbers.states import CODE, OPEN
from messaging.rules import masked

RIGHT, WRONG, OVER = "right", "wrong", "over"


def ask(
    session: Session,
    number: str,
    *,
    owner_id: str,
    device: str,
    place: str,
    language: str,
    key: bytes,
    now: datetime,
) -> NumberCode:
    """Send a fresh code; earlier ones open nothing any more, and don't arrive after it.

    Raises Refused, with the wait, for too many.

    `device` is whatever stands for the one who asks: an account, a kiosk, an address of the network. `key` is the
    installation's for this purpose.
    """
    since = now - timedelta(days=1)
    again = rules.again_at(
        session.scalars(select(NumberCode.made_at).where(NumberCode.number == number, NumberCode.made_at > since)),
        session.scalars(select(NumberCode.made_at).where(NumberCode.device == device, NumberCode.made_at > since)),
        place=place,
        now=now,
    )
    if again is not None:
        minutes = -(-int((again - now).total_seconds()) // 60)
        raise Refused("A code was sent already. Please wait {minutes} min before asking for another.", minutes=minutes)
    overtaken = session.scalars(
        update(NumberCode)
        .where(NumberCode.number == number, NumberCode.owner_id == owner_id, NumberCode.state == OPEN)
        .values(state=CODE.next(OPEN, "overtake"))
        .returning(NumberCode.id)
    ).all()
    for old_id in overtaken:
        _take_back(session, old_id, now=now)
    digits = f"{secrets.randbelow(10**rules.DIGITS):0{rules.DIGITS}d}"
    code_id = new_id()
    row = NumberCode(
        id=code_id,
        number=number,
        owner_id=owner_id,
        device=device,
        place=place,
        code_hash=rules.code_hash(key, code_id, digits),
        made_at=now,
        expires_at=now + rules.VALID,
    )
    session.add(row)
    session.flush()
    messages.queue(
        session,
        to=number,
        template="one_time_code",
        fields={"code": digits},
        language=language,
        subject=("number", code_id),
        key=_key(code_id),
        secret=digits,
        now=now,
    )
    audit.note(session, "send code", "number", masked(number), now=now, detail={"at": place})
    return row


def check(
    session: Session,
    number: str,
    *,
    owner_id: str,
    typed: str,
    key: bytes,
    now: datetime,
    by_staff: str | None = None,
) -> str:
    """RIGHT makes the number verified; WRONG may be tried again; OVER: no code is open (late, spent, never sent).

    A wrong try is counted, not raised: it must be committed.
    """
    row = session.scalar(
        select(NumberCode)
        .where(NumberCode.number == number, NumberCode.owner_id == owner_id, NumberCode.state == OPEN)
        .order_by(NumberCode.made_at.desc())
        .limit(1)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None or now >= row.expires_at:
        return OVER
    given = rules.code_hash(key, row.id, rules.typed_digits(typed))
    if compare_digest(given, row.code_hash):
        row.state = CODE.next(row.state, "use")
        service.verify(session, number, owner_id, place=row.place, by_staff=by_staff, now=now)
        return RIGHT
    row.tries += 1
    if row.tries >= rules.TRIES:
        row.state = CODE.next(row.state, "spend")
    audit.note(session, "refuse", "number", masked(number), now=now, detail={"at": row.place, "tries": row.tries})
    return OVER if row.state != OPEN else WRONG


def waiting(session: Session, number: str, owner_id: str, *, now: datetime) -> NumberCode | None:
    """The code that could be typed now."""
    return session.scalar(
        select(NumberCode).where(
            NumberCode.number == number,
            NumberCode.owner_id == owner_id,
            NumberCode.state == OPEN,
            NumberCode.expires_at > now,
        )
    )


def _key(code_id: str) -> str:
    return f"one_time_code:{code_id}"


def _take_back(session: Session, code_id: str, *, now: datetime) -> None:
    """The text of a code that opens nothing any more, if it has yet to leave: who gets it last would type that one."""
    waiting = session.scalar(
        select(Dispatch)
        .join(Message, Message.id == Dispatch.message_id)
        .where(Message.key == _key(code_id))
        .with_for_update(of=Dispatch)
        .execution_options(populate_existing=True)
    )
    if waiting is not None and waiting.claim is None:
        messages.drop(session, waiting.message_id, now=now)
    elif waiting is not None:
        waiting.expires_at = now  # a sender has it in hand: if it comes back it is not tried again
