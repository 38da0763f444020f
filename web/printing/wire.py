"""Bytes to a printer and back with a deadline on every step: a network socket or a device file, by one interface.

Only file descriptors, `poll` and non-blocking reads and writes: a printer that stops in the middle of a page holds
nobody. Times are seconds of the monotonic clock.
"""

import contextlib
import os
import select
import socket
import stat
import termios
import time
import tty
from collections.abc import Iterator

from reception.kiosks.rules import NETWORK, host_and_port


class NoPrinter(Exception):
    """Nobody answers at the address, or it went away in the middle."""


class Wire:
    def __init__(self, descriptor: int, *, ends: bool) -> None:
        """`ends`: reading nothing means that the other side has gone; of a device file it means nothing."""
        self._fd = descriptor
        self._ends = ends

    def send(self, data: bytes, *, until: float) -> None:
        """Raises NoPrinter when it isn't taken in time."""
        view = memoryview(data)
        while view:
            self._ready(select.POLLOUT, until)
            try:
                view = view[os.write(self._fd, view[:4096]) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise NoPrinter(str(error)) from error

    def receive(self, *, until: float) -> int | None:
        """One byte, or None when none comes until then. Raises NoPrinter when the other side has hung up."""
        try:
            self._ready(select.POLLIN, until)
            data = os.read(self._fd, 1)
        except (TimeoutError, BlockingIOError):
            return None
        except OSError as error:
            raise NoPrinter(str(error)) from error
        if not data and self._ends:
            raise NoPrinter("the printer closed the line")
        return data[0] if data else None

    def forget(self) -> None:
        """Drop what was said and not asked for."""
        with contextlib.suppress(OSError):
            while self._waits(select.POLLIN, 0) and os.read(self._fd, 256):
                pass

    def _ready(self, event: int, until: float) -> None:
        left = until - time.monotonic()
        if not self._waits(event, max(0, round(left * 1000))):
            if event == select.POLLIN:
                raise TimeoutError
            raise NoPrinter("the printer takes nothing")

    def _waits(self, event: int, milliseconds: int) -> bool:
        poll = select.poll()
        poll.register(self._fd, event)
        return bool(poll.poll(milliseconds))


@contextlib.contextmanager
def wire_to(kind: str, address: str, *, until: float) -> Iterator[Wire]:
    """The open line. Raises NoPrinter; closed whatever happens."""
    if kind == NETWORK:
        try:
            line = socket.create_connection(host_and_port(address), timeout=max(0.05, until - time.monotonic()))
        except OSError as error:
            raise NoPrinter(str(error)) from error
        with line:
            line.setblocking(False)
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            yield Wire(line.fileno(), ends=True)
        return
    try:
        descriptor = os.open(address, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError as error:
        raise NoPrinter(str(error)) from error
    try:
        if not stat.S_ISCHR(os.fstat(descriptor).st_mode):
            raise NoPrinter("no printer but a file")
        if os.isatty(descriptor):  # a serial line would else change what we send
            with contextlib.suppress(termios.error):
                tty.setraw(descriptor, termios.TCSANOW)
        yield Wire(descriptor, ends=False)
    finally:
        os.close(descriptor)
