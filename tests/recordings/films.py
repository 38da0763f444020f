"""Films of the synthetic call, and what can be asked of them: `python -m tests.recordings.films FOLDER` makes one."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import av
import numpy as np

from recordings.export.layout import CAPTIONS_END, HEADER, PICTURES_END, WIDTH, boxes
from recordings.export.making import Made, make
from recordings.export.plan import Film, Gap, Line, Side
from recordings.keys import FileKeyRing
from recordings.sealed import SealedReader
from web.static_files import VENDOR

FONTS = VENDOR["ibm-plex-sans-arabic"]
NOON = datetime.fromisoformat("2026-11-21T12:00:00.400000+00:00")
WORDS = ("سارة الحربي", "عمر السالم", "المحكمة العامة", "نورة العتيبي", "السلام عليكم", "R-2026-001")
TYPED_AT, TYPED_UNTIL = 16.2, 18.7
ALICE, BOB = boxes(2, rtl=True)  # Arabic: the first stands on the right


def film_of(alice: Side, bob: Side, duration: float, format: str = "mp4") -> Film:
    return Film(
        owner="rec-7",
        sides=(alice, bob),
        duration=duration,
        started_at=NOON,
        zone="Asia/Riyadh",
        lang="ar",
        format=format,
        head=f"المعاملة \u2066{WORDS[5]}\u2069",
        stamp=f"نسخة أُعدّت لـ{WORDS[3]} — الغرض: {WORDS[2]} — ٢١ نوفمبر ٢٠٢٦م",
        mark=(WORDS[3], WORDS[2]),
        only_sound="صوت فقط",
        lines=(Line(TYPED_AT, WORDS[0], WORDS[4]),),
        title=f"المعاملة {WORDS[5]}",
    )


def side(path: Path, name: str, gaps: list[tuple[str, float, float]]) -> Side:
    dark = tuple(Gap(start, end, "انقطع الاتصال") for kind, start, end in gaps if kind == "video")
    return Side(path, name, True, True, dark)


def pictures(source: SealedReader) -> Iterator[tuple[float, np.ndarray]]:
    """(time, brightness of every pixel)."""
    source.seek(0)
    with av.open(source) as container:
        for frame in container.decode(video=0):
            yield frame.time, frame.to_ndarray(format="gray")


def middle(picture: np.ndarray, box: tuple[int, int, int, int]) -> float:
    x, y, width, height = box
    return float(picture[y + height // 2 - 60 : y + height // 2 + 60, x + width // 4 : x + width * 3 // 4].mean())


def lit(picture: np.ndarray, left: int, top: int, right: int, bottom: int, above: int = 150) -> int:
    return int((picture[top:bottom, left:right] > above).sum())


def captions(picture: np.ndarray) -> int:
    return lit(picture, 40, PICTURES_END, WIDTH - 40, CAPTIONS_END)


def clock(picture: np.ndarray) -> np.ndarray:
    """Where the time stands, as black and white."""
    return picture[:HEADER, 16:130] > 120


def children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):  # a thread that has just ended
            found += map(int, (task / "children").read_text().split())
    return found


def family(pid: int) -> list[int]:
    """All processes below this one. `nice` and `ionice` become ffmpeg: they don't stand between."""
    return [p for child in children(pid) for p in (child, *family(child))]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def never(_share: float) -> None:
    """Nobody is watching."""


def make_film(
    film: Film, ring: FileKeyRing, target: Path, watch: Callable[[float], None] = never, program: str = "ffmpeg"
) -> Made:
    return make(film, ring, target, fonts=FONTS, watch=watch, program=program)


def main() -> None:
    """Make a film of FOLDER's two sides until killed, telling how far it is; the ring lies beside them."""
    folder = Path(sys.argv[1])
    paths = sorted(folder.glob("*.webm.sealed"))
    film = film_of(side(paths[0], WORDS[0], []), side(paths[1], WORDS[1], []), (timedelta(seconds=25)).total_seconds())

    def watch(share: float) -> None:
        print(share, *family(os.getpid()), flush=True)

    make_film(film, FileKeyRing(folder / "ring"), folder / "film.mp4.sealed", watch)
    threading.Event().wait()


if __name__ == "__main__":
    main()
