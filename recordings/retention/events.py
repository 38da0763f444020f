from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TermChanged:
    type_code: str
    years: int


@dataclass(frozen=True, slots=True)
class HoldSet:
    hold_id: str
    recording_id: str


@dataclass(frozen=True, slots=True)
class HoldChanged:
    hold_id: str
    recording_id: str
    state: str


@dataclass(frozen=True, slots=True)
class DestructionProposed:
    destruction_id: str
    recording_id: str


@dataclass(frozen=True, slots=True)
class DestructionDecided:
    destruction_id: str
    recording_id: str
    state: str


@dataclass(frozen=True, slots=True)
class RecordingDestroyed:
    destruction_id: str
    recording_id: str


@dataclass(frozen=True, slots=True)
class RemainsRemoved:
    """What locks or silence of the bucket had kept of it has gone."""

    destruction_id: str
    recording_id: str
