"""Clips: recorded pieces before the machine's voice, made once, addressed so that nobody asks for others."""

import io
import itertools
import math
import shutil
import threading
import wave
from array import array
from pathlib import Path

import av
import pytest

from web.voice import clips, engine, sound
from web.voice.clips import Voice
from web.voice.phrases import Phrase, parse

needs_espeak = pytest.mark.skipif(not shutil.which("espeak-ng"), reason="espeak-ng is not installed")


def tone(path: Path, hertz: int, *, seconds: float = 0.4, loud: float = 0.3, rate: int = 44_100) -> Path:
    """A recording as a ministry may have it: silence, a sound, silence."""
    still = [0] * (rate // 5)
    heard = [int(32767 * loud * math.sin(math.tau * hertz * n / rate)) for n in range(int(rate * seconds))]
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(array("h", still + heard + still).tobytes())
    return path


def pitch(samples: "array[int]") -> float:
    crossings = sum(a < 0 <= b for a, b in itertools.pairwise(samples))
    return crossings * sound.RATE / len(samples)


@pytest.fixture
def voice(tmp_path: Path) -> Voice:
    return Voice(tmp_path / "voice", tmp_path / "cache", b"key")


@pytest.fixture
def mute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "version", lambda: "")


def record(voice: Voice, *, without: str = "") -> None:
    for hertz, piece in ((300, "number"), (500, "A"), (800, "12")):
        if piece != without:
            tone(voice.recordings / "ar" / f"{piece}.wav", hertz, loud=hertz / 1000)


def phrase(name: str) -> Phrase:
    found = parse(name)
    assert found
    return found


def test_recorded_pieces_are_played_in_their_order_at_one_loudness_without_their_silence(
    voice: Voice, mute: None
) -> None:
    record(voice)
    path = voice.clip(phrase("ar-label-A12"))
    assert path
    heard = sound.read(path)
    assert 1.2 < len(heard) / sound.RATE < 1.7  # three of 0.4 s with short gaps; the recordings are 2.4 s in all
    third = 0.5 * sound.RATE
    parts = [
        heard[int(start * third + 0.12 * sound.RATE) : int(start * third + 0.3 * sound.RATE)] for start in (0, 1, 2)
    ]
    assert [round(pitch(part) / 100) for part in parts] == [3, 5, 8]
    levels = [sound.loudness(part) for part in parts]
    assert max(levels) - min(levels) < 1.5  # type: ignore[type-var]  # recorded 8.5 dB apart


def test_an_incomplete_set_of_recordings_is_not_mixed_with_another_voice(voice: Voice, mute: None) -> None:
    record(voice, without="A")
    assert voice.address(phrase("ar-label-A12")) is None and voice.clip(phrase("ar-label-A12")) is None


def test_without_any_voice_there_is_no_address_and_the_hall_rings_alone(voice: Voice, mute: None) -> None:
    assert voice.address(phrase("ar-label-A12")) is None
    assert not voice.speaks("ar") and voice.chime_address() is None


def test_only_addresses_that_we_gave_out_are_answered(voice: Voice, mute: None) -> None:
    record(voice)
    address = voice.address(phrase("ar-label-A12"))
    assert address and address.startswith("/hall/voice/ar-label-A12.") and address.endswith(".mp3")
    name = address.rsplit("/", 1)[1]
    made = voice.file(name)
    assert made and made.read_bytes() and made.parent == voice.cache
    for other in (
        name.replace("A12", "A13"),
        name[:-5] + ("0" if name[-5] != "0" else "1") + ".mp3",
        name.removesuffix(".mp3"),
        "../secret",
        "",
        "é.mp3",
    ):
        assert voice.file(other) is None, other
    assert Voice(voice.recordings, voice.cache, b"another").file(name) is None


def test_a_changed_recording_has_another_address_and_the_same_one_the_same(voice: Voice, mute: None) -> None:
    record(voice)
    first = voice.address(phrase("ar-label-A12"))
    assert first == Voice(voice.recordings, voice.cache, b"key").address(phrase("ar-label-A12"))
    tone(voice.recordings / "ar" / "12.wav", 900)
    assert voice.address(phrase("ar-label-A12")) != first


def test_a_clip_is_made_once_however_many_ask_for_it_at_once(
    voice: Voice, mute: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(voice)
    made: list[str] = []
    make = Voice._made

    def counted(self: Voice, asked: Phrase) -> bytes:
        made.append(asked.name)
        return make(self, asked)

    monkeypatch.setattr(Voice, "_made", counted)
    threads = [threading.Thread(target=voice.clip, args=(phrase("ar-label-A12"),)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == ["ar-label-A12"]
    assert [path.suffix for path in voice.cache.iterdir()] == [".mp3"]


def test_a_file_that_is_no_sound_is_told_to_the_doctor_and_stops_nobody(voice: Voice, mute: None) -> None:
    record(voice)
    (voice.recordings / "ar" / "12.wav").write_bytes(b"no sound at all")
    assert voice.clip(phrase("ar-label-A12")) is None
    assert len(voice.problems()) == 1 and voice.problems()[0].startswith("ar/12.wav")


def test_the_ministrys_own_chime(voice: Voice, mute: None) -> None:
    tone(voice.recordings / "chime.wav", 700)
    address = voice.chime_address()
    assert address
    path = voice.file(address.rsplit("/", 1)[1])
    assert path and round(pitch(sound.read(path)[4000:8000]), -2) == 700


@needs_espeak
@pytest.mark.parametrize("name", ["ar-label-A12", "ar-counter-3", "en-label-A12", "en-counter-3", "ar-label-S345"])
def test_the_machine_says_it_small_and_at_the_common_loudness(voice: Voice, name: str) -> None:
    path = voice.clip(phrase(name))
    assert path
    with av.open(io.BytesIO(path.read_bytes())) as file:
        assert file.streams.audio[0].codec_context.name.startswith("mp3")
    heard = sound.read(path)
    level = sound.loudness(heard)
    assert level is not None and abs(level - sound._LOUDNESS_DBFS) < 1.5
    assert 0.5 < len(heard) / sound.RATE < 7 and path.stat().st_size < 60_000


@needs_espeak
def test_the_machine_says_different_numbers_differently(voice: Voice) -> None:
    """The letter A read as an article, or a number left out, made two labels sound alike."""
    said = {voice.clip(phrase(name)) for name in ("en-label-A12", "en-label-12", "en-label-B12", "ar-label-A12")}
    lengths = {path: len(sound.read(path)) for path in said if path}
    assert len(lengths) == 4
    assert lengths[voice.clip(phrase("en-label-A12"))] > lengths[voice.clip(phrase("en-label-12"))]  # type: ignore[index]


def test_a_machine_that_hangs_or_fails_is_no_voice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "espeak-ng"
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(engine, "version", lambda: "espeak-ng 1")
    with pytest.raises(engine.NoVoice):
        engine.wave("ar", "الرقم")
    assert clips.Voice(tmp_path / "v", tmp_path / "c", b"k").clip(phrase("ar-counter-3")) is None
