"""What a gateway is to the sender. A new kind is one more class with these few members, entered in `config.KINDS`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from messaging.encoding import header, octets


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a text on its way out. `key` names it for ever: a gateway that can tells doubles by it."""

    message_id: str
    number: int  # 1 is the first; 0: the whole text, uncut
    total: int
    reference: int  # joins the parts on the phone
    to_number: str  # +966…
    sender: str
    text: str
    encoding: str  # rules.GSM7 or rules.UCS2
    message_class: str
    expires_at: datetime | None

    @property
    def key(self) -> str:
        return f"{self.message_id}.{self.number}"

    @property
    def header(self) -> bytes:
        return header(self.reference, self.total, self.number)

    @property
    def octets(self) -> bytes:
        """Without the header."""
        return octets(self.text, self.encoding)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of handing a part over: a state of `messaging.states`.

    `sent`: taken. `temporary`: not taken, may be tried again. `failed`: never will be. `unknown`: handed over, and no
    answer; it may have left. `created`: it did not leave this machine, and nothing is wrong with it.
    """

    state: str
    provider_id: str = ""
    error: str = ""
    hurried: bool = False  # it came too fast
    ours: bool = False  # the trouble is this text's or its number's, not the gateway's


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a part later. `key` where the gateway gave our own back, else it is found by `provider_id`."""

    provider_id: str
    state: str
    code: str
    from_number: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Inbound:
    """A text to us, or a part of one (`of`: reference, total, number). `id`: the gateway's own, where it has one."""

    from_number: str
    to_number: str
    octets: bytes
    encoding: str
    id: str = ""
    of: tuple[int, int, int] | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """Something a gateway told us, and what tells it that we have kept it. Without that word it tells us again."""

    provider: str
    what: Receipt | Inbound
    kept: Callable[[], None] = lambda: None


class Line(Protocol):
    """What a gateway is given to live with."""

    def heard(self, heard: Heard) -> None: ...

    def stirred(self) -> None:
        """It has become ready, or is no longer."""


class Gateway(Protocol):
    """`run` keeps the line up until it is cancelled. `submit` is only asked while `ready`, and raises nothing."""

    name: str
    kind: str

    @property
    def ready(self) -> bool: ...

    @property
    def trouble(self) -> str: ...

    async def run(self, line: Line) -> None: ...

    async def submit(self, part: Part) -> Answer: ...

    async def probe(self) -> str:
        """Whether it is there and lets us in, found out without sending a text; "" if so, else what is wrong."""
