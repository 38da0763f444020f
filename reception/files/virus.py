"""Asking clamd about a file, by INSTREAM (clamd(8)): the bytes go to it, nothing is written for it to read.

An address is `unix:/run/clamav/clamd.ctl` or `host:port`. What it can't answer is no verdict: the paper is kept as not
scanned, and asked about again.
"""

import socket
import struct
from dataclasses import dataclass

CHUNK = 64 * 1024
TIMEOUT_S = 20.0
CLEAN, INFECTED, AWAY = "clean", "infected", "away"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`found` is clamd's name of what it found, or why there is no verdict."""

    state: str
    found: str = ""


def scan(address: str, data: bytes, *, timeout: float = TIMEOUT_S) -> Verdict:
    """What clamd says of `data`. Never raises: no answer in time, or none that is understood, is AWAY."""
    try:
        with _connected(address, timeout) as line:
            line.sendall(b"zINSTREAM\0")
            for start in range(0, len(data), CHUNK):
                part = data[start : start + CHUNK]
                line.sendall(struct.pack("!I", len(part)) + part)
            line.sendall(struct.pack("!I", 0))
            said = _answer(line)
    except (OSError, ValueError) as error:
        return Verdict(AWAY, type(error).__name__)
    if said == "stream: OK":
        return Verdict(CLEAN)
    if said.startswith("stream: ") and said.endswith(" FOUND"):
        return Verdict(INFECTED, said[len("stream: ") : -len(" FOUND")][:120])
    return Verdict(AWAY, said[:120])


def answers(address: str, *, timeout: float = 3.0) -> bool:
    """Whether somebody is there (for `doctor`)."""
    try:
        with _connected(address, timeout) as line:
            line.sendall(b"zPING\0")
            return _answer(line) == "PONG"
    except (OSError, ValueError):
        return False


def _connected(address: str, timeout: float) -> socket.socket:
    if address.startswith("unix:"):
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        line.settimeout(timeout)
        try:
            line.connect(address.removeprefix("unix:"))
        except OSError:
            line.close()
            raise
        return line
    host, _, port = address.rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)), timeout)


def _answer(line: socket.socket) -> str:
    said = b""
    while len(said) < 4096 and (more := line.recv(1024)):
        said += more
        if b"\0" in more:
            break
    return said.split(b"\0")[0].decode(errors="replace").strip()
