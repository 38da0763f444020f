"""The order of the measurements, and what is made of them."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.media import gauges
from bench.recordings import costs, seek
from bench.recordings.call import LOOP_S, Call, film
from bench.recordings.shelf import shelf
from core.settings import Settings
from recordings.keys import FileKeyRing
from web.keys import key_ring

PARTS = ("record", "playable", "janus", "jibri", "seal", "seek", "shelf")
KEY_EVERY = (10.0, 5.0, 2.0)
"""Seconds between keyframes for which seeks are measured; the media node asks for one every ten."""
FOLLOW = "follow_cpu_pct_per_call_"
TARGETS: dict[str, list[Any]] = {
    "end_to_playable_60min_s": ["<=", 5.0],
    "record_and_follow_cpu_pct_per_call": ["<=", 5.0],
    "ours_to_jibri_cpu_ratio": ["<=", 0.1],
    "seek_key10_p99_ms": ["<=", 1000.0],
    "shelf_list_ms": ["<=", 100.0],
    "shelf_search_ms": ["<=", 100.0],
}
Figures = dict[str, float]


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def bench(options: argparse.Namespace, parts: Sequence[str]) -> dict[str, Any]:
    machine = gauges.machine() | {"picture": "1280x720 at 30", "people": 2, "keyframe_every_s": options.film}
    say(f"encoding {options.film} seconds of film")
    made = film(options.film)
    call = Call.of(made)
    figures: Figures = {}
    failed: list[str] = []

    def part(name: str, work: Callable[[Path, FileKeyRing, Settings], Figures]) -> None:
        with tempfile.TemporaryDirectory(prefix="majlis-bench-", dir=options.folder) as place:
            settings = Settings(data_dir=Path(place), secret_hex="11" * 32)
            keys = key_ring(settings)
            assert isinstance(keys, FileKeyRing)
            busy = gauges.busy_and_all()
            try:
                found = {key: round(value, 3) for key, value in work(Path(place), keys, settings).items()}
            except (RuntimeError, TimeoutError, AssertionError) as error:
                say(f"{name}: {error}")
                failed.append(name)
                return
            after = gauges.busy_and_all()
            share = 100 * (after[0] - busy[0]) / max(0.01, after[1] - busy[1])
            figures.update(found)
            say(f"{name} (machine {share:.0f} % busy): " + "  ".join(f"{k} {v:g}" for k, v in found.items()))

    minutes = [float(one) for one in options.minutes.split(",")]
    if "record" in parts:
        part("record", lambda place, keys, _: costs.recording(call, place, keys, options.seconds))
    if "playable" in parts:
        for each in minutes:
            again = each <= options.again
            part(
                f"playable, {each:g} minutes",
                lambda _, keys, settings, each=each, again=again: costs.playable(  # type: ignore[misc]
                    call, settings, keys, each, again=again
                ),
            )
    if "janus" in parts:
        for each in [one for one in minutes if one <= 10]:
            part(f"janus, {each:g} minutes", lambda place, _, __, each=each: costs.janus(call, place, each))  # type: ignore[misc]
    if "jibri" in parts:
        part("jibri", lambda place, keys, _: costs.jibri(place, keys, call, options.jibri_seconds))
    if "seal" in parts:
        part("seal", lambda place, keys, _: costs.sealing(place, keys, options.megabytes))
    if "seek" in parts:
        seconds = options.seek_minutes * 60
        for every in [float(one) for one in options.key_every.split(",")]:

            def sought(place: Path, keys: FileKeyRing, _: Settings, every: float = every) -> Figures:
                path = place / "film"
                seek.long_film(path, keys, made, seconds, every)
                found = seek.seeks(path, keys, seconds, options.seeks, options.seed)
                return {f"seek_key{every:g}_{name}": value for name, value in found.items()}

            part(f"seek, keyframes every {every:g} s", sought)
    if "shelf" in parts:
        part("shelf", lambda place, keys, settings: shelf(place, keys, settings, options.recordings))
    machine |= {"failed": failed, "load_1m_after": round(os.getloadavg()[0], 2)}
    return concluded(machine, figures)


def concluded(machine: Mapping[str, Any], figures: Figures) -> dict[str, Any]:
    followed = {float(name[len(FOLLOW) : -3]): value for name, value in figures.items() if name.startswith(FOLLOW)}
    if followed and "record_cpu_pct_per_call" in figures:
        ours = round(figures["record_cpu_pct_per_call"] + followed[max(followed)], 3)
        figures["record_and_follow_cpu_pct_per_call"] = ours
        if "jibri_cpu_pct_per_call" in figures:
            figures["ours_to_jibri_cpu_ratio"] = round(ours / figures["jibri_cpu_pct_per_call"], 4)
    met = {name: figures[name] <= most for name, (_, most) in TARGETS.items() if name in figures}
    return {"bench": "recordings", "machine": dict(machine), "figures": figures, "targets": TARGETS, "met": met}


def together(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Several runs of parts as one; the last word on a figure counts."""
    figures: Figures = {}
    for result in results:
        figures |= result["figures"]
    return concluded(results[-1]["machine"], figures)


def table(figures: Mapping[str, float]) -> str:
    return "\n".join(
        ["| figure | |", "| --- | --- |", *(f"| `{name}` | {value:g} |" for name, value in figures.items())]
    )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.recordings", description="What recordings cost")
    parser.add_argument("--only", default=",".join(PARTS), help=f"of {', '.join(PARTS)}, with commas")
    parser.add_argument("--minutes", default="1,10,60", help="of the calls whose end is waited for")
    parser.add_argument(
        "--again", type=float, default=10.0, help="up to so many minutes, remuxed without a follower too"
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="of the call that is recorded")
    parser.add_argument("--film", type=int, default=LOOP_S, help="seconds of it that are encoded and repeated")
    parser.add_argument("--jibri-seconds", type=float, default=20.0, help="of the call that is composed")
    parser.add_argument("--megabytes", type=int, default=256, help="that are sealed")
    parser.add_argument("--seek-minutes", type=float, default=120.0)
    parser.add_argument("--seeks", type=int, default=200)
    parser.add_argument("--key-every", default=",".join(f"{one:g}" for one in KEY_EVERY))
    parser.add_argument("--recordings", type=int, default=10_000, help="on the shelf that is listed and searched")
    parser.add_argument("--seed", type=int, default=1, help="of the seeks")
    parser.add_argument("--folder", type=Path, help="where files are made; they are removed")
    parser.add_argument("--quick", action="store_true", help="a short look at everything")
    parser.add_argument("--nice", type=int, default=0, help="of everything measured; below 0 it needs the right to")
    parser.add_argument("--of", nargs="*", type=Path, help="measures nothing: puts earlier results together")
    options = parser.parse_args(arguments)
    if options.of:
        result = together([json.loads(path.read_text()) for path in options.of])
    else:
        if options.quick:
            options.minutes, options.seconds, options.jibri_seconds, options.megabytes = "1", 20.0, 5.0, 32
            options.seek_minutes, options.seeks, options.key_every = 10.0, 30, "10"
        if options.nice:
            os.nice(options.nice)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            result = bench(options, [name for name in options.only.split(",") if name in PARTS])
        except KeyboardInterrupt:
            say("interrupted; everything that was started has been ended")
            sys.exit(130)
    say(table(result["figures"]))
    print(json.dumps(result), flush=True)
