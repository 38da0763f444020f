"""A text in a sender's hands, and what its parts' answers make of it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from messaging.encoding import reference_of
from messaging.lanes import put_off
from messaging.providers.base import Answer, Part
from messaging.rules import segments
from messaging.states import CREATED, FAILED, SENT, TEMPORARY, UNKNOWN

UNANSWERED_TRIES = 3  # so often a text is handed over that nobody answers; each may be one more on the phone
DEADLY_TRIES = 40  # so often a text is taken in hand at all


@dataclass(slots=True)
class Work:
    """One text in hand. `done`: numbers of parts that an earlier attempt got through."""

    message_id: str
    to_number: str
    body: str
    message_class: str
    lane: int
    attempt: int
    avoid: str | None
    expires_at: datetime | None
    sender: str
    done: frozenset[int] = frozenset()
    again: bool = False  # this attempt follows one that may have left
    gateway: str = ""  # by which its first part went
    answers: dict[int, tuple[str, Answer]] = field(default_factory=dict)

    def parts(self, *, whole: bool = False) -> list[Part]:
        """What is still to go; `whole`: uncut, for a gateway that cuts itself."""
        cut = segments(self.body)
        texts: Sequence[str] = (self.body,) if whole else cut.parts
        first = 0 if whole else 1
        return [
            Part(
                message_id=self.message_id,
                number=number,
                total=len(texts),
                reference=reference_of(self.message_id),
                to_number=self.to_number,
                sender=self.sender,
                text=text,
                encoding=cut.encoding,
                message_class=self.message_class,
                expires_at=self.expires_at,
            )
            for number, text in enumerate(texts, first)
            if whole or number not in self.done
        ]


@dataclass(frozen=True, slots=True)
class Outcome:
    """`state`: what the message becomes. `after`: when it is due again, if it is. `counts`: it was an attempt."""

    state: str
    error: str = ""
    after: timedelta | None = None
    counts: bool = True
    in_doubt: bool = False  # it will be handed over again though it may have left


def outcome(answers: Mapping[int, Answer], *, attempt: int, message_class: str) -> Outcome:
    """What a text becomes by the answers of this attempt's parts."""
    states = {answer.state for answer in answers.values()}
    error = next((a.error for a in answers.values() if a.state != SENT and a.error), "")
    if states <= {SENT}:
        return Outcome(SENT)
    if FAILED in states:
        return Outcome(FAILED, error or "refused by the gateway")
    if UNKNOWN in states:
        if attempt >= UNANSWERED_TRIES:
            return Outcome(UNKNOWN, error)
        return Outcome(TEMPORARY, error, put_off(attempt, message_class), in_doubt=True)
    if any(answer.hurried for answer in answers.values()):
        return Outcome(TEMPORARY, error, timedelta(seconds=1), counts=False)
    if TEMPORARY in states:
        return Outcome(TEMPORARY, error, put_off(attempt, message_class))
    return Outcome(CREATED, error, timedelta(seconds=1), counts=SENT in states)
