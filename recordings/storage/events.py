from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileStored:
    """A file of the recording lies in the bucket, read back and found right."""

    recording_id: str
    file: str


@dataclass(frozen=True, slots=True)
class StoringFailed:
    recording_id: str
    file: str
    problem: str


@dataclass(frozen=True, slots=True)
class LocalCopyFreed:
    recording_id: str
    file: str


@dataclass(frozen=True, slots=True)
class StoredFileLost:
    """It lies nowhere any more, as far as the bucket answers."""

    recording_id: str
    file: str


@dataclass(frozen=True, slots=True)
class ObjectLocked:
    """Of a destroyed recording: the bucket's lock keeps the noise until a day."""

    recording_id: str
    file: str


@dataclass(frozen=True, slots=True)
class ObjectRemoved:
    """Of a destroyed recording: nothing is left of it in the bucket."""

    recording_id: str
    file: str
