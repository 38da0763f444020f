"""The one way from a petition's event to texts: to its visitor, and to those who stand beside."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import ColumnElement, ColumnExpressionArgument, exists, func, literal, or_
from sqlalchemy.orm import Session

from core.settings import Settings
from messaging import service as messages
from messaging.models import Message
from reception.parties import service as parties
from reception.petitions.models import Petition
from reception.visitors.models import Visitor

Fields = Callable[[str], dict[str, str]]  # language → the template's values in it


def follow_link(settings: Settings, petition: Petition) -> str:
    """The visitor's own page; the code says nothing about the case."""
    return f"{settings.url}/p/{petition.follow_code}"


def tell(
    session: Session,
    petition: Petition,
    template: str,
    fields: Fields,
    *,
    key: str,
    now: datetime,
    expires_at: datetime | None = None,
) -> Message:
    """Queue `template` for everybody who is told of this petition, each in their own language.

    `key` names the occasion: the same one is never told twice. After `expires_at` it would serve nobody, and doesn't
    leave. Returns the text to the first of them.
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
            key=own_key(f"{template}:{key}", petition, visitor),
            expires_at=expires_at,
            now=now,
        )
        for visitor in parties.told(session, petition, now=now)
    ]
    return sent[0]


def own_key(key: str, petition: Petition, visitor: Visitor) -> str:
    """The occasion for one of those who are told: the first petitioner's is the bare one."""
    return key if visitor.id == petition.visitor_id else f"{key}:{visitor.id}"


def was_told(
    template: str, key: ColumnExpressionArgument[str] | str, petition_id: ColumnExpressionArgument[str] | str
) -> ColumnElement[bool]:
    """Whether anybody was told of this occasion: an agent alone, where the visitor wished it so, is enough.

    Sought among the petition's own texts: a key by its beginning is in no index.
    """
    whole = literal(f"{template}:").concat(key)
    of_another = func.substr(Message.key, 1, func.length(whole) + 1) == whole.concat(":")
    return exists().where(
        Message.subject_kind == "petition",
        Message.subject_id == petition_id,
        Message.template == template,
        or_(Message.key == whole, of_another),
    )


def each_time(petition: Petition, now: datetime) -> str:
    """A key for what may happen to a petition again and again; a reaction commits once, so the instant will do."""
    return f"{petition.id}:{now.isoformat()}"
