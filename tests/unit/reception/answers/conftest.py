"""Somebody who writes to us from a number that may or may not be shown to be theirs."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from messaging.events import InboundReceived
from messaging.inbound.models import InboundAnswer
from messaging.models import InboundText, Message
from messaging.numbers import service as numbers
from reception.answers.service import answer_inbound
from tests.unit.reception.appointed.conftest import SETTINGS, agent, slots

__all__ = ["agent", "slots"]
NUMBER = "+966501234567"


class Phone:
    """`says` a text; what it got in return is read by `got`, and what became of it by `outcome`."""

    def __init__(self, session: Session, now: datetime, number: str = NUMBER) -> None:
        self.session, self.now, self.number, self.sent = session, now, number, 0

    def says(self, body: str, *, complete: bool = True, after: timedelta = timedelta(seconds=20)) -> str:
        self.now += after
        self.sent += 1
        key = f"{self.number}:{self.sent}"
        row = InboundText(
            id=f"in-{key}", key=key, provider="kannel", from_number=self.number, to_number="8004", body=body,
            complete=complete, received_at=self.now,
        )  # fmt: skip
        self.session.add(row)
        self.session.flush()
        for _ in range(2):  # an event may come twice
            answer_inbound(self.session, InboundReceived(inbound_id=row.id), now=self.now, settings=SETTINGS)
        self.row = self.session.get_one(InboundAnswer, row.id)
        return self.row.outcome

    @property
    def got(self) -> list[str]:
        """The templates of the answers, the oldest first."""
        return list(
            self.session.scalars(
                select(Message.template)
                .where(Message.to_number == self.number, Message.message_class == "reply")
                .order_by(Message.created_at, Message.id)
            )
        )

    @property
    def last(self) -> str:
        query = select(Message.body).where(Message.to_number == self.number).order_by(Message.created_at.desc())
        return self.session.scalars(query.limit(1)).one()


@pytest.fixture
def phone(session: Session, slots: list[str], now: datetime) -> Phone:
    return Phone(session, now)


@pytest.fixture
def verified(phone: Phone, session: Session, now: datetime) -> Phone:
    numbers.verify(session, NUMBER, "visitor", place="counter", by_staff="aide", now=now)
    return phone


@pytest.fixture
def stranger(session: Session, slots: list[str], now: datetime) -> Callable[[str], Phone]:
    return lambda number="+966599999999": Phone(session, now, number)
