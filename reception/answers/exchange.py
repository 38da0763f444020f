"""One text being answered: who wrote it, what was understood, where the dialogue stands."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from core.settings import Settings
from messaging import service as messages
from messaging.inbound.models import Dialogue
from messaging.inbound.rules import Command
from messaging.models import InboundText
from reception.answers.people import Caller


@dataclass(slots=True)
class Exchange:
    session: Session
    text: InboundText
    command: Command
    caller: Caller
    dialogue: Dialogue
    settings: Settings
    now: datetime
    needs_person: bool = False

    def reply(self, template: str, language: str = "", *, about: str = "", secret: str = "", **fields: str) -> None:
        """`about` tells apart several of one kind; `secret` is for its reader alone (`messages.queue`)."""
        language = language or self.caller.language
        messages.queue(
            self.session,
            to=self.text.from_number,
            template=template,
            fields=fields,
            language=language,
            subject=("inbound", self.text.id),
            visitor_id=self.caller.people[0].id if len(self.caller.people) == 1 else None,
            key=f"{template}:{self.text.id}" + (f":{about}" if about else ""),
            secret=secret,
            now=self.now,
        )

    def reply_with_phone(self, template: str) -> None:
        self.reply(template, phone=self.settings.hotline_number)
