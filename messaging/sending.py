"""The job that carries a text to the provider: no transaction is open while it does, and its answer commits with it."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from core.jobs import MESSAGES, Handler
from core.settings import Settings
from messaging.providers import Outgoing, Provider, Receipt, provider
from messaging.rules import segments
from messaging.service import SEND, enter, forget, give_up

__all__ = ["SEND", "handler", "handlers"]


def handlers(settings: Settings) -> dict[str, Handler]:
    """The jobs of this package, for the worker."""
    return {SEND: handler(provider(settings.sms_provider))}


def handler(way_out: Provider) -> Handler:
    """What the worker runs for `messages.send`. A Fault of the provider is tried again, later and later."""

    def act(payload: dict[str, Any]) -> Receipt:
        return way_out.send(
            Outgoing(reference=payload["message_id"], to_number=payload["to"], segments=segments(payload["body"]))
        )

    def record(session: Session, payload: dict[str, Any], receipt: Receipt, now: datetime) -> None:
        enter(session, payload["message_id"], way_out.name, receipt, now=now)
        if payload.get("secret"):
            forget(session, payload["message_id"])

    def gave_up(session: Session, payload: dict[str, Any], error: str, now: datetime) -> None:
        give_up(session, payload["message_id"], error, now=now)
        if payload.get("secret"):
            forget(session, payload["message_id"])

    return Handler(act=act, record=record, gave_up=gave_up, thread=MESSAGES)
