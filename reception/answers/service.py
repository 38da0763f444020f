"""One text in, at most one answer out. Every text leaves a row that says what was understood and done."""

from datetime import datetime

from sqlalchemy.orm import Session

from core.settings import Settings
from messaging.events import InboundReceived
from messaging.inbound import rules as understand
from messaging.inbound import service as inbound
from messaging.inbound import words
from messaging.inbound.rules import Command
from messaging.models import InboundText
from messaging.numbers import service as numbers
from messaging.rules import can_be_written_to
from reception.answers import commands, rules
from reception.answers.exchange import Exchange
from reception.answers.people import caller


def answer_inbound(session: Session, event: InboundReceived, *, now: datetime, settings: Settings) -> None:
    """Somebody wrote to us. Done once for each text, however often the event comes."""
    text = session.get(InboundText, event.inbound_id)
    if text is None or inbound.answer_of(session, text.id) is not None:
        return
    if not can_be_written_to(text.from_number):  # a service's name, a short code: nobody to answer to
        inbound.settle(session, text, command=words.EMPTY, outcome=rules.IGNORED, now=now)
        return
    command = understand.parse(text.body) if text.complete else Command(words.UNKNOWN, rest=text.body)
    dialogue = inbound.dialogue(session, text.from_number, now=now)
    within = inbound.count_in(dialogue, now=now)
    exchange = Exchange(session, text, command, caller(session, text.from_number, text.body), dialogue, settings, now)
    outcome = _answered(exchange) if within or command.name == words.STOP else _too_many(exchange)
    inbound.settle(session, text, command=command.name, outcome=outcome, needs_person=exchange.needs_person, now=now)


def _answered(x: Exchange) -> str:
    """STOP first, in the midst of whatever is being asked; then the open question; then the command."""
    if x.command.name == words.STOP:
        return _stopped(x)
    question, detail = inbound.asked(x.dialogue, now=x.now)
    since = understand.asked_at(x.dialogue.expires_at or x.now)
    inbound.close(x.dialogue)
    if question and (outcome := commands.answered_question(x, question, detail, since=since)):
        return outcome
    return commands.COMMANDS[x.command.name](x)


def _stopped(x: Exchange) -> str:
    """Said once: who sends STOP again and again is not answered with a text each time."""
    inbound.close(x.dialogue)
    earlier = numbers.known(x.session, x.text.from_number)
    if earlier is None or earlier.stopped_at is None:
        numbers.stop(x.session, x.text.from_number, now=x.now)
        x.reply_with_phone("reply_stopped")
    return rules.STOPPED


def _too_many(x: Exchange) -> str:
    """Said once in the hour."""
    started = x.dialogue.window_at or x.now
    if x.dialogue.warned_at is None or x.dialogue.warned_at < started:
        x.dialogue.warned_at = x.now
        x.reply_with_phone("reply_too_many")
    return rules.TOO_MANY
