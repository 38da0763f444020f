"""A strip is decoded in a process that may do nothing else: what it finds, and what becomes of one that misbehaves."""

import io
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from recordings.keys import FileKeyRing
from recordings.sealed import SealedWriter
from recordings.strip import decoder, making
from recordings.strip.making import NotDecoded, Source, draw
from tests.unit.recordings.test_jail import able


def _film() -> bytes:
    """Four seconds: red then blue, 160×120; silence, then from 2 s on a tone at half of full scale."""
    out = io.BytesIO()
    with av.open(out, "w", format="webm") as film:
        video, audio = film.add_stream("libvpx", rate=10), film.add_stream("libopus", rate=48000, layout="mono")
        video.width, video.height, video.pix_fmt = 160, 120, "yuv420p"
        video.options = {"deadline": "realtime", "cpu-used": "8"}
        for n in range(40):
            colour = (220, 20, 20) if n < 20 else (20, 20, 220)
            film.mux(video.encode(av.VideoFrame.from_image(Image.new("RGB", (160, 120), colour))))
        for n in range(200):
            times = (np.arange(960) + 960 * n) / 48000
            wave = np.where(times < 2, 0, np.sin(2 * np.pi * 440 * times) * 16384).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(wave.reshape(1, -1), format="s16", layout="mono")
            frame.sample_rate, frame.pts = 48000, 960 * n
            film.mux(audio.encode(frame))
        film.mux(video.encode())
        film.mux(audio.encode())
    return out.getvalue()


def _side(folder: Path, ring: FileKeyRing, content: bytes) -> Source:
    with SealedWriter(folder / "side", ring, owner="rec") as sealed:
        sealed.write(content)
    return Source("a", folder / "side", 160, 120, True, True, ())


def test_curve_and_stills_are_what_was_in_the_film(tmp_path: Path, ring: FileKeyRing) -> None:
    strip = draw([_side(tmp_path, ring, _film())], 4.0, ring, owner="rec")
    curve = strip.peaks["a"]
    half = len(curve) // 2
    assert max(curve[: half - 2]) < 8 and 100 < max(curve[half + 2 :]) < 160
    assert strip.moments == (1.0, 3.0) and strip.blank == ()
    sheet = Image.open(io.BytesIO(strip.stills)).convert("RGB")
    width, height = strip.tile
    first, second = (sheet.getpixel((width * n + width // 2, height // 2)) for n in (0, 1))
    assert first[0] > 150 > 80 > first[2] and second[2] > 150 > 80 > second[0]


def test_a_side_that_is_no_film_is_said_to_be_none(tmp_path: Path, ring: FileKeyRing) -> None:
    with pytest.raises(NotDecoded, match="has gone"):
        draw([_side(tmp_path, ring, b"no film at all" * 999)], 4.0, ring, owner="rec")


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("import time; time.sleep(60)", "fell silent"),
        ("import os; os.write(1, b'S' + bytes(8) + b'\\xff' * 4)", "more than fits"),
        ("import os; os.write(1, b'P' + bytes(11) + b'\\x01x')", "another length"),
        # asks for much, and does not take it
        ("import os, time; os.write(1, b'R' + bytes(8) + b'\\0\\x20\\0\\0'); time.sleep(60)", "fell silent"),
        ("print(open('{secret}').read())", "has gone"),
    ],
    ids=["silent", "too much", "unasked", "stuffed", "curious"],
)
def test_a_decoder_that_was_taken_over_gets_nowhere(
    program: str, said: str, tmp_path: Path, ring: FileKeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "secret" in program and not able("files"):
        pytest.skip("this kernel has no Landlock")
    secret = tmp_path / "secret"
    secret.write_text("E" + "\0" * 12)  # would pass for an end in good order
    taken = tmp_path / "taken.py"
    taken.write_text("input();" + program.replace("{secret}", str(secret)))
    monkeypatch.setattr(decoder, "__file__", str(taken))
    monkeypatch.setattr(making, "SILENCE_S", 0.5)
    with pytest.raises(NotDecoded, match=said):
        draw([_side(tmp_path, ring, bytes(1 << 22))], 4.0, ring, owner="rec")
