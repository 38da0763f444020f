"""Small recordings, signed: a journal of a few frames and three pieces, two films, names under seal, a manifest."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from recordings.journal_records import Mark, Meta, TrackDeclared, encode, encode_mark, encode_meta, encode_track
from recordings.keys import FileKeyRing, KeyRing
from recordings.proof.compose import Facts, Film, Person, Witnessed, sign_recording
from recordings.proof.verify import Report, verify
from recordings.remux import remux
from recordings.sealed_log import SealedLogWriter
from recordings.signing import FileSigner, PublicKeys
from tests.recordings.calls import Sender

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SIGNED = NOON + timedelta(seconds=9)
SILENCE = b"\xf8\xff\xfe"  # 20 ms of Opus


@dataclass
class Keys:
    """Of one installation."""

    folder: Path

    def __post_init__(self) -> None:
        self.ring = FileKeyRing(self.folder / "archive.key")
        self.signer = FileSigner(self.folder / "signing.key", self.folder / "public")

    @property
    def public(self) -> PublicKeys:
        return PublicKeys.of_folder(self.folder / "public")


@dataclass
class Small:
    """One signed recording on the disk."""

    folder: Path
    keys: Keys
    facts: Facts

    def check(self, keys: PublicKeys | None = None) -> Report:
        return verify(self.folder, keys or self.keys.public)

    def files(self) -> list[Path]:
        return sorted(self.folder.iterdir())


def write_journal(
    path: Path, ring: KeyRing, recording: str, *, who: tuple[str, ...] = ("sara", "omar"), close: bool = True
) -> SealedLogWriter:
    """Half a second of two voices, a frame a tenth of a second."""
    log = SealedLogWriter(path, ring, owner=recording)
    log.append(encode_meta(Meta(recording, f"m-{recording}", NOON.isoformat())))
    log.append(encode_mark(Mark(0.0, "started", {"at": 0, "again": False})))
    voices = [Sender(number, 111, 48_000) for number in range(len(who))]
    for number, one in enumerate(who):
        log.append(encode_track(TrackDeclared(f"{one}/1/audio", one, "audio", "opus", 48_000, number, 0.0)))
    log.flush()
    for tick in range(25):
        for number, voice in enumerate(voices):
            log.append(encode(2, number, tick * 0.02, voice.packet(tick * 0.02, SILENCE + bytes([tick]) * 160)))
        if tick % 5 == 4:
            log.flush()
    log.append(encode(4, 0, 0.5, b""))
    log.close() if close else log.abandon()
    return log


def small(folder: Path, keys: Keys, recording: str = "rec-1", *, close: bool = True) -> Small:
    folder.mkdir()
    log = write_journal(folder / "journal", keys.ring, recording, close=close)
    films = tuple(
        Film(r.path.name, r.participant_id, r.width, r.height, tuple((g.kind, g.start, g.end) for g in r.gaps))
        for r in remux(folder / "journal", keys.ring, out_dir=folder).renditions
    )
    people = (
        Person("sara", "visitor", "سارة الحربي", "Sara al-Harbi", visitor_id="v-1"),
        Person("omar", "official", "عمر السالم", "Omar al-Salem", staff_id="s-1"),
    )
    facts = Facts(
        recording_id=recording,
        meeting_id=f"m-{recording}",
        petition_id="p-1",
        case_number="R-2026-001",
        started_at=NOON,
        closed_at=NOON + timedelta(seconds=0.5),
        people=people,
        films=films,
        alarms=((NOON + timedelta(seconds=0.2), "not durable"),),
        witness=Witnessed(log.head.frames, log.head.size, log.head.chain.hex(), NOON + timedelta(seconds=0.5)),
    )
    made = Small(folder, keys, facts)
    sign(made)
    return made


def sign(made: Small, **changes: object) -> bytes:
    made.facts = replace(made.facts, **changes)
    return sign_recording(
        made.folder,
        made.facts,
        made.keys.ring,
        made.keys.signer,
        software="majlis test",
        now=SIGNED,
    )
