"""What gateways tell us of our texts is entered here: receipts, in any order and as often as they come."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Row, bindparam, delete, func, insert, select, update
from sqlalchemy.orm import Session

from core.db import new_id
from core.events import emit
from core.text import clean
from messaging.events import MessageDelivered, MessageFailed, MessageLost, MessagesMoved
from messaging.lanes import CAMPAIGN
from messaging.many import among
from messaging.models import Dispatch, Message, MessagePart, MessageReceipt
from messaging.providers.base import Receipt
from messaging.receipts import RANK, key_of, keys_for, of_all
from messaging.states import CREATED, DELIVERED, EXPIRED, FAILED, MESSAGE, SENDING, SENT, TEMPORARY, UNKNOWN, VERBS

log = structlog.get_logger(__name__)
MISSED_WITHIN = timedelta(minutes=10)  # so long a receipt and its part may be written down beside each other
MOST_MISSED = 512
_EVENTS = {DELIVERED: MessageDelivered, FAILED: MessageFailed, EXPIRED: MessageFailed, UNKNOWN: MessageLost}


Told = tuple[str, Receipt]  # with the gateway's name


@dataclass(slots=True)
class _Part:
    """What is known of a part; changed here, and written down for all at once."""

    id: str
    message_id: str
    number: int
    provider: str
    provider_id: str | None
    provider_key: str | None
    state: str
    error: str | None
    settled_at: datetime | None
    was: str = ""  # the state it was found in, once it is changed


def receipts(session: Session, told: Sequence[Told], *, now: datetime) -> int:
    """Enter receipts of gateways. Answers how many fit no part; those wait for theirs.

    The texts are locked before their parts are read: of the receipts of two parts that come in two transactions at
    once, the second must see what the first one said.
    """
    if not told:
        return 0
    places = _places(session, told)
    meant = [_meant(one, places) for one in told]
    adopted = _adopted(session, [one for one, message_id in zip(told, meant, strict=True) if message_id is None])
    texts = _locked(session, {message_id for message_id in meant if message_id} | set(adopted.values()))
    parts = _parts_of(session, texts)
    by_key = {f"{part.message_id}.{part.number}": part for part in parts}  # the newest attempt at each
    by_id = {(part.provider, part.provider_key): part for part in parts if part.provider_key}
    touched: set[str] = set()
    rows, changed, unknown = [], {}, 0
    for (provider, receipt), message_id in zip(told, meant, strict=True):
        if receipt.key:
            part = by_key.get(receipt.key)
        else:
            keys = keys_for(receipt.provider_id) if message_id else (key_of(receipt.provider_id),)
            found = [by_id[provider, key] for key in keys if (provider, key) in by_id]
            part = next((one for one in found if message_id in (None, one.message_id)), None)
            part = part or _open_part(parts, provider, adopted.get((provider, receipt.provider_id)))
        rows.append(row := _row(provider, receipt, part, now))
        if part is None:
            unknown += 1
            continue
        before = part.state, part.provider_id
        if part.provider_id is None and receipt.provider_id:
            part.provider_id, part.provider_key = receipt.provider_id, key_of(receipt.provider_id)
            by_id[provider, part.provider_key] = part
        row["repeated"] = not _settle(part, receipt.state, receipt.code, now)
        if not row["repeated"]:
            touched.add(part.message_id)
        if before != (part.state, part.provider_id):
            part.was = part.was or before[0]
            changed[part.id] = part
    if unknown:
        log.warning("receipts for no text of ours", count=unknown, gateways=sorted({name for name, _ in told}))
    session.flush()
    session.connection().execute(insert(MessageReceipt), rows)
    if changed:
        session.connection().execute(_CHANGE_PART, [_changed(part) for part in changed.values()])
    session.expire_all()
    _conclude(session, [texts[message_id] for message_id in sorted(touched)], parts, now)
    return unknown


def conclude(session: Session, message_ids: Collection[str], *, now: datetime) -> set[str]:
    """Enter what the parts' states make of these texts, if it is anything new. Answers of which it was."""
    texts = _locked(session, message_ids)
    return _conclude(session, list(texts.values()), _parts_of(session, texts), now)


def match_early(session: Session, parts: Sequence[dict[str, Any]], *, now: datetime) -> None:
    """Receipts that came before the answer was written down, for parts just recorded."""
    wanted = {part["provider"]: set[str]() for part in parts}
    ours = {f"{part['message_id']}.{part['number']}" for part in parts}
    for part in parts:
        wanted[part["provider"]].add(f"{part['message_id']}.{part['number']}")
        if part["provider_id"]:
            wanted[part["provider"]] |= set(keys_for(part["provider_id"]))
    for provider, keys in wanted.items():
        waiting = session.scalars(
            select(MessageReceipt)
            .where(
                MessageReceipt.part_id.is_(None),
                MessageReceipt.provider == provider,
                among(MessageReceipt.provider_key, keys),
            )
            .order_by(MessageReceipt.received_at)
            .with_for_update(skip_locked=True)
        ).all()
        _enter_again(session, waiting, ours, now)


def match_late(session: Session, *, now: datetime) -> int:
    """Receipts that came while their part was being written down: neither transaction saw the other's row.

    Looked for without a lock, for another's texts on our line may have their receipts here, too. Answers how many fit.
    """
    lately = MessageReceipt.part_id.is_(None), MessageReceipt.received_at > now - MISSED_WITHIN
    newest = select(MessageReceipt).where(*lately).order_by(MessageReceipt.received_at.desc()).limit(MOST_MISSED)
    rows = session.scalars(newest).all()
    if not rows:
        return 0
    ids = {row.provider_key.rpartition(".")[0] for row in rows} - {""}
    written = session.execute(
        select(MessagePart.message_id, MessagePart.number).where(among(MessagePart.message_id, ids))
    )
    ours = {f"{message_id}.{number}" for message_id, number in written}
    told = {row.id: (row.provider, _told_before(row, ours)) for row in rows}
    places = _places(session, list(told.values()))
    fit = {row.id for row in rows if row.provider_key in ours or _meant(told[row.id], places)}
    if not fit:
        return 0
    missed = select(MessageReceipt).where(among(MessageReceipt.id, fit), MessageReceipt.part_id.is_(None))
    found = session.scalars(missed.order_by(MessageReceipt.received_at).with_for_update(skip_locked=True)).all()
    _enter_again(session, found, ours, now)
    return len(found)


def _enter_again(session: Session, rows: Sequence[MessageReceipt], ours: set[str], now: datetime) -> None:
    told = [(row.provider, _told_before(row, ours)) for row in rows]
    for row in rows:
        session.delete(row)
    session.flush()
    receipts(session, told, now=now)


def _told_before(row: MessageReceipt, ours: set[str]) -> Receipt:
    by_key = row.provider_key in ours
    identity = "" if by_key and row.provider_id == row.provider_key else row.provider_id
    return Receipt(identity, row.state, row.code, row.from_number, key=row.provider_key if by_key else "")


_KNOWN = (
    MessagePart.id,
    MessagePart.message_id,
    MessagePart.number,
    MessagePart.provider,
    MessagePart.provider_id,
    MessagePart.provider_key,
    MessagePart.state,
    MessagePart.error,
    MessagePart.settled_at,
)
_CHANGE_PART = (
    update(MessagePart)
    .where(MessagePart.id == bindparam("b_id"), MessagePart.state == bindparam("b_was"))
    .values(
        provider_id=bindparam("b_provider_id"),
        provider_key=bindparam("b_provider_key"),
        state=bindparam("b_state"),
        error=bindparam("b_error"),
        settled_at=bindparam("b_settled_at"),
    )
)


def _changed(part: _Part) -> dict[str, Any]:
    return {
        "b_id": part.id,
        "b_was": part.was,
        "b_provider_id": part.provider_id,
        "b_provider_key": part.provider_key,
        "b_state": part.state,
        "b_error": part.error,
        "b_settled_at": part.settled_at,
    }


def _places(session: Session, told: Sequence[Told]) -> dict[tuple[str, str], tuple[str, str]]:
    """Gateways and ids under which these receipts may be known: the text whose part that is, and its number."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for provider, receipt in told:
        if not receipt.key:
            wanted[provider] |= set(keys_for(receipt.provider_id))
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for provider, keys in wanted.items():
        rows = session.execute(
            select(MessagePart.provider_key, Message.id, Message.to_number)
            .join(Message, Message.id == MessagePart.message_id)
            .where(MessagePart.provider == provider, among(MessagePart.provider_key, keys))
            .order_by(MessagePart.at)
        )
        found |= {(provider, str(key)): (message_id, number) for key, message_id, number in rows}
    return found


def _meant(told: Told, places: Mapping[tuple[str, str], tuple[str, str]]) -> str | None:
    """The text of a receipt. An id that only fits in another base is believed if the number fits, too."""
    provider, receipt = told
    if receipt.key:
        return receipt.key.rpartition(".")[0] or None
    for place, key in enumerate(keys_for(receipt.provider_id)):
        message_id, number = places.get((provider, key), ("", ""))
        if message_id and (place == 0 or _same_number(number, receipt.from_number)):
            return message_id
    return None


_Text = Row[Any]


def _locked(session: Session, message_ids: Collection[str]) -> dict[str, _Text]:
    """These texts, in the order in which everybody locks several."""
    if not message_ids:
        return {}
    columns = Message.id, Message.state, Message.parts, Message.message_class, Message.subject_kind, Message.subject_id
    rows = session.execute(
        select(*columns).where(among(Message.id, message_ids)).order_by(Message.id).with_for_update()
    )
    return {row.id: row for row in rows}


def _parts_of(session: Session, message_ids: Collection[str]) -> list[_Part]:
    """The parts of all attempts, the oldest first."""
    if not message_ids:
        return []
    query = select(*_KNOWN).where(among(MessagePart.message_id, message_ids)).order_by(MessagePart.at)
    return [_Part(*row) for row in session.execute(query)]


def _adopted(session: Session, strange: Sequence[Told]) -> dict[tuple[str, str], str]:
    """A receipt whose id nobody knows, for a part that left and whose answer was never seen: they meet by number.

    Only where a single part to that number is in question, whatever the text and the attempt; and where no other text
    to it is in hand, whose id we may hear before its answer is written down.
    """
    known_by = {
        (provider, receipt.from_number): receipt
        for provider, receipt in strange
        if not receipt.key and len(receipt.from_number) > 8
    }
    if not known_by:
        return {}
    numbers = {number for _provider, number in known_by}
    open_parts: dict[tuple[str, str], list[str]] = defaultdict(list)
    for provider, number, message_id in session.execute(
        select(MessagePart.provider, Message.to_number, Message.id)
        .join(Message, Message.id == MessagePart.message_id)
        .where(
            among(Message.to_number, numbers),
            MessagePart.state == UNKNOWN,
            MessagePart.provider_id.is_(None),
            Message.state.in_((*_TO_GO, UNKNOWN)),
        )
    ):
        open_parts[provider, number].append(message_id)
    single = {place: open_parts[place][0] for place in known_by if len(open_parts[place]) == 1}
    if not single:
        return {}
    in_hand = session.execute(
        select(Message.to_number, Message.id).where(among(Message.to_number, numbers), Message.state == SENDING)
    ).all()
    since = _places(session, [(place[0], known_by[place]) for place in single])  # what was in hand until a moment ago
    return {
        (place[0], known_by[place].provider_id): message_id
        for place, message_id in single.items()
        if not any(number == place[1] and other != message_id for number, other in in_hand)
        and _meant((place[0], known_by[place]), since) is None
    }


def _open_part(parts: Sequence[_Part], provider: str, message_id: str | None) -> _Part | None:
    """The part of an adopted text that is still in question."""
    found = [p for p in parts if p.message_id == message_id and p.provider == provider and p.state == UNKNOWN]
    found = [part for part in found if part.provider_id is None]
    return found[0] if len(found) == 1 else None


def _same_number(ours: str, theirs: str) -> bool:
    digits = "".join(c for c in theirs if c.isdigit())
    return len(digits) < 8 or ours.endswith(digits[-8:])


def _row(provider: str, receipt: Receipt, part: _Part | None, now: datetime) -> dict[str, Any]:
    identity = clean(receipt.provider_id)[:200]
    return {
        "id": new_id(),
        "provider": provider,
        "provider_id": identity or receipt.key[:200],
        "provider_key": receipt.key[:200] or key_of(identity),
        "from_number": clean(receipt.from_number)[:40],
        "message_id": part.message_id if part else None,
        "part_id": part.id if part else None,
        "state": receipt.state,
        "code": clean(receipt.code)[:200],
        "repeated": False,
        "received_at": now,
    }


def _settle(part: _Part, state: str, code: str, now: datetime) -> bool:
    """Whether the receipt tells something new of the part."""
    if RANK[state] <= RANK.get(part.state, 0):
        return False
    part.state = state
    part.error = code[:500] if state != DELIVERED and code else part.error
    part.settled_at = now if state != SENT else part.settled_at
    return True


_BETTER = (UNKNOWN, TEMPORARY, SENT, EXPIRED, FAILED, DELIVERED)
"""Of several attempts at one part, what says most of where it is."""


_TO_GO = (CREATED, SENDING, TEMPORARY)
MISSED_FOR_GOOD = (FAILED, EXPIRED)


def _all_there(states: Sequence[str], count: int, parts: Mapping[int, _Part]) -> bool:
    return (len(parts) >= count or 0 in parts) and set(states) <= {SENT, DELIVERED}


def _conclude(session: Session, texts: Sequence[_Text], told_of: Sequence[_Part], now: datetime) -> set[str]:
    """What the parts' states make of these texts."""
    best: dict[str, dict[int, _Part]] = defaultdict(dict)
    for part in told_of:
        known = best[part.message_id].get(part.number)
        if known is None or _BETTER.index(part.state) > _BETTER.index(known.state):
            best[part.message_id][part.number] = part
    becomes: dict[str, list[_Text]] = defaultdict(list)
    for message in texts:
        parts = best[message.id]
        states = [part.state for part in parts.values()]
        if len(states) < message.parts and 0 not in parts:
            states.append(SENT)
        state = of_all(states)
        if message.state in _TO_GO and not (state in MISSED_FOR_GOOD or _all_there(states, message.parts, parts)):
            continue  # what has yet to leave is not settled by the parts that have
        if state != message.state and MESSAGE.allows(message.state, VERBS[state]):
            becomes[state].append(message)
    for state, rows in becomes.items():
        _become(session, state, rows, best, now)
    return {row.id for rows in becomes.values() for row in rows}


def _become(
    session: Session, state: str, messages: Sequence[_Text], best: dict[str, dict[int, _Part]], now: datetime
) -> None:
    ids = [message.id for message in messages]
    change = update(Message).execution_options(synchronize_session=False)
    if state == DELIVERED:
        sent_at = func.coalesce(Message.sent_at, now)
        values = {"state": state, "delivered_at": now, "error": None, "sent_at": sent_at}
        session.execute(change.where(among(Message.id, ids)).values(**values))
    elif state == SENT:
        session.execute(change.where(among(Message.id, ids)).values(state=state))
    else:
        for message in messages:
            error = next((p.error for p in best[message.id].values() if p.state == state and p.error), None)
            session.execute(change.where(Message.id == message.id).values(state=state, failed_at=now, error=error))
    if waiting := [message.id for message in messages if message.state != SENT]:  # it will not be sent again
        session.execute(delete(Dispatch).where(among(Dispatch.message_id, waiting)))
        doubtful = among(Message.id, waiting), Message.doubts > 0
        session.execute(change.where(*doubtful).values(doubts=Message.doubts - 1))
    singly = [message for message in messages if message.message_class != CAMPAIGN]
    for message in singly if state in _EVENTS else ():
        told = {"message_id": message.id, "subject_kind": message.subject_kind, "subject_id": message.subject_id}
        emit(session, _EVENTS[state](**told), now=now)
    if many := len(messages) - len(singly):
        emit(session, MessagesMoved(count=many), now=now)
