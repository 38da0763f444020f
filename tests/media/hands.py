"""A film of someone who signs: two hands that never rest before a patterned body, and a camera's noise over all."""

from __future__ import annotations

import subprocess
from pathlib import Path


def film(path: Path, width: int = 640, height: int = 360, seconds: int = 4) -> Path:
    hand = height // 5
    inputs = [
        f"color=c=0x405060:size={width}x{height}:rate=30:duration={seconds}",
        f"testsrc2=size={2 * hand}x{2 * hand}:rate=30:duration={seconds}",
        f"color=c=0xd2a078:size={hand}x{hand}:rate=30:duration={seconds}",
    ]
    drawn = (
        "[0][1]overlay=x='(W-w)/2':y='H*0.05'[body];"
        "[body][2]overlay=x='W*0.3+W*0.2*sin(2*PI*t*1.5)':y='H*0.5+H*0.25*cos(2*PI*t)'[left];"
        "[left][2]overlay=x='W*0.6+W*0.2*cos(2*PI*t*2)':y='H*0.5+H*0.25*sin(2*PI*t*1.5)',noise=alls=6:allf=t"
    )
    sources = [part for one in inputs for part in ("-f", "lavfi", "-i", one)]
    subprocess.run(
        ["ffmpeg", "-y", "-loglevel", "error", *sources, "-filter_complex", drawn, "-pix_fmt", "yuv420p", str(path)],
        check=True,
    )
    return path
