"""The sender's side of the outbox, in portions: take texts in hand, write down what became of them, find what was left.

Everything here runs in a transaction of some hundred texts, so statements are counted, not rows.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import bindparam, delete, exists, func, insert, or_, select, update
from sqlalchemy.orm import Session

from core.db import new_id
from core.events import emit
from messaging import entering
from messaging.events import MessageFailed, MessageHeld, MessageLost, MessageSent, MessagesMoved
from messaging.journal import Notes
from messaging.lanes import CAMPAIGN, ORDER, URGENT, Hours, loud_again
from messaging.many import among
from messaging.models import AllowedNumber, Dispatch, Message, MessagePart
from messaging.providers.base import Answer
from messaging.receipts import key_of
from messaging.states import (
    CREATED,
    DELIVERED,
    EXPIRED,
    FAILED,
    HELD,
    SENDING,
    SENT,
    TEMPORARY,
    UNKNOWN,
)
from messaging.work import DEADLY_TRIES, Outcome, Work, outcome

log = structlog.get_logger(__name__)
LEASE = timedelta(minutes=5)  # for senders of which no journal is found; a living one renews it
URGENT_ROOM = 50
BATCH = 500
_EVENTS: Mapping[str, Any] = {
    SENT: MessageSent,
    FAILED: MessageFailed,
    EXPIRED: MessageFailed,
    UNKNOWN: MessageLost,
    HELD: MessageHeld,
}


@dataclass(frozen=True, slots=True)
class Manners:
    """What the settings say of all texts: names by class ("*": the rest), quiet hours, whether this is a pilot."""

    senders: Mapping[str, str] = field(default_factory=dict)
    quiet: Hours = field(default_factory=dict)
    zone: str = "UTC"
    pilot: bool = False
    receipts_within: timedelta = timedelta(hours=72)
    settle: timedelta = timedelta(seconds=15)  # for a receipt, before what a dead sender had in hand is sent again
    silent: frozenset[str] = frozenset()  # gateways that never send a receipt: none is missed from them

    def sender(self, message_class: str) -> str:
        return self.senders.get(message_class, self.senders.get("*", ""))


def due(session: Session, *, now: datetime) -> int | None:
    """The first lane in which something waits to be taken in hand: one question, for it is asked ten times a second."""
    waits = (Dispatch.held.is_(False), Dispatch.run_at <= now)
    found = session.execute(select(*(exists().where(Dispatch.lane == lane, *waits) for lane in ORDER))).one()
    return next((lane for lane, there in zip(ORDER, found, strict=True) if there), None)


def soonest(session: Session, *, now: datetime) -> datetime | None:
    """When something that waits falls due next; by each lane's index, for a whole campaign may wait for the morning."""
    waits = (Dispatch.held.is_(False), Dispatch.run_at > now)
    first = (select(func.min(Dispatch.run_at)).where(Dispatch.lane == lane, *waits).scalar_subquery() for lane in ORDER)
    return min((moment for moment in session.execute(select(*first)).one() if moment), default=None)


def take(session: Session, claim: str, *, room: int, manners: Manners, now: datetime) -> list[Work]:
    """Up to `room` texts in the order of their lanes; of the urgent lanes more. The caller commits, then sends."""
    found: list[Dispatch] = []
    for lane in ORDER:
        limit = max(room - len(found), URGENT_ROOM if lane <= URGENT else 0)
        if limit > 0:
            found += session.scalars(
                select(Dispatch)
                .where(Dispatch.held.is_(False), Dispatch.lane == lane, Dispatch.run_at <= now)
                .order_by(Dispatch.run_at)
                .limit(limit)
                .with_for_update(skip_locked=True)
            ).all()
    wanted = _sorted_out(session, found, manners, now)
    ids = [row.message_id for row in wanted]
    if not ids:
        return []
    again = {row.message_id for row in wanted if row.claim is not None}
    session.execute(
        update(Dispatch)
        .where(among(Dispatch.message_id, ids))
        .values(claim=claim, run_at=now + LEASE, attempts=Dispatch.attempts + 1)
        .execution_options(synchronize_session=False)
    )
    _update(session, ids, state=SENDING, attempts=Message.attempts + 1)
    if again:  # whoever had them in hand is gone with its notes: they may have left
        _update(session, again, doubts=Message.doubts + 1)
        log.warning("texts of a lost sender are sent again", texts=len(again))
    done = _done(session, [row.message_id for row in wanted if row.attempts])
    return [
        Work(
            message_id=row.message_id,
            to_number=row.to_number,
            body=row.body,
            message_class=row.message_class,
            lane=row.lane,
            attempt=row.attempts + 1,
            avoid=row.avoid,
            expires_at=row.expires_at,
            sender=manners.sender(row.message_class),
            done=frozenset(done[row.message_id]),
        )
        for row in wanted
    ]


def record(session: Session, claim: str, finished: Sequence[Work], *, now: datetime) -> None:
    """What became of texts in hand. A text that another sender has taken meanwhile is that one's; its parts count."""
    if not finished:
        return
    ids = [work.message_id for work in finished]
    # a receipt may settle one at this moment: it waits for us, or we for it
    session.execute(select(Message.id).where(among(Message.id, ids)).order_by(Message.id).with_for_update())
    mine = set(
        session.scalars(select(Dispatch.message_id).where(among(Dispatch.message_id, ids), Dispatch.claim == claim))
    )
    parts: list[dict[str, Any]] = []
    ended: dict[str, list[dict[str, Any]]] = defaultdict(list)
    waiting: list[dict[str, Any]] = []
    back: list[dict[str, Any]] = []
    for work in finished:
        answers = {number: answer for number, (_gateway, answer) in work.answers.items()}
        parts += _part_rows(work.message_id, work.attempt, work.answers, now)
        if work.message_id not in mine:
            continue
        after = outcome(answers, attempt=work.attempt, message_class=work.message_class)
        gateway, identity = _way(work)
        if after.after is None:
            row = {"b_id": work.message_id, "state": after.state, "error": after.error[:500] or None}
            row |= {"provider": gateway, "provider_id": identity, "sender": work.sender or None}
            row |= {"sent_at": now if after.state == SENT else None}
            row |= {"failed_at": now if after.state != SENT else None}
            ended[after.state].append(row)
        else:
            back.append(
                {
                    "b_id": work.message_id,
                    "b_state": after.state,
                    "b_error": after.error[:500] or None,
                    "b_doubt": 1 if after.in_doubt else 0,
                    "b_uncounted": 0 if after.counts else 1,
                }
            )
            waiting.append(_again(work, after, gateway, now))
    if parts:
        session.connection().execute(insert(MessagePart), parts)
    for rows in ended.values():
        _each(session, update(Message).where(Message.id == bindparam("b_id")), rows)
    if back:
        _each(
            session,
            update(Message)
            .where(Message.id == bindparam("b_id"))
            .values(
                state=bindparam("b_state"),
                error=bindparam("b_error"),
                doubts=Message.doubts + bindparam("b_doubt"),
                attempts=Message.attempts - bindparam("b_uncounted"),
            ),
            back,
        )
        _each(
            session,
            update(Dispatch)
            .where(Dispatch.message_id == bindparam("b_id"))
            .values(
                claim=None,
                run_at=bindparam("b_run_at"),
                avoid=bindparam("b_avoid"),
                attempts=Dispatch.attempts - bindparam("b_uncounted"),
            ),
            waiting,
        )
    over = [row["b_id"] for rows in ended.values() for row in rows]
    _forget(session, over)
    for state, rows in ended.items():
        _tell(session, [row["b_id"] for row in rows], state, now)
    entering.match_early(session, parts, now=now)


def recover(session: Session, notes: Notes, *, now: datetime, settle: timedelta = timedelta()) -> tuple[int, int]:
    """What a dead sender had in hand: its answers are entered, the rest is due at once.

    What may have left waits for `settle`, in which a receipt can still say that it has; a code waits for nothing.
    Answers how many texts came back, and how many of them may have left before.
    """
    held = session.scalars(select(Dispatch).where(Dispatch.claim == notes.claim).with_for_update()).all()
    by_message: dict[str, dict[int, tuple[str, Answer]]] = defaultdict(dict)
    for key, gateway in notes.handed.items():
        message_id, _, number = key.rpartition(".")
        by_message[message_id][int(number)] = notes.answered.get(
            key, (gateway, Answer(UNKNOWN, error="the sender was killed before an answer"))
        )
    whole, doubtful = [], 0
    for row in held:
        answers = by_message.get(row.message_id, {})
        if answers and len(answers) >= _parts_left(session, row):
            work = _work_of(row, answers)
            if all(answer.state != UNKNOWN for _gateway, answer in answers.values()):
                whole.append(work)
                continue
        if rows := _part_rows(row.message_id, row.attempts, answers, now):
            session.execute(insert(MessagePart), rows)
        left = not notes.complete or any(answer.state == UNKNOWN for _gateway, answer in answers.values())
        doubtful += left
        row.claim, row.run_at = None, now + (settle if left and row.lane > URGENT else timedelta())
        row.attempts -= 0 if answers else 1
        message = session.get_one(Message, row.message_id)
        message.state, message.doubts = TEMPORARY if left else CREATED, message.doubts + (1 if left else 0)
    session.flush()
    record(session, notes.claim, whole, now=now)
    if held:
        log.warning("a sender died", had=len(held), answered=len(whole), in_doubt=doubtful)
    return len(held) - len(whole), doubtful


def expire(session: Session, *, now: datetime) -> int:
    """Texts whose hour passed while they waited; what a sender has in hand is that one's to say."""
    ids = session.scalars(
        select(Dispatch.message_id)
        .where(Dispatch.expires_at <= now, Dispatch.claim.is_(None))
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    ).all()
    _expire(session, ids, now)
    return len(ids)


def lose(session: Session, *, manners: Manners, now: datetime) -> int:
    """Texts that a gateway took and of which nothing was heard in the receipts' window."""
    before = now - manners.receipts_within
    ids = session.scalars(
        select(Message.id)
        .where(
            Message.state == SENT,
            Message.sent_at < before,
            or_(Message.provider.is_(None), Message.provider.not_in(sorted(manners.silent))),
        )
        .order_by(Message.sent_at)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    ).all()
    lost = sorted(set(ids) - entering.conclude(session, ids, now=now))  # what its parts say comes first
    _update(session, lost, state=UNKNOWN, error="no receipt came")
    _tell(session, lost, UNKNOWN, now)
    return len(lost)


def renew(session: Session, claim: str, message_ids: Collection[str], *, now: datetime) -> None:
    """A living sender keeps what it has in hand, however long its gateways take."""
    if message_ids:
        kept = among(Dispatch.message_id, message_ids), Dispatch.claim == claim
        change = update(Dispatch).where(*kept).values(run_at=now + LEASE)
        session.execute(change.execution_options(synchronize_session=False))


def _sorted_out(session: Session, rows: Sequence[Dispatch], manners: Manners, now: datetime) -> list[Dispatch]:
    """Those that are to leave now; the others expire, wait out their quiet hours, are held, or are given up."""
    late = [row for row in rows if row.expires_at is not None and row.expires_at <= now]
    _expire(session, [row.message_id for row in late], now)
    given_up = [row.message_id for row in rows if row not in late and row.attempts >= DEADLY_TRIES]
    _update(session, given_up, state=UNKNOWN, failed_at=now, error="taken in hand too often")
    _forget(session, given_up)
    _tell(session, given_up, UNKNOWN, now)
    gone = {row.message_id for row in late} | set(given_up)
    left = [row for row in rows if row.message_id not in gone]
    if manners.quiet:
        ends = {
            kind: loud_again(kind, manners.quiet, zone=manners.zone, now=now)
            for kind in {r.message_class for r in left}
        }
        for row in left:
            if (end := ends[row.message_class]) is not None:
                row.run_at, row.claim = end, None
        left = [row for row in left if ends[row.message_class] is None]
    if manners.pilot:
        numbers = {row.to_number for row in left if not row.released}
        allowed = set(session.scalars(select(AllowedNumber.number).where(among(AllowedNumber.number, numbers))))
        held = [row for row in left if not row.released and row.to_number not in allowed]
        for row in held:
            row.held, row.claim = True, None
        ids = [row.message_id for row in held]
        _update(session, ids, state=HELD)
        _tell(session, ids, HELD, now)
        left = [row for row in left if not row.held]
    session.flush()
    return left


def _done(session: Session, ids: Sequence[str]) -> Mapping[str, set[int]]:
    done: dict[str, set[int]] = defaultdict(set)
    if ids:
        query = select(MessagePart.message_id, MessagePart.number)
        for message_id, number in session.execute(
            query.where(among(MessagePart.message_id, ids), MessagePart.state.in_((SENT, DELIVERED)))
        ):
            done[message_id].add(number)
    return done


def _parts_left(session: Session, row: Dispatch) -> int:
    return len(_work_of(row, {}, _done(session, [row.message_id])[row.message_id]).parts())


def _work_of(row: Dispatch, answers: dict[int, tuple[str, Answer]], done: Collection[int] = ()) -> Work:
    return Work(
        message_id=row.message_id,
        to_number=row.to_number,
        body=row.body,
        message_class=row.message_class,
        lane=row.lane,
        attempt=row.attempts,
        avoid=row.avoid,
        expires_at=row.expires_at,
        sender="",
        done=frozenset(done),
        answers=answers,
    )


def _part_rows(
    message_id: str, attempt: int, answers: Mapping[int, tuple[str, Answer]], now: datetime
) -> list[dict[str, Any]]:
    return [
        {
            "id": new_id(),
            "message_id": message_id,
            "number": number,
            "attempt": attempt,
            "provider": gateway,
            "provider_id": answer.provider_id or None,
            "provider_key": key_of(answer.provider_id) if answer.provider_id else None,
            "state": answer.state,
            "error": answer.error[:500] or None,
            "at": now,
            "settled_at": now if answer.state == FAILED else None,
        }
        for number, (gateway, answer) in answers.items()
        if answer.state != CREATED
    ]


def _way(work: Work) -> tuple[str | None, str | None]:
    """By which gateway, and under which id, the first part went."""
    gateway, answer = work.answers[min(work.answers)]
    return gateway or None, answer.provider_id or None


def _again(work: Work, after: Outcome, gateway: str | None, now: datetime) -> dict[str, Any]:
    return {
        "b_id": work.message_id,
        "b_run_at": now + (after.after or timedelta()),
        "b_avoid": gateway if after.state == TEMPORARY and after.counts else work.avoid,
        "b_uncounted": 0 if after.counts else 1,
    }


def _expire(session: Session, ids: Sequence[str], now: datetime) -> None:
    _update(session, ids, state=EXPIRED, failed_at=now)
    _forget(session, ids)
    _tell(session, ids, EXPIRED, now)


def _forget(session: Session, ids: Collection[str]) -> None:
    """Words and numbers of what is over; what was left of it stands in `Message`, without secrets."""
    if ids:
        session.execute(
            delete(Dispatch).where(among(Dispatch.message_id, ids)).execution_options(synchronize_session=False)
        )


def _update(session: Session, ids: Collection[str], **values: Any) -> None:
    if ids:
        session.execute(
            update(Message).where(among(Message.id, ids)).values(**values).execution_options(synchronize_session=False)
        )


def _each(session: Session, statement: Any, rows: list[dict[str, Any]]) -> None:
    if rows:
        session.connection().execute(statement, rows)


def _tell(session: Session, ids: Collection[str], state: str, now: datetime) -> None:
    """One event a text; of campaigns one for all, for nobody reacts to thousands one by one."""
    if not ids:
        return
    rows = session.execute(
        select(Message.id, Message.subject_kind, Message.subject_id, Message.message_class).where(
            among(Message.id, ids)
        )
    ).all()
    many = 0
    for row in rows:
        if row.message_class == CAMPAIGN:
            many += 1
        else:
            kind = _EVENTS[state]
            emit(session, kind(message_id=row.id, subject_kind=row.subject_kind, subject_id=row.subject_id), now=now)
    if many:
        emit(session, MessagesMoved(count=many), now=now)
