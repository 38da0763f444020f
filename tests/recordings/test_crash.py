"""The media process is killed in mid-call: no warning, no clean-up.

Forty times in the normal run; `MAJLIS_KILLS=200` for the long one.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from recordings.journal import JournalReader
from recordings.proof.compose import Facts, Witnessed, sign_recording
from recordings.proof.rules import ALTERED, PROVEN
from recordings.proof.verify import verify
from tests.children import die_with_parent
from tests.recordings.proofs import Keys

LOSS_S = 1.0
KILLS = int(os.environ.get("MAJLIS_KILLS", "40"))
AT_ONCE = 20
LONGEST_S = 2.5
ROOT = Path(__file__).parents[2]


@dataclass
class Killed:
    folder: Path
    name: str

    @property
    def journal(self) -> Path:
        return self.folder / self.name / "journal"

    @property
    def written(self) -> list[str]:
        """What was handed over; a number that was being written when the end came is not counted."""
        return (self.folder / f"{self.name}.written").read_text().rpartition("\n")[0].splitlines()

    @property
    def facts(self) -> Facts:
        frames, size, head = (self.folder / f"{self.name}.head").read_text().split()
        now = datetime.now(UTC)
        witness = Witnessed(int(frames), int(size), head, now)
        return Facts(self.name, "m", "p", "", now, now, people=(), films=(), witness=witness)


def kill_at_random(folder: Path, keys: Keys, count: int, rng: random.Random) -> list[Killed]:
    """`count` writers at once, each killed at its own moment."""
    folder.mkdir()
    command = [sys.executable, "-m", "tests.recordings.writers", folder, keys.folder / "archive.key", str(count)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent) as nursery:
        assert nursery.stdout is not None
        pids = [int(nursery.stdout.readline()) for _ in range(count)]
        begun = time.monotonic()
        for at, pid in sorted((rng.uniform(0.4, LONGEST_S), pid) for pid in pids):
            time.sleep(max(0.0, begun + at - time.monotonic()))
            os.kill(pid, signal.SIGKILL)
    return [Killed(folder, str(number)) for number in range(count)]


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Iterator[list[Killed]]:
    rng, home = random.Random(200), tmp_path_factory.mktemp("killed")
    yield [one for wave in range(KILLS // AT_ONCE) for one in kill_at_random(home / str(wave), keys, AT_ONCE, rng)]


def test_kill_minus_nine_loses_at_most_a_second_and_nothing_before_it(killed: list[Killed], keys: Keys) -> None:
    losses = []
    for one in killed:
        with JournalReader(one.journal, keys.ring) as reader:
            read = [packet.split()[0].decode() for _, _, packet in reader.packets()]
            assert not reader.finished
        assert read == one.written[: len(read)]
        end = float(one.written[-1])
        losses.append(end - (float(read[-1]) if read else 0.0))
    assert max(losses) < LOSS_S
    assert len(killed) == KILLS
    print(f"\n{KILLS} kills: lost {sum(losses) / KILLS:.2f} s in the mean, {max(losses):.2f} s at the most")


def test_what_a_killed_writer_left_is_signed_and_proven_as_unfinished(killed: list[Killed], keys: Keys) -> None:
    for one in killed:
        sign_recording(
            one.folder / one.name, one.facts, keys.ring, keys.signer, software="majlis test", now=datetime.now(UTC)
        )
        report = verify(one.folder / one.name, keys.public)
        assert report.verdict == PROVEN and report.manifest is not None
        assert report.manifest["files"][0]["chain"]["finished"] is False
        assert report.manifest["witness"]["found"] == "agrees"
        assert report.manifest["duration_ms"] >= 1000 * (float(one.written[-1]) - LOSS_S)


def test_a_tail_cut_off_before_anybody_signed_is_noticed_by_the_witness(killed: list[Killed], keys: Keys) -> None:
    """A cut at a frame's border leaves a journal that looks as if its writer had died a little earlier."""
    from recordings.sealed_log import walk_chain

    tried = 0
    for one in killed[:10]:
        witness = one.facts.witness
        ends = [link.end for link in walk_chain(one.journal)]
        if witness is None or witness.frames < 2:
            continue
        os.truncate(one.journal, ends[witness.frames - 2])
        sign_recording(
            one.folder / one.name, one.facts, keys.ring, keys.signer, software="majlis test", now=datetime.now(UTC)
        )
        report = verify(one.folder / one.name, keys.public)
        assert report.verdict == ALTERED
        first = report.first()
        assert first is not None and (first.kind, first.other) == ("altered before signing", "cut")
        assert (first.start, first.end) == (ends[witness.frames - 2], witness.size)
        tried += 1
    assert tried > 2
