"""A filter in the kernel before a media socket (`SO_ATTACH_FILTER`): what it drops wakes nobody and takes no room.

One socket serves all legs of a process. Whoever fills the kernel's buffer for it takes the packets of everybody, and a
process that is to refuse fifty thousand datagrams a second has to be given the time for it first. So what can't be
STUN, DTLS or media is refused before it is queued, and so is what comes from those whom `sifting` names.

Linux only, needs no privilege. Where the kernel has no such thing (or a sandbox only pretends to), there is no sieve:
`Sieve.works` tells, after a trial on the loopback.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import socket
import struct
import sys
from collections.abc import Sequence
from typing import NamedTuple

from video.media.sifting import Shut

log = logging.getLogger(__name__)

SO_ATTACH_FILTER, SO_MEMINFO = 26, 55
_DROPS = 8
"""Which of the numbers of `SO_MEMINFO` counts what the kernel dropped."""

# Classic BPF (linux/bpf_common.h), as much of it as is needed
LOAD_WORD, LOAD_HALF, LOAD_BYTE, LOAD_LENGTH = 0x20, 0x28, 0x30, 0x80
EQUAL, GREATER, AT_LEAST, JUMP, AND, RETURN = 0x15, 0x25, 0x35, 0x05, 0x54, 0x06
NETWORK = 0xFFF00000
"""`SKF_NET_OFF`: from here on the IP header lies; the rest is counted from the UDP header."""
RANDOM = 0xFFFFF000 + 56
"""`SKF_AD_OFF + SKF_AD_RANDOM`"""
KEEP, DROP = 0xFFFF, 0
PAYLOAD = 8
LONGEST = 2048
"""A longer one would be cut in the buffers of `datagrams`."""
THINNED = 16
"""Of which one passes, from a leg's address that floods. A power of two."""


class Instruction(NamedTuple):
    code: int
    true: int
    false: int
    value: int


def _do(code: int, value: int, true: int = 0, false: int = 0) -> Instruction:
    return Instruction(code, true, false, value)


_KEEP, _DROP = _do(RETURN, KEEP), _do(RETURN, DROP)


def _unless(code: int, value: int) -> list[Instruction]:
    """Drops where it doesn't hold for what is loaded."""
    return [_do(code, value, 1, 0), _DROP]


def _sound() -> list[Instruction]:
    """Drops what can't be STUN, DTLS, SRTP or SRTCP (RFC 7983) and goes on behind itself for the rest."""
    size = _do(LOAD_LENGTH, 0)
    cookie = [size, *_unless(AT_LEAST, PAYLOAD + 20), _do(LOAD_WORD, PAYLOAD + 4), *_unless(EQUAL, 0x2112A442)]
    record = [size, *_unless(AT_LEAST, PAYLOAD + 13)]
    version = [_do(LOAD_BYTE, PAYLOAD + 1), *_unless(EQUAL, 0xFE)]  # DTLS 1.3 encrypts behind a shorter header
    media = [size, *_unless(AT_LEAST, PAYLOAD + 12 + 10)]  # the shortest header with the shortest tag
    rest = [_DROP]
    for low, high, checks in ((128, 191, media), (32, 63, record), (20, 31, [*record, *version]), (0, 3, cookie)):
        body = [*checks, _do(JUMP, len(rest))]
        rest = [_do(AT_LEAST, low, 0, len(body) + 1), _do(GREATER, high, len(body), 0), *body, *rest]
        rest = [_do(LOAD_BYTE, PAYLOAD), *rest]
    return [size, *_unless(AT_LEAST, PAYLOAD + 1), _do(GREATER, PAYLOAD + LONGEST, 0, 1), _DROP, *rest]


def _host(shut: Shut) -> list[Instruction]:
    """What is done with this host's datagrams; others go on behind it."""
    if not shut.ports and not shut.whole and not shut.thinned:
        return []
    ports = [_do(LOAD_HALF, 0)]
    for port in shut.thinned:
        thin = [_do(LOAD_WORD, RANDOM), _do(AND, THINNED - 1), _do(EQUAL, 0, 0, 1), _KEEP, _DROP]
        ports += [_do(EQUAL, port, 0, len(thin)), *thin]
    for port in shut.legs if shut.whole else shut.ports:
        ports += [_do(EQUAL, port, 0, 1), _KEEP if shut.whole else _DROP]
    ports += [_DROP if shut.whole else _KEEP]
    words = struct.unpack(f"!{len(shut.host) // 4}I", shut.host)
    at = NETWORK + (12 if len(words) == 1 else 8)
    found: list[Instruction] = ports
    for index in reversed(range(len(words))):
        found = [
            _do(LOAD_WORD, at + 4 * index),
            _do(EQUAL, words[index], 1, 0),
            _do(JUMP, len(found)),
            *found,
        ]
    return found


def program(shuts: Sequence[Shut]) -> list[Instruction]:
    """The filter of a socket; hosts are four octets of an IPv4 address or the first eight of an IPv6 one."""
    return [*_sound(), *(step for shut in shuts for step in _host(shut)), _KEEP]


def attach(sock: socket.socket, steps: Sequence[Instruction]) -> None:
    """Puts the filter in place of the one before, from one datagram to the next. Raises OSError."""
    code = b"".join(struct.pack("=HBBI", *step) for step in steps)
    held = ctypes.create_string_buffer(code, len(code))
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("@HP", len(steps), ctypes.addressof(held)))


class Sieve:
    def __init__(self, sock: socket.socket) -> None:
        self.works = _is_sound(sock.family)
        self._socket = sock
        if self.works:
            self.shut([])

    def shut(self, shuts: Sequence[Shut]) -> None:
        """From now on these are kept out; fewer (the first) where the kernel has no room for so long a filter."""
        wanted = list(shuts)
        while self.works:
            try:
                attach(self._socket, program(wanted))
                return
            except OSError as error:
                if not wanted:
                    self.works = False
                    log.warning("no filter before the media socket: %s", error)
                del wanted[len(wanted) // 2 :]

    @property
    def dropped(self) -> int:
        """Datagrams that didn't reach the socket: refused by the filter, or there was no room in the buffer."""
        with contextlib.suppress(OSError, struct.error):
            numbers = self._socket.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 36)
            return int(struct.unpack("9I", numbers)[_DROPS])
        return 0


def _is_sound(family: int) -> bool:
    """Whether a filter does here what it should, tried on the loopback of this family."""
    if sys.platform != "linux":
        return False
    host = "::1" if family == socket.AF_INET6 else "127.0.0.1"
    place = socket.inet_pton(family, host)[:8]
    sound = b"\x00\x01\x00\x00\x21\x12\xa4\x42" + bytes(12)
    try:
        with contextlib.ExitStack() as stack:
            inner, shut, free = (stack.enter_context(socket.socket(family, socket.SOCK_DGRAM)) for _ in range(3))
            for one in (inner, shut, free):
                one.bind((host, 0))
            attach(inner, program([Shut(place, ports=(shut.getsockname()[1],))]))
            inner.settimeout(0.5)
            shut.sendto(sound, inner.getsockname())
            free.sendto(b"nonsense", inner.getsockname())
            free.sendto(sound, inner.getsockname())
            return inner.recvfrom(100)[1][1] == free.getsockname()[1]
    except OSError as error:
        log.info("no filter before media sockets of this machine: %s", error)
        return False
