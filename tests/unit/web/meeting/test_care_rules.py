"""Which picture is sent over which line: the ladder of `care.js`, run by Node as it is served."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from tests.unit.web.meeting.test_line_rules import run

CLIMB = """
  const ladder = new m.Ladder(%s ? m.SIGNING : m.TALKING, %d, 0);
  const steps = [];
  let now = 0;
  for (const [seconds, kbps] of %s) {
    for (const end = now + seconds * 1000; now < end; now += 500) ladder.read(kbps, now);
    steps.push(ladder.paused ? "paused" : ladder.full ? "full" : ladder.step.lines);
  }
  return steps;
"""


def steps_of(signs: bool, camera: int, line: list[tuple[float, float]]) -> list[Any]:
    """`line`: seconds and kbit/s; where the ladder stands at the end of each."""
    return run("meeting/care.js", CLIMB % (str(signs).lower(), camera, [list(part) for part in line]))


@pytest.mark.parametrize(
    ("camera", "line", "steps"),
    [
        (1080, [(10, 5000), (3, 1500), (3, 600), (3, 300), (5, 120), (3, 80)], ["full", 720, 480, 360, 240, 180]),
        (1080, [(10, 80), (5, 180), (5, 5000)], [180, 240, "full"]),
        (720, [(10, 900), (10, 650)], ["full", 480]),
        (720, [(5, 150), (20, 130), (20, 120)], [240, 240, 240]),
        (360, [(10, 40), (40, 150)], [180, 240]),
    ],
)
def test_a_signer_s_picture_gets_smaller_with_the_line_and_large_again(
    camera: int, line: list[tuple[float, float]], steps: list[Any]
) -> None:
    assert steps_of(True, camera, line) == steps


@pytest.mark.parametrize(
    ("camera", "line", "steps"),
    [
        (720, [(10, 1000), (5, 70)], ["full", "paused"]),
        (720, [(6, 70)], ["paused"]),
        (360, [(10, 300), (5, 200), (10, 60), (20, 2000)], ["full", "full", "paused", "full"]),
    ],
)
def test_a_speaker_s_picture_makes_way_where_only_sound_fits_and_comes_back(
    camera: int, line: list[tuple[float, float]], steps: list[Any]
) -> None:
    assert steps_of(False, camera, line) == steps


def test_the_first_estimate_of_a_new_leg_is_not_believed() -> None:
    assert steps_of(False, 720, [(2, 50), (2, 1000)]) == ["full", "full"]


def test_whoever_signs_never_gets_fewer_than_twenty_frames_a_second() -> None:
    assert run("meeting/care.js", "return Math.min(...m.SIGNING.map((step) => step.fps))") >= 20


def test_every_step_can_be_left_and_taken_without_swinging() -> None:
    for name in ("SIGNING", "TALKING"):
        ladder = run("meeting/care.js", f"return m.{name}.map((step) => [step.leave, step.enter])")
        assert all(leave <= 0.8 * enter for leave, enter in ladder)
        assert all(better[0] >= worse[1] for better, worse in pairwise(ladder)), ladder


def test_a_step_that_does_not_hold_is_tried_less_and_less_often() -> None:
    changes = run(
        "meeting/care.js",
        """
        const ladder = new m.Ladder(m.SIGNING, 720, 0);
        let changes = 0;
        for (let now = 0; now < 120000; now += 500) {
          const changed = ladder.read(ladder.step.lines > 240 ? 100 : 400, now);
          if (now >= 20000) changes += changed;
        }
        return changes;
        """,
    )
    assert 4 < changes < 20  # some sixty, were it tried every three seconds


def test_a_plunge_is_met_at_once() -> None:
    assert run(
        "meeting/care.js",
        """
        const [one, other] = [new m.Ladder(m.SIGNING, 720, 0), new m.Ladder(m.TALKING, 720, 0)];
        one.plunge(150, 100);
        other.plunge(60, 100);
        return [one.step.lines, other.paused];
        """,
    ) == [240, True]
