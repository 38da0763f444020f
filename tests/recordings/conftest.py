"""One call in which everything goes wrong that may: recorded once, looked at by many tests."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from recordings.journal import JournalWriter, open_journal
from recordings.keys import FileKeyRing
from recordings.remux import RemuxResult, Rendition, remux
from recordings.sealed import SealedReader
from tests.recordings.calls import Sender, deliver, misbehave, pictures, send, sounds
from tests.recordings.scenes import Demo

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
END = 25.0
ALICE_DELAY, BOB_DELAY = 0.02, 0.045


@dataclass
class Recorded:
    ring: FileKeyRing
    journal: Path
    out: Path
    result: RemuxResult
    payloads: list[bytes]  # some of the media in clear, to be looked for on the disk

    def of(self, participant: str) -> Rendition:
        return next(r for r in self.result.renditions if r.participant_id == participant)

    def open(self, participant: str) -> SealedReader:
        return SealedReader(self.of(participant).path, self.ring)


def start(folder: Path, ring: FileKeyRing, *, name: str = "journal") -> JournalWriter:
    return open_journal(folder / name, ring, recording_id="rec-7", meeting_id="m-7", started_at=NOON)


@pytest.fixture(scope="session")
def call(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    """Alice is there from 0.48 s to the end: her numbers wrap, her picture comes 150 ms later than her voice, grows in
    mid-call, and loses packets for good at 8.5 s until a keyframe at 9.4 s. Bob comes at 3 s, is cut off at 10 s and
    is back at 15 s with new streams, another clock and another size of picture. Packets are late, doubled and lost."""
    folder = tmp_path_factory.mktemp("call")
    ring, rng = FileKeyRing(folder / "ring"), random.Random(7)
    journal = start(folder, ring)

    voice = Sender(1, 111, 48_000, sequence=65_300, timestamp=2**32 - 48_000 * 6, skew=60e-6)
    face = Sender(2, 96, 90_000, sequence=65_400, timestamp=2**32 - 90_000 * 4, extension=b"\x10\x00\x01\x00")
    small = pictures(0.48, 12, 320, 180, keyframes=(9.4,))
    large = pictures(12, 24.8, 640, 360, keyframes=(18,))
    sound = sounds(0.48, 24.8)
    alice = send(voice, "alice/1/audio", sound, delay=ALICE_DELAY)
    alice = [entry for entry in alice if rng.random() > 0.02 or len(entry[2]) < 60]
    film = send(face, "alice/1/video", small + large, delay=ALICE_DELAY + 0.15, split=face.frame)
    film = [entry for entry in film if not 8.5 + ALICE_DELAY + 0.15 < entry[0] < 8.6 + ALICE_DELAY + 0.15]
    sent = misbehave(alice + film, rng, jitter=0.03, late=0.03, twice=0.02)

    for number, (begin, end, size) in enumerate([(3, 10, (320, 240)), (15, 24.8, (480, 360))]):
        leg, offset = f"bob/{number + 1}", 1_000_000 * (number + 1)
        voice = Sender(10 + number, 111, 48_000, timestamp=offset)
        face = Sender(20 + number, 96, 90_000, timestamp=offset * 3, picture=5)
        bob = send(voice, f"{leg}/audio", sounds(begin, end), delay=BOB_DELAY)
        bob += send(face, f"{leg}/video", pictures(begin, end, *size), delay=BOB_DELAY + 0.1, split=face.frame)
        sent += misbehave(bob, rng, jitter=0.03, late=0.02)

    for participant, connection in (("alice", 1), ("bob", 1), ("bob", 2)):
        journal.track(f"{participant}/{connection}/audio", participant, "audio", "opus", 48_000, 0.0)
        journal.track(f"{participant}/{connection}/video", participant, "video", "VP8", 90_000, 0.0)
    journal.track("carol/1/audio", "carol", "audio", "opus", 48_000, 0.0)
    deliver(journal, sent)
    journal.mark(17.5, "directive", {"text": "يُحال إلى القسم"})
    journal.close(END)
    assert journal.healthy()

    out = folder / "out"
    result = remux(folder / "journal", ring, out_dir=out)
    payloads = [frame[len(frame) // 2 :][:24] for _, frame in (small + large)[::50]] + [p for _, p in sound[::100]]
    yield Recorded(ring, folder / "journal", out, result, [p for p in payloads if len(p) > 12])


@pytest.fixture(scope="session")
def ministry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """One demo ministry for all pages of recordings: each test makes the recordings that it looks at."""
    with Demo(tmp_path_factory.mktemp("demo")) as running:
        yield running


@pytest.fixture(scope="module")
def demo(ministry: Demo) -> Iterator[Demo]:
    """Its browsers end with the module: there is only one Playwright at a time."""
    yield ministry
    ministry.shut()
