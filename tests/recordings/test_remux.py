"""The remuxer on a synthetic call, judged by ffmpeg and ffprobe on what is decrypted in memory."""

from __future__ import annotations

import itertools
import json
import subprocess
from pathlib import Path

import av
import pytest

from recordings import opus
from recordings.container import SealBroken
from recordings.keys import FileKeyRing
from recordings.remux import remux
from recordings.sealed import SealedReader, SealedWriter
from tests.recordings.calls import Sender, beeps, deliver, flashes, pictures, send, sounds
from tests.recordings.conftest import ALICE_DELAY, BOB_DELAY, END, Recorded, start

EVERYONE = ["alice", "bob"]


def clear(call: Recorded, participant: str) -> bytes:
    with call.open(participant) as file:
        return file.read()


def pairs(one: list[float], other: list[float]) -> list[tuple[float, float]]:
    return [(a, b) for a in one for b in other if abs(a - b) < 0.5]


def probe(data: bytes) -> dict:
    command = ["ffprobe", "-v", "error", "-show_format", "-show_streams", "-of", "json", "pipe:0"]
    return json.loads(subprocess.run(command, input=data, capture_output=True, check=True, timeout=60).stdout)


def complaints(data: bytes) -> str:
    command = ["ffmpeg", "-v", "warning", "-i", "pipe:0", "-f", "null", "-"]
    done = subprocess.run(command, input=data, capture_output=True, check=True, timeout=120)
    return done.stderr.decode()


def test_each_participant_who_was_heard_or_seen_has_one_rendition(call: Recorded) -> None:
    assert [r.participant_id for r in call.result.renditions] == EVERYONE
    assert all(r.has_audio and r.has_video for r in call.result.renditions)
    assert call.result.absent == ("carol",)
    assert call.result.finished
    assert call.result.meta.meeting_id == "m-7"
    assert [(mark.at, mark.kind) for mark in call.result.marks] == [(17.5, "directive")]


@pytest.mark.parametrize("participant", EVERYONE)
def test_every_rendition_lasts_as_long_as_the_recording(call: Recorded, participant: str) -> None:
    found = probe(clear(call, participant))
    assert float(found["format"]["duration"]) == pytest.approx(END, abs=0.1)
    assert [stream["codec_name"] for stream in found["streams"]] == ["vp8", "opus"]
    assert call.of(participant).duration_s == pytest.approx(END, abs=0.001)


@pytest.mark.parametrize("participant", EVERYONE)
def test_it_decodes_without_one_complaint(call: Recorded, participant: str) -> None:
    assert complaints(clear(call, participant)) == ""


@pytest.mark.parametrize(("participant", "delay"), [("alice", ALICE_DELAY), ("bob", BOB_DELAY)])
def test_flash_and_beep_are_together_and_at_their_time(call: Recorded, participant: str, delay: float) -> None:
    """The sender's reports undo the picture's longer way, and all participants share one timeline."""
    with call.open(participant) as file:
        seen, heard = flashes(file), beeps(file)
    assert len(pairs(seen, heard)) >= 14
    assert max(abs(a - b) for a, b in pairs(seen, heard)) < 0.040
    for moment in seen + heard:
        assert moment == pytest.approx(round(moment) + delay, abs=0.040)


@pytest.mark.parametrize("participant", EVERYONE)
def test_the_sound_is_seamless_from_the_start_to_the_end(call: Recorded, participant: str) -> None:
    with call.open(participant) as file, av.open(file) as container:
        packets = [
            (p.pts * p.time_base, opus.duration(bytes(p)) / opus.RATE) for p in container.demux(audio=0) if p.size
        ]
    assert packets[0][0] == pytest.approx(-opus.PRE_SKIP / opus.RATE, abs=0.0015)  # the decoder's delay
    for (t, length), (following, _) in itertools.pairwise(packets):
        assert following - t == pytest.approx(length, abs=0.0015)
    assert packets[-1][0] + packets[-1][1] == pytest.approx(END, abs=0.02)


def test_a_lost_picture_is_a_gap_until_the_next_keyframe_and_is_told(call: Recorded) -> None:
    gaps = [gap for gap in call.of("alice").gaps if gap.kind == "video"]
    assert len(gaps) == 0 or all(gap.end - gap.start < 1.5 for gap in gaps)
    with call.open("alice") as file, av.open(file) as container:
        times = [float(p.pts * p.time_base) for p in container.demux(video=0) if p.size]
    hole = [(a, b) for a, b in itertools.pairwise(times) if b - a > 0.5]
    assert hole == [(pytest.approx(8.5, abs=0.1), pytest.approx(9.4 + ALICE_DELAY, abs=0.05))]


def test_a_participant_who_comes_late_and_comes_again_is_in_one_file(call: Recorded) -> None:
    gaps = {(gap.kind, round(gap.start), round(gap.end)) for gap in call.of("bob").gaps}
    assert gaps == {("video", 0, 3), ("audio", 0, 3), ("video", 10, 15), ("audio", 10, 15)}
    with call.open("bob") as file:
        heard = [round(t) for t in beeps(file)]
    assert heard == [*range(3, 10), *range(15, 25)]


@pytest.mark.parametrize(
    ("participant", "sizes"), [("alice", {(320, 180), (640, 360)}), ("bob", {(320, 240), (480, 360)})]
)
def test_a_change_of_resolution_survives(call: Recorded, participant: str, sizes: set[tuple[int, int]]) -> None:
    with call.open(participant) as file, av.open(file) as container:
        assert {(frame.width, frame.height) for frame in container.decode(video=0)} == sizes
    assert (call.of(participant).width, call.of(participant).height) == max(sizes)


def test_seeking_lands_on_a_keyframe_before_the_time(call: Recorded) -> None:
    with call.open("alice") as file, av.open(file) as container:
        container.seek(20_000_000)
        frame = next(container.decode(video=0))
        assert frame.key_frame
        assert frame.time == pytest.approx(18 + ALICE_DELAY, abs=0.05)
        container.seek(5_000, stream=container.streams.audio[0])
        assert 0.5 < next(container.decode(audio=0)).time <= 5.0


def test_clusters_are_short_and_begin_with_keyframes(call: Recorded) -> None:
    data = clear(call, "alice")
    starts = cluster_starts(data)
    assert all(b - a <= 4100 for a, b in itertools.pairwise(starts))
    with call.open("alice") as file, av.open(file) as container:
        keys = {round(p.pts * p.time_base * 1000) for p in container.demux(video=0) if p.size and p.is_keyframe}
    assert len(keys) == 4
    assert keys <= set(starts)


def cluster_starts(data: bytes) -> list[int]:
    """The timestamp (ms) that stands near the head of every cluster."""
    parts = data.split(b"\x1f\x43\xb6\x75")[1:]
    return [int.from_bytes(part[part.index(b"\xe7\x88") + 2 :][:8], "big") for part in parts]


def test_nothing_of_the_call_lies_in_clear_on_the_disk(call: Recorded) -> None:
    files = [path for path in call.journal.parent.rglob("*") if path.is_file()]
    assert len(files) == 4  # ring, journal, two renditions
    needles = [b"\x1a\x45\xdf\xa3", b"OpusHead", b"webm", b"V_VP8", "يُحال".encode(), b"alice", *call.payloads]
    for path in files:
        content = path.read_bytes()
        assert not [needle for needle in needles if needle in content]
    together = clear(call, "alice")
    assert all(needle in together for needle in call.payloads[:3])  # they would have been found


def test_the_renditions_open_with_the_recordings_key_alone(call: Recorded, tmp_path: Path) -> None:
    header = SealedReader(call.of("alice").path, call.ring).header
    assert header.owner == "rec-7"
    with pytest.raises(Exception, match="no key-encryption key"):
        SealedReader(call.of("alice").path, FileKeyRing(tmp_path / "other"))


def test_a_journal_cut_off_by_a_crash_is_remuxed_as_far_as_it_goes(call: Recorded, tmp_path: Path) -> None:
    data = call.journal.read_bytes()
    (tmp_path / "journal").write_bytes(data[: len(data) * 2 // 3])
    result = remux(tmp_path / "journal", call.ring, out_dir=tmp_path / "out")
    assert not result.finished
    assert 10 < result.duration_s < 22
    for rendition in result.renditions:
        with SealedReader(rendition.path, call.ring) as file:
            data = file.read()
        assert complaints(data) == ""
        assert float(probe(data)["format"]["duration"]) == pytest.approx(result.duration_s, abs=0.01)


def test_an_altered_journal_is_refused_and_leaves_no_rendition(call: Recorded, tmp_path: Path) -> None:
    data = bytearray(call.journal.read_bytes())
    data[len(data) // 2] ^= 0x10
    (tmp_path / "journal").write_bytes(data)
    with pytest.raises(SealBroken):
        remux(tmp_path / "journal", call.ring, out_dir=tmp_path / "out")
    assert not list((tmp_path / "out").glob("*"))


def test_without_sender_reports_arrival_decides(tmp_path: Path) -> None:
    ring = FileKeyRing(tmp_path / "ring")
    journal = start(tmp_path, ring)
    voice, face = Sender(1, 111, 48_000), Sender(2, 96, 90_000)
    journal.track("a/audio", "a", "audio", "opus", 48_000, 0.0)
    journal.track("a/video", "a", "video", "vp8", 90_000, 0.0)
    sent = send(voice, "a/audio", sounds(0, 5), delay=0.03, reports=False)
    sent += send(face, "a/video", pictures(0, 5, 160, 120), delay=0.05, reports=False, split=face.frame)
    deliver(journal, sent)
    journal.close(5.5)
    result = remux(tmp_path / "journal", ring, out_dir=tmp_path)
    with SealedReader(result.renditions[0].path, ring) as file:
        offsets = [a - b for a, b in pairs(flashes(file), beeps(file))]
    assert len(offsets) >= 4
    assert all(offset == pytest.approx(0.02, abs=0.015) for offset in offsets)


def test_a_leg_with_both_tracks_and_a_retransmission_stream_is_told_apart(tmp_path: Path) -> None:
    ring = FileKeyRing(tmp_path / "ring")
    journal = start(tmp_path, ring)
    voice, face, again = Sender(1, 111, 48_000), Sender(2, 96, 90_000), Sender(3, 97, 90_000)
    journal.track("a", "a", "audio", "opus", 48_000, 0.0)
    journal.track("a", "a", "video", "vp8", 90_000, 0.0)
    sent = send(voice, "a", sounds(0, 4)) + send(face, "a", pictures(0, 4, 160, 120), split=face.frame)
    sent += send(again, "a", [(t / 2, b"\x00\x01" + bytes(200)) for t in range(8)], reports=False)
    deliver(journal, sent)
    journal.close(4.0)
    (rendition,) = remux(tmp_path / "journal", ring, out_dir=tmp_path).renditions
    assert (rendition.has_audio, rendition.has_video, rendition.width) == (True, True, 160)
    with SealedReader(rendition.path, ring) as file:
        assert complaints(file.read()) == ""
        assert len(flashes(file)) >= 3
        assert len(beeps(file)) >= 3


def test_one_who_was_only_heard_has_no_picture_track(tmp_path: Path) -> None:
    ring = FileKeyRing(tmp_path / "ring")
    journal = start(tmp_path, ring)
    voice = Sender(1, 111, 48_000)
    journal.track("a", "a", "audio", "opus", 48_000, 0.0)
    deliver(journal, send(voice, "a", sounds(1, 3)))
    journal.close(6.0)
    (rendition,) = remux(tmp_path / "journal", ring, out_dir=tmp_path).renditions
    assert (rendition.has_audio, rendition.has_video) == (True, False)
    with SealedReader(rendition.path, ring) as file:
        found = probe(file.read())
    assert [stream["codec_name"] for stream in found["streams"]] == ["opus"]
    assert float(found["format"]["duration"]) == pytest.approx(6.0, abs=0.01)


def test_while_two_connections_overlap_the_newer_one_is_kept(tmp_path: Path) -> None:
    ring = FileKeyRing(tmp_path / "ring")
    journal = start(tmp_path, ring)
    old, new = Sender(1, 96, 90_000), Sender(2, 96, 90_000, timestamp=99)
    journal.track("a/1", "a", "video", "vp8", 90_000, 0.0)
    journal.track("a/2", "a", "video", "vp8", 90_000, 3.0)
    sent = send(old, "a/1", pictures(0, 6, 160, 120), split=old.frame)
    sent += send(new, "a/2", pictures(3, 8, 320, 240), split=new.frame)
    deliver(journal, sent)
    journal.close(8.0)
    (rendition,) = remux(tmp_path / "journal", ring, out_dir=tmp_path).renditions
    with SealedReader(rendition.path, ring) as file:
        assert complaints(file.read()) == ""
        file.seek(0)
        with av.open(file) as container:
            sizes = [(frame.time, frame.width) for frame in container.decode(video=0)]
    assert all((width == 320) == (t > 3.0) for t, width in sizes)


def test_an_opener_decides_where_renditions_go(call: Recorded, tmp_path: Path) -> None:
    def opener(participant: str) -> SealedWriter:
        return SealedWriter(tmp_path / f"of-{participant}", call.ring, owner="rec-7")

    result = remux(call.journal, call.ring, opener=opener)
    assert [r.path.name for r in result.renditions] == ["of-alice", "of-bob"]
    assert all(r.path.exists() for r in result.renditions)


def test_pyav_writes_and_reads_sealed_files_as_if_they_were_plain(call: Recorded, tmp_path: Path) -> None:
    path = tmp_path / "copy"
    with (
        call.open("alice") as source,
        SealedWriter(path, call.ring, owner="rec-7") as sink,
        av.open(source) as reading,
        av.open(sink, "w", format="matroska") as writing,
    ):
        video = writing.add_stream_from_template(reading.streams.video[0])
        for packet in reading.demux(video=0):
            if packet.size:
                packet.stream = video
                writing.mux(packet)
    with SealedReader(path, call.ring) as file, av.open(file) as container:
        assert container.duration / 1e6 == pytest.approx(24.8, abs=0.2)  # written by seeking back
        assert sum(1 for _ in container.decode(video=0)) > 500
