"""Many datagrams a system call: `recvmmsg` and `sendmmsg` of the C library, called through cffi without a compiler.

A busy node moves ten thousand packets a second. One call for each, in and out, and one wake-up for each, cost
more than everything that is done with the packet in between. Buffers are made once and packets are decrypted and
encrypted where they lie. Where the C library has no such calls (it isn't Linux), datagrams go one by one.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from dataclasses import dataclass
from typing import Any

from pylibsrtp._binding import ffi, lib

BATCH = 64
ROOM = 2048
"""Bytes for one datagram; a longer one is cut, and then refused by its authentication."""
LARGEST = 1432
"""Bytes of the largest plain packet that is sent: with a trailer (20 for reports) and the headers of UDP and IPv6 it
fills the 1500 of a usual network. Devices pack up to 1400, and what is sent again has two more."""
NAME = 32
HEAD = 64
"""Bytes of a `struct mmsghdr` on 64-bit Linux: 0 name, 8 its length, 16 parts, 24 their number, 56 octets moved."""
LENGTH, LENGTH_AT, NAME_SIZE_AT, NAMED = HEAD // 4, 14, 2, HEAD // 8
NAME_SIZES = {socket.AF_INET: 16, socket.AF_INET6: 28}
_HEAD = struct.Struct("QIxxxxQQQQixxxxIxxxx")
_PART = struct.Struct("QQ").pack_into
_PUT_SSRC = struct.Struct("!I").pack_into
_AGAIN = frozenset({errno.EAGAIN, errno.EWOULDBLOCK, errno.ENOBUFS})
_protect, _protect_rtcp = lib.srtp_protect, lib.srtp_protect_rtcp


def _c_library() -> tuple[Any, Any]:
    """cffi's view of the C library, or (None, None) where it has no such calls or another layout."""
    if os.uname().sysname != "Linux" or struct.calcsize("P") != 8:
        return None, None
    from cffi import FFI

    view = FFI()
    view.cdef(
        "int recvmmsg(int fd, void *messages, unsigned int count, int flags, void *timeout);"
        "int sendmmsg(int fd, void *messages, unsigned int count, int flags);"
    )
    library = view.dlopen(None)
    try:
        library.recvmmsg, library.sendmmsg  # noqa: B018
    except AttributeError:
        return None, None
    return view, library


_view, _libc = _c_library()


@dataclass(frozen=True, eq=False, slots=True)
class Destination:
    """Where datagrams go: as Python says it, and as the kernel reads it."""

    address: tuple[str, int]
    _name: Any
    pointer: int


def destination(family: int, address: tuple[str, int]) -> Destination:
    name = ffi.new("char[]", name_of(family, address))
    return Destination(address, name, int(ffi.cast("uintptr_t", name)))


def name_of(family: int, address: tuple[str, int]) -> bytes:
    """The `sockaddr` of an address, as Linux lays it out."""
    host, port = address
    if family == socket.AF_INET:
        return struct.pack("=H", family) + struct.pack("!H", port) + socket.inet_aton(host) + bytes(8)
    host, _, scope = host.partition("%")
    number = socket.if_nametoindex(scope) if scope else 0
    raw = struct.pack("=H", family) + struct.pack("!HI", port, 0) + socket.inet_pton(family, host)
    return raw + struct.pack("=I", number)


class _Buffers:
    """`BATCH` datagrams and, for the kernel, their `mmsghdr`s."""

    def __init__(self) -> None:
        self._data = ffi.new("char[]", BATCH * ROOM)
        self._names = ffi.new("char[]", BATCH * NAME)
        self._parts = ffi.new("char[]", BATCH * 16)
        self.messages = ffi.new("char[]", BATCH * HEAD)
        self.pointers = [self._data + index * ROOM for index in range(BATCH)]
        self.octets = ffi.buffer(self._data)
        self.names = ffi.buffer(self._names)
        self._part_buffer, self._heads = ffi.buffer(self._parts), ffi.buffer(self.messages)
        data, names, parts = (int(ffi.cast("uintptr_t", one)) for one in (self._data, self._names, self._parts))
        for index in range(BATCH):
            _PART(self._part_buffer, index * 16, data + index * ROOM, ROOM)
            _HEAD.pack_into(self._heads, index * HEAD, names + index * NAME, NAME, parts + index * 16, 1, 0, 0, 0, 0)


class Inbox(_Buffers):
    """What came in: after `receive()`, datagram i lies at `i * ROOM` of `octets`, from `sender(i)`."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__()
        self._socket = sock
        self._fd = sock.fileno()
        self._family = sock.family
        self.key_size = 8 if sock.family == socket.AF_INET else 28
        """Bytes of a name that tell senders apart."""
        self.firsts = memoryview(self.octets).cast("B")
        self.lengths = memoryview(self._heads).cast("I")
        """The octets of datagram i at `i * LENGTH + LENGTH_AT`."""
        self._rest = memoryview(self.octets)

    def data(self, index: int) -> bytes:
        return self.octets[index * ROOM : index * ROOM + self.lengths[index * LENGTH + LENGTH_AT]]

    def sender(self, index: int) -> tuple[str, int]:
        raw = self.names[index * NAME : index * NAME + 28]
        port = raw[2] << 8 | raw[3]
        if self._family == socket.AF_INET:
            return socket.inet_ntoa(raw[4:8]), port
        return socket.inet_ntop(socket.AF_INET6, raw[8:24]), port

    def receive(self) -> int:
        """Takes what is there, `BATCH` at the most; returns how many. Never waits."""
        if _libc is not None:
            return max(0, _libc.recvmmsg(self._fd, self.messages, BATCH, socket.MSG_DONTWAIT, _view.NULL))
        return self._one_by_one()

    def _one_by_one(self) -> int:
        for index in range(BATCH):
            try:
                size, address = self._socket.recvfrom_into(self._rest[index * ROOM : (index + 1) * ROOM])
            except OSError:
                return index
            self.lengths[index * LENGTH + LENGTH_AT] = size
            raw = name_of(self._family, (address[0], address[1]))
            self.names[index * NAME : index * NAME + len(raw)] = raw
        return BATCH


class Outbox(_Buffers):
    """What goes out: put in, protected where it lies, and sent together by `flush()`."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__()
        self._socket = sock
        self._fd = sock.fileno()
        self.filled = 0
        self.dropped = 0
        """Datagrams that the kernel had no room for."""
        self.holding = False
        """Whether what is put in waits for `flush()`, or leaves at once."""
        self._destinations: list[Destination | None] = [None] * BATCH
        self._lengths = memoryview(self._part_buffer).cast("Q")
        self._directed = memoryview(self._heads).cast("Q")
        """The address of datagram i's name at `i * NAMED`."""
        self._length = ffi.new("int *")
        sizes = memoryview(self._heads).cast("I")
        for slot in range(BATCH):
            sizes[slot * LENGTH + NAME_SIZE_AT] = NAME_SIZES[sock.family]

    def rtp(self, packet: bytes, ssrc: int, session: Any, to: Destination) -> int:
        """Protects the packet under another SSRC; returns the octets that leave, 0 where that is not possible."""
        slot = self.filled
        if slot == BATCH:
            self.flush()
            slot = 0
        size = len(packet)
        if size > LARGEST:
            return 0
        at = slot * ROOM
        octets = self.octets
        octets[at : at + size] = packet
        _PUT_SSRC(octets, at + 8, ssrc)
        length = self._length
        length[0] = size
        if _protect(session, self.pointers[slot], length):
            return 0
        self._lengths[slot * 2 + 1] = size = length[0]
        self._destinations[slot] = to
        self._directed[slot * NAMED] = to.pointer
        self.filled = slot + 1
        if not self.holding:
            self.flush()
        return size

    def rtcp(self, packet: bytes, session: Any, to: Destination) -> int:
        """Likewise a compound of reports, as it is."""
        if self.filled == BATCH:
            self.flush()
        slot, size = self.filled, len(packet)
        if size > LARGEST:
            return 0
        self.octets[slot * ROOM : slot * ROOM + size] = packet
        self._length[0] = size
        if _protect_rtcp(session, self.pointers[slot], self._length):
            return 0
        self._lengths[slot * 2 + 1] = size = self._length[0]
        self._destinations[slot] = to
        self._directed[slot * NAMED] = to.pointer
        self.filled = slot + 1
        if not self.holding:
            self.flush()
        return size

    def flush(self) -> None:
        """Sends what waits; what can't be sent is lost like any other datagram."""
        count, self.filled = self.filled, 0
        if _libc is None:
            self._one_by_one(count)
            return
        sent = 0
        while sent < count:
            done = _libc.sendmmsg(self._fd, self.messages + sent * HEAD, count - sent, socket.MSG_DONTWAIT)
            if done <= 0:
                if _view.errno in _AGAIN:
                    self.dropped += count - sent
                    return
                done = 1  # this one can't go where it should; those behind it can
            sent += done

    def _one_by_one(self, count: int) -> None:
        for slot in range(count):
            to = self._destinations[slot]
            at = slot * ROOM
            try:
                if to is not None:
                    self._socket.sendto(self.octets[at : at + self._lengths[slot * 2 + 1]], to.address)
            except OSError:
                self.dropped += 1
