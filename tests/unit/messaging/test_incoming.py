"""Texts to us: told twice or repeated, in parts that come in any order."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from messaging import incoming, service
from messaging.models import InboundPart, InboundText
from messaging.providers import Inbound

NUMBER = "+966501234567"
AGAIN = timedelta(seconds=30)


def says(session: Session, now: datetime, body: str = "إلغاء", **more: object) -> InboundText | None:
    octets = body.encode("utf-16-be")
    return incoming.inbound(session, "way", Inbound(NUMBER, "1234", octets, "UCS-2", **more), now=now)  # type: ignore[arg-type]


def bodies(session: Session) -> list[tuple[str, bool]]:
    return [(row.body, row.complete) for row in session.scalars(select(InboundText).order_by(InboundText.received_at))]


def ask(session: Session, now: datetime, sent_at: datetime | None, to: str = NUMBER) -> None:
    given = {"language": "ar", "subject": ("inbound", "i"), "key": f"{to}{now}", "now": now}
    message = service.queue(session, to=to, template="reply_started", fields={}, **given)  # type: ignore[arg-type]
    message.sent_at = sent_at
    session.flush()


def test_the_same_words_told_twice_are_one_text(session: Session, now: datetime) -> None:
    assert says(session, now) and says(session, now + AGAIN) is None
    assert says(session, now + AGAIN, "نعم")
    assert says(session, now + AGAIN * 3)
    assert len(bodies(session)) == 3


@pytest.mark.parametrize(
    ("sent_after", "to", "taken"),
    [(10, NUMBER, True), (None, NUMBER, False), (-10, NUMBER, False), (10, "+966501234568", False)],
    ids=["our question went out", "it has yet to leave", "it went before", "to somebody else"],
)
def test_the_same_words_again_are_an_answer_once_something_of_ours_went_there(
    session: Session, now: datetime, sent_after: int | None, to: str, taken: bool
) -> None:
    says(session, now)
    ask(session, now, None if sent_after is None else now + timedelta(seconds=sent_after), to)
    assert (says(session, now + AGAIN) is not None) is taken
    assert says(session, now + AGAIN + timedelta(seconds=1)) is None, "that answer told twice is one, too"


def test_parts_that_nobody_joined_are_joined_as_soon_as_they_are_all_there(session: Session, now: datetime) -> None:
    """As two transactions at once leave them; one part was told twice."""
    for number, body in ((2, "ف"), (1, "إيقا"), (1, "إيقا")):
        session.add(
            InboundPart(
                provider="way", from_number=NUMBER, to_number="1234", reference=7, total=2, number=number,
                encoding="UCS-2", octets=body.encode("utf-16-be").hex(), received_at=now,
            )
        )  # fmt: skip
    says(session, now, "half", of=(8, 2, 1))
    session.flush()
    assert incoming.join_late(session, now=now + timedelta(seconds=1)) == 1
    assert bodies(session) == [("إيقاف", True)]
    assert incoming.join_late(session, now=now + timedelta(hours=2)) == 1
    assert bodies(session)[1:] == [("half", False)]
    assert not session.scalars(select(InboundPart)).all()
