"""The outbox as a sender uses it: what is taken, in which order, and what each answer makes of a text."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.events import OutboxEvent
from messaging import allowed, entering, outbox, service
from messaging.journal import Notes
from messaging.models import Dispatch, Message, MessagePart
from messaging.outbox import Manners
from messaging.providers import Answer, Receipt
from messaging.states import (
    CREATED,
    DELIVERED,
    DROPPED,
    EXPIRED,
    FAILED,
    HELD,
    SENDING,
    SENT,
    TEMPORARY,
    UNKNOWN,
)
from messaging.work import UNANSWERED_TRIES, Work

PLAIN = Manners(zone="Asia/Riyadh")
LONG = "مكتب " * 40
TEXTS = {
    "otp": ("one_time_code", {"code": "482913"}),
    "service": ("petition_to_office", {"case": "48-000123"}),
}


def write(session: Session, now: datetime, key: str, kind: str = "service", **more: object) -> Message:
    template, fields = TEXTS[kind]
    wishes = {"to": "+966501234567", "language": "ar", "subject": ("petition", "p")} | more
    message = service.queue(session, key=key, template=template, fields=fields, now=now, **wishes)  # type: ignore[arg-type]
    session.flush()
    return message


def of_class(session: Session, message: Message, kind: str, lane: int) -> None:
    waiting = session.get_one(Dispatch, message.id)
    waiting.message_class, waiting.lane, message.message_class = kind, lane, kind
    session.flush()


def take(session: Session, now: datetime, room: int = 10, manners: Manners = PLAIN) -> list[Work]:
    """In life each portion has a session of its own."""
    taken = outbox.take(session, "me", room=room, manners=manners, now=now)
    session.expire_all()
    return taken


def answered(session: Session, taken: Iterable[Work], now: datetime, *answers: Answer) -> None:
    taken = list(taken)
    for work in taken:
        numbers = [part.number for part in work.parts()]
        work.answers = {number: ("way", answers[min(at, len(answers) - 1)]) for at, number in enumerate(numbers)}
    outbox.record(session, "me", taken, now=now)
    session.expire_all()


def test_lanes_go_before_age_and_a_code_goes_beyond_the_room(session: Session, now: datetime) -> None:
    campaign = write(session, now - timedelta(minutes=9), "c")
    of_class(session, campaign, "campaign", 9)
    notice = write(session, now - timedelta(minutes=1), "s")
    code = write(session, now, "o", "otp")
    assert [work.message_id for work in take(session, now, room=0)] == [code.id]
    assert [work.message_id for work in take(session, now, room=1)] == [notice.id]
    assert [work.message_id for work in take(session, now)] == [campaign.id]
    session.expire_all()
    assert {m.state for m in session.scalars(select(Message))} == {SENDING}
    assert take(session, now) == []


def test_what_was_taken_is_gone_from_the_outbox_with_its_words(session: Session, now: datetime) -> None:
    message = write(session, now, "a", "otp", secret="482913")
    assert "482913" not in message.body
    taken = take(session, now)
    assert "482913" in taken[0].body
    answered(session, taken, now, Answer(SENT, "00AB"))
    assert (message.state, message.provider, message.provider_id, message.sent_at) == (SENT, "way", "00AB", now)
    assert session.scalars(select(Dispatch)).all() == []
    part = session.scalars(select(MessagePart)).one()
    assert (part.provider_id, part.provider_key, part.number) == ("00AB", "ab", 1)
    assert [name.rpartition(".")[2] for name in session.scalars(select(OutboxEvent.name))][-1] == "MessageSent"


def test_a_permanent_refusal_is_not_tried_again_and_a_temporary_one_later_and_later(
    session: Session, now: datetime
) -> None:
    bad, slow = write(session, now, "a", to="+966501234567"), write(session, now, "b", to="+966501234568")
    taken = {work.message_id: work for work in take(session, now)}
    answered(session, [taken[bad.id]], now, Answer(FAILED, error="RINVDSTADR"))
    answered(session, [taken[slow.id]], now, Answer(TEMPORARY, error="RSYSERR"))
    assert (bad.state, bad.error, slow.state, slow.error) == (FAILED, "RINVDSTADR", TEMPORARY, "RSYSERR")
    waits = []
    for _ in range(3):
        due = session.scalars(select(Dispatch)).one()
        waits.append(due.run_at - now)
        assert due.avoid == "way" and take(session, now) == []
        now = due.run_at
        answered(session, take(session, now), now, Answer(TEMPORARY, error="RSYSERR"))
    assert waits == sorted(waits) and waits[0] < waits[-1]
    assert (slow.attempts, slow.doubts) == (4, 0)


def test_only_the_parts_that_did_not_go_are_sent_again(session: Session, now: datetime) -> None:
    message = write(session, now, "a")
    waiting = session.get_one(Dispatch, message.id)
    waiting.body, message.parts = LONG, 3
    session.flush()
    taken = take(session, now)
    first = [part.number for part in taken[0].parts()]
    assert first == [1, 2, 3]
    reference = taken[0].parts()[0].reference
    answered(session, taken, now, Answer(SENT, "1"), Answer(TEMPORARY, error="RTHROTTLED"), Answer(SENT, "3"))
    assert message.state == TEMPORARY
    now += timedelta(minutes=1)
    again = take(session, now)
    assert [(part.number, part.total, part.reference) for part in again[0].parts()] == [(2, 3, reference)]
    answered(session, again, now, Answer(SENT, "2"))
    assert message.state == SENT


def test_what_nobody_answers_is_sent_a_few_times_counted_and_then_unknown(session: Session, now: datetime) -> None:
    message = write(session, now, "a")
    for _ in range(UNANSWERED_TRIES):
        answered(session, take(session, now), now, Answer(UNKNOWN, error="no answer in 30 s"))
        now += timedelta(hours=1)
    assert (message.state, message.doubts) == (UNKNOWN, UNANSWERED_TRIES - 1)
    assert session.scalars(select(Dispatch)).all() == [] and take(session, now) == []
    assert len(session.scalars(select(MessagePart)).all()) == UNANSWERED_TRIES


def test_what_never_left_waits_as_before_and_counts_as_no_attempt(session: Session, now: datetime) -> None:
    message = write(session, now, "a")
    answered(session, take(session, now), now, Answer(CREATED, error="no gateway is ready"))
    assert (message.state, message.attempts, message.doubts) == (CREATED, 0, 0)
    assert session.scalars(select(MessagePart)).all() == []
    assert len(take(session, now + timedelta(seconds=2))) == 1


def test_a_text_whose_hour_has_passed_is_not_sent(session: Session, now: datetime) -> None:
    late = write(session, now, "a", expires_at=now + timedelta(minutes=5))
    held = write(session, now, "b", expires_at=now + timedelta(minutes=5), to="+966501111111")
    soon = now + timedelta(minutes=6)
    assert outbox.expire(session, now=now) == 0
    assert [w.message_id for w in take(session, soon)] == []
    session.expire_all()
    assert (late.state, held.state) == (EXPIRED, EXPIRED)
    waiting = write(session, soon, "c", due_at=soon + timedelta(days=1), expires_at=soon + timedelta(minutes=1))
    assert outbox.expire(session, now=soon + timedelta(hours=1)) == 1
    session.expire_all()
    assert waiting.state == EXPIRED


def test_quiet_hours_hold_a_class_and_no_other(session: Session, now: datetime) -> None:
    night = now.replace(hour=20)  # 23:00 in Riyadh
    campaign, notice = write(session, night, "a"), write(session, night, "b")
    of_class(session, campaign, "campaign", 9)
    quiet = Manners(quiet={"campaign": (21, 8)}, zone="Asia/Riyadh")
    assert [work.message_id for work in take(session, night, manners=quiet)] == [notice.id]
    assert session.get_one(Dispatch, campaign.id).run_at == night.replace(hour=5) + timedelta(days=1)
    assert campaign.state == CREATED and campaign.attempts == 0
    later = take(session, night + timedelta(hours=9), manners=quiet)
    assert campaign.id in [work.message_id for work in later]


def test_a_pilot_holds_whoever_is_not_listed_until_a_person_decides(session: Session, now: datetime) -> None:
    pilot = Manners(pilot=True, zone="Asia/Riyadh")
    allowed.allow(session, "+966500000001", note="us", by="admin", now=now)
    ours, theirs, third, fourth = (write(session, now, k, to=f"+96650000000{k}") for k in "1234")
    assert [work.message_id for work in take(session, now, manners=pilot)] == [ours.id]
    session.expire_all()
    assert {m.state for m in (theirs, third, fourth)} == {HELD}
    assert {m.id for m in service.held(session)} == {theirs.id, third.id, fourth.id}
    service.drop(session, fourth.id, now=now)
    service.release(session, theirs.id, now=now)
    session.flush()
    assert [work.message_id for work in take(session, now, manners=pilot)] == [theirs.id]
    allowed.allow(session, "+966500000003", note="also us", by="admin", now=now)
    assert [work.message_id for work in take(session, now, manners=pilot)] == [third.id]
    allowed.disallow(session, "+966500000003", by="admin", now=now)
    assert [row.number for row in allowed.numbers(session)] == ["+966500000001"]
    session.expire_all()
    assert fourth.state == DROPPED


def test_a_sender_that_is_gone_with_its_notes_leaves_a_doubt(session: Session, now: datetime) -> None:
    message = write(session, now, "a")
    take(session, now)
    session.expire_all()
    assert take(session, now + outbox.LEASE / 2) == []
    assert [work.attempt for work in take(session, now + outbox.LEASE)] == [2]
    session.expire_all()
    assert message.doubts == 1


@pytest.mark.parametrize("complete", [True, False])
def test_a_dead_senders_notes_say_what_left(session: Session, now: datetime, complete: bool) -> None:
    answered_, handed, only_taken = (write(session, now, key) for key in "abc")
    take(session, now)
    notes = Notes("me", complete=complete)
    notes.handed = {f"{answered_.id}.1": "way", f"{handed.id}.1": "way"}
    notes.answered = {f"{answered_.id}.1": ("way", Answer(SENT, "17"))}
    back, doubtful = outbox.recover(session, notes, now=now)
    session.expire_all()
    assert (answered_.state, answered_.provider_id, answered_.doubts) == (SENT, "17", 0)
    assert (handed.state, handed.doubts) == (TEMPORARY, 1)
    assert (only_taken.state, only_taken.doubts) == ((CREATED, 0) if complete else (TEMPORARY, 1))
    assert (back, doubtful) == (2, 1 if complete else 2)
    assert {work.message_id for work in take(session, now)} == {handed.id, only_taken.id}
    assert outbox.recover(session, notes, now=now) == (2, 1 if complete else 2), "they are in hand of the same name"


def test_half_a_text_in_a_dead_senders_notes_goes_on_where_it_stopped(session: Session, now: datetime) -> None:
    message = write(session, now, "a")
    waiting = session.get_one(Dispatch, message.id)
    waiting.body, message.parts = LONG, 3
    session.flush()
    take(session, now)
    notes = Notes("me", handed={f"{message.id}.1": "way"}, answered={f"{message.id}.1": ("way", Answer(SENT, "1"))})
    assert outbox.recover(session, notes, now=now) == (1, 0)
    assert [part.number for work in take(session, now) for part in work.parts()] == [2, 3]


def test_without_a_receipt_in_its_window_a_text_is_unknown(session: Session, now: datetime) -> None:
    message = write(session, now, "a")
    answered(session, take(session, now), now, Answer(SENT, "1"))
    assert outbox.lose(session, manners=PLAIN, now=now + timedelta(hours=71)) == 0
    silent = replace(PLAIN, silent=frozenset({"way"}))
    assert outbox.lose(session, manners=silent, now=now + timedelta(hours=73)) == 0, "it never sends receipts"
    assert outbox.lose(session, manners=PLAIN, now=now + timedelta(hours=73)) == 1
    session.expire_all()
    assert message.state == UNKNOWN


def test_names_go_by_class() -> None:
    manners = Manners(senders={"*": "Majlis", "otp": "Majlis-Code"})
    assert [manners.sender(kind) for kind in ("otp", "service")] == ["Majlis-Code", "Majlis"]
    assert PLAIN.sender("otp") == ""


@pytest.mark.parametrize("by_key", [True, False])
def test_a_receipt_may_come_before_the_answer_is_written_down(session: Session, now: datetime, by_key: bool) -> None:
    message = write(session, now, "a")
    taken = take(session, now)
    key = f"{message.id}.1" if by_key else ""
    early = Receipt("" if by_key else "0A7", DELIVERED, "DELIVRD", key=key)
    assert entering.receipts(session, [("way", early), ("way", early)], now=now) == 2
    assert message.state == SENDING
    answered(session, taken, now, Answer(SENT, "" if by_key else "a7"))
    assert message.state == DELIVERED
    told = service.receipts(session, message.id)
    assert sorted(row.repeated for row in told) == [False, True]


def test_a_receipt_takes_a_text_out_of_the_outbox_that_would_be_sent_again(session: Session, now: datetime) -> None:
    message = write(session, now, "a")
    answered(session, take(session, now), now, Answer(UNKNOWN, error="no answer in 30 s"))
    assert message.state == TEMPORARY
    entering.receipts(session, [("way", Receipt("", DELIVERED, "", key=f"{message.id}.1"))], now=now)
    session.expire_all()
    assert message.state == DELIVERED and session.scalars(select(Dispatch)).all() == []


def test_a_receipt_settles_what_a_dead_sender_had_handed_over(session: Session, now: datetime) -> None:
    """It waits a while before it is sent again; the id is unknown, the number is not."""
    message = write(session, now, "a")
    take(session, now)
    outbox.recover(session, Notes("me", handed={f"{message.id}.1": "way"}), now=now, settle=timedelta(seconds=15))
    session.expire_all()
    assert message.doubts == 1 and take(session, now + timedelta(seconds=14)) == []
    one = Receipt("X1", DELIVERED, "DELIVRD", "+966501234567")
    entering.receipts(session, [("other", one)], now=now)
    session.expire_all()
    assert message.state == TEMPORARY
    entering.receipts(session, [("way", one), ("way", one)], now=now)
    session.expire_all()
    assert (message.state, message.doubts) == (DELIVERED, 0)
    assert take(session, now + timedelta(hours=1)) == []


def test_half_a_text_on_the_phone_keeps_the_other_half_in_the_outbox(session: Session, now: datetime) -> None:
    message = write(session, now, "a")
    session.get_one(Dispatch, message.id).body, message.parts = LONG[:100], 2
    session.flush()
    take(session, now)
    outbox.recover(session, Notes("me", handed={f"{message.id}.1": "way", f"{message.id}.2": "way"}), now=now)
    entering.receipts(session, [("way", Receipt("", DELIVERED, "", key=f"{message.id}.1"))], now=now)
    session.expire_all()
    assert message.state == TEMPORARY
    assert [part.number for work in take(session, now) for part in work.parts()] == [2]


def test_a_strange_receipt_settles_nothing_where_two_texts_are_in_question(session: Session, now: datetime) -> None:
    first, second = write(session, now, "a"), write(session, now, "b")
    take(session, now)
    outbox.recover(session, Notes("me", handed={f"{m.id}.1": "way" for m in (first, second)}), now=now)
    entering.receipts(session, [("way", Receipt("X1", DELIVERED, "DELIVRD", "+966501234567"))], now=now)
    session.expire_all()
    assert {first.state, second.state} == {TEMPORARY}


@pytest.mark.parametrize("identity", ["0A7", "167", ""], ids=["by its id", "in another base", "by our key"])
def test_a_receipt_that_was_missed_is_entered_a_little_later(session: Session, now: datetime, identity: str) -> None:
    message = write(session, now, "a")
    taken = take(session, now)
    told = Receipt(identity, DELIVERED, "", "+966501234567", key="" if identity else f"{message.id}.1")
    strange = Receipt("beef", DELIVERED, "", "+966509999999")
    assert entering.receipts(session, [("way", told), ("way", strange)], now=now) == 2
    with pytest.MonkeyPatch.context() as between:  # as if each had been written down without sight of the other
        between.setattr(entering, "match_early", lambda *_a, **_k: None)
        answered(session, taken, now, Answer(SENT, "A7"))
    assert entering.match_late(session, now=now + entering.MISSED_WITHIN) == 0, "that was long ago"
    assert entering.match_late(session, now=now + timedelta(seconds=10)) == 1
    session.expire_all()
    assert message.state == DELIVERED
    assert entering.match_late(session, now=now + timedelta(seconds=20)) == 0, "what nobody knows is left alone"


def test_what_its_parts_say_of_a_text_comes_before_that_no_receipt_came(session: Session, now: datetime) -> None:
    message = write(session, now, "a")
    answered(session, take(session, now), now, Answer(SENT, "1"))
    session.scalars(select(MessagePart)).one().state = DELIVERED
    session.flush()
    assert outbox.lose(session, manners=PLAIN, now=now + timedelta(hours=73)) == 0
    session.expire_all()
    assert message.state == DELIVERED


def test_a_strange_receipt_settles_nothing_while_another_text_to_the_number_is_in_hand(
    session: Session, now: datetime
) -> None:
    """Its first part may have been answered though it is written down only after the last."""
    doubtful = write(session, now, "a")
    answered(session, take(session, now), now, Answer(UNKNOWN, error="no answer"))
    other = write(session, now, "b")
    (in_hand,) = [work for work in take(session, now) if work.message_id == other.id]
    early = Receipt("B1", DELIVERED, "DELIVRD", "+966501234567")
    assert entering.receipts(session, [("way", early)], now=now) == 1
    session.expire_all()
    assert (doubtful.state, other.state) == (TEMPORARY, SENDING)
    answered(session, [in_hand], now, Answer(SENT, "B1"))
    assert (doubtful.state, other.state) == (TEMPORARY, DELIVERED)
    entering.receipts(session, [("way", replace(early, provider_id="A1"))], now=now)
    session.expire_all()
    assert doubtful.state == DELIVERED


def test_a_lease_is_renewed_for_what_its_sender_has_in_hand(session: Session, now: datetime) -> None:
    message = write(session, now, "a")
    take(session, now)
    outbox.renew(session, "another", [message.id], now=now + outbox.LEASE / 2)
    outbox.renew(session, "me", [], now=now + outbox.LEASE / 2)
    session.expire_all()
    assert session.get_one(Dispatch, message.id).run_at == now + outbox.LEASE
    outbox.renew(session, "me", [message.id], now=now + outbox.LEASE / 2)
    session.expire_all()
    assert take(session, now + outbox.LEASE) == []
    assert len(take(session, now + outbox.LEASE * 2)) == 1
