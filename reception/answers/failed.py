"""A text about an appointment that does not arrive costs a journey: somebody calls instead.

The hotline does; of a secret case, which it knows nothing of, the centre or the office.
"""

from datetime import datetime

from sqlalchemy.orm import Session

from core.language import N_
from core.settings import Settings
from messaging.events import MessageFailed, MessageLost
from messaging.models import Message
from reception.hotline import service as hotline
from reception.visitors.models import Visitor

CALLED_FOR = (
    "appointment_video",
    "appointment_audience",
    "appointment_moved",
    "appointment_moved_holiday",
    "appointment_clock",
    "appointment_cancelled",
    "waitlist_offer",
    "waitlist_earlier",
)
WITHOUT_RECEIPTS = ("console", "null")  # of what went there nobody ever hears, and nobody is to be called for it
REASON = N_("A text about the appointment did not arrive. Please tell the visitor by phone.")


def call_after_failed_text(
    session: Session, event: MessageFailed | MessageLost, *, now: datetime, settings: Settings
) -> None:
    """One call for each text, however often its end is told. That a number is wrong, the hotline finds out."""
    message = session.get_one(Message, event.message_id)
    if message.template not in CALLED_FOR or message.visitor_id is None or message.provider in WITHOUT_RECEIPTS:
        return
    visitor = session.get(Visitor, message.visitor_id)
    if visitor is None:
        return
    hotline.call_back(
        session,
        visitor_id=visitor.id,
        petition_id=message.subject_id if message.subject_kind == "petition" else None,
        reason=REASON,
        unique_key=f"text failed:{message.id}",
        now=now,
    )
