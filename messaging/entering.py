"""What gateways tell us is entered here: receipts, in any order and as often as they come, and texts to us."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.orm import Session

from core.db import new_id
from core.events import emit
from core.text import clean
from messaging.encoding import read
from messaging.events import InboundReceived, MessageDelivered, MessageFailed, MessageLost, MessagesMoved
from messaging.lanes import CAMPAIGN
from messaging.many import among
from messaging.models import Dispatch, InboundPart, InboundText, Message, MessagePart, MessageReceipt
from messaging.providers.base import Inbound, Receipt
from messaging.receipts import RANK, key_of, keys_for, of_all
from messaging.states import CREATED, DELIVERED, EXPIRED, FAILED, MESSAGE, SENDING, SENT, TEMPORARY, UNKNOWN, VERBS

log = structlog.get_logger(__name__)
THE_SAME_WITHIN = timedelta(seconds=60)  # a text told twice, by a gateway that gives it no id
PARTS_WITHIN = timedelta(hours=1)
LONGEST_INBOUND = 2000  # characters kept of a text to us
_EVENTS = {DELIVERED: MessageDelivered, FAILED: MessageFailed, EXPIRED: MessageFailed, UNKNOWN: MessageLost}


@dataclass(slots=True)
class _Part:
    """What is known of a part; changed here, and written down for all at once."""

    id: str
    message_id: str
    number: int
    provider_id: str | None
    state: str
    error: str | None
    settled_at: datetime | None
    changed: bool = False


def receipts(session: Session, told: Sequence[tuple[str, Receipt]], *, now: datetime) -> int:
    """Enter receipts of gateways (given with their names). Answers how many fit no part; those wait for theirs."""
    if not told:
        return 0
    by_key = _parts_by_key(session, told)
    by_id = _parts_by_id(session, told)
    adopted = _adopted(session, told, by_id)
    touched: set[str] = set()
    rows, changed, unknown = [], {}, 0
    for provider, receipt in told:
        part = by_key.get(receipt.key) if receipt.key else _find(session, provider, receipt, by_id)
        part = part or adopted.get((provider, receipt.provider_id))
        rows.append(row := _row(provider, receipt, part, now))
        if part is None:
            unknown += 1
            continue
        if part.provider_id is None and receipt.provider_id:
            part.provider_id, part.changed = receipt.provider_id, True
        row["repeated"] = not _settle(part, receipt.state, receipt.code, now)
        if not row["repeated"]:
            touched.add(part.message_id)
        if part.changed:
            changed[part.id] = part
    if unknown:
        log.warning("receipts for no text of ours", count=unknown, gateways=sorted({name for name, _ in told}))
    session.flush()
    session.connection().execute(insert(MessageReceipt), rows)
    if changed:
        session.connection().execute(_CHANGE_PART, [_changed(part) for part in changed.values()])
    session.expire_all()
    _conclude(session, touched, now)
    return unknown


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
        ).all()
        for row in waiting:
            session.delete(row)
        session.flush()
        receipts(session, [(provider, _told_before(row, ours)) for row in waiting], now=now)


def _told_before(row: MessageReceipt, ours: set[str]) -> Receipt:
    by_key = row.provider_key in ours
    identity = "" if by_key and row.provider_id == row.provider_key else row.provider_id
    return Receipt(identity, row.state, row.code, row.from_number, key=row.provider_key if by_key else "")


def inbound(session: Session, provider: str, text: Inbound, *, now: datetime) -> InboundText | None:
    """Keep a text to us; None for a part that waits for others, and for what we have already."""
    if text.of is not None and text.of[1] > 1:
        return _part(session, provider, text, now)
    return _whole(session, provider, text, read(text.octets, text.encoding), now=now)


def join_late(session: Session, *, now: datetime) -> int:
    """Texts whose other parts never came are kept as they are."""
    stale = select(InboundPart).where(InboundPart.received_at < now - PARTS_WITHIN).limit(100)
    groups: dict[tuple[str, str, int], InboundPart] = {}
    for row in session.scalars(stale):
        groups.setdefault((row.provider, row.from_number, row.reference), row)
    for row in groups.values():
        _join(session, row.provider, row.from_number, row.reference, now=now, complete=False)
    return len(groups)


_KNOWN = (
    MessagePart.id,
    MessagePart.message_id,
    MessagePart.number,
    MessagePart.provider_id,
    MessagePart.state,
    MessagePart.error,
    MessagePart.settled_at,
)
_CHANGE_PART = (
    update(MessagePart)
    .where(MessagePart.id == bindparam("b_id"))
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
        "b_provider_id": part.provider_id,
        "b_provider_key": key_of(part.provider_id) if part.provider_id else None,
        "b_state": part.state,
        "b_error": part.error,
        "b_settled_at": part.settled_at,
    }


def _parts_by_key(session: Session, told: Sequence[tuple[str, Receipt]]) -> dict[str, _Part]:
    """Our own keys: the newest attempt at that part."""
    ids = {receipt.key.rpartition(".")[0] for _provider, receipt in told if receipt.key}
    if not ids:
        return {}
    rows = session.execute(select(*_KNOWN).where(among(MessagePart.message_id, ids)).order_by(MessagePart.at))
    parts = [_Part(*row) for row in rows]
    return {f"{part.message_id}.{part.number}": part for part in parts}


def _parts_by_id(session: Session, told: Sequence[tuple[str, Receipt]]) -> dict[tuple[str, str], _Part]:
    wanted: dict[str, set[str]] = defaultdict(set)
    for provider, receipt in told:
        if not receipt.key:
            wanted[provider] |= set(keys_for(receipt.provider_id))
    found = {}
    for provider, keys in wanted.items():
        rows = session.execute(
            select(MessagePart.provider_key, *_KNOWN)
            .where(MessagePart.provider == provider, among(MessagePart.provider_key, keys))
            .order_by(MessagePart.at)
        )
        found |= {(provider, str(row[0])): _Part(*row[1:]) for row in rows}
    return found


def _find(session: Session, provider: str, receipt: Receipt, parts: dict[tuple[str, str], _Part]) -> _Part | None:
    """An id that only fits in another base is believed if the number fits, too."""
    for place, key in enumerate(keys_for(receipt.provider_id)):
        part = parts.get((provider, key))
        if part is None:
            continue
        if place == 0 or _same_number(session.get_one(Message, part.message_id).to_number, receipt.from_number):
            return part
    return None


def _adopted(
    session: Session, told: Sequence[tuple[str, Receipt]], by_id: dict[tuple[str, str], _Part]
) -> dict[tuple[str, str], _Part]:
    """A receipt whose id nobody knows, for a part that left and whose answer was never seen: they meet by number.

    Only where a single part to that number is in question, whatever the text and the attempt.
    """
    strange: dict[tuple[str, str], str] = {}
    for provider, receipt in told:
        if not receipt.key and len(receipt.from_number) > 8 and _find(session, provider, receipt, by_id) is None:
            strange[provider, receipt.from_number] = receipt.provider_id
    if not strange:
        return {}
    rows = session.execute(
        select(Message.to_number, MessagePart.provider, *_KNOWN)
        .join(Message, Message.id == MessagePart.message_id)
        .where(
            among(Message.to_number, {number for _provider, number in strange}),
            MessagePart.state == UNKNOWN,
            MessagePart.provider_id.is_(None),
            Message.state.in_((CREATED, SENDING, TEMPORARY, UNKNOWN)),
        )
    ).all()
    open_parts: dict[tuple[str, str], list[_Part]] = defaultdict(list)
    for row in rows:
        open_parts[row[1], row[0]].append(_Part(*row[2:]))
    return {
        (place[0], identity): open_parts[place][0] for place, identity in strange.items() if len(open_parts[place]) == 1
    }


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
    part.state, part.changed = state, True
    part.error = code[:500] if state != DELIVERED and code else part.error
    part.settled_at = now if state != SENT else part.settled_at
    return True


_BETTER = (UNKNOWN, TEMPORARY, SENT, EXPIRED, FAILED, DELIVERED)
"""Of several attempts at one part, what says most of where it is."""


_TO_GO = (CREATED, SENDING, TEMPORARY)
MISSED_FOR_GOOD = (FAILED, EXPIRED)


def _all_there(states: Sequence[str], count: int, parts: Mapping[int, _Part]) -> bool:
    return (len(parts) >= count or 0 in parts) and set(states) <= {SENT, DELIVERED}


def _conclude(session: Session, message_ids: set[str], now: datetime) -> None:
    """What the parts' states make of these texts."""
    if not message_ids:
        return
    best: dict[str, dict[int, _Part]] = defaultdict(dict)
    for row in session.execute(select(*_KNOWN).where(among(MessagePart.message_id, message_ids))):
        part = _Part(*row)
        known = best[part.message_id].get(part.number)
        if known is None or _BETTER.index(part.state) > _BETTER.index(known.state):
            best[part.message_id][part.number] = part
    query = select(
        Message.id, Message.state, Message.parts, Message.message_class, Message.subject_kind, Message.subject_id
    )
    messages = session.execute(query.where(among(Message.id, message_ids)).order_by(Message.id).with_for_update()).all()
    becomes: dict[str, list[Any]] = defaultdict(list)
    for message in messages:
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


def _become(
    session: Session, state: str, messages: Sequence[Any], best: dict[str, dict[int, _Part]], now: datetime
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


def _part(session: Session, provider: str, text: Inbound, now: datetime) -> InboundText | None:
    assert text.of is not None
    reference, total, number = text.of
    mine = (
        InboundPart.provider == provider,
        InboundPart.from_number == text.from_number,
        InboundPart.reference == reference,
    )
    for known in session.scalars(select(InboundPart).where(*mine)).all():
        if known.total != total:  # the reference is used again, for another text
            _join(session, provider, text.from_number, reference, now=now, complete=False)
            break
        if known.number == number:
            return None
    session.add(
        InboundPart(
            id=new_id(),
            provider=provider,
            from_number=text.from_number,
            to_number=text.to_number,
            reference=reference,
            total=total,
            number=number,
            encoding=text.encoding,
            octets=text.octets.hex(),
            received_at=now,
        )
    )
    session.flush()
    if len(session.scalars(select(InboundPart.id).where(*mine)).all()) < total:
        return None
    return _join(session, provider, text.from_number, reference, now=now, complete=True)


def _join(
    session: Session, provider: str, from_number: str, reference: int, *, now: datetime, complete: bool
) -> InboundText | None:
    rows = session.scalars(
        select(InboundPart)
        .where(
            InboundPart.provider == provider,
            InboundPart.from_number == from_number,
            InboundPart.reference == reference,
        )
        .order_by(InboundPart.number)
    ).all()
    octets = b"".join(bytes.fromhex(row.octets) for row in rows)
    first = rows[0]
    for row in rows:
        session.delete(row)
    session.flush()
    whole = Inbound(from_number, first.to_number, octets, first.encoding)
    return _whole(session, provider, whole, read(octets, first.encoding), now=now, complete=complete)


def _whole(
    session: Session, provider: str, text: Inbound, body: str, *, now: datetime, complete: bool = True
) -> InboundText | None:
    """A text of ten thousand letters, of control characters or of marks that turn it round is kept without them."""
    kept = clean(body, lines=True)[:LONGEST_INBOUND]
    from_number, to_number = clean(text.from_number)[:40], clean(text.to_number)[:40]
    if text.id:
        key = f"{provider}:{text.id}"[:200]
        if session.scalar(select(InboundText.id).where(InboundText.key == key)) is not None:
            return None
    else:
        recent = InboundText.from_number == from_number, InboundText.received_at > now - THE_SAME_WITHIN
        if session.scalar(select(InboundText.id).where(*recent, InboundText.body == kept)) is not None:
            return None
        digest = hashlib.sha256(f"{from_number}\0{to_number}\0{kept}\0{now.isoformat()}".encode()).hexdigest()
        key = f"{provider}:{digest[:40]}"
    row = InboundText(
        id=new_id(), key=key, provider=provider, from_number=from_number, to_number=to_number, body=kept,
        complete=complete and "\ufffd" not in kept, received_at=now,
    )  # fmt: skip
    session.add(row)
    session.flush()
    emit(session, InboundReceived(inbound_id=row.id), now=now)
    return row
