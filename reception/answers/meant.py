"""What the outbox knows of the texts of offers to one number: an answer can only mean what its sender could read."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from messaging.models import Message
from messaging.states import SENDING, TEMPORARY
from reception.appointed.offered import EARLIER, OFFER

LATELY = timedelta(days=1)


def texted(session: Session, number: str, *, now: datetime) -> dict[str, datetime]:
    """When the text of each offer of the last day left for this number. One in a sender's hand is leaving now."""
    rows = session.execute(
        select(Message.key, Message.sent_at, Message.state).where(
            Message.to_number == number, Message.template.in_((OFFER, EARLIER)), Message.created_at > now - LATELY
        )
    )
    return {
        key.split(":")[1]: sent_at or now
        for key, sent_at, state in rows
        if sent_at is not None or state in (SENDING, TEMPORARY)
    }
