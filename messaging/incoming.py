"""Texts to us are entered here, whole, whatever the order in which their parts come."""

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.db import new_id
from core.events import emit
from core.text import clean
from messaging.encoding import read
from messaging.events import InboundReceived
from messaging.models import InboundPart, InboundText, Message
from messaging.providers.base import Inbound

THE_SAME_WITHIN = timedelta(seconds=60)  # a text told twice, by a gateway that gives it no id
PARTS_WITHIN = timedelta(hours=1)
LONGEST_INBOUND = 2000  # characters kept of a text to us


def inbound(session: Session, provider: str, text: Inbound, *, now: datetime) -> InboundText | None:
    """Keep a text to us; None for a part that waits for others, and for what we have already."""
    if text.of is not None and text.of[1] > 1:
        return _part(session, provider, text, now)
    return _whole(session, provider, text, read(text.octets, text.encoding), now=now)


def join_late(session: Session, *, now: datetime) -> int:
    """Texts that are whole though nobody joined them; those whose other parts never came are kept as they are.

    Two parts that come in two transactions at once see nothing of each other: neither is the last.
    """
    of = InboundPart.provider, InboundPart.from_number, InboundPart.reference
    there = func.count(InboundPart.number.distinct())
    whole = select(*of).group_by(*of).having(there >= func.max(InboundPart.total)).limit(100)
    joined = [_join(session, *group, now=now, complete=True) for group in session.execute(whole).all()]
    stale = select(*of).where(InboundPart.received_at < now - PARTS_WITHIN).distinct().limit(100)
    joined += [_join(session, *group, now=now, complete=False) for group in session.execute(stale).all()]
    return len(joined)


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
    if len(set(session.scalars(select(InboundPart.number).where(*mine)))) < total:
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
        .order_by(InboundPart.number, InboundPart.id)
        .with_for_update()
    ).all()
    if not rows:  # another worker has joined them
        return None
    octets = b"".join(bytes.fromhex(one) for one in {row.number: row.octets for row in rows}.values())
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
        if _told_before(session, from_number, kept, now):
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


def _told_before(session: Session, from_number: str, body: str, now: datetime) -> bool:
    """The same words a moment ago, and nothing of ours went there since: who repeats them then is answering.

    What went, not what was written: a gateway that tells a text again does so before our answer has left.
    """
    recent = InboundText.from_number == from_number, InboundText.received_at > now - THE_SAME_WITHIN
    earlier = session.scalar(select(func.max(InboundText.received_at)).where(*recent, InboundText.body == body))
    if earlier is None:
        return False
    went = select(Message.id).where(Message.to_number == from_number, Message.sent_at >= earlier).limit(1)
    return session.scalar(went) is None
