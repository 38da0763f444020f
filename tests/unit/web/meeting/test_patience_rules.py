"""How long a receiver waits for what is sent again, run by Node as it is served."""

from __future__ import annotations

from typing import Any

from tests.unit.web.meeting.test_line_rules import run

PLAY = """
  const memory = {}, found = [];
  let now = 0;
  const second = (rtt, lost, freezes = 0) => found.push(m.waitFor({ rtt, lost, freezes }, memory, (now += 1000)));
"""


def play(script: str) -> Any:
    return run("meeting/patience.js", PLAY + script + "return found;")


def test_a_good_line_and_a_long_one_without_losses_wait_for_nothing() -> None:
    assert set(play("for (let i = 0; i < 30; i += 1) second(0.02, 0.05);")) == {0}
    assert set(play("for (let i = 0; i < 30; i += 1) second(0.6, 0.005, 1);")) == {0}


def test_a_long_line_with_losses_waits_as_long_as_an_answer_takes() -> None:
    found = play("for (const rtt of [0.3, 0.3, 0.3, 0.3, 0.6, 0.3]) second(rtt, 0.02);")
    assert found == [0, 420, 420, 420, 500, 500]


def test_a_line_that_was_cut_for_a_moment_is_no_lossy_one() -> None:
    assert set(play("second(0.3, 0); second(0.3, 0.5, 3); for (let i = 0; i < 9; i += 1) second(0.3, 0);")) == {0}


def test_where_the_sender_s_line_is_the_long_one_the_freezes_tell() -> None:
    found = play("for (const freezes of [1, 0, 1, 1, 1, 0]) second(0.01, 0.03, freezes);")
    assert found == [0, 0, 375, 375, 500, 500]


def test_one_freeze_or_freezes_far_apart_are_no_reason() -> None:
    assert set(play("for (let i = 0; i < 60; i += 1) second(0.01, 0.03, i % 11 === 0 ? 1 : 0);")) == {0}


def test_when_the_losses_are_over_the_picture_is_no_later_than_it_must_be() -> None:
    found = play("for (let i = 0; i < 28; i += 1) second(0.3, i < 3 ? 0.05 : 0);")
    assert found == [0, *[420] * 21, *[0] * 6]


def test_the_receivers_are_told_each_change_once() -> None:
    assert run(
        "meeting/patience.js",
        """
            const told = [], receiver = { set jitterBufferTarget(value) { told.push(value); } };
            const patience = new m.Patience(() => [receiver]);
            for (let second = 0; second < 60; second += 1) {
              const nackCount = 20 * Math.min(second, 10), entry = { type: "inbound-rtp", kind: "video", nackCount };
              const pair = { type: "candidate-pair", nominated: true, currentRoundTripTime: 0.3 };
              for (const half of [0, 0.5]) {
                patience.look([pair, { ...entry, packetsReceived: 200 * second }], 1000 * (second + half));
              }
            }
            return told;
            """,
    ) == [420, None]
