from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NoteWritten:
    note_id: str
    recording_id: str


@dataclass(frozen=True, slots=True)
class NoteChanged:
    note_id: str
    recording_id: str


@dataclass(frozen=True, slots=True)
class NoteDeleted:
    note_id: str
    recording_id: str


@dataclass(frozen=True, slots=True)
class NoteRestored:
    note_id: str
    recording_id: str
