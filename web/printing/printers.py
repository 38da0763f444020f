"""A slip to a printer, and how the printer is: one answer, a condition of `reception.kiosks.states`, within a bound."""

import os
import time
from pathlib import Path

from reception.kiosks.rules import DEVICE, FOLDER, NETWORK
from reception.kiosks.states import READY, SILENT, UNFIT, UNREACHABLE, WORKS
from web.printing import escpos
from web.printing.slip import Drawing, pdf
from web.printing.text import Unfit
from web.printing.wire import NoPrinter, Wire, wire_to

CONNECT_S = 1.0
STATUS_S = 0.4  # for the first answer; a printer that says nothing then never does
PRINT_S = 2.6  # from connecting to the last answer: a visitor isn't left in doubt for longer


def status(kind: str, address: str) -> str:
    """Ask the printer how it is. Never raises."""
    now = time.monotonic()
    try:
        with wire_to(kind, address, until=now + CONNECT_S) as wire:
            return _ask(wire, until=now + CONNECT_S + STATUS_S)
    except NoPrinter:
        return UNREACHABLE


def print_slip(kind: str, address: str, drawing: Drawing, *, name: str, folder: Path) -> str:
    """Print, if the printer is able to: nothing is sent to one that is open or without paper. Never raises.

    `name` is the file's where PDF files are written below `folder`.
    """
    try:
        if kind in (NETWORK, DEVICE):
            return _print(kind, address, drawing)
        if kind == FOLDER:
            return _write(folder / address, name, pdf(drawing()))
    except NoPrinter:
        return UNREACHABLE
    except (Unfit, OSError):
        return UNFIT
    return UNFIT


def _print(kind: str, address: str, drawing: Drawing) -> str:
    begun = time.monotonic()
    end = begun + PRINT_S
    with wire_to(kind, address, until=begun + CONNECT_S) as wire:
        before = _ask(wire, until=time.monotonic() + STATUS_S)
        if before not in WORKS:
            return before
        wire.send(escpos.START, until=end)
        for band in escpos.picture(drawing()):
            wire.send(band, until=end)
        wire.send(escpos.FEED_AND_CUT + escpos.PAPER_AFTER, until=end)
        if before == SILENT:
            return SILENT
        return _after(wire, before, until=end)


def _after(wire: Wire, before: str, *, until: float) -> str:
    """Whether the paper lasted. GS r is answered when all is on paper; a printer that stops says why in real time."""
    answers: dict[int, int] = {}
    question = 4
    while time.monotonic() < until:
        byte = wire.receive(until=min(until, time.monotonic() + 0.3))
        if byte is None:
            question = 2 if question == 4 else 4
            wire.send(escpos.ASKED[question], until=until)
        elif escpos.is_status(byte):
            answers[question] = byte
            if (now := escpos.condition(answers)) not in WORKS:
                return now
        else:
            return escpos.paper_after(byte) if escpos.paper_after(byte) != READY else before
    return before


def _ask(wire: Wire, *, until: float) -> str:
    """DLE EOT 1 to 4. One that answers nothing is silent: many cheap printers are, and print all the same."""
    wire.forget()
    answers: dict[int, int] = {}
    for n, question in escpos.ASKED.items():
        wire.send(question, until=until)
        byte = wire.receive(until=until)
        while byte is not None and not escpos.is_status(byte):
            byte = wire.receive(until=until)
        if byte is None:
            break
        answers[n] = byte
    return escpos.condition(answers) if answers else SILENT


def _write(folder: Path, name: str, data: bytes) -> str:
    """Whole or not at all: whoever watches the folder never finds half a page."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = folder / f".{name}.{os.getpid()}"
    partial.write_bytes(data)
    partial.replace(folder / name)
    return READY
