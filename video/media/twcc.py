"""Transport-wide feedback: draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1, both directions.

In a call of two, feedback goes through raw and nothing here runs. With three or four, the node answers each
publisher itself (`Arrivals`) and reads what each receiver says about the node's own numbering (`read`).
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from video.media import rtcp

TICK_US = 250
REFERENCE_US = 64_000
MOST_PACKETS = 400
"""A feedback packet stays below the size of a datagram."""
MOST_READ = 2000
"""Twenty bytes can tell of 65,535 packets that didn't come; nobody is sent so many between two feedbacks."""

_FIELDS = struct.Struct("!HHI")


class Report(NamedTuple):
    """Arrival time in µs of the receiver's own clock, None where the packet did not arrive."""

    number: int
    arrived_us: int | None


def read(packet: bytes) -> list[Report]:
    """What a receiver says of each packet; an empty list where the feedback makes no sense."""
    if len(packet) < 20:
        return []
    base, count, time_and_serial = _FIELDS.unpack_from(packet, 12)
    if count > MOST_READ:
        return []
    reference = time_and_serial >> 8
    if reference & 0x800000:
        reference -= 1 << 24
    at, size = 20, len(packet)
    symbols: list[int] = []
    while len(symbols) < count:
        if at + 2 > size:
            return []
        chunk = packet[at] << 8 | packet[at + 1]
        at += 2
        if not chunk & 0x8000:
            symbols.extend([chunk >> 13 & 0x03] * min(chunk & 0x1FFF, count - len(symbols)))
            if not chunk & 0x1FFF:
                return []
        elif chunk & 0x4000:
            symbols.extend(chunk >> shift & 0x03 for shift in range(12, -1, -2))
        else:
            symbols.extend(chunk >> shift & 0x01 for shift in range(13, -1, -1))
    clock = reference * REFERENCE_US
    reports: list[Report] = []
    for index, symbol in enumerate(symbols[:count]):
        number = (base + index) & 0xFFFF
        if symbol == 1 and at < size:
            clock += packet[at] * TICK_US
            at += 1
        elif symbol == 2 and at + 2 <= size:
            clock += struct.unpack_from("!h", packet, at)[0] * TICK_US
            at += 2
        elif symbol == 0:
            reports.append(Report(number, None))
            continue
        else:
            return []
        reports.append(Report(number, clock))
    return reports


class Arrivals:
    """Collects when the packets of one publisher arrived, and writes the feedback about them."""

    def __init__(self) -> None:
        self._seen: dict[int, int] = {}
        self._next: int | None = None
        self._highest = 0
        self._serial = 0

    def note(self, number: int, at_us: int) -> None:
        if self._next is None:
            self._next = self._highest = number
        unwrapped = self._highest + ((number - self._highest + 0x8000) & 0xFFFF) - 0x8000
        if unwrapped < self._next - MOST_PACKETS:
            return
        self._highest = max(self._highest, unwrapped)
        self._next = min(self._next, unwrapped)
        self._seen.setdefault(unwrapped, at_us)

    def feedback(self, media: int) -> bytes | None:
        """The feedback about everything since the last one; None where nothing arrived."""
        if not self._seen or self._next is None:
            return None
        first, last = self._next, max(self._seen)
        if last - first >= MOST_PACKETS:
            first = max(min(self._seen), last - MOST_PACKETS + 1)
        arrived = [self._seen.get(number) for number in range(first, last + 1)]
        self._seen.clear()
        self._next = last + 1
        self._serial = (self._serial + 1) & 0xFF
        return write(media, first & 0xFFFF, arrived, self._serial)


def write(media: int, base: int, arrived: list[int | None], serial: int) -> bytes:
    """Feedback about consecutive packets from `base`; times in µs, None for one that did not arrive."""
    clock = next((time for time in arrived if time is not None), 0) // REFERENCE_US * REFERENCE_US
    reference = clock // REFERENCE_US & 0xFFFFFF
    symbols: list[int] = []
    deltas = bytearray()
    for time in arrived:
        if time is None:
            symbols.append(0)
            continue
        ticks = max(-32_768, min(32_767, round((time - clock) / TICK_US)))
        clock += ticks * TICK_US
        if 0 <= ticks <= 255:
            symbols.append(1)
            deltas.append(ticks)
        else:
            symbols.append(2)
            deltas += struct.pack("!h", ticks)
    chunks = bytearray()
    at = 0
    while at < len(symbols):
        run = at
        while run < len(symbols) and symbols[run] == symbols[at] and run - at < 0x1FFF:
            run += 1
        if run - at >= 7:
            chunks += struct.pack("!H", symbols[at] << 13 | run - at)
            at = run
            continue
        seven = [*symbols[at : at + 7], 0, 0, 0, 0, 0, 0][:7]
        packed = 0xC000
        for index, symbol in enumerate(seven):
            packed |= symbol << (12 - 2 * index)
        chunks += struct.pack("!H", packed)
        at += 7
    body = _FIELDS.pack(base, len(arrived), reference << 8 | serial) + bytes(chunks) + bytes(deltas)
    body += b"\0" * (-len(body) % 4)
    head = struct.pack("!BBHII", 0x80 | rtcp.TWCC, rtcp.RTPFB, 2 + len(body) // 4, rtcp.OWN_SSRC, media)
    return head + body
