"""Every private thing of aiortc, aioice and pylibsrtp that the media plane leans on, and nothing else.

The libraries' own way for a packet (a socket for each leg, queue, task, objects, three awaits) costs several times
what forwarding costs; so media datagrams are taken from sockets of our own (`sockets`), and SRTP is done in place. The
price is that these attributes may move with any release: aiortc is pinned, `check()` runs at start and raises
`HooksMoved`, and tests/unit/video/media/test_hooks.py and tests/media hold each of them.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import aiortc
import ifaddr
from aioice import Candidate
from aioice.candidate import candidate_foundation, candidate_priority
from aioice.ice import CandidatePair, Connection, StunProtocol
from aiortc import RTCDtlsTransport, RTCIceGatherer, RTCIceTransport
from pylibsrtp import Session
from pylibsrtp._binding import ffi, lib

from video.media.datagrams import Destination, Inbox, Outbox
from video.media.sockets import Channel, Port

log = logging.getLogger(__name__)

Media = Callable[[Inbox, int, int, float], bool]
MOST_QUEUED = 64
"""Datagrams (DTLS) that may wait for a handshake which nobody runs yet, and checks that wait for the answer."""
OTHERS_PER_S = 100
"""Datagrams of each kind, STUN and DTLS, that a leg hands to the libraries: they take a hundred microseconds each. A
browser that looks for a way sends twenty checks a second, a handshake has ten datagrams.
"""
MOST_REMOTE = 16
"""Addresses of a participant that are remembered; each is checked for half a minute."""
_unprotect, _unprotect_rtcp = lib.srtp_unprotect, lib.srtp_unprotect_rtcp


class HooksMoved(RuntimeError):
    """A library changed under us; forwarding would silently fail."""


def check() -> None:
    """Raises `HooksMoved` unless everything this module touches is where it was."""
    if not aiortc.__version__.startswith("1.16."):
        raise HooksMoved(f"aiortc {aiortc.__version__}: written for 1.16")
    connection_source = inspect.getsource(Connection)
    for name in (
        "_nominated",
        "_protocols",
        "_local_candidates_start",
        "_local_candidates_end",
        "_queue",
        "_closing",
        "_early_checks",
        "_early_checks_done",
        "_remote_candidates",
        "_check_list",
        "_query_consent_task",
        "check_start_task",
    ):
        if f"self.{name}" not in connection_source:
            raise HooksMoved(f"aioice.Connection.{name}")
    dtls_source = inspect.getsource(RTCDtlsTransport)
    for name in ("_rx_srtp", "_tx_srtp", "_set_role"):
        if name not in dtls_source:
            raise HooksMoved(f"aiortc.RTCDtlsTransport.{name}")
    if list(inspect.signature(StunProtocol.datagram_received).parameters) != ["self", "data", "addr"]:
        raise HooksMoved("aioice.StunProtocol.datagram_received")
    if list(inspect.signature(Connection.check_incoming).parameters) != ["self", "message", "addr", "protocol"]:
        raise HooksMoved("aioice.Connection.check_incoming")
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


def attach(
    transport: RTCIceTransport, ports: Sequence[Port], media: Media, alive: Callable[[], None]
) -> list[Candidate]:
    """Makes each shared port a host candidate of the transport.

    aioice itself opens a socket on any free port of every address but loopback. Here each protocol of its connection
    gets a channel instead. Media go straight to `media`, STUN and DTLS their usual way; `alive` is called for STUN from
    the nominated address. Raises OSError without a port.
    """
    connection: Connection = transport._connection
    connection._local_candidates_start = True
    for port in ports:
        protocol = StunProtocol(connection)
        door = _Door(connection, protocol, media, alive)
        channel = port.open(
            connection.local_username, connection.local_password, door, lambda one=protocol: one.connection_lost(None)
        )
        protocol.connection_made(channel)  # type: ignore[arg-type]
        protocol.local_candidate = Candidate(
            foundation=candidate_foundation("host", "udp", port.host),
            component=1,
            transport="udp",
            priority=candidate_priority(1, "host"),
            host=port.host,
            port=port.number,
            type="host",
        )
        connection._protocols.append(protocol)
        connection._local_candidates.append(protocol.local_candidate)
    connection._local_candidates_end = True
    if not ports:
        raise OSError("no address to listen on")
    return connection.local_candidates


def go_on_checking(transport: RTCIceTransport) -> None:
    """To be called when the first way is proven. aioice then drops the checks that are under way, and what they were
    for stays "in progress" for ever: a participant with two networks, or two kinds of address, who turns to the
    second a moment later would be heard from there and answered where nobody listens any more.
    """
    connection = transport._connection
    for pair in connection._check_list:
        if pair.state == CandidatePair.State.IN_PROGRESS:
            pair.state, pair.task = CandidatePair.State.FROZEN, None
            if pair.remote_nominated:
                connection.check_start_task(pair)


def let_go(transport: RTCIceTransport) -> None:
    """To be called when it has stopped. aioice leaves its connection in circles (pairs that lead back to it by their
    socket, a task that ended within it), which only a full collection of garbage finds: thousands of objects, and a
    pause of the whole node, for a few dozen legs.
    """
    connection = transport._connection
    connection._check_list.clear()
    connection._nominated.clear()
    connection._query_consent_task = None


class _Door:
    """Hands a channel's datagrams to the leg and to the libraries."""

    def __init__(self, connection: Connection, protocol: StunProtocol, media: Media, alive: Callable[[], None]) -> None:
        self.media = media
        self._connection = connection
        self._nominated, self._queue = connection._nominated, connection._queue
        self._usual = protocol.datagram_received
        self._protocol = protocol
        self._alive = alive
        self._taken = [0, 0]
        self._taken_since = 0.0

    def other(self, data: bytes, sender: tuple[str, int], now: float) -> bool:
        """Hands it on; False where there were too many of its kind."""
        if now - self._taken_since >= 1:
            self._taken, self._taken_since = [0, 0], now
        kind = 0 if data[0] < 4 else 1
        self._taken[kind] += 1
        if self._taken[kind] > OTHERS_PER_S:
            return False
        if kind == 0:
            pair = self._nominated.get(1)
            if pair is not None and pair.remote_addr == sender:
                self._alive()
            if len(self._connection._early_checks) < MOST_QUEUED:
                self._usual(data, sender)
                self._forget_addresses()
        elif self._queue.qsize() < MOST_QUEUED:
            self._usual(data, sender)
        return True

    def _forget_addresses(self) -> None:
        """The oldest that don't lead to the participant, or whoever knows the password could name thousands."""
        connection = self._connection
        while len(connection._remote_candidates) > MOST_REMOTE:
            used = [pair.remote_candidate for pair in self._nominated.values()]
            old = next(one for one in connection._remote_candidates if one not in used)
            connection._remote_candidates.remove(old)
            for pair in [pair for pair in connection._check_list if pair.remote_candidate is old]:
                connection._check_list.remove(pair)
                if pair.task is not None:
                    pair.task.cancel()

    def moved(self, sender: tuple[str, int]) -> None:
        """Checks the way back to a new address; once it is proven, it is the nominated one (RFC 8445 §7.3.1.4)."""
        if self._connection._early_checks_done and not self._connection._closing:
            sign = SimpleNamespace(attributes={"PRIORITY": candidate_priority(1, "prflx"), "USE-CANDIDATE": None})
            self._connection.check_incoming(sign, sender, self._protocol)  # type: ignore[arg-type]
            self._forget_addresses()


class Keys:
    """The two SRTP sessions of an established DTLS transport."""

    def __init__(self, dtls: RTCDtlsTransport) -> None:
        self._sessions: tuple[Session, Session] = (dtls._rx_srtp, dtls._tx_srtp)
        if not all(isinstance(session, Session) for session in self._sessions):
            raise HooksMoved("aiortc.RTCDtlsTransport has no SRTP sessions")
        self._rx, self.outward = (session._srtp[0] for session in self._sessions)
        self._length = ffi.new("int *")

    def open(self, pointer: Any, size: int, reports: bool) -> int:
        """Decrypts where it lies; the octets of the plain packet, -1 for one that is forged or replayed."""
        length = self._length
        length[0] = size
        if (_unprotect_rtcp if reports else _unprotect)(self._rx, pointer, length):
            return -1
        return length[0]


class Way:
    """Where the nominated pair leads; followed when the participant's network changes."""

    def __init__(self, transport: RTCIceTransport) -> None:
        self._nominated = transport._connection._nominated
        self._pair: Any = None
        self._to: Destination | None = None
        self._outbox: Outbox | None = None

    def rtp(self, packet: bytes, ssrc: int, session: Any) -> int:
        """Sends the packet under another SSRC; returns the octets that leave, 0 where that is not possible."""
        pair = self._nominated.get(1)
        if pair is not self._pair:
            self._turn(pair)
        if self._to is None or self._outbox is None:
            return 0
        return self._outbox.rtp(packet, ssrc, session, self._to)

    def rtcp(self, packet: bytes, session: Any) -> int:
        pair = self._nominated.get(1)
        if pair is not self._pair:
            self._turn(pair)
        if self._to is None or self._outbox is None:
            return 0
        return self._outbox.rtcp(packet, session, self._to)

    def _turn(self, pair: Any) -> None:
        self._pair, self._to, self._outbox = pair, None, None
        if pair is not None:
            channel: Channel = pair.protocol.transport
            self._to, self._outbox = channel.destination(pair.remote_addr), channel.port.outbox


def known_by(transport: RTCIceTransport, ssrcs: Sequence[int]) -> None:
    """By which of its streams the participant is known when packets come from a new address."""
    for protocol in transport._connection._protocols:
        protocol.transport.sends(ssrcs)  # type: ignore[attr-defined]


def as_server(dtls: RTCDtlsTransport, server: bool) -> None:
    """Fixes the DTLS role by the answer; aiortc would take it from the ICE role."""
    dtls._set_role("server" if server else "client")
