"""Texts that no case needs go after their term; the texts of a case stay with it.

What receipts told stands in the state of part and text, so they may go long before. Of a campaign its figures stay.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, delete, or_, select
from sqlalchemy.orm import Session

from messaging.campaigns import service as campaigns
from messaging.campaigns.models import Campaign, CampaignRecipient
from messaging.inbound.models import InboundAnswer
from messaging.models import Dispatch, InboundText, Message, MessagePart, MessageReceipt
from messaging.states import CREATED, HELD, SENDING, TEMPORARY

OF_NO_CASE = ("number", "inbound", "ticket", "loadtest")
"""What such texts are about. Whatever isn't listed stays: a new kind is rather kept than lost."""
TO_GO = (CREATED, HELD, SENDING, TEMPORARY)
CLOSED_AFTER = timedelta(days=1)  # a campaign's last texts have expired by then


@dataclass(frozen=True, slots=True)
class Terms:
    texts: timedelta | None = timedelta(days=365)  # None: for ever
    receipts: timedelta | None = timedelta(days=90)


def receipts(now: datetime, terms: Terms) -> Select[Any] | None:
    if terms.receipts is None:
        return None
    return select(MessageReceipt.id).where(MessageReceipt.received_at < now - terms.receipts)


def texts(now: datetime, terms: Terms) -> Select[Any] | None:
    """Codes, answers, tickets, and texts of campaigns whose figures are kept; nothing that has yet to leave."""
    if terms.texts is None:
        return None
    summed_up = select(Campaign.id).where(Campaign.figures.is_not(None))
    of_campaigns = (Message.subject_kind == campaigns.SUBJECT) & Message.subject_id.in_(summed_up)
    return select(Message.id).where(
        Message.created_at < now - terms.texts,
        Message.state.not_in(TO_GO),
        or_(Message.subject_kind.in_(OF_NO_CASE), of_campaigns),
        Message.id.not_in(select(Dispatch.message_id)),
    )


def inbound(now: datetime, terms: Terms) -> Select[Any] | None:
    """What people wrote, once somebody has dealt with it."""
    if terms.texts is None:
        return None
    open_ = select(InboundAnswer.inbound_id).where(InboundAnswer.needs_person, InboundAnswer.done_at.is_(None))
    return select(InboundText.id).where(
        InboundText.received_at < now - terms.texts, InboundText.handled_at.is_not(None), InboundText.id.not_in(open_)
    )


def sum_up(session: Session, *, now: datetime, terms: Terms) -> int:
    """Keep the figures of campaigns whose texts are about to go; to whom they went is then forgotten."""
    if terms.texts is None:
        return 0
    over = select(Campaign).where(Campaign.finished_at < now - terms.texts - CLOSED_AFTER, Campaign.figures.is_(None))
    rows = session.scalars(over.limit(1).with_for_update()).all()
    for row in rows:
        row.figures = campaigns.figures(session, row.id)
        session.flush()
        session.execute(delete(CampaignRecipient).where(CampaignRecipient.campaign_id == row.id))
    return len(rows)


def of_texts(ids: list[str]) -> list[Any]:
    """What goes with these texts, before them."""
    return [
        delete(MessageReceipt).where(MessageReceipt.message_id.in_(ids)),
        delete(MessagePart).where(MessagePart.message_id.in_(ids)),
    ]


def of_inbound(ids: list[str]) -> list[Any]:
    return [delete(InboundAnswer).where(InboundAnswer.inbound_id.in_(ids))]
