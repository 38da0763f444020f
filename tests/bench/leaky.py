"""The soak's node with leaks: a file stays open for each leg that ends, and no meeting is ever forgotten."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from bench.soak.node import serve
from video.media.leg import Leg
from video.media.node import MediaNode

_release = Leg._release


def leaking(self: Leg) -> None:
    os.open(os.devnull, os.O_RDONLY)
    _release(self)


if __name__ == "__main__":
    Leg._release = leaking  # type: ignore[method-assign]
    MediaNode._forget = lambda self: None  # type: ignore[method-assign]
    serve(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
