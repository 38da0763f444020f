from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SlipPrinted:
    kiosk_id: str
    ticket_id: str
    centre_id: str


@dataclass(frozen=True, slots=True)
class SlipFailed:
    kiosk_id: str
    ticket_id: str
    centre_id: str
    problem: str


@dataclass(frozen=True, slots=True)
class PrinterChanged:
    """From one condition to another, as the printer told or as its silence showed."""

    kiosk_id: str
    centre_id: str
    condition: str
