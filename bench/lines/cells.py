"""The matrix: which fault in which direction of the visitor's line, and what must hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.media.proxy import Side

STEADY_S = 12.0
LIT_S = 7.0
"""How long after a blackout is looked at."""
SETTLE_S = 20.0
"""What a throttled line gets to find its rate; measured is what follows."""

Viewer = Literal["official", "visitor"]


@dataclass(frozen=True)
class Cell:
    """A call of its own, with one fault on the visitor's line from a moment on."""

    name: str
    shown: str
    side: Side = "both"
    faults: dict[str, Any] = field(default_factory=dict)
    dark_s: float = 0.0
    settle_s: float = 0.0

    @property
    def watched_s(self) -> float:
        return self.dark_s + LIT_S if self.dark_s else STEADY_S

    @property
    def viewers(self) -> tuple[Viewer, ...]:
        """Who sees and hears what the fault does."""
        return {"up": ("official",), "down": ("visitor",), "both": ("official", "visitor")}[self.side]  # type: ignore[return-value]


def _matrix() -> list[Cell]:
    cells = [Cell("control", "no fault")]
    sides: tuple[Side, ...] = ("up", "down")
    for percent in (2, 5, 10):
        cells += [Cell(f"loss{percent}_{side}", f"{percent} % loss", side, {"loss": percent / 100}) for side in sides]
    cells += [Cell(f"loss{percent}_both", f"{percent} % loss", "both", {"loss": percent / 100}) for percent in (5, 10)]
    cells += [Cell(f"burst5_{side}", "5 % loss in bursts of 4", side, {"loss": 0.05, "burst": 4}) for side in sides]
    cells += [Cell(f"delay{ms}_both", f"{ms} ms each way", "both", {"delay_ms": ms}) for ms in (50, 150, 300)]
    cells += [
        Cell(f"loss5_delay150_{side}", "5 % loss, 150 ms each way", side, {"loss": 0.05, "delay_ms": 150})
        for side in sides
    ]
    cells += [Cell(f"cap250_{side}", "250 kbps", side, {"kbps": 250}, settle_s=SETTLE_S) for side in sides]
    cells += [
        Cell(f"dark{name}_{side}", f"{seconds:g} s of nothing", side, dark_s=seconds)
        for name, seconds in (("1500", 1.5), ("5000", 5.0))
        for side in ("up", "down", "both")
    ]
    return cells


CELLS = {cell.name: cell for cell in _matrix()}

SLACK_MS = 10.0
"""What a freeze may exceed its bound by: pictures are shown in steps of a screen's refresh, the machine is busy."""


def targets() -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for name in ("loss5_up", "loss5_down", "loss5_both"):
        found[f"{name}_freezes"] = ["<=", 0]
        found[f"{name}_record_missing"] = ["<=", 0]
    for side in ("up", "down", "both"):
        found[f"dark5000_{side}_picture_back_ms"] = ["<=", 1000]
        found[f"dark5000_{side}_sound_back_ms"] = ["<=", 1000]
    for name in ("loss10_up", "loss10_down", "loss10_both"):
        found[f"{name}_frozen_pct"] = ["<=", 2.0]
        found[f"{name}_concealed_pct"] = ["<=", 10.0]
        found[f"{name}_fps"] = [">=", 15.0]
    return found


def met(figures: Mapping[str, float | None]) -> dict[str, bool]:
    """Each target that was measured; a moment that never came is not met."""
    found = {}
    for name, (relation, bound) in targets().items():
        if name in figures:
            value = figures[name]
            found[name] = value is not None and (value <= bound if relation == "<=" else value >= bound)
    return found
