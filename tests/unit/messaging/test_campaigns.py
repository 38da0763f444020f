from datetime import datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import Mistake, Refused
from messaging.campaigns import rules, service
from messaging.campaigns.models import Campaign
from messaging.campaigns.rules import Wish
from messaging.campaigns.states import APPROVED, CANCELLED, DONE, DRAFT, PAUSED, PROPOSED
from messaging.models import Message
from messaging.numbers import service as numbers

WORDS = {"ar": "نغلق يوم الخميس.", "en": "We are closed on Thursday."}


def wish(n: int, now: datetime, **more: object) -> Wish:
    values = {
        "number": f"+9665000{n:05d}",
        "language": "ar",
        "owner_id": f"v{n}",
        "verified": True,
        "stopped_at": None,
        "campaigns_at": now,
    } | more
    return Wish(**values)  # type: ignore[arg-type]


def draft(session: Session, now: datetime) -> Campaign:
    return service.write(session, name="إغلاق", words=WORDS, group_kind="list", group_detail={}, by="writer", now=now)


def approved(session: Session, now: datetime, wishes: list[Wish]) -> Campaign:
    row = draft(session, now)
    service.propose(session, row.id, wishes, now=now)
    return service.approve(session, row.id, by="second", now=now)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({}, ""),
        ({"number": "0501234567"}, rules.NO_NUMBER),
        ({"stopped_at": datetime(2026, 1, 1)}, rules.STOPPED),
        ({"verified": False}, rules.UNVERIFIED),
        ({"campaigns_at": None}, rules.NO_WISH),
        ({"of_pilot": True, "verified": False, "campaigns_at": None}, ""),
        ({"of_pilot": True, "stopped_at": datetime(2026, 1, 1)}, rules.STOPPED),
    ],
)
def test_who_may_be_written_to(now: datetime, more: dict[str, object], why: str) -> None:
    assert rules.why_not(wish(1, now, **more)) == why


def test_it_takes_two_and_what_was_approved_is_what_leaves(session: Session, now: datetime) -> None:
    row = draft(session, now)
    people = [wish(1, now), wish(2, now, language="en"), wish(2, now), wish(3, now, verified=False)]
    service.propose(session, row.id, people, now=now)
    assert (row.state, row.total, row.skipped, row.parts) == (PROPOSED, 2, 1, 2)
    with pytest.raises(Refused, match="colleague"):
        service.approve(session, row.id, by="writer", now=now)
    service.approve(session, row.id, by="second", now=now)
    assert service.advance(session, row.id, now=now) == 0  # approved is not started
    service.start(session, row.id, now=now)
    assert service.advance(session, row.id, now=now) == 2
    texts = session.scalars(select(Message).order_by(Message.to_number)).all()
    assert [(text.language, text.body, text.message_class) for text in texts] == [
        ("ar", WORDS["ar"], "campaign"),
        ("en", WORDS["en"], "campaign"),
    ]
    assert service.advance(session, row.id, now=now) == 0 and row.state == DONE


def test_braces_in_a_campaign_are_braces(session: Session, now: datetime) -> None:
    row = service.write(
        session, name="x", words=WORDS | {"en": "Gates {A} and {text}"}, group_kind="list", group_detail={},
        by="writer", now=now,
    )  # fmt: skip
    service.propose(session, row.id, [wish(1, now, language="en")], now=now)
    service.approve(session, row.id, by="second", now=now)
    service.start(session, row.id, now=now)
    service.advance(session, row.id, now=now)
    assert session.scalars(select(Message.body)).one() == "Gates {A} and {text}"


def test_pause_holds_it_and_resume_goes_on_without_a_text_twice(
    session: Session, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "PORTION", 2)
    row = approved(session, now, [wish(n, now) for n in range(5)])
    service.start(session, row.id, now=now)
    assert service.advance(session, row.id, now=now) == 2
    service.pause(session, row.id, now=now)
    assert (row.state, service.advance(session, row.id, now=now)) == (PAUSED, 0)
    service.resume(session, row.id, now=now)
    while row.state != DONE:
        service.advance(session, row.id, now=now)
    numbers_written = session.scalars(select(Message.to_number)).all()
    assert len(numbers_written) == len(set(numbers_written)) == row.written == 5


def test_it_never_runs_far_ahead_of_the_gateway(
    session: Session, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "AHEAD", 3)
    row = approved(session, now, [wish(n, now) for n in range(9)])
    service.start(session, row.id, now=now)
    assert service.advance(session, row.id, now=now) == 3
    assert service.advance(session, row.id, now=now) == 0 and row.state == "running"
    session.scalars(select(Message)).first().state = "sent"
    assert service.advance(session, row.id, now=now) == 1


def test_who_says_stop_while_it_runs_is_left_out(session: Session, now: datetime) -> None:
    row = approved(session, now, [wish(1, now), wish(2, now)])
    numbers.stop(session, "+966500000002", now=now)
    service.start(session, row.id, now=now)
    assert service.advance(session, row.id, now=now) == 1
    assert (row.total, row.skipped) == (1, 1) and service.left_out(session, row.id) == {rules.STOPPED: 1}


def test_cancelling_takes_back_what_has_not_left(session: Session, now: datetime) -> None:
    row = approved(session, now, [wish(n, now) for n in range(3)])
    service.start(session, row.id, now=now)
    service.advance(session, row.id, now=now)
    gone = session.scalars(select(Message).order_by(Message.to_number)).first()
    gone.state = "sent"
    service.cancel(session, row.id, now=now)
    assert row.state == CANCELLED and service.progress(session, row.id) == {"sent": 1, "dropped": 2}


def test_a_campaign_to_nobody_is_not_proposed(session: Session, now: datetime) -> None:
    row = draft(session, now)
    with pytest.raises(Mistake, match="Nobody"):
        service.propose(session, row.id, [wish(1, now, verified=False)], now=now)


def test_rewriting_takes_the_proposal_back(session: Session, now: datetime) -> None:
    row = draft(session, now)
    service.propose(session, row.id, [wish(1, now)], now=now)
    service.write(
        session, name="y", words=WORDS, group_kind="list", group_detail={}, by="third", now=now, campaign_id=row.id
    )
    assert (row.state, row.total) == (DRAFT, 0)
    service.propose(session, row.id, [wish(1, now)], now=now)
    service.approve(session, row.id, by="writer", now=now)
    assert row.state == APPROVED
    with pytest.raises(Refused):
        service.write(
            session, name="z", words=WORDS, group_kind="list", group_detail={}, by="x", now=now, campaign_id=row.id
        )


@pytest.mark.parametrize("bad", [{"ar": ""}, {"en": "x" * 901}, {"en": "a\u202eb"}, {"ar": "كلمة " * 90}])
def test_words_that_cannot_be_sent_are_refused(session: Session, now: datetime, bad: dict[str, str]) -> None:
    with pytest.raises(Mistake):
        service.write(session, name="x", words=WORDS | bad, group_kind="list", group_detail={}, by="w", now=now)
