"""The one way from a petition's event to texts: to its visitor, and to those who stand beside."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from core.settings import Settings
from messaging import service as messages
from messaging.models import Message
from reception.parties import service as parties
from reception.petitions.models import Petition

Fields = Callable[[str], dict[str, str]]  # language → the template's values in it


def follow_link(settings: Settings, petition: Petition) -> str:
    """The visitor's own page; the code says nothing about the case."""
    return f"{settings.url}/p/{petition.follow_code}"


def tell(session: Session, petition: Petition, template: str, fields: Fields, *, key: str, now: datetime) -> Message:
    """Queue `template` for everybody who is told of this petition, each in their own language.

    `key` names the occasion: the same one is never told twice. Returns the text to the first of them.
    """
    sent = [
        messages.queue(
            session,
            to=visitor.phone,
            template=template,
            fields=fields(visitor.language),
            language=visitor.language,
            subject=("petition", petition.id),
            visitor_id=visitor.id,
            key=f"{template}:{key}" + (f":{visitor.id}" if visitor.id != petition.visitor_id else ""),
            now=now,
        )
        for visitor in parties.told(session, petition, now=now)
    ]
    return sent[0]


def each_time(petition: Petition, now: datetime) -> str:
    """A key for what may happen to a petition again and again; a reaction commits once, so the instant will do."""
    return f"{petition.id}:{now.isoformat()}"
