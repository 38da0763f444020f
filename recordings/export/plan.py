"""What a film is to show: everything that its making needs to know, gathered beforehand. Times in seconds."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from recordings.export.layout import FPS


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch without a participant's picture (or sound), and what to say there."""

    start: float
    end: float
    words: str


@dataclass(frozen=True, slots=True)
class Side:
    """One participant: a sealed WebM on the recording's timeline."""

    path: Path
    name: str
    has_video: bool
    has_audio: bool
    dark: tuple[Gap, ...] = ()
    silent: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """A line of real-time text: from when, by whom, what."""

    at: float
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Film:
    """`head` stands at the reading edge of the header (case number), `stamp` below everything, `mark` across the
    pictures: both tell for whom and for what the film was made. `owner` is the recording's id."""

    owner: str
    sides: tuple[Side, ...]
    duration: float
    started_at: datetime
    zone: str
    lang: str
    format: str
    head: str
    stamp: str
    mark: tuple[str, ...]
    only_sound: str
    lines: tuple[Line, ...] = ()
    title: str = ""

    @property
    def frames(self) -> int:
        return max(1, round(self.duration * FPS))

    @property
    def rtl(self) -> bool:
        return self.lang == "ar"
