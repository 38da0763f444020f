from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import Refused
from messaging import outbox
from messaging.models import Message
from messaging.numbers import codes, rules, service
from messaging.numbers.models import NumberCode
from messaging.providers import Answer

NUMBER, OWNER, KEY = "+966501234567", "visitor", b"k" * 32


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The digits of every code, as the person reads them on the phone."""
    sent: list[str] = []

    def randbelow(most: int) -> int:
        sent.append(f"{(len(sent) * 111_111 + 42) % most:06d}")
        return int(sent[-1])

    monkeypatch.setattr(codes.secrets, "randbelow", randbelow)
    return sent


def ask(session: Session, now: datetime, **more: str) -> NumberCode:
    wishes = {"owner_id": OWNER, "device": "counter 1", "place": rules.COUNTER, "language": "ar"} | more
    return codes.ask(
        session, more.pop("number", NUMBER), key=KEY, now=now, **{k: v for k, v in wishes.items() if k != "number"}
    )


def check(session: Session, now: datetime, typed: str, owner: str = OWNER) -> str:
    return codes.check(session, NUMBER, owner_id=owner, typed=typed, key=KEY, now=now)


def test_what_was_sent_opens_and_makes_the_number_verified(session: Session, now: datetime, told: list[str]) -> None:
    row = ask(session, now)
    assert service.verified(session, NUMBER, OWNER) is None
    assert check(session, now, f" {told[0][:3]} {told[0][3:]} ") == codes.RIGHT
    assert service.owners(session, NUMBER) == [OWNER]
    assert check(session, now, told[0]) == codes.OVER  # once
    assert row.code_hash not in told[0] and told[0] not in row.code_hash


def test_arabic_digits_are_digits(session: Session, now: datetime, told: list[str]) -> None:
    ask(session, now)
    assert check(session, now, told[0].translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))) == codes.RIGHT


def test_the_code_stands_in_no_table(session: Session, now: datetime, told: list[str]) -> None:
    ask(session, now)
    message = session.scalars(select(Message)).one()
    assert told[0] not in message.body and message.message_class == "otp" and "••••" in message.body


def test_five_wrong_tries_and_the_right_one_comes_too_late(session: Session, now: datetime, told: list[str]) -> None:
    ask(session, now)
    answers = [check(session, now, "999999") for _ in range(rules.TRIES)]
    assert answers == [codes.WRONG] * (rules.TRIES - 1) + [codes.OVER]
    assert check(session, now, told[0]) == codes.OVER
    assert service.owners(session, NUMBER) == []


def test_a_code_ends(session: Session, now: datetime, told: list[str]) -> None:
    ask(session, now)
    assert check(session, now + rules.VALID, told[0]) == codes.OVER


def test_a_newer_code_overtakes_the_older(session: Session, now: datetime, told: list[str]) -> None:
    ask(session, now)
    ask(session, now + rules.BETWEEN)
    assert check(session, now + rules.BETWEEN, told[0]) == codes.WRONG
    assert check(session, now + rules.BETWEEN, told[1]) == codes.RIGHT


def test_a_code_that_waits_is_taken_back_when_a_newer_one_is_sent(session: Session, now: datetime) -> None:
    """After an outage the last one on the phone is the one that opens."""
    first = ask(session, now)
    others = ask(session, now + rules.BETWEEN, owner_id="somebody else")
    third = ask(session, later := now + rules.BETWEEN * 2)
    session.expire_all()
    texts = {row.subject_id: row.state for row in session.scalars(select(Message))}
    assert texts == {first.id: "dropped", others.id: "created", third.id: "created"}
    taken = outbox.take(session, "me", room=5, manners=outbox.Manners(), now=later)
    assert len(taken) == 2


def test_a_code_that_a_sender_has_in_hand_is_not_tried_again_once_it_is_overtaken(
    session: Session, now: datetime
) -> None:
    ask(session, now)
    taken = outbox.take(session, "me", room=1, manners=outbox.Manners(), now=now)
    second = ask(session, later := now + rules.BETWEEN)
    taken[0].answers = {1: ("way", Answer("temporary", error="RSYSERR"))}
    outbox.record(session, "me", taken, now=later)
    session.expire_all()
    again = outbox.take(session, "me", room=5, manners=outbox.Manners(), now=later + timedelta(seconds=30))
    assert [session.get_one(Message, work.message_id).subject_id for work in again] == [second.id]
    session.expire_all()
    assert session.get_one(Message, taken[0].message_id).state == "expired"


def test_a_code_is_its_owners(session: Session, now: datetime, told: list[str]) -> None:
    ask(session, now)
    assert check(session, now, told[0], owner="somebody else") == codes.OVER


def test_another_installations_key_opens_nothing(session: Session, now: datetime, told: list[str]) -> None:
    ask(session, now)
    wrong = codes.check(session, NUMBER, owner_id=OWNER, typed=told[0], key=b"x" * 32, now=now)
    assert wrong == codes.WRONG


def test_codes_to_one_number_are_rationed(session: Session, now: datetime, told: list[str]) -> None:
    ask(session, now)
    with pytest.raises(Refused, match="wait 1 min"):
        ask(session, now + timedelta(seconds=10), device="another")
    for minute in (1, 2):
        ask(session, now + timedelta(minutes=minute), device=f"d{minute}")
    with pytest.raises(Refused, match="wait 12 min"):
        ask(session, now + timedelta(minutes=3), device="d3")
    ask(session, now + timedelta(minutes=16))


def test_one_phone_of_a_stranger_asks_for_few_numbers(session: Session, now: datetime, told: list[str]) -> None:
    most = rules.OF_DEVICE[rules.PORTAL][0][0]
    for n in range(most):
        ask(session, now, number=f"+96650000000{n}", device="10.0.0.1", place=rules.PORTAL)
    with pytest.raises(Refused):
        ask(session, now, number="+966500000099", device="10.0.0.1", place=rules.PORTAL)
    ask(session, now, number="+966500000099", device="10.0.0.2", place=rules.PORTAL)


def test_stop_silences_what_was_not_asked_for(session: Session, now: datetime) -> None:
    service.welcome_campaigns(session, NUMBER, True, now=now)
    service.stop(session, NUMBER, now=now)
    silent = {
        cls for cls in ("otp", "reply", "service", "reminder", "campaign") if service.refuses(session, NUMBER, cls)
    }
    assert silent == {"service", "reminder", "campaign"}
    service.start(session, NUMBER, now=now)
    assert not service.refuses(session, NUMBER, "service")
    row = service.known(session, NUMBER)
    assert row is not None and row.campaigns_at is None  # START brings one's own notices back, not campaigns


def test_what_a_stopped_number_would_have_got_is_a_failed_text_that_says_why(session: Session, now: datetime) -> None:
    from messaging import service as outbox

    service.stop(session, NUMBER, now=now)
    given = {"to": NUMBER, "language": "ar", "subject": ("petition", "p"), "now": now}
    notice = outbox.queue(session, template="petition_to_office", fields={"case": "1"}, key="a", **given)
    answer = outbox.queue(session, template="reply_started", fields={}, key="b", **given)
    assert notice.state == "failed" and "STOP" in (notice.error or "")
    assert answer.state == "created"
