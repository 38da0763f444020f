from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RecordingListed:
    """The journal's marks can be read without the journal."""

    recording_id: str


@dataclass(frozen=True, slots=True)
class RecordingDrawn:
    """The curve of its sound and its still pictures are there."""

    recording_id: str
