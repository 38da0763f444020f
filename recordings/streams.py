"""From a journal's legs to streams: which SSRC is which participant's sound or picture, and how its clock
runs.

The first pass over the journal (`survey`) looks at headers alone; the second feeds `Stream.push`, which
orders the packets and hands whole frames to the participant's timeline.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from recordings import rtp, rtp_clock
from recordings.journal import JournalReader
from recordings.journal_records import TrackDeclared
from recordings.rtp_clock import StreamClock
from recordings.rtp_order import Reorder
from recordings.timeline import Timeline
from recordings.vp8 import FrameBuilder

Key = tuple[int, int]  # leg number, SSRC
CODECS = {("audio", "opus"), ("video", "vp8")}


@dataclass
class Seen:
    """One SSRC on one leg, as the first pass saw it. A payload type that is not its main one is ignored
    later."""

    clocks: dict[int, StreamClock] = field(default_factory=dict)  # clock rate → clock, one for each declared track
    types: Counter[int] = field(default_factory=Counter)
    first: tuple[float, int] = (0.0, 0)
    last: tuple[float, int] = (0.0, 0)
    bytes: int = 0

    @property
    def main_type(self) -> int:
        return self.types.most_common(1)[0][0]

    @property
    def packets(self) -> int:
        return self.types[self.main_type]

    def measured_rate(self) -> float:
        """Timestamp units a second, by arrival: tells sound (48000) from picture (90000) where a leg has
        both."""
        span = self.last[0] - self.first[0]
        return (self.last[1] - self.first[1] & 0xFFFFFFFF) / span if span > 0.05 else 0.0


@dataclass
class Stream:
    track: TrackDeclared
    payload_type: int
    order: int  # streams of a participant count up with the time at which they began
    clock: StreamClock
    timeline: Timeline | None = None
    malformed: int = 0
    _reorder: Reorder[tuple[bool, float, bytes]] = field(default_factory=Reorder)
    _frames: FrameBuilder = field(default_factory=FrameBuilder)

    def push(self, marker: bool, sequence: int, timestamp: int, at: float, packet: bytes) -> None:
        body = rtp.payload(packet)
        if body is None:
            self.malformed += 1
            return
        t = self.clock.place(timestamp, at)
        self._deliver(self._reorder.push(sequence, at, (marker, t, body)))

    def flush(self) -> None:
        self._deliver(self._reorder.flush())

    def _deliver(self, packets: Iterable[tuple[int, tuple[bool, float, bytes]]]) -> None:
        assert self.timeline is not None
        if self.track.kind == "audio":
            for _, (_, t, body) in packets:
                self.timeline.audio(t, body, self.order)
            return
        for sequence, (marker, t, body) in packets:
            frame = self._frames.push(sequence, marker, t, body)
            if frame is not None:
                self.timeline.video(frame, self.order)


def survey(reader: JournalReader) -> dict[Key, Stream]:
    """The streams that can be recorded, aligned on the recording's timeline."""
    seen: dict[Key, Seen] = {}
    unpack = rtp.unpack_header
    for number, at, packet in reader.packets():
        if len(packet) < rtp.HEADER_BYTES:
            continue
        _, second, _, timestamp, ssrc = unpack(packet)
        if 192 <= second <= 223:
            _note_reports(seen, number, packet)
            continue
        stream = seen.get((number, ssrc))
        if stream is None:
            stream = seen[number, ssrc] = _begin(reader.legs.get(number, ()), at, timestamp)
        stream.types[second & 0x7F] += 1
        stream.last = (at, timestamp)
        for clock in stream.clocks.values():
            clock.observe(timestamp, at)
    return _choose(reader, seen)


def _begin(tracks: Iterable[TrackDeclared], at: float, timestamp: int) -> Seen:
    rates = {track.clock_rate for track in tracks}
    return Seen({rate: StreamClock(rate) for rate in rates}, first=(at, timestamp), last=(at, timestamp))


def _note_reports(seen: dict[Key, Seen], number: int, packet: bytes) -> None:
    for report in rtp.sender_reports(packet):
        stream = seen.get((number, report.ssrc))
        for clock in stream.clocks.values() if stream else ():
            clock.report(report.timestamp, report.ntp)


def _choose(reader: JournalReader, seen: dict[Key, Seen]) -> dict[Key, Stream]:
    """The main payload type of every track makes a stream; retransmissions, probes and the like do not."""
    chosen: list[tuple[Key, TrackDeclared, Seen]] = []
    for number, tracks in reader.legs.items():
        here = {key: stream for key, stream in seen.items() if key[0] == number}
        for track in tracks:
            mine = {key: stream for key, stream in here.items() if _nearest(tracks, stream) is track}
            if not mine or (track.kind, track.codec) not in CODECS:
                continue
            main_type = max(mine.values(), key=lambda stream: stream.packets).main_type
            chosen += [(key, track, stream) for key, stream in mine.items() if stream.main_type == main_type]
    chosen.sort(key=lambda entry: entry[2].first[0])
    streams = {
        key: Stream(track, stream.main_type, order, stream.clocks[track.clock_rate])
        for order, (key, track, stream) in enumerate(chosen)
    }
    for participant in {stream.track.participant_id for stream in streams.values()}:
        rtp_clock.align(s.clock for s in streams.values() if s.track.participant_id == participant)
    for stream in streams.values():
        stream.clock.second_pass()
    return streams


def _nearest(tracks: list[TrackDeclared], stream: Seen) -> TrackDeclared:
    if len(tracks) == 1:
        return tracks[0]
    rate = stream.measured_rate()
    return min(tracks, key=lambda track: abs(track.clock_rate - rate))


def replay(reader: JournalReader, streams: dict[Key, Stream], tick: Callable[[float], None]) -> None:
    """The second pass; `tick` is called about once a second of journal time."""
    unpack = rtp.unpack_header
    next_tick = 1.0
    for number, at, packet in reader.packets():
        if len(packet) < rtp.HEADER_BYTES:
            continue
        _, second, sequence, timestamp, ssrc = unpack(packet)
        stream = streams.get((number, ssrc))
        if stream is None or second & 0x7F != stream.payload_type or 192 <= second <= 223:
            continue
        stream.push(second > 127, sequence, timestamp, at, packet)
        if at >= next_tick:
            tick(at)
            next_tick = at + 1.0
    for stream in streams.values():
        stream.flush()
