"""Fuzzes one target for a while: guided by coverage where atheris is installed, by a random generator otherwise.

    python -m tests.fuzz TARGET [--seconds N] [--corpus FOLDER]
    python -m tests.fuzz --list

What raises is printed with the input that did it: `python -m tests.fuzz TARGET --input HEX` repeats it.
"""

from __future__ import annotations

import argparse
import importlib.util
import random
import sys
import time
import traceback


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("target", nargs="?")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--corpus", default="")
    parser.add_argument("--input", default="")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--plain", action="store_true", help="without atheris, even where it is installed")
    given = parser.parse_args()
    guided = importlib.util.find_spec("atheris") is not None and not given.plain and not given.input
    if guided:
        import atheris

        with atheris.instrument_imports(include=["video", "recordings", "tests.fuzz", "aioice", "aiortc.sdp"]):
            from tests.fuzz.targets import TARGETS
    else:
        from tests.fuzz.targets import TARGETS
    if given.list or given.target not in TARGETS:
        print("\n".join(TARGETS))
        sys.exit(not given.list)
    target = TARGETS[given.target]
    if given.input:
        target(bytes.fromhex(given.input))
    elif guided:
        options = [f"-max_total_time={given.seconds}", "-max_len=600", "-print_final_stats=1", "-rss_limit_mb=1500"]
        options += ["-artifact_prefix=/tmp/fuzz-", *([given.corpus] if given.corpus else [])]
        atheris.Setup([sys.argv[0], *options], target)
        atheris.Fuzz()
    else:
        _plain(given.target, target, given.seconds)


def _plain(name: str, target: object, seconds: int) -> None:
    seed = random.randrange(1 << 32)
    dice, ran, until = random.Random(seed), 0, time.monotonic() + seconds
    while time.monotonic() < until:
        data = dice.randbytes(dice.choice((8, 30, 120, 600)))
        try:
            target(data)  # type: ignore[operator]
        except Exception:
            traceback.print_exc()
            print(f"python -m tests.fuzz {name} --input {data.hex()}")
            sys.exit(1)
        ran += 1
    print(f"{name}: {ran} inputs, nothing found")


if __name__ == "__main__":
    main()
