"""Who floods a port, and whose datagrams the kernel is to throw away: decisions only, `sieve` carries them out.

Counted is what is unwelcome: what belongs to nobody, or comes from a leg's address and does not prove itself. A
sender's address can be forged, so no leg is shut out for what comes under its address: it is thinned, and what is left
of the flood costs little. Everybody else who passes a budget is shut out for some seconds, longer each time: first the
single address, and where a host floods from ever new ports, the host (an IPv6 host owns its whole /64).

The budgets are far above what browsers do by mistake. One whose leg was cut goes on sending for a second or so, and an
office of them behind one address, after a restart of the node; their new legs come from new ports.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import inf

PORT_MOST = 100
"""Unwelcome datagrams of one address in a second."""
HOST_MOST = 5000
"""Of a host in a second, before its ports were shut one by one."""
LEG_MOST = 1000
"""From the address of a leg; a network that doubles every packet of a 1080p camera stays below it."""
SHUT_S, LONGEST_S = 5.0, 60.0
FORGIVEN_S = 120.0
"""After so long an address that was shut out begins anew."""
MOST_HOSTS, MOST_PORTS, MOST_COUNTED, MOST_KNOWN = 64, 400, 4096, 4096


@dataclass(frozen=True, slots=True)
class Shut:
    """What is done with one host's datagrams: those of `ports`, or all but those of `legs` where it is shut `whole`,
    are dropped; of those from the addresses of `thinned` (legs) one in sixteen passes.
    """

    host: bytes
    ports: tuple[int, ...] = ()
    whole: bool = False
    legs: tuple[int, ...] = ()
    thinned: tuple[int, ...] = ()


@dataclass(slots=True)
class _Entry:
    until: float
    times: int = 1
    thinned: bool = False

    def again(self, now: float) -> None:
        if now - self.until > FORGIVEN_S:
            self.times = 0
        self.until = now + min(LONGEST_S, SHUT_S * 2**self.times)
        self.times += 1


@dataclass(slots=True)
class Sifting:
    """Fed with every unwelcome datagram. `changed` says that `shuts()` has something new to say."""

    changed: bool = False
    total: int = 0
    _since: float = 0.0
    _next_end: float = inf
    _ports: dict[tuple[bytes, int], int] = field(default_factory=dict)
    _hosts: dict[bytes, int] = field(default_factory=dict)
    _shut: dict[tuple[bytes, int | None], _Entry] = field(default_factory=dict)

    def unwelcome(self, host: bytes, port: int, *, leg: bool, now: float) -> None:
        """One more from there; `leg`: it is the address of a leg."""
        self.total += 1
        if now - self._since >= 1:
            self._since = now
            self._ports.clear()
            self._hosts.clear()
        address = (host, port)
        count = self._ports.get(address, 0) + 1
        if count == 1 and len(self._ports) >= MOST_COUNTED:
            self._ports.clear()  # ever new ports: the host's own count tells
        self._ports[address] = count
        if count == (LEG_MOST if leg else PORT_MOST):
            self._put(address, thinned=leg, now=now)
        if not leg:
            count = self._hosts.get(host, 0) + 1
            if count > 1 or len(self._hosts) < MOST_COUNTED:
                self._hosts[host] = count
            if count == HOST_MOST:
                self._put((host, None), thinned=False, now=now)

    def _put(self, what: tuple[bytes, int | None], *, thinned: bool, now: float) -> None:
        entry = self._shut.get(what)
        if entry is None:
            if len(self._shut) >= MOST_KNOWN:  # the one longest forgiven makes room
                del self._shut[min(self._shut, key=lambda known: self._shut[known].until)]
            self._shut[what] = _Entry(now + SHUT_S, thinned=thinned)
        elif entry.until <= now or entry.thinned != thinned:
            entry.again(now)
            entry.thinned = thinned
        self.changed = True

    def look(self, *, now: float) -> None:
        """Now and then: who was shut out long enough is heard again."""
        if now >= self._next_end:
            self.changed = True
        for what in [what for what, entry in self._shut.items() if now - entry.until > FORGIVEN_S]:
            del self._shut[what]

    def shuts(self, legs: Iterable[tuple[bytes, int]], *, now: float) -> list[Shut]:
        """What holds at the moment, the latest first, no longer than a filter may be. `legs`: their addresses now."""
        self.changed = False
        self._next_end = min((entry.until for entry in self._shut.values() if entry.until > now), default=inf)
        current = [(what, entry) for what, entry in self._shut.items() if entry.until > now]
        current.sort(key=lambda one: -one[1].until)
        alive: dict[bytes, set[int]] = {}
        for host, port in legs:
            alive.setdefault(host, set()).add(port)
        found: dict[bytes, tuple[list[int], list[int]]] = {}
        whole = {host for (host, port), _ in current if port is None}
        room = MOST_PORTS
        for (host, port), entry in current:
            if host not in found and len(found) >= MOST_HOSTS:
                continue
            ports, thinned = found.setdefault(host, ([], []))
            if port is None or room <= 0:
                continue
            if port in alive.get(host, ()):
                thinned.append(port)
                room -= 1
            elif not entry.thinned and host not in whole:
                ports.append(port)
                room -= 1
        shuts = []
        for host, (ports, thinned) in found.items():
            spared = tuple(sorted(alive.get(host, set()) - set(thinned))) if host in whole else ()
            if host in whole and len(spared) > MOST_PORTS:
                continue  # a relay that everybody uses: rather a flood than nobody
            if host in whole or ports or thinned:
                shuts.append(Shut(host, tuple(sorted(ports)), host in whole, spared, tuple(sorted(thinned))))
        return shuts
