"""A receipt printer, but for the paper: it answers like one over TCP or a cable, and keeps what it printed.

Understands what ESC/POS printers do with our bytes (Epson's reference) and nothing more; anything else is `nonsense`.
"""

import os
import socket
import threading
import tty
from collections.abc import Callable
from dataclasses import dataclass, field

from PIL import Image


@dataclass
class Paper:
    """The state of the machine, changed by tests while it works."""

    low: bool = False
    out: bool = False
    cover_open: bool = False
    offline: bool = False
    cutter: bool = False
    silent: bool = False  # answers nothing, as cheap ones do
    ends_after: int | None = None  # bands of picture until the roll is empty


@dataclass
class Printer:
    """`prints` are the slips that were cut off, as pictures."""

    paper: Paper = field(default_factory=Paper)
    prints: list[Image.Image] = field(default_factory=list)
    nonsense: bytes = b""
    asked: int = 0

    def talk(self, read: Callable[[int], bytes], write: Callable[[bytes], object]) -> None:
        """One connection until it closes."""
        bands: list[Image.Image] = []

        def take(n: int) -> bytes:
            data = b""
            while len(data) < n:
                more = read(n - len(data))
                if not more:
                    raise EOFError
                data += more
            return data

        try:
            while True:
                head = take(1)
                if head == b"\x10":
                    _, n = take(2)
                    self.asked += 1
                    if not self.paper.silent:
                        write(bytes([self._status(n)]))
                elif head == b"\x1b":
                    assert take(1) == b"@"
                    bands = []
                elif head == b"\x1d":
                    bands = self._group(take, write, bands)
                else:
                    self.nonsense += head
        except (EOFError, OSError):
            return

    def _group(self, take: Callable[[int], bytes], write: Callable[[bytes], object], bands: list[Image.Image]) -> list:
        kind = take(1)
        if kind == b"v":
            _, mode, xl, xh, yl, yh = take(6)
            assert mode == 0
            width, height = (xl + 256 * xh) * 8, yl + 256 * yh
            data = bytes(byte ^ 0xFF for byte in take(width // 8 * height))
            if self.paper.ends_after is not None:
                self.paper.ends_after -= 1
                self.paper.out = self.paper.ends_after < 0
            if not self.paper.out:
                bands.append(Image.frombytes("1", (width, height), data))
        elif kind == b"V":
            take(2)
            if bands and not self.paper.out:
                self.prints.append(_joined(bands))
            return []
        elif kind == b"r":
            take(1)
            if not self.paper.silent and not self.paper.out:  # an empty printer stops, and answers this no more
                write(bytes([0x03 if self.paper.low else 0x00]))
        else:
            self.nonsense += kind
        return bands

    def _status(self, n: int) -> int:
        paper = self.paper
        fixed = 0b0001_0010
        if n == 1:
            return fixed | (0x08 if paper.offline or paper.cover_open or paper.out else 0)
        if n == 2:
            return (
                fixed | (0x04 if paper.cover_open else 0) | (0x20 if paper.out else 0) | (0x40 if paper.cutter else 0)
            )
        if n == 3:
            return fixed | (0x08 if paper.cutter else 0)
        return fixed | (0x0C if paper.low or paper.out else 0) | (0x60 if paper.out else 0)


class NetworkPrinter(Printer):
    """On a port of the loopback."""

    def __enter__(self) -> "NetworkPrinter":
        self._server = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._server.accept()
            except OSError:
                return
            with line:
                self.talk(line.recv, line.sendall)


class CablePrinter(Printer):
    """Behind a device file: a pseudo-terminal is as much of a serial line as a machine without one has."""

    def __enter__(self) -> "CablePrinter":
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.address = os.ttyname(self._slave)
        threading.Thread(
            target=self.talk,
            args=(lambda n: os.read(self._master, n), lambda data: os.write(self._master, data)),
            daemon=True,
        ).start()
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._slave)
        os.close(self._master)


def _joined(bands: list[Image.Image]) -> Image.Image:
    slip = Image.new("1", (bands[0].width, sum(band.height for band in bands)), 1)
    top = 0
    for band in bands:
        slip.paste(band, (0, top))
        top += band.height
    return slip
