"""The UDP sockets of a process, one for each address it listens on, and whose datagrams come through them.

Every leg shares them (RFC 7983 tells STUN, DTLS and media apart; the sender's address tells the legs apart). So an
administrator opens one port for each process, and a busy node takes and sends a batch of packets with one call.

An address belongs to the leg whose password it proved in a STUN check. A media packet from an unknown address that
carries the SSRC of a running leg, and decrypts with its keys, shows that the participant's network has changed: it is
taken, and the leg checks the new way at once, long before the browser notices.

One socket for all means that a flood would take everybody's room in it: `sifting` and `sieve` keep it out.
"""

from __future__ import annotations

import asyncio
import logging
import random
import socket
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from video.media import stun
from video.media.datagrams import BATCH, LENGTH, LENGTH_AT, NAME, ROOM, Destination, Inbox, Outbox, destination
from video.media.sieve import Sieve
from video.media.sifting import Sifting

log = logging.getLogger(__name__)

BUFFER = 4 << 20
"""Octets that the kernel should hold for a socket: half a second of a full node. Beyond `net.core.rmem_max` it takes
the privilege to force it."""
SO_SNDBUFFORCE, SO_RCVBUFFORCE = 32, 33
REST_S = 0.0007
"""A busy node looks at its sockets no more often than this, so that packets share wake-ups."""
BUSY = 3
"""Datagrams at one look after which the rest comes at once: to wait for the next one first would be a wake-up more."""
MOST_ADDRESSES = 8
"""From which one leg may be reached: a browser tries each of its networks."""
MOVES_PER_S = 50
"""Packets of unknown senders that are tried against the leg they name."""


class Visitor(Protocol):
    """What a channel hands to its leg. Nothing that it raises gets out of the port."""

    def media(self, inbox: Inbox, index: int, size: int, now: float) -> bool:
        """One protected datagram; False where it didn't prove itself. The buffer is the port's: copy."""
        ...

    def other(self, data: bytes, sender: tuple[str, int], now: float) -> bool:
        """STUN or DTLS; False where it is more than anybody needs."""
        ...

    def moved(self, sender: tuple[str, int]) -> None:
        """A packet that proved itself came from a new address."""
        ...


class _Nobody:
    """Where a closed channel leads."""

    def media(self, inbox: Inbox, index: int, size: int, now: float) -> bool:
        return False

    def other(self, data: bytes, sender: tuple[str, int], now: float) -> bool:
        return False

    def moved(self, sender: tuple[str, int]) -> None:
        return None


NOBODY = _Nobody()


class Channel:
    """One leg's way through one port; to the ICE library it looks like a transport with a socket of its own."""

    def __init__(self, port: Port, user: str, password: str, visitor: Visitor, closed: Callable[[], None]) -> None:
        self.port = port
        self.user = user
        self.password = password.encode()
        self.visitor: Visitor = visitor
        self.media = visitor.media
        self.names: list[bytes] = []
        self.ssrcs: tuple[int, ...] = ()
        self._closed: Callable[[], None] | None = closed
        self._destinations: dict[tuple[str, int], Destination] = {}

    def destination(self, address: tuple[str, int]) -> Destination:
        to = self._destinations.get(address)
        if to is None:
            if len(self._destinations) >= MOST_ADDRESSES:
                self._destinations.clear()
            to = self._destinations[address] = destination(self.port.family, address)
        return to

    def sends(self, ssrcs: Iterable[int]) -> None:
        """By which streams its participant is known when the address changes."""
        self.port.know(self, tuple(ssrcs))

    # What asyncio.DatagramTransport offers

    def sendto(self, data: bytes, address: tuple[str, int]) -> None:
        if self._closed is not None:
            self.port.send(data, address)

    def close(self) -> None:
        closed, self._closed = self._closed, None
        if closed is not None:
            self.port.forget(self)
            # The ICE library keeps channels in circles: the leg with its keys shall not wait for the collector.
            self.visitor = NOBODY
            self.media = NOBODY.media
            asyncio.get_running_loop().call_soon(closed)

    def is_closing(self) -> bool:
        return self._closed is None

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self.port.socket.getsockname() if name == "sockname" else default


class Port:
    """One socket."""

    def __init__(
        self, sockets: Sockets, sock: socket.socket, announced: str, *, monotonic: Callable[[], float]
    ) -> None:
        self.socket = sock
        self.family = sock.family
        self.host = announced
        self.number: int = sock.getsockname()[1]
        self.outbox = Outbox(sock)
        self.sieve = Sieve(sock)
        self.sifting = Sifting()
        self._sockets = sockets
        self._monotonic = monotonic
        self._inbox = Inbox(sock)
        self._names: dict[bytes, Channel] = {}
        self._users: dict[str, Channel] = {}
        self._ssrcs: dict[int, Channel] = {}
        self._looked_at = 0.0
        self._more = False
        """The last batch was full: there is more, and nothing to wait for."""
        self._tries = MOVES_PER_S
        self._tries_from = 0.0
        asyncio.get_running_loop().add_reader(sock.fileno(), self.look)

    def open(self, user: str, password: str, visitor: Visitor, closed: Callable[[], None]) -> Channel:
        """A leg's way in and out; `user` is its ICE user name fragment."""
        channel = self._users[user] = Channel(self, user, password, visitor, closed)
        return channel

    def know(self, channel: Channel, ssrcs: tuple[int, ...]) -> None:
        if ssrcs != channel.ssrcs:
            self._forget_ssrcs(channel)
            channel.ssrcs = ssrcs
            for ssrc in ssrcs:
                self._ssrcs.setdefault(ssrc, channel)

    def _forget_ssrcs(self, channel: Channel) -> None:
        for ssrc in channel.ssrcs:
            if self._ssrcs.get(ssrc) is channel:
                del self._ssrcs[ssrc]

    def forget(self, channel: Channel) -> None:
        self._forget_ssrcs(channel)
        if self._users.get(channel.user) is channel:
            del self._users[channel.user]
        for name in channel.names:
            if self._names.get(name) is channel:
                del self._names[name]

    def send(self, data: bytes, address: tuple[str, int]) -> None:
        """One datagram, at once."""
        try:
            self.socket.sendto(data, address)
        except OSError:
            self.outbox.dropped += 1

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self.socket.fileno())
        self.socket.close()

    def look(self) -> None:
        """Takes what has come in and hands it out; what this makes the legs send leaves together."""
        rest = REST_S - (time.perf_counter() - self._looked_at)
        if rest > 0 and not self._more:
            time.sleep(rest)
        inbox = self._inbox
        count = inbox.receive()
        self._more = count == BATCH
        now = self._monotonic()
        names, key_size, firsts, lengths, find = (
            inbox.names,
            inbox.key_size,
            inbox.firsts,
            inbox.lengths,
            self._names.get,
        )
        self._sockets.hold()
        try:
            for index in range(count):
                at = index * NAME
                channel = find(names[at : at + key_size])
                try:
                    if channel is not None and 127 < firsts[index * ROOM] < 192:
                        if not channel.media(inbox, index, lengths[index * LENGTH + LENGTH_AT], now):
                            self._unwelcome(index, now, leg=True)
                    else:
                        self._other(channel, index, now)
                except Exception:
                    log.debug("a datagram could not be handled", exc_info=True)
        finally:
            self._sockets.release()
        if self.sifting.changed:
            self._sift(now)
        self._looked_at = time.perf_counter()
        if BUSY <= count < BATCH:
            time.sleep(REST_S)

    def _other(self, channel: Channel | None, index: int, now: float) -> None:
        inbox = self._inbox
        data = inbox.data(index)
        first = data[0] if data else 255
        if first < 4:
            if stun.is_request(data):
                channel = self._visited(channel, data, index)
            if channel is not None:
                if not channel.visitor.other(data, inbox.sender(index), now):
                    self._unwelcome(index, now, leg=True)
                return
        elif 19 < first < 64:
            if channel is not None:
                if not channel.visitor.other(data, inbox.sender(index), now):
                    self._unwelcome(index, now, leg=True)
                return
        elif 127 < first < 192 and len(data) > 12:
            known = self._ssrcs.get(int.from_bytes(data[8:12], "big"))
            if known is not None and self._may_try(now) and known.media(inbox, index, len(data), now):
                self._bind(self._name(index), known)
                known.visitor.moved(inbox.sender(index))
                return
        self._unwelcome(index, now, leg=channel is not None)

    def _unwelcome(self, index: int, now: float, *, leg: bool) -> None:
        host, port = _place(self._name(index))
        self.sifting.unwelcome(host, port, leg=leg, now=now)

    def _sift(self, now: float) -> None:
        self.sieve.shut(self.sifting.shuts(map(_place, self._names), now=now))

    def tidy(self, now: float) -> None:
        """Now and then: who was shut out long enough is heard again."""
        self.sifting.look(now=now)
        if self.sifting.changed:
            self._sift(now)

    def _visited(self, channel: Channel | None, data: bytes, index: int) -> Channel | None:
        """Whose leg a check is for. An address is bound, or bound anew, only by the right password."""
        user = stun.local_user(data)
        if channel is not None and channel.user == user:
            return channel
        wanted = self._users.get(user)
        if wanted is None or not stun.is_authentic(data, wanted.password):
            return None
        self._bind(self._name(index), wanted)
        return wanted

    def _name(self, index: int) -> bytes:
        return self._inbox.names[index * NAME : index * NAME + self._inbox.key_size]

    def _bind(self, name: bytes, channel: Channel) -> None:
        before = self._names.get(name)
        if before is not None and before is not channel:
            before.names.remove(name)
        self._names[name] = channel
        if name not in channel.names:
            channel.names.append(name)
            if len(channel.names) > MOST_ADDRESSES:
                self._names.pop(channel.names.pop(0), None)

    def _may_try(self, now: float) -> bool:
        if now - self._tries_from >= 1:
            self._tries, self._tries_from = MOVES_PER_S, now
        self._tries -= 1
        return self._tries >= 0


class Sockets:
    """All ports of a process."""

    def __init__(
        self,
        addresses: Sequence[str],
        range_: tuple[int, int] | None = None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.ports: list[Port] = []
        self._addresses = addresses
        self._range = range_
        self._monotonic = monotonic

    def open(self) -> None:
        """Opens a socket on each address; each is `bind` or `bind=announced` (behind one-to-one NAT).

        Raises OSError where not one could be opened.
        """
        failed: OSError | None = None
        for address in self._addresses:
            bind, _, announced = address.partition("=")
            try:
                sock = _opened(bind, self._range)
            except OSError as error:
                failed = error
                log.warning("no media socket on %s: %s", bind, error)
                continue
            self.ports.append(Port(self, sock, announced or bind, monotonic=self._monotonic))
        if not self.ports:
            raise failed or OSError("no address to listen on")

    def hold(self) -> None:
        for port in self.ports:
            port.outbox.holding = True

    def release(self) -> None:
        for port in self.ports:
            port.outbox.holding = False
            if port.outbox.filled:
                port.outbox.flush()

    def tidy(self, *, now: float) -> None:
        for port in self.ports:
            port.tidy(now)

    def turned_away(self) -> dict[str, int]:
        """What came in vain since the start: `unwelcome` was read and nobody's; `dropped` is what the kernel did not
        let in, by the filter or for want of room.
        """
        return {
            "unwelcome": sum(port.sifting.total for port in self.ports),
            "dropped": sum(port.sieve.dropped for port in self.ports),
        }

    def close(self) -> None:
        for port in self.ports:
            port.close()
        self.ports.clear()


def _place(name: bytes) -> tuple[bytes, int]:
    """Host and port as `sifting` counts them, of a sender's name as the kernel writes it."""
    return (name[4:8] if len(name) == 8 else name[8:16]), name[2] << 8 | name[3]


def _opened(bind: str, range_: tuple[int, int] | None) -> socket.socket:
    family = socket.AF_INET6 if ":" in bind else socket.AF_INET
    low, high = range_ or (0, 0)
    choices = random.sample(range(low, high + 1), k=high - low + 1)
    for index, number in enumerate(choices):
        sock = socket.socket(family, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.bind((bind, number))
        except OSError:
            sock.close()
            if index + 1 == len(choices):
                raise
            continue
        for forced, option in ((SO_RCVBUFFORCE, socket.SO_RCVBUF), (SO_SNDBUFFORCE, socket.SO_SNDBUF)):
            try:
                sock.setsockopt(socket.SOL_SOCKET, forced, BUFFER)
            except OSError:
                sock.setsockopt(socket.SOL_SOCKET, option, BUFFER)
        return sock
    raise OSError("the port range is empty")
