"""The order of the cells, what is made of them, and the table in docs/bench-lines.md."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.lines.cells import CELLS, Cell, met, targets
from bench.lines.stage import SIZE, NotConnected, Outcome, stage
from bench.lines.tape import FRAME_S
from bench.media import gauges

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "bench-lines.md"
BEGIN, END = "<!-- table -->", "<!-- end of table -->"
Figures = dict[str, float | None]
COLUMNS = {
    "longest_ms": "longest still, ms",
    "freezes": "freezes > 200 ms",
    "frozen_pct": "frozen, %",
    "fps": "fps",
    "kbps": "kbps",
    "concealed_pct": "sound made up, %",
    "picture_back_ms": "picture back, ms",
    "sound_back_ms": "sound back, ms",
    "record_missing": "record: pictures' packets missing",
    "record_worst_frames": "longest hole, pictures",
    "record_sound_pct": "record: sound missing, %",
    "nacks": "asked again",
    "again": "sent again",
}


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def figured(cell: Cell, outcome: Outcome) -> Figures:
    """The worse of those who see and hear what the fault does."""
    seen = [outcome.seen[who] for who in cell.viewers]
    beside = [one for who, one in outcome.seen.items() if who not in cell.viewers]
    figures: Figures = {
        "longest_ms": max(one.longest() for one in seen) * 1000,
        "freezes": max(len(one.freezes()) for one in seen),
        "frozen_pct": max(one.frozen_share() for one in seen) * 100,
        "fps": min(one.fps() for one in seen),
        "kbps": min(one.rate_kbps("in", "video") for one in seen),
        "width": min(one.last("in", "video", "frameWidth") or 0 for one in seen),
        "concealed_pct": max(one.concealed() for one in seen) * 100,
        "concealments": max(one.grew("in", "audio", "concealmentEvents") for one in seen),
        "buffer_ms": max(_buffer_ms(one) for one in seen),
        "nacks": sum(one.grew("in", "video", "nackCount") for one in seen),
        "again": sum(one.grew("in", "video", "retransmittedPacketsReceived") for one in seen),
        "plis": sum(one.grew("in", "video", "pliCount") for one in seen),
        "machine_pct": outcome.machine_pct,
    }
    figures |= {f"longest_{who}_ms": outcome.seen[who].longest() * 1000 for who in cell.viewers}
    if beside:
        figures["beside_longest_ms"] = max(one.longest() for one in beside) * 1000
    if outcome.dark is not None:
        figures |= _back(cell, outcome, outcome.dark[1])
    figures |= _record(outcome)
    return {name: None if value is None else round(value, 2) for name, value in figures.items()}


def _buffer_ms(seen: Any) -> float:
    emitted = seen.grew("in", "video", "jitterBufferEmittedCount")
    return 1000 * seen.grew("in", "video", "jitterBufferDelay") / emitted if emitted else 0.0


def _back(cell: Cell, outcome: Outcome, light: float) -> Figures:
    """When picture and sound were there again, for each viewer and for the later one; None: never."""
    figures: Figures = {}
    for name, ask in (("picture_back", "picture_after"), ("sound_back", "sound_after"), ("smooth", "smooth_after")):
        times = {who: getattr(outcome.seen[who], ask)(light) for who in cell.viewers}
        figures |= {f"{name}_{who}_ms": None if time is None else time * 1000 for who, time in times.items()}
        known = [time for time in times.values() if time is not None]
        figures[f"{name}_ms"] = max(known) * 1000 if len(known) == len(times) else None
    return figures


def _record(outcome: Outcome) -> Figures:
    pictures = [track for track in outcome.tracks if track.kind == "video"]
    sounds = [track for track in outcome.tracks if track.kind == "audio"]
    gone = [hole.seconds for track in pictures for hole in track.holes]
    silent = [hole.seconds - 0.02 for track in sounds for hole in track.holes]
    missing, kept = sum(track.missing for track in sounds), sum(track.packets for track in sounds)
    counted = outcome.fared.values()
    return {
        "record_missing": sum(track.missing for track in pictures),
        "record_holes_over_a_picture": sum(1 for seconds in gone if seconds > 1.5 * FRAME_S),
        "record_worst_frames": round(max(gone, default=0.0) / FRAME_S),
        "record_sound_pct": 100 * missing / max(1, missing + kept),
        "record_sound_worst_ms": max(silent, default=0.0) * 1000,
        "record_whole": float(outcome.whole),
        "node_asked": sum(leg["asked_in"] for leg in counted),
        "node_repaired": sum(leg["repaired_in"] for leg in counted),
        "node_given_up": sum(leg["unfilled_in"] for leg in counted),
        "node_sent_again": sum(leg["answered_out"] for leg in counted),
    }


def bench(cells: Sequence[Cell], seed: int) -> dict[str, Any]:
    machine = gauges.machine() | {"picture": f"{SIZE} at 30", "sound": "speech", "seed": seed}
    figures: Figures = {}
    failed = []
    with tempfile.TemporaryDirectory(prefix="majlis-lines-") as name, stage(Path(name), seed) as playing:
        for number, cell in enumerate(cells):
            try:
                found = figured(cell, playing.play(cell, number))
            except NotConnected as error:
                say(f"{number + 1}/{len(cells)}  {cell.name}: {error}")
                failed.append(cell.name)
                continue
            figures |= {f"{cell.name}_{what}": value for what, value in found.items()}
            say(f"{number + 1}/{len(cells)}  {cell.name}: " + "  ".join(f"{k} {v}" for k, v in found.items()))
    machine |= {"failed_cells": failed, "load_1m_after": round(os.getloadavg()[0], 2)}
    return {"bench": "lines", "machine": machine, "figures": figures, "targets": targets(), "met": met(figures)}


def together(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Several runs of parts of the matrix as one; the last word on a cell counts."""
    figures: Figures = {}
    for result in results:
        figures |= result["figures"]
    return {**results[-1], "figures": figures, "met": met(figures)}


def table(figures: Mapping[str, float | None]) -> str:
    rows = ["| line of the visitor | way | " + " | ".join(COLUMNS.values()) + " |", "| --- " * (len(COLUMNS) + 2) + "|"]
    for cell in CELLS.values():
        if f"{cell.name}_fps" not in figures:
            continue
        values = []
        for column in COLUMNS:
            value = figures.get(f"{cell.name}_{column}")
            back = column.endswith("back_ms")
            values.append(("never" if back and cell.dark_s else "–") if value is None else _shown(column, value))
        rows.append(f"| {cell.shown} | {cell.side} | " + " | ".join(values) + " |")
    return "\n".join(rows)


def _shown(column: str, value: float) -> str:
    return f"{value:.1f}" if column.endswith(("pct", "fps")) else f"{value:.0f}"


def write(figures: Mapping[str, float | None]) -> None:
    """Puts the table between its two marks in the page."""
    text = PAGE.read_text()
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    PAGE.write_text(f"{head}{BEGIN}\n{table(figures)}\n{END}{tail}")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.lines", description="Calls over bad lines")
    parser.add_argument("--only", default="", help="cells whose names begin so, with commas")
    parser.add_argument("--seed", type=int, default=1, help="of the losses")
    parser.add_argument("--list", action="store_true", help="says the names of the cells")
    parser.add_argument("--write", action="store_true", help="puts the table into docs/bench-lines.md")
    parser.add_argument("--of", nargs="*", type=Path, help="measures nothing: puts earlier results together")
    options = parser.parse_args(arguments)
    begins = tuple(options.only.split(","))
    cells = [cell for cell in CELLS.values() if cell.name.startswith(begins)]
    if options.list:
        print("\n".join(cell.name for cell in cells))
        return
    if options.of:
        result = together([json.loads(path.read_text()) for path in options.of])
    else:
        result = bench(cells, options.seed)
    say(table(result["figures"]))
    if options.write:
        write(result["figures"])
    print(json.dumps(result), flush=True)
