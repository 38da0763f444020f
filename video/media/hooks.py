"""Every private thing of aiortc, aioice and pylibsrtp that the media plane leans on, and nothing else.

The libraries' own way for a packet (queue, task, objects, three awaits) costs several times what forwarding
costs; so media datagrams are taken where the socket hands them over, and SRTP is done in place. The price is
that these attributes may move with any release: aiortc is pinned, `check()` runs at start and raises
`HooksMoved`, and tests/unit/video/media/test_hooks.py and tests/media hold each of them.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import random
import socket
import struct
from collections.abc import Callable, Sequence
from typing import Any

import aiortc
import ifaddr
from aioice import Candidate
from aioice.candidate import candidate_foundation, candidate_priority
from aioice.ice import Connection, StunProtocol
from aiortc import RTCDtlsTransport, RTCIceGatherer, RTCIceTransport
from pylibsrtp import Session
from pylibsrtp._binding import ffi, lib

log = logging.getLogger(__name__)

RECEIVE_BUFFER = 1 << 20
LARGEST = 1356
"""What libsrtp's trailer leaves of 1500 bytes."""
_PUT_SSRC = struct.Struct("!I").pack_into
MOST_QUEUED = 64
"""Datagrams (DTLS) that may wait for a handshake which nobody runs yet."""


class HooksMoved(RuntimeError):
    """A library changed under us; forwarding would silently fail."""


def check() -> None:
    """Raises `HooksMoved` unless everything this module touches is where it was."""
    if not aiortc.__version__.startswith("1.16."):
        raise HooksMoved(f"aiortc {aiortc.__version__}: written for 1.16")
    connection_source = inspect.getsource(Connection)
    for name in ("_nominated", "_protocols", "_local_candidates_start", "_local_candidates_end", "_queue", "_closing"):
        if f"self.{name}" not in connection_source:
            raise HooksMoved(f"aioice.Connection.{name}")
    dtls_source = inspect.getsource(RTCDtlsTransport)
    for name in ("_rx_srtp", "_tx_srtp", "_set_role"):
        if name not in dtls_source:
            raise HooksMoved(f"aiortc.RTCDtlsTransport.{name}")
    if list(inspect.signature(StunProtocol.datagram_received).parameters) != ["self", "data", "addr"]:
        raise HooksMoved("aioice.StunProtocol.datagram_received")
    for function in ("srtp_protect", "srtp_unprotect", "srtp_protect_rtcp", "srtp_unprotect_rtcp"):
        if not hasattr(lib, function):
            raise HooksMoved(f"pylibsrtp lib.{function}")


def host_addresses() -> list[str]:
    """The machine's IPv4 and IPv6 addresses a participant could reach, without loopback and link-local ones."""
    found: list[str] = []
    for adapter in ifaddr.get_adapters():
        for entry in adapter.ips:
            if isinstance(entry.ip, str):
                if not entry.ip.startswith(("127.", "169.254.")):
                    found.append(entry.ip)
            elif entry.ip[0] != "::1" and entry.ip[2] == 0 and not entry.ip[0].startswith("fe80"):
                found.append(entry.ip[0])
    return found


def ice_transport() -> RTCIceTransport:
    """An ICE transport that asks no STUN or TURN server and lets the participant control."""
    return RTCIceTransport(RTCIceGatherer(iceServers=[]))


async def gather(
    transport: RTCIceTransport, addresses: Sequence[str], ports: tuple[int, int] | None
) -> list[Candidate]:
    """Opens a socket on each address and makes it a host candidate.

    aioice itself takes any free port of every address but loopback. Here the addresses are given, each as
    `bind` or `bind=announced` (behind one-to-one NAT), and ports may be kept within a range.
    Raises OSError where no socket could be opened.
    """
    connection: Connection = transport._connection
    connection._local_candidates_start = True
    failed: OSError | None = None
    for address in addresses:
        bind, _, announced = address.partition("=")
        try:
            protocol = await _open(connection, bind, ports)
        except OSError as error:
            failed = error
            log.warning("no media socket on %s: %s", bind, error)
            continue
        host = announced or bind
        protocol.local_candidate = Candidate(
            foundation=candidate_foundation("host", "udp", host),
            component=1,
            transport="udp",
            priority=candidate_priority(1, "host"),
            host=host,
            port=protocol.transport.get_extra_info("sockname")[1],
            type="host",
        )
        connection._protocols.append(protocol)
        connection._local_candidates.append(protocol.local_candidate)
    connection._local_candidates_end = True
    if connection._closing:  # closed while the sockets were being opened
        for protocol in connection._protocols:
            protocol.transport.close()
        raise OSError("closed")
    if not connection._protocols:
        raise failed or OSError("no address to listen on")
    return connection.local_candidates


async def _open(connection: Connection, bind: str, ports: tuple[int, int] | None) -> StunProtocol:
    loop = asyncio.get_running_loop()
    if ports is None:
        choices: Sequence[int] = (0,)
    else:
        low, high = ports
        choices = random.sample(range(low, high + 1), k=high - low + 1)
    for index, port in enumerate(choices):
        try:
            transport, protocol = await loop.create_datagram_endpoint(
                lambda: StunProtocol(connection), local_addr=(bind, port)
            )
        except OSError:
            if index + 1 == len(choices):
                raise
            continue
        sock = transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        return protocol
    raise OSError("the port range is empty")


def tap(transport: RTCIceTransport, media: Callable[[bytes], None], alive: Callable[[], None]) -> None:
    """Takes media datagrams (RFC 7983: first byte 128–191) synchronously; STUN and DTLS go their usual way.

    `alive` is called for STUN from the nominated address. Nothing that comes from the wire raises out of
    here.
    """
    connection: Connection = transport._connection
    for protocol in connection._protocols:
        protocol.datagram_received = _receiver(  # type: ignore[method-assign, assignment]
            connection, protocol.datagram_received, media, alive
        )


def _receiver(
    connection: Connection,
    usual: Callable[[bytes, tuple[Any, ...]], None],
    media: Callable[[bytes], None],
    alive: Callable[[], None],
) -> Callable[[bytes, tuple[Any, ...]], None]:
    nominated, queue = connection._nominated, connection._queue

    def datagram_received(data: bytes, addr: tuple[Any, ...]) -> None:
        if not data:
            return
        first = data[0]
        try:
            if 127 < first < 192:
                media(data)
            elif first < 4:
                pair = nominated.get(1)
                if pair is not None and pair.remote_addr == (addr[0], addr[1]):
                    alive()
                usual(data, addr)
            elif 19 < first < 64 and queue.qsize() < MOST_QUEUED:
                usual(data, addr)
        except Exception:
            log.debug("a datagram could not be handled", exc_info=True)

    return datagram_received


class Keys:
    """The two SRTP sessions of an established DTLS transport, worked in place: one copy in, one copy out."""

    def __init__(self, dtls: RTCDtlsTransport) -> None:
        self._sessions: tuple[Session, Session] = (dtls._rx_srtp, dtls._tx_srtp)
        if not all(isinstance(session, Session) for session in self._sessions):
            raise HooksMoved("aiortc.RTCDtlsTransport has no SRTP sessions")
        self._rx, self._tx = (session._srtp[0] for session in self._sessions)
        self._cdata = ffi.new("char[]", 2048)
        self._buffer = ffi.buffer(self._cdata)
        self._length = ffi.new("int *")

    def unprotect(self, data: bytes) -> bytes | None:
        """The plain RTP packet; None for one that is forged, replayed or too large."""
        size = len(data)
        if size > 2000:
            return None
        self._buffer[0:size] = data
        self._length[0] = size
        if lib.srtp_unprotect(self._rx, self._cdata, self._length):
            return None
        return self._buffer[0 : self._length[0]]

    def unprotect_rtcp(self, data: bytes) -> bytes | None:
        size = len(data)
        if size > 2000:
            return None
        self._buffer[0:size] = data
        self._length[0] = size
        if lib.srtp_unprotect_rtcp(self._rx, self._cdata, self._length):
            return None
        return self._buffer[0 : self._length[0]]

    def protect_as(self, packet: bytes, ssrc: int) -> bytes | None:
        """The packet under another SSRC, protected; None where that is not possible."""
        size = len(packet)
        if size > LARGEST:
            return None
        buffer = self._buffer
        buffer[0:size] = packet
        _PUT_SSRC(buffer, 8, ssrc)
        self._length[0] = size
        if lib.srtp_protect(self._tx, self._cdata, self._length):
            return None
        return buffer[0 : self._length[0]]

    def protect_rtcp(self, packet: bytes) -> bytes | None:
        size = len(packet)
        if size > LARGEST:
            return None
        self._buffer[0:size] = packet
        self._length[0] = size
        if lib.srtp_protect_rtcp(self._tx, self._cdata, self._length):
            return None
        return self._buffer[0 : self._length[0]]


class Way:
    """Where the nominated pair leads; followed when the participant's network changes."""

    def __init__(self, transport: RTCIceTransport) -> None:
        self._nominated = transport._connection._nominated
        self._pair: Any = None
        self._send: Callable[[bytes, tuple[str, int]], None] | None = None
        self._addr = ("", 0)

    def send(self, data: bytes) -> bool:
        pair = self._nominated.get(1)
        if pair is not self._pair:
            self._pair = pair
            if pair is not None:
                self._send, self._addr = pair.protocol.transport.sendto, pair.remote_addr
        if pair is None or self._send is None:
            return False
        try:
            self._send(data, self._addr)
        except (OSError, RuntimeError, ValueError):  # a socket that is closing must not disturb other legs
            return False
        return True


def as_server(dtls: RTCDtlsTransport, server: bool) -> None:
    """Fixes the DTLS role by the answer; aiortc would take it from the ICE role."""
    dtls._set_role("server" if server else "client")
