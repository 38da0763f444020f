"""CPU and time of recording, following, finishing; beside it what others do with the same call."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from bench.media import gauges
from bench.recordings.call import PEOPLE, Call, FastJournal, write_mjr
from core.settings import Settings
from recordings.follow import FOLDER, take
from recordings.journal import open_journal
from recordings.keys import KeyRing
from recordings.remux import remux
from recordings.sealed import SealedReader, SealedWriter
from web.following import Beside

PACE = 20.0
"""How much faster than life a call is fed to the recorder; its flushes come as much sooner."""
BLOCK = 32 * 1024
CAUGHT_UP_S = 400.0
Figures = dict[str, float]


class Spent(NamedTuple):
    seconds: float
    cpu_s: float


def spent(work: Callable[[], object]) -> Spent:
    """Of this process with all its threads, and of children that it waited for."""
    begun, cpu = time.monotonic(), _cpu()
    work()
    return Spent(time.monotonic() - begun, _cpu() - cpu)


def _cpu() -> float:
    return sum(
        use.ru_utime + use.ru_stime
        for use in (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    )


def recording(call: Call, folder: Path, keys: KeyRing, seconds: float) -> Figures:
    """The recorder's part in the media process: queue, seal, sync. The packets are there before."""
    packets = list(call.packets(seconds))
    journal = open_journal(folder / "journal", keys, recording_id="r", meeting_id="m", started_at=datetime.now(UTC))
    journal._flush_every = 0.5 / PACE
    legs = [f"{name}/{kind}" for name in PEOPLE for kind in ("audio", "video")]
    for leg in legs:
        name, _, kind = leg.partition("/")
        journal.track(leg, name, kind, "opus" if kind == "audio" else "vp8", 48_000, 0.0)

    def feed() -> None:
        begun, write = time.monotonic(), journal.write
        for at, leg, packet in packets:
            write(legs[leg], at, packet)
            ahead = at / PACE - (time.monotonic() - begun)
            if ahead > 0.01:
                time.sleep(ahead)
        journal.close(seconds)

    used = spent(feed)
    if not journal.healthy():
        raise RuntimeError(journal.reason)
    return {
        "record_cpu_pct_per_call": 100 * used.cpu_s / seconds,
        "record_us_per_packet": 1e6 * used.cpu_s / len(packets),
        "packets_per_s_and_call": len(packets) / seconds,
        "journal_mb_per_min": (folder / "journal").stat().st_size / 1e6 / seconds * 60,
    }


def playable(call: Call, settings: Settings, keys: KeyRing, minutes: float, *, again: bool) -> Figures:
    """From the journal's end to renditions in their place, the follower having followed. `again`: and without it."""
    name, seconds = f"of-{minutes:g}", minutes * 60
    folder = settings.recordings_dir / name
    journal = FastJournal(folder, keys)
    beside = Beside.of(settings)
    try:
        beside.tell({name})
        packets = call.packets(seconds)
        journal.write(packets)
        assert beside._process is not None
        pid = beside._process.pid
        wait_until_idle(pid, folder)
        cpu = gauges.cpu_s(pid)
        memory = gauges.resident_mb(pid)
        begun = time.monotonic()
        journal.close(seconds)
        result = take(folder, keys)
        took = time.monotonic() - begun
        cpu_end = gauges.cpu_s(pid)
    finally:
        beside.end()
    if result is None or not result.finished or len(result.renditions) != len(PEOPLE):
        raise RuntimeError("the follower has not made what it should")
    label = f"{minutes:g}min"
    figures = {
        f"end_to_playable_{label}_s": took,
        f"follow_cpu_pct_per_call_{label}": 100 * cpu_end / seconds,
        f"follow_times_real_time_{label}": seconds / max(cpu_end, 0.01),
        f"follow_end_cpu_{label}_s": cpu_end - cpu,
        f"follow_rss_mb_{label}": memory,
    }
    if again:
        used = spent(lambda: remux(folder / "journal", keys, out_dir=folder / "whole"))
        figures[f"remux_after_{label}_s"] = used.seconds
        figures[f"remux_cpu_{label}_s"] = used.cpu_s
    shutil.rmtree(folder)
    return figures


def wait_until_idle(pid: int, folder: Path) -> None:
    """Until the follower has caught up: its process rests, and something is written."""
    deadline, rested, before = time.monotonic() + CAUGHT_UP_S, 0, -1.0
    while rested < 4:
        if time.monotonic() > deadline:
            raise TimeoutError("the follower does not catch up")
        time.sleep(0.5)
        now = gauges.cpu_s(pid)
        rested = rested + 1 if now - before < 0.05 and (folder / FOLDER).exists() else 0
        before = now


def janus(call: Call, folder: Path, minutes: float) -> Figures:
    """`janus-pp-rec` over the files of one call: four tracks, each a file of its own, neither sealed nor joined."""
    if shutil.which("janus-pp-rec") is None:
        return {}
    files = write_mjr(folder, call, minutes * 60)

    def process() -> None:
        for file in files:
            leg = int(file.stem)
            target = file.with_suffix(".webm" if leg & 1 else ".opus")
            run(["janus-pp-rec", str(file), str(target)])
            if target.stat().st_size < file.stat().st_size / 2:
                raise RuntimeError(f"janus-pp-rec made little of {file.name}")

    used = spent(process)
    return {
        f"janus_pp_after_{minutes:g}min_s": used.seconds,
        f"janus_pp_cpu_pct_per_call_{minutes:g}min": 100 * used.cpu_s / (minutes * 60),
    }


def jibri(folder: Path, keys: KeyRing, call: Call, seconds: float) -> Figures:
    """A live composition: both decoded, side by side in 1280×720, x264 as Jibri asks for it (veryfast, zerolatency,
    crf 25), AAC. The browser that Jibri needs for it comes on top."""
    if shutil.which("ffmpeg") is None:
        return {}
    journal = FastJournal(folder / "r", keys)
    journal.write(call.packets(seconds))
    journal.close(seconds)
    sides = []
    for rendition in remux(journal.path, keys, out_dir=folder).renditions:
        with SealedReader(rendition.path, keys) as sealed:
            sides.append(folder / f"{rendition.participant_id}.webm")
            sides[-1].write_bytes(sealed.read())  # a synthetic film; nothing to hide
    graph = "[0:v]scale=640:360[a];[1:v]scale=640:360[b];[a][b]hstack,pad=1280:720:0:180,fps=30[v];[0:a][1:a]amix[s]"
    command = [
        "ffmpeg", "-v", "error", "-y", "-i", str(sides[0]), "-i", str(sides[1]), "-filter_complex", graph,
        "-map", "[v]", "-map", "[s]", "-c:v", "libx264", "-preset", "veryfast", "-profile:v", "main",
        "-pix_fmt", "yuv420p", "-r", "30", "-crf", "25", "-g", "60", "-tune", "zerolatency",
        "-c:a", "aac", "-b:a", "128k", str(folder / "jibri.mp4"),
    ]  # fmt: skip
    used = spent(lambda: run(command))
    return {"jibri_cpu_pct_per_call": 100 * used.cpu_s / seconds}


def sealing(folder: Path, keys: KeyRing, megabytes: int) -> Figures:
    """The same bytes, in the pieces that a muxer writes: sealed and plain, through to the disk; and read."""
    block = os.urandom(BLOCK)
    count = megabytes * 1_000_000 // BLOCK

    def plain() -> None:
        with (folder / "plain").open("wb") as file:
            for _ in range(count):
                file.write(block)
            file.flush()
            os.fsync(file.fileno())

    def sealed() -> None:
        with SealedWriter(folder / "sealed", keys, owner="r") as file:
            for _ in range(count):
                file.write(block)

    def read(path: Path) -> None:
        with path.open("rb") as file:
            while file.read(BLOCK * 8):
                pass

    def unseal() -> None:
        with SealedReader(folder / "sealed", keys) as file:
            for at in range(0, file.size, BLOCK * 8):
                file.read_at(at, BLOCK * 8)

    written = {name: min(spent(work) for _ in range(3)) for name, work in (("plain", plain), ("sealed", sealed))}
    readings = {"plain": spent(lambda: read(folder / "plain")), "sealed": spent(unseal)}
    size = count * BLOCK
    return {
        "seal_write_cpu_ms_per_mb": 1e9 * (written["sealed"].cpu_s - written["plain"].cpu_s) / size,
        "seal_write_sealed_mb_s": size / 1e6 / written["sealed"].seconds,
        "seal_write_plain_mb_s": size / 1e6 / written["plain"].seconds,
        "seal_read_cpu_ms_per_mb": 1e9 * (readings["sealed"].cpu_s - readings["plain"].cpu_s) / size,
        "seal_bytes_pct": 100 * ((folder / "sealed").stat().st_size / size - 1),
    }


def run(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=1200, check=False)
    if done.returncode:
        print(done.stderr[-2000:], file=sys.stderr)
        raise RuntimeError(f"{command[0]} ended with {done.returncode}")
