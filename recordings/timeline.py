"""One participant's recording as one WebM: sound without a hole from 0 to the end, picture where there
was one.

Players take the sound as their clock and count its samples, so the sound must be seamless: holes are
filled (a short one by the decoder's own concealment, a long one by silence), and what drift is left after
alignment is taken up by leaving out or adding a packet, if possible where it is quiet. The picture is
placed by time and its gaps are told, not filled.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import Literal, NamedTuple

from recordings import opus
from recordings.vp8 import Frame
from recordings.webm import WebmWriter

SETTLE_S = 20.0  # media this late (a relay over TCP that stalled) is still put in its place
VIDEO_GAP_S = 1.0
AUDIO_GAP_S = 0.5
CONCEAL_SAMPLES = 2880  # 60 ms: up to here a decoder's guess is better than silence
_DRIFT = 1440  # samples of 30 ms: beyond it the sound is brought back to its time
_QUIET_DRIFT = 480
_QUIET_BYTES = 16
_FILL_LAG = 1920
_VIDEO_BACK_S = 0.1
_FILL_AFTER = 48_000  # samples: a silence that lasts is written as it goes, not all of it at the end
_FOR_EVER = 1 << 62  # samples


@dataclass(frozen=True)
class Gap:
    """Seconds without this participant's picture or sound, from the recording's start."""

    kind: Literal["audio", "video"]
    start: float
    end: float


class _Item(NamedTuple):
    """Sorts by time, then by arrival; `leg` counts up with every new stream of the participant."""

    t: float
    turn: int
    leg: int
    frame: Frame | None
    sound: bytes


@dataclass
class Timeline:
    """`duration` is infinite while the recording goes on; `finish` is told what it has become."""

    writer: WebmWriter
    duration: float = inf
    gaps: list[Gap] = field(default_factory=list)
    width: int = 0
    height: int = 0
    frames: int = 0
    packets: int = 0
    longest_keyframe_distance: float = 0.0

    def __post_init__(self) -> None:
        self._waiting: list[_Item] = []
        self._turn = 0
        self._limit = _FOR_EVER if self.duration == inf else int(self.duration * opus.RATE)
        self._cursor = 0  # samples of sound written
        self._due = 0  # sample at which the latest packet ended by its own timestamp
        self._toc = b""
        self._video_leg = self._audio_leg = -1
        self._video_t = self._audio_end = self._keyframe_t = 0.0
        self._video_ms = -1

    def video(self, frame: Frame, leg: int) -> None:
        self._turn += 1
        self._waiting.append(_Item(frame.t, self._turn, leg, frame, b""))

    def audio(self, t: float, packet: bytes, leg: int) -> None:
        self._turn += 1
        self._waiting.append(_Item(t, self._turn, leg, None, packet))

    def advance(self, now: float) -> None:
        """Write what nothing can come before any more, `now` being the journal's time."""
        limit = now - SETTLE_S
        self._write_until(limit)
        silent_to = int(limit * opus.RATE) - _FILL_AFTER
        if silent_to > self._cursor:
            self._fill(silent_to)

    def finish(self, duration: float | None = None) -> None:
        if duration is not None:
            self.duration, self._limit = duration, int(duration * opus.RATE)
        self._write_until(inf)
        self._fill(self._limit)
        self._note_gap("audio", self._audio_end, self.duration, AUDIO_GAP_S)
        self._note_gap("video", self._video_t, self.duration, VIDEO_GAP_S)
        self.writer.finish(self.duration * 1000, self.width, self.height)

    def _write_until(self, limit: float) -> None:
        self._waiting.sort()
        done = 0
        for item in self._waiting:
            if item.t >= limit:
                break
            done += 1
            if item.t >= self.duration:
                continue
            if item.frame is None:
                self._write_audio(item)
            else:
                self._write_video(item.frame, max(0.0, item.t), item.leg)
        del self._waiting[:done]

    def _write_video(self, frame: Frame, t: float, leg: int) -> None:
        """A newer stream takes over with its first keyframe; from then on the older one is not looked at."""
        if leg != self._video_leg:
            if leg < self._video_leg or not frame.keyframe:
                return
            self._video_leg = leg
        if t < self._video_t - _VIDEO_BACK_S:
            return  # so late that its place is written already
        ms = round(t * 1000)
        if ms <= self._video_ms:
            ms = self._video_ms + 1  # two frames of one millisecond, after a correction of the clock
        self._fill(ms * 48 - _FILL_LAG)
        self._note_gap("video", self._video_t, t, VIDEO_GAP_S)
        if frame.keyframe:
            if frame.width * frame.height > self.width * self.height:
                self.width, self.height = frame.width, frame.height
            self._keyframe_t = t
        self.longest_keyframe_distance = max(self.longest_keyframe_distance, t - self._keyframe_t)
        self._video_t, self._video_ms = t, ms
        self.frames += 1
        self.writer.video(ms, frame.data, keyframe=frame.keyframe)

    def _write_audio(self, item: _Item) -> None:
        packet, samples = item.sound, opus.duration(item.sound)
        if item.leg < self._audio_leg or not samples:
            return
        self._audio_leg = item.leg
        target = round(item.t * opus.RATE)
        behind = target - self._cursor
        quiet = len(packet) <= _QUIET_BYTES
        if behind < -(_QUIET_DRIFT if quiet else _DRIFT) or target < -opus.UNIT:
            return  # before the start, or sound that is there already
        if target > self._due + opus.UNIT or behind > (_QUIET_DRIFT if quiet else _DRIFT):
            self._bridge(target)
        self._note_gap("audio", self._audio_end, item.t, AUDIO_GAP_S)
        self._due = target + samples
        self._audio_end = self._due / opus.RATE
        self._toc = packet[:1]
        if self._cursor + samples <= self._limit + opus.UNIT:
            self.packets += 1
            self._emit(packet, samples)

    def _bridge(self, target: int) -> None:
        missing = target - self._cursor
        if self._toc and missing <= CONCEAL_SAMPLES:
            samples, packet = opus.frame_samples(self._toc), opus.conceal(self._toc)
            while self._cursor + samples <= target:
                self._emit(packet, samples)
        self._fill(target)

    def _fill(self, target: int) -> None:
        for samples, packet in opus.silence(max(0, min(target, self._limit) - self._cursor)):
            self._emit(packet, samples)

    def _emit(self, packet: bytes, samples: int) -> None:
        self.writer.audio(self._cursor // 48, packet)
        self._cursor += samples

    def _note_gap(self, kind: Literal["audio", "video"], start: float, end: float, least: float) -> None:
        if end - start >= least:
            self.gaps.append(Gap(kind, round(start, 3), round(end, 3)))
