from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InboundNeedsPerson:
    """A text that no rule can answer waits for somebody."""

    inbound_id: str


@dataclass(frozen=True, slots=True)
class InboundSettled:
    inbound_id: str
