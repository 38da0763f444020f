"""What the manifest of a recording says: gathered from its sealed files and from what the archive knows about it.

The journal is read whole, with its key: what is signed has been seen to open. One that does not open is signed all the
same, as the bytes that are there, and the manifest says so.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from recordings import container
from recordings.container import KeyDestroyed, NotSealed, SealBroken
from recordings.journal import JournalReader
from recordings.journal_records import BadRecord, Mark, TrackDeclared
from recordings.keys import KeyRefused, KeyRing
from recordings.proof import manifest
from recordings.proof.manifest import JOURNAL, PEOPLE, RENDITION, hashes_of
from recordings.proof.pieces import Progress, silent, take
from recordings.sealed import seal_bytes
from recordings.sealed_log import walk_chain
from recordings.signing import Signer

AGREES, WAS_CUT, DIFFERS = "agrees", "cut", "differs"
# Marks that tell of the recording itself; what was said or decided in the meeting is nobody's business here.
TELLING = frozenset({"started", "ended", "connected", "disconnected", "left", "journal.lost"})
_TOLD = ("participant", "again", "reason", "records")


@dataclass(frozen=True, slots=True)
class Witnessed:
    """The chain as it was told to the database while the journal was being written."""

    frames: int
    size: int
    head: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Person:
    id: str
    role: str
    name_ar: str
    name_en: str
    staff_id: str = ""
    visitor_id: str = ""


@dataclass(frozen=True, slots=True)
class Film:
    """A rendition, by the name of its file; gaps as (kind, start, end) in seconds."""

    file: str
    participant_id: str
    width: int
    height: int
    gaps: tuple[tuple[str, float, float], ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """What the archive knows. `alarms` are (when, why) the watchdog raised; `replaces` is the hash of the manifest that
    this one takes the place of."""

    recording_id: str
    meeting_id: str
    petition_id: str
    case_number: str
    started_at: datetime
    closed_at: datetime | None
    people: tuple[Person, ...]
    films: tuple[Film, ...]
    alarms: tuple[tuple[datetime, str], ...] = ()
    witness: Witnessed | None = None
    revision: int = 1
    replaces: str = ""


@dataclass(slots=True)
class Contents:
    """What the journal says about itself. `problem` is why it could not be read to its end."""

    recording_id: str = ""
    tracks: list[TrackDeclared] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    duration: float = 0.0
    problem: str = ""


def sign_recording(
    folder: Path,
    facts: Facts,
    keyring: KeyRing,
    signer: Signer,
    *,
    software: str,
    now: datetime,
    progress: Progress = silent,
) -> bytes:
    """Write the manifest (in place of an older one) and return its bytes. Raises OSError, FileChanged."""
    journal = folder / JOURNAL
    contents = read_journal(journal, keyring)
    if not contents.problem and contents.recording_id != facts.recording_id:
        contents = Contents(problem="Foreign")
    people = f"people-{facts.revision}.sealed"  # beside an older one, until the manifest that speaks of it is replaced
    _write(folder / people, _sealed_people(journal, facts, keyring))
    files = [{"file": JOURNAL, "kind": JOURNAL, "chain": chain_of(journal), **_hashed(journal, progress)}]
    for film in facts.films:
        about = {"participant_id": film.participant_id, "width": film.width, "height": film.height}
        files.append({"file": film.file, "kind": RENDITION, **about, **_hashed(folder / film.file, progress)})
    files.append({"file": people, "kind": PEOPLE, **_hashed(folder / people, progress)})
    fields = {
        "revision": facts.revision,
        "replaces": facts.replaces,
        "software": software,
        "signed_at": instant(now),
        "recording": {"id": facts.recording_id, "meeting_id": facts.meeting_id, "petition_id": facts.petition_id},
        "started_at": instant(facts.started_at),
        "closed_at": instant(facts.closed_at) if facts.closed_at else None,
        "duration_ms": _ms(contents.duration),
        "journal_problem": contents.problem,
        "participants": [{"id": person.id, "role": person.role} for person in facts.people],
        "tracks": [_track(track) for track in contents.tracks],
        "gaps": [
            {"participant_id": film.participant_id, "kind": kind, "start_ms": _ms(start), "end_ms": _ms(end)}
            for film in facts.films
            for kind, start, end in film.gaps
        ],
        "events": _events(facts, contents.marks),
        "witness": compare(journal, facts.witness) if facts.witness else None,
        "files": files,
    }
    data = manifest.sign(fields, signer)
    _write(folder / manifest.NAME, data)
    for older in folder.glob("people-*.sealed"):
        if older.name != people:
            older.unlink()
    return data


def _hashed(path: Path, progress: Progress) -> dict[str, Any]:
    """A sealed file without its key slot, whose state at this moment stands beside; anything else as it lies."""
    slot = container.key_slot(path)
    if slot is None:
        return hashes_of(take(path, progress))
    start, end = container.KEY_SLOT
    told = {"start": start, "end": end, "sha256": hashlib.sha256(slot).hexdigest()}
    return {"key_slot": told, **hashes_of(take(path, progress, blank=container.KEY_SLOT))}


def read_journal(path: Path, keyring: KeyRing) -> Contents:
    """As far as it can be read; never raises for what is in the file."""
    contents = Contents()
    try:
        with JournalReader(path, keyring) as reader:
            contents.recording_id = reader.meta.recording_id
            try:
                deque(reader.raw(), maxlen=0)  # to its end: tracks and marks are noted on the way
            finally:
                contents.tracks = [track for tracks in reader.legs.values() for track in tracks]
                contents.marks, contents.duration = list(reader.marks), reader.duration
    except (SealBroken, NotSealed, BadRecord, KeyRefused, KeyDestroyed) as error:
        contents.problem = type(error).__name__
    return contents


def chain_of(journal: Path) -> dict[str, Any] | None:
    """The chain's end, to be signed; None for a file in which it can't be followed."""
    frames, final = 0, False
    try:
        head = container.read_header(journal).digest
        for link in walk_chain(journal):
            frames, final, head = link.number + 1, link.final, link.chain
    except (SealBroken, NotSealed):
        return None
    return {"head": head.hex(), "frames": frames, "finished": final}


def compare(journal: Path, witness: Witnessed) -> dict[str, Any]:
    """Is the journal, up to where it was witnessed, still what it was? `intact` is how far its frames go at all."""
    found, intact, frames = WAS_CUT, 0, 0
    try:
        header = container.read_header(journal)
        intact = container.HEADER_BYTES
        if witness.frames == 0:
            found = AGREES if header.digest.hex() == witness.head else DIFFERS
        for link in walk_chain(journal):
            frames, intact = link.number + 1, link.end
            if frames == witness.frames:
                found = AGREES if link.chain.hex() == witness.head else DIFFERS
                break
    except (SealBroken, NotSealed):
        found = DIFFERS
    return {
        "frames": witness.frames,
        "size": witness.size,
        "head": witness.head,
        "at": instant(witness.at),
        "found": found,
        "intact": intact if found == WAS_CUT else 0,
    }


def instant(at: datetime) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _track(track: TrackDeclared) -> dict[str, Any]:
    return {
        "leg": track.leg,
        "participant_id": track.participant_id,
        "kind": track.kind,
        "codec": track.codec,
        "clock_rate": track.clock_rate,
        "at_ms": _ms(track.at),
    }


def _events(facts: Facts, marks: Iterable[Mark]) -> list[dict[str, Any]]:
    told = [
        {
            "at": instant(facts.started_at + timedelta(seconds=mark.at)),
            "kind": mark.kind,
            **{name: mark.data[name] for name in _TOLD if isinstance(mark.data.get(name), (str, int, bool))},
        }
        for mark in marks
        if mark.kind in TELLING
    ]
    told += [{"at": instant(at), "kind": "recording lost", "reason": why} for at, why in facts.alarms]
    return sorted(told, key=lambda event: str(event["at"]))


def _sealed_people(journal: Path, facts: Facts, keyring: KeyRing) -> bytes:
    """Under the recording's own key, so that its destruction takes the names with it."""
    people = [{name: value for name in Person.__slots__ if (value := getattr(person, name))} for person in facts.people]
    text = json.dumps({"case_number": facts.case_number, "participants": people}, ensure_ascii=False).encode()
    try:
        data_key = container.read_header(journal).data_key(keyring)
    except KeyDestroyed:  # the names went with it; under another key they would be back
        text, data_key = b"{}", None
    except (SealBroken, NotSealed, KeyRefused):
        data_key = None
    return seal_bytes(text, keyring, owner=facts.recording_id, data_key=data_key)


def _write(path: Path, data: bytes) -> None:
    """Readers see the old file or the new one; when this returns, the new one is on the disk."""
    draft = path.with_name(f".{path.name}.unfinished")
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    container.fsync_folder(path.parent)
