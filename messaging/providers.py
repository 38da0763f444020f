"""Ways out for a text. Each is product code; a real gateway is one more class with the same one method."""

from dataclasses import dataclass
from typing import Protocol

import structlog

from core.errors import Fault
from messaging.rules import Segments
from messaging.states import SENT

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What leaves. `reference` is the message's id: a gateway that sees it twice must send once."""

    reference: str
    to_number: str
    segments: Segments


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the gateway said: one of the states `sending`, `sent`, `delivered`, or `failed` with why."""

    provider_id: str | None
    state: str
    error: str | None = None


class Provider(Protocol):
    """Raises Fault for trouble that may pass; answers `failed` for what will never work."""

    name: str

    def send(self, outgoing: Outgoing) -> Receipt: ...


class ConsoleProvider:
    """Writes each text to the log: for a first evening with Majlis, and for a pilot without a gateway."""

    name = "console"

    def send(self, outgoing: Outgoing) -> Receipt:
        log.info(
            "text message",
            to=outgoing.to_number,
            text="".join(outgoing.segments.parts),
            parts=outgoing.segments.count,
            encoding=outgoing.segments.encoding,
            reference=outgoing.reference,
        )
        return Receipt(provider_id=f"console-{outgoing.reference}", state=SENT)


class NullProvider:
    """Takes everything and does nothing: for load tests, and where texts must not leave."""

    name = "null"

    def send(self, outgoing: Outgoing) -> Receipt:
        return Receipt(provider_id=f"null-{outgoing.reference}", state=SENT)


PROVIDERS: dict[str, type[ConsoleProvider | NullProvider]] = {
    provider.name: provider for provider in (ConsoleProvider, NullProvider)
}


def provider(name: str) -> Provider:
    """The provider that the settings name. Raises Fault for an unknown one: at the start, not at the first text."""
    try:
        return PROVIDERS[name]()
    except KeyError:
        raise Fault("There is no text message provider “{name}”.", name=name) from None
