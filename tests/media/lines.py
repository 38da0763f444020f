"""A page on a line with faults: leads its media through the proxy, and measures what the person saw and heard.

    lead(page, proxy.line("sara"))      # before the page is opened
    …
    watch = Watch(page)
    watch.rest(10)
    seen = watch.seen()
    seen.freezes(), seen.frozen_share(), seen.concealed(), seen.back_after(until)

All moments are seconds since the epoch, so that they compare with those of `Line.blackout`. A test that waits must
wait with `rest` (or `page.wait_for_timeout`), not with `time.sleep`: the page asks for its door through Playwright.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.media.proxy import Line

SCRIPT = Path(__file__).with_name("lines.js")
FREEZE_S = 0.2
SAMPLE_MS = 50
SOUND_S = 0.1
"""Over which sound must be mostly real to count as being back."""


def lead(page: Any, line: Line | None) -> None:
    """The media of a page that is opened from now on go through the line; None only lets `Watch` measure it."""
    if line is not None:
        page.expose_function("lineDoor", line.door)
    page.add_init_script(path=str(SCRIPT))


@dataclass
class Frame:
    at: float
    count: int
    width: int
    height: int


@dataclass
class Seen:
    """What happened on a page between `since` and `until`."""

    since: float
    until: float
    frames: list[Frame] = field(default_factory=list)
    samples: list[dict[str, Any]] = field(default_factory=list)

    def between(self, since: float, until: float) -> Seen:
        return Seen(
            since,
            until,
            [frame for frame in self.frames if since <= frame.at <= until],
            [sample for sample in self.samples if since <= sample["at"] <= until],
        )

    def gaps(self) -> list[tuple[float, float]]:
        """(when it began, how long the same picture stood) between any two pictures and at both ends.

        Where the page was told late of several pictures, they are taken to have come evenly.
        """
        found = []
        last, count = self.since, 0
        for frame in self.frames:
            steps = max(1, frame.count - count) if count else 1
            step = (frame.at - last) / steps
            found += [(last + index * step, step) for index in range(steps)]
            last, count = frame.at, frame.count
        return [*found, (last, self.until - last)]

    def freezes(self, longer_than: float = FREEZE_S) -> list[tuple[float, float]]:
        return [gap for gap in self.gaps() if gap[1] > longer_than]

    def longest(self) -> float:
        return max(length for _, length in self.gaps())

    def frozen_share(self) -> float:
        """The part of the time that lay in freezes longer than `FREEZE_S`."""
        return sum(length for _, length in self.freezes()) / (self.until - self.since)

    def fps(self) -> float:
        if len(self.frames) < 2:
            return 0.0
        first, last = self.frames[0], self.frames[-1]
        return max(last.count - first.count, len(self.frames) - 1) / (self.until - self.since)

    def grew(self, way: str, kind: str, name: str) -> float:
        """By how much a counter of the statistics rose, over every connection that was."""
        total = 0.0
        before: dict[str, Any] | None = None
        for sample in self.samples:
            value = sample[way][kind].get(name)
            if value is None:
                continue
            if before is not None:
                total += value - before["value"] if before["peer"] == sample["peer"] else value
            before = {"value": value, "peer": sample["peer"]}
        return total

    def rate_kbps(self, way: str, kind: str) -> float:
        name = "bytesReceived" if way == "in" else "bytesSent"
        return 8 * self.grew(way, kind, name) / 1000 / (self.until - self.since)

    def concealed(self) -> float:
        """The part of what was played that the receiver had to make up."""
        played = self.grew("in", "audio", "totalSamplesReceived")
        return self.grew("in", "audio", "concealedSamples") / played if played else 1.0

    def last(self, way: str, kind: str, name: str) -> Any:
        return next((one[way][kind][name] for one in reversed(self.samples) if name in one[way][kind]), None)

    def picture_after(self, moment: float) -> float | None:
        """How long after the moment the first new picture was shown; None: it wasn't."""
        return next((frame.at - moment for frame in self.frames if frame.at >= moment), None)

    def smooth_after(self, moment: float, still_s: float = FREEZE_S) -> float | None:
        """How long after the moment the last freeze that began within five seconds of it was over."""
        ends = [at + length for at, length in self.gaps() if length > still_s and at < moment + 5]
        return None if ends and ends[-1] >= self.until else max([0.0, *(end - moment for end in ends)])

    def sound_after(self, moment: float) -> float | None:
        """How long after the moment most of what is played is real again, to the resolution of the samples."""
        heard = [
            (one["at"], one["peer"], one["in"]["audio"]["totalSamplesReceived"], one["in"]["audio"]["concealedSamples"])
            for one in self.samples
            if one["at"] >= moment and "totalSamplesReceived" in one["in"]["audio"]
        ]
        for index, (at, peer, played, made_up) in enumerate(heard):
            for later, other, played_then, made_up_then in heard[index + 1 :]:
                if other != peer or later - at < SOUND_S:
                    continue
                if played_then - played > 0 and (made_up_then - made_up) < 0.5 * (played_then - played):
                    return later - moment
                break
        return None


class Watch:
    """Notes every picture and a reading of the statistics each 50 ms on a page that `lead` has prepared."""

    def __init__(self, page: Any, every_ms: int = SAMPLE_MS) -> None:
        self._page = page
        self._frames: list[Frame] = []
        self._samples: list[dict[str, Any]] = []
        page.evaluate("everyMs => line.watch(everyMs)", every_ms)
        self._since = self._take()

    def rest(self, seconds: float) -> None:
        self._page.wait_for_timeout(seconds * 1000)

    def seen(self) -> Seen:
        """Everything since the watch began."""
        until = self._take()
        return Seen(self._since, until, list(self._frames), list(self._samples))

    def _take(self) -> float:
        noted = self._page.evaluate("line.take()")
        self._frames += [Frame(at / 1000, count, width, height) for at, count, width, height in noted["frames"]]
        self._samples += [{**sample, "at": sample["at"] / 1000} for sample in noted["samples"]]
        return float(noted["now"]) / 1000
