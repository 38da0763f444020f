"""From a journal's legs to streams: which SSRC is which participant's sound or picture, and how its clock
runs.

A journal is read twice, by one reader ahead and one behind. `Survey`, ahead, looks at headers alone and learns what
streams there are and how their clocks run; `Stream`, behind, orders the packets and hands whole frames to the
participant's timeline. Of a finished journal the first reads all before the second begins; of a live one the second
follows at a distance.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from recordings import rtp
from recordings.journal import JournalReader
from recordings.journal_records import TrackDeclared
from recordings.rtp_clock import StreamClock
from recordings.rtp_order import Reorder
from recordings.timeline import Timeline
from recordings.vp8 import FrameBuilder

Key = tuple[int, int]  # leg number, SSRC
Packet = tuple[int, float, bytes]  # leg number, at, RTP or RTCP
CODECS = {("audio", "opus"), ("video", "vp8")}


class Feed:
    """A journal's packets in portions: what is behind the limit is kept for the next one, and what is appended to the
    journal meanwhile comes with a later one."""

    def __init__(self, reader: JournalReader) -> None:
        self._reader = reader
        self._source: Iterator[Packet] | None = None
        self._kept: Packet | None = None

    @property
    def next_at(self) -> float | None:
        """When the next packet came, where there is one that was kept."""
        return self._kept[1] if self._kept else None

    def until(self, limit: float) -> Iterator[Packet]:
        """To be read to its end."""
        if self._kept is not None:
            if self._kept[1] > limit:
                return
            kept, self._kept = self._kept, None
            yield kept
        if self._source is None:
            self._source = self._reader.packets()
        for packet in self._source:
            if packet[1] > limit:
                self._kept = packet
                return
            yield packet
        self._source = None


@dataclass
class Seen:
    """One SSRC on one leg, as seen so far. A payload type that is not its main one is ignored later."""

    order: int  # streams count up with the time at which they began
    clocks: dict[int, StreamClock] = field(default_factory=dict)  # clock rate → clock, one for each declared track
    types: Counter[int] = field(default_factory=Counter)
    first: tuple[float, int] = (0.0, 0)
    last: tuple[float, int] = (0.0, 0)

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


class Choice(NamedTuple):
    """What a stream is taken for."""

    track: TrackDeclared
    payload_type: int


@dataclass
class Stream:
    choice: Choice
    order: int
    clock: StreamClock
    timeline: Timeline | None = None
    malformed: int = 0
    _reorder: Reorder[tuple[bool, float, bytes]] = field(default_factory=Reorder)
    _frames: FrameBuilder = field(default_factory=FrameBuilder)

    @property
    def track(self) -> TrackDeclared:
        return self.choice.track

    def push(self, second: int, sequence: int, timestamp: int, at: float, packet: bytes) -> None:
        """`second`: the header's byte of marker and payload type. One of another type moves the clock alone."""
        t = self.clock.place(timestamp, at)
        if second & 0x7F != self.choice.payload_type:
            return
        body = rtp.payload(packet)
        if body is None:
            self.malformed += 1
            return
        self._deliver(self._reorder.push(sequence, at, (second > 127, t, body)))

    def expire(self, now: float) -> None:
        self._deliver(self._reorder.expire(now))

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


class Survey:
    """`at` is how far it has come; `seen` what it has found."""

    def __init__(self, reader: JournalReader) -> None:
        self.at = 0.0
        self.seen: dict[Key, Seen] = {}
        self._legs = reader.legs
        self._feed = Feed(reader)

    def read(self, seconds: float) -> bool:
        """So much further; False where there is no more (yet)."""
        limit = max(self.at, self._feed.next_at or 0.0) + seconds
        unpack = rtp.unpack_header
        for number, at, packet in self._feed.until(limit):
            if at > self.at:
                self.at = at
            if len(packet) < rtp.HEADER_BYTES:
                continue
            _, second, _, timestamp, ssrc = unpack(packet)
            if 192 <= second <= 223:
                self._note_reports(number, packet)
                continue
            stream = self.seen.get((number, ssrc))
            if stream is None:
                stream = self.seen[number, ssrc] = self._begin(number, at, timestamp)
            stream.types[second & 0x7F] += 1
            stream.last = (at, timestamp)
            for clock in stream.clocks.values():
                clock.observe(timestamp, at)
        return self._feed.next_at is not None

    def choose(self) -> dict[Key, Choice]:
        """By what is known so far: the main payload type of every track makes a stream; retransmissions, probes and the
        like do not."""
        chosen: dict[Key, Choice] = {}
        for number, tracks in self._legs.items():
            here = {key: stream for key, stream in self.seen.items() if key[0] == number}
            for track in tracks:
                mine = {
                    key: stream
                    for key, stream in here.items()
                    if _nearest(tracks, stream) is track and track.clock_rate in stream.clocks
                }
                if not mine or (track.kind, track.codec) not in CODECS:
                    continue
                main_type = max(mine.values(), key=lambda stream: stream.packets).main_type
                for key, stream in mine.items():
                    if stream.main_type == main_type:
                        chosen[key] = Choice(track, main_type)
        return dict(sorted(chosen.items(), key=lambda entry: self.seen[entry[0]].order))

    def _begin(self, number: int, at: float, timestamp: int) -> Seen:
        clocks = {track.clock_rate: StreamClock(track.clock_rate) for track in self._legs.get(number, ())}
        return Seen(len(self.seen), clocks, first=(at, timestamp), last=(at, timestamp))

    def _note_reports(self, number: int, packet: bytes) -> None:
        for report in rtp.sender_reports(packet):
            stream = self.seen.get((number, report.ssrc))
            for clock in stream.clocks.values() if stream else ():
                clock.report(report.timestamp, report.ntp)


def _nearest(tracks: list[TrackDeclared], stream: Seen) -> TrackDeclared:
    if len(tracks) == 1:
        return tracks[0]
    rate = stream.measured_rate()
    return min(tracks, key=lambda track: abs(track.clock_rate - rate))


class Streams:
    """Those that were chosen. One that has begun stays what it was taken for; `misjudged` tells whether that was
    right."""

    def __init__(self, survey: Survey) -> None:
        self._survey = survey
        self._streams: dict[Key, Stream] = {}
        self._begun: set[Key] = set()
        self._passed: set[Key] = set()  # packets went by before the stream was chosen

    def __iter__(self) -> Iterator[Stream]:
        return iter(self._streams.values())

    def choose(self) -> None:
        chosen = self._survey.choose()
        for key in [key for key in self._streams if key not in self._begun and key not in chosen]:
            del self._streams[key]
        for key, choice in chosen.items():
            stream = self._streams.get(key)
            if stream is None or (stream.choice != choice and key not in self._begun):
                seen = self._survey.seen[key]
                self._streams[key] = Stream(choice, seen.order, seen.clocks[choice.track.clock_rate])

    def by_participant(self) -> Mapping[str, list[Stream]]:
        found: dict[str, list[Stream]] = {}
        for stream in self._streams.values():
            found.setdefault(stream.track.participant_id, []).append(stream)
        return found

    def begin(self, key: Key) -> Stream | None:
        """The stream of a packet that has come to be written."""
        stream = self._streams.get(key)
        (self._passed if stream is None else self._begun).add(key)
        return stream

    def misjudged(self) -> bool:
        chosen = self._survey.choose()
        taken = {key: self._streams[key].choice for key in self._begun}
        return taken != {key: choice for key, choice in chosen.items() if key in self._begun} or bool(
            chosen.keys() & self._passed
        )
