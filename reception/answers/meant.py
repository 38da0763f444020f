"""What the outbox knows of the texts of offers to one number: an answer can only mean what its sender could read."""

from datetime import datetime, timedelta

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from messaging.models import Message
from messaging.states import CREATED, DROPPED, HELD, SENDING
from reception.appointed.offered import EARLIER, OFFER

LATELY = timedelta(days=1)
NEVER_LEFT = (CREATED, HELD, DROPPED)


def texted(session: Session, number: str, *, now: datetime) -> dict[str, datetime]:
    """When the text of each offer of the last day left for this number, where that is known."""
    rows = session.scalars(_texts(number, now=now).where(Message.sent_at.is_not(None)))
    return {_offer_of(row): row.sent_at for row in rows if row.sent_at}


def texted_since(session: Session, number: str, since: datetime, *, but: str = "", now: datetime) -> bool:
    """Whether the text of an offer, other than `but`, may have left later than that: in doubt it has.

    What a sender has in hand leaves now. One that no gateway has owned to counts from when it was written: so it has a
    question asked anew once, and not for ever.
    """
    rows = session.scalars(_texts(number, now=now).where(Message.state.not_in(NEVER_LEFT)))
    return any(
        (row.sent_at or (now if row.state == SENDING else row.created_at)) > since
        for row in rows
        if _offer_of(row) != but
    )


def _texts(number: str, *, now: datetime) -> Select[tuple[Message]]:
    return select(Message).where(
        Message.to_number == number, Message.template.in_((OFFER, EARLIER)), Message.created_at > now - LATELY
    )


def _offer_of(message: Message) -> str:
    """A text's key names its occasion, and behind that whose text it is where that is not the first petitioner."""
    return message.key.split(":")[1]
