"""The arithmetic of the bench of bad lines; that it measures something true is held by tests/media/test_lines.py."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench.lines import run
from bench.lines.cells import CELLS, met, targets
from bench.lines.stage import Outcome
from bench.lines.tape import Hole, Track, holes
from tests.media.lines import Frame, Seen


def seen(step: float, since: float = 0.0, until: float = 12.0) -> Seen:
    count = int((until - since) / step)
    return Seen(since, until, [Frame(since + index * step, index + 1, 640, 480) for index in range(count + 1)])


def outcome(official: Seen, visitor: Seen, **changes: object) -> Outcome:
    plain = Outcome({"official": official, "visitor": visitor}, None, [], True, {}, {}, 10.0)
    return replace(plain, **changes)  # type: ignore[arg-type]


def test_holes_are_what_is_missing_after_late_and_repeated_packets_and_over_the_wrap() -> None:
    numbers = [65533, 65535, 65534, 0, 0, 5, 3, 6]
    packets = [(0.0, number, 3000 * ((number + 4) & 0xFFFF)) for number in numbers]
    assert holes(packets, "video") == (Hole(2, pytest.approx(0.1)), Hole(1, pytest.approx(2 / 30)))


def test_only_those_who_see_the_fault_are_judged_and_the_worse_of_them() -> None:
    bad, good = seen(0.3), seen(1 / 30)
    assert run.figured(CELLS["loss5_up"], outcome(bad, good))["freezes"] == 40
    assert run.figured(CELLS["loss5_up"], outcome(good, bad))["freezes"] == 0
    assert run.figured(CELLS["loss5_both"], outcome(good, bad))["freezes"] == 40
    assert run.figured(CELLS["loss5_down"], outcome(bad, good))["beside_longest_ms"] == pytest.approx(300, abs=1)


def test_a_picture_that_does_not_come_back_is_not_met() -> None:
    dark = seen(1 / 30, 0.0, 2.0)
    dark.until = 12.0
    figures = run.figured(CELLS["dark5000_down"], outcome(seen(1 / 30), dark, dark=(2.0, 7.0)))
    assert figures["picture_back_ms"] is None and figures["smooth_ms"] is None
    named = {f"dark5000_down_{name}": value for name, value in figures.items()}
    assert met(named)["dark5000_down_picture_back_ms"] is False
    assert "never" in run.table(named)


def test_the_record_s_figures_are_of_all_streams() -> None:
    tracks = [
        Track("visitor", "video", 900, (Hole(2, 0.0), Hole(10, 0.2))),
        Track("official", "video", 900, (Hole(1, 1 / 30),)),
        Track("visitor", "audio", 99, (Hole(1, 0.04),)),
    ]
    figures = run.figured(CELLS["loss5_up"], outcome(seen(1 / 30), seen(1 / 30), tracks=tracks))
    assert figures["record_missing"] == 13 and figures["record_holes_over_a_picture"] == 1
    assert figures["record_worst_frames"] == 6
    assert figures["record_sound_pct"] == 1.0 and figures["record_sound_worst_ms"] == 20.0


def test_nothing_is_claimed_that_was_not_measured_and_parts_make_a_whole() -> None:
    one = {
        "bench": "lines",
        "machine": {},
        "figures": {"loss5_up_freezes": 0, "loss5_up_fps": 30},
        "targets": targets(),
    }
    two = {**one, "figures": {"loss5_down_freezes": 2, "loss5_up_freezes": 1}}
    whole = run.together([one, two])
    assert whole["met"] == {"loss5_up_freezes": False, "loss5_down_freezes": False}
    assert whole["figures"]["loss5_up_fps"] == 30
    assert met({}) == {}


def test_the_table_is_put_between_its_marks_and_nothing_else_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{run.BEGIN}\nold\n{run.END}\nafter\n")
    monkeypatch.setattr(run, "PAGE", page)
    run.write({"control_fps": 29.9})
    lines = page.read_text().splitlines()
    assert lines[0] == "before" and lines[-1] == "after" and "old" not in lines
    assert any("29.9" in line for line in lines)
