from __future__ import annotations

import io

import av
import pytest

from recordings import opus
from recordings.webm import WebmWriter

SILENCE = b"\xf8\xff\xfe"
KEY = b"\x10\x02\x00\x9d\x01\x2a\x40\x01\xb4\x00" + bytes(20)


def muxed(seconds: int, *, video: bool = True, key_every: float = 7.0) -> io.BytesIO:
    sink = io.BytesIO()
    writer = WebmWriter(sink)
    next_key = 0.5
    for n in range(seconds * 50):
        writer.audio(n * 20, SILENCE)
        if video and n * 0.02 >= next_key:
            writer.video(n * 20 + 3, KEY, keyframe=True)
            next_key += key_every
        elif video and n * 0.02 > 0.5 and n % 2:
            writer.video(n * 20 + 3, b"\x11" + bytes(30), keyframe=False)
    writer.finish(seconds * 1000 + 250, 320, 180)
    sink.seek(0)
    return sink


def test_ffmpeg_reads_tracks_duration_and_every_block() -> None:
    with av.open(muxed(30)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert container.duration == 30_250_000
        assert (video.codec_context.name, video.codec_context.width, video.codec_context.height) == ("vp8", 320, 180)
        assert (audio.codec_context.name, audio.codec_context.extradata) == ("opus", opus.HEAD)
        assert audio.codec_context.sample_rate == 48_000
        packets = [p for p in container.demux() if p.size]
        assert sum(p.stream is audio for p in packets) == 1500
        assert [p.pts for p in packets if p.stream is video and p.is_keyframe] == [503, 7503, 14503, 21503, 28503]


@pytest.mark.parametrize(("second", "expected"), [(3, 503), (10, 7503), (29, 28503)])
def test_the_cues_lead_a_player_to_the_keyframe(second: int, expected: int) -> None:
    with av.open(muxed(30)) as container:
        container.seek(second * 1_000_000)
        assert next(p for p in container.demux(video=0) if p.size).pts == expected


def test_sound_alone_can_be_sought_too() -> None:
    with av.open(muxed(60, video=False)) as container:
        container.seek(33_000, stream=container.streams.audio[0])
        assert 28_000 < next(p for p in container.demux(audio=0) if p.size).pts <= 33_000


def test_a_long_file_is_no_burden_on_its_front() -> None:
    """What is written last replaces what was written first, byte for byte of the same length."""
    data = muxed(10).getvalue()
    size_at = data.index(b"\x18\x53\x80\x67") + 4
    assert int.from_bytes(data[size_at + 1 : size_at + 8], "big") == len(data) - size_at - 8


def test_every_cluster_has_a_cue_for_the_sound_and_keyframes_one_for_the_picture() -> None:
    data = muxed(30).getvalue()
    clusters = data.count(b"\x1f\x43\xb6\x75")
    cues = data[data.rindex(b"\x1c\x53\xbb\x6b") :]
    assert cues.count(b"\xf7\x81\x02") == clusters
    assert cues.count(b"\xf7\x81\x01") == 5
