"""A live journal is followed; what comes of it is what a remux of the whole gives."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from recordings import follow
from recordings.follow import FOLDER, Follower, Taken, take
from recordings.keys import FileKeyRing
from recordings.remux import Misplaced, Remuxer, RemuxResult, Rendition, remux
from recordings.sealed import SealedReader
from recordings.timeline import VIDEO_GAP_S, Gap
from tests.recordings.calls import Sender, Sent
from tests.unit.recordings.lives import Film, Live, face, person, rough, voice

NEAR_MS = 20


def follow_all(live: Live, ring: FileKeyRing) -> RemuxResult:
    """Second by second behind the writer, to the end, and taken as the finishing job does."""
    follower = Follower(live.folder, ring)
    for _ in live.seconds():
        while follower.step():
            pass
        assert not follower.due
    live.close()
    while follower.step():
        pass
    assert follower.due
    follower.finish()
    result = take(live.folder, ring, patience=0.0)
    assert result is not None
    return result


def both(tmp_path: Path, ring: FileKeyRing, sent: list[Sent]) -> tuple[RemuxResult, RemuxResult]:
    live = Live(tmp_path, ring, sent)
    followed = follow_all(live, ring)
    return followed, remux(live.path, ring, out_dir=tmp_path / "whole")


def gap_call() -> list[Sent]:
    late = person("bob", 50, 70, ssrc=5) + person("bob", 85, 110, ssrc=9, connection=2)
    return rough(person("alice", 0.4, 110) + late, 1)


def drift() -> list[Sent]:
    """Five minutes of a sound card that is fast by 90 millionths."""
    ear, eye = Sender(1, 111, 48_000, skew=90e-6), Sender(2, 96, 90_000, skew=90e-6)
    return rough(voice(ear, "a/1/audio", 0, 300) + face(eye, "a/1/video", 0, 300, fps=4), 2, late=0.0)


def new_ssrc() -> list[Sent]:
    sent: list[Sent] = []
    for number, (start, end) in enumerate([(0, 33), (33.5, 90)]):
        ear = Sender(1 + number, 111, 48_000, timestamp=number * 5_000_000)
        eye = Sender(11 + number, 96, 90_000, timestamp=number * 9_000_000)
        sent += voice(ear, "a/1/audio", start, end) + face(eye, "a/1/video", start, end)
    return rough(sent, 3)


def mute() -> list[Sent]:
    ear, eye = Sender(1, 111, 48_000), Sender(2, 96, 90_000)
    sent = voice(ear, "a/1/audio", 0, 100) + face(eye, "a/1/video", 5, 30)
    return rough(sent + face(eye, "a/1/video", 71, 100, size=(640, 360)), 4)


def clock_jumps() -> list[Sent]:
    """The encoder begins anew at 40 s, with another timestamp; the sender's wall clock is put right by 90 s at 60 s."""
    sent: list[Sent] = []
    for start, end, ticks, ntp in [(0, 40, 0, 0.0), (40, 60, 3_000_000_000, 0.0), (60, 130, 3_000_000_000, 90.0)]:
        ear = Sender(1, 111, 48_000, sequence=1000 + start * 50, timestamp=ticks)
        eye = Sender(2, 96, 90_000, sequence=1000 + start * 20, timestamp=ticks, picture=start * 10)
        sent += voice(ear, "a/1/audio", start, end, ntp=ntp) + face(eye, "a/1/video", start, end, ntp=ntp)
    return rough(sent, 5, late=0.0)


def loss_and_repair() -> list[Sent]:
    """One in fifty is lost for good, one in ten comes 30 to 250 ms late; there is a stream of retransmissions."""
    rng = random.Random(6)
    ear, eye, again = Sender(1, 111, 48_000), Sender(2, 96, 90_000), Sender(3, 97, 90_000)
    sent = voice(ear, "a/1/audio+video", 0, 80) + face(eye, "a/1/audio+video", 0, 80, key_every=2.0)
    sent += [(t * 0.3, "a/1/audio+video", again.packet(t * 0.3, b"\0\1" + bytes(200))) for t in range(250)]
    return rough([entry for entry in sent if rng.random() > 0.02], 6, late=0.1)


def no_reports() -> list[Sent]:
    return rough(person("a", 0, 70, reports=False), 7)


def never_seen() -> list[Sent]:
    return rough(voice(Sender(1, 111, 48_000), "a/1/audio", 30, 75), 8)


def short() -> list[Sent]:
    return rough(person("a", 0.2, 6), 9)


CALLS = [gap_call, drift, new_ssrc, mute, clock_jumps, loss_and_repair, no_reports, never_seen, short]


def told(rendition: Rendition) -> list[Gap]:
    """Its gaps, but for those that are just about long enough to be told."""
    return [gap for gap in rendition.gaps if gap.end - gap.start > VIDEO_GAP_S + NEAR_MS / 1000]


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
def test_following_gives_what_a_remux_of_the_whole_gives(
    call: Callable[[], list[Sent]], tmp_path: Path, ring: FileKeyRing
) -> None:
    followed, whole = both(tmp_path, ring, call())
    assert followed.finished and followed.duration_s == whole.duration_s
    assert (followed.meta, followed.marks, followed.absent) == (whole.meta, whole.marks, whole.absent)
    assert [r.path.name for r in followed.renditions] == [r.path.name for r in whole.renditions]
    for one, other in zip(followed.renditions, whole.renditions, strict=True):
        assert (one.width, one.height, one.has_audio, one.has_video) == (
            other.width, other.height, other.has_audio, other.has_video,
        )  # fmt: skip
        for gap, same in zip(told(one), told(other), strict=True):
            assert gap.kind == same.kind
            assert (gap.start, gap.end) == pytest.approx((same.start, same.end), abs=NEAR_MS / 1000)
        a, b = Film.of(one.path, ring), Film.of(other.path, ring)
        assert a.duration == b.duration
        assert [data for _, data in a.pictures] == [data for _, data in b.pictures]
        assert max([abs(x - y) for (x, _), (y, _) in zip(a.pictures, b.pictures, strict=True)], default=0) <= NEAR_MS
        assert len(a.sounds.keys() ^ b.sounds.keys()) <= 0.001 * len(b.sounds), "but for packets left out against drift"
        assert max(abs(b.sounds[data] - ms) for data, ms in a.sounds.items() if data in b.sounds) <= NEAR_MS


def test_nothing_lies_in_clear_while_a_call_is_followed(tmp_path: Path, ring: FileKeyRing) -> None:
    live = Live(tmp_path, ring, person("alice", 0, 60))
    follower = Follower(live.folder, ring)
    for _ in live.seconds():
        follower.step()
    needles = [b"alice", b"webm", b"OpusHead", b"V_VP8", b"audio 00000"]
    files = [path for path in live.folder.rglob("*") if path.is_file()]
    assert sorted(path.name for path in files) == ["01-alice.webm.sealed.unfinished", "journal"]
    assert (live.folder / FOLDER / "01-alice.webm.sealed.unfinished").stat().st_size > 100_000, "written as it goes"
    live.close()
    follower.finish()
    for path in live.folder.rglob("*"):
        assert path.is_dir() or not [needle for needle in needles if needle in path.read_bytes()]
    result = take(live.folder, ring)
    assert result is not None
    with SealedReader(result.renditions[0].path, ring) as file:
        clear = file.read()
    assert all(needle in clear for needle in needles[1:]), "they would have been found"


def test_little_is_left_to_do_at_the_end(tmp_path: Path, ring: FileKeyRing) -> None:
    live = Live(tmp_path, ring, person("alice", 0, 150) + voice(Sender(9, 111, 48_000), "bob/1/audio", 0, 5))
    with Remuxer(live.path, ring, out_dir=tmp_path) as remuxer:
        for _ in live.seconds():
            remuxer.step()
        before = {path.name: path.stat().st_size for path in tmp_path.glob("*.unfinished")}
        live.close()
        result = remuxer.finish()
    assert len(result.renditions) == 2
    for rendition in result.renditions:
        done = before[rendition.path.name + ".unfinished"] / rendition.path.stat().st_size
        assert done > 0.5, "bob's silence too"


def finished(live: Live, ring: FileKeyRing) -> Follower:
    follower = Follower(live.folder, ring)
    live.write(5.0)
    follower.step()
    live.close()
    while follower.step():
        pass
    return follower


def test_a_follower_that_was_killed_leaves_nothing_that_counts(tmp_path: Path, ring: FileKeyRing) -> None:
    live = Live(tmp_path, ring, short())
    follower = finished(live, ring)
    follower._unlock()  # the kernel does, for one who is killed
    (live.folder / FOLDER / "01-a.webm.sealed").write_bytes(b"half of it")
    assert take(live.folder, ring) is None
    assert [path.name for path in live.folder.iterdir()] == ["journal"]


def test_the_next_follower_begins_anew(tmp_path: Path, ring: FileKeyRing) -> None:
    live = Live(tmp_path, ring, short())
    killed = Follower(live.folder, ring)
    live.write(4.0)
    killed.step()
    with pytest.raises(Taken):
        Follower(live.folder, ring)
    killed._unlock()
    follower = finished(live, ring)
    follower.finish()
    result = take(live.folder, ring)
    assert result is not None and result.finished
    assert len(Film.of(result.renditions[0].path, ring).pictures) == 58


def test_a_journal_that_has_grown_since_is_no_longer_what_was_followed(tmp_path: Path, ring: FileKeyRing) -> None:
    live = Live(tmp_path, ring, short())
    follower = Follower(live.folder, ring)
    live.write(3.0)
    follower.step()
    follower.finish()
    live.write(5.0)
    assert take(live.folder, ring) is None


def test_a_journal_that_lost_its_writer_is_finished_when_somebody_asks(tmp_path: Path, ring: FileKeyRing) -> None:
    live = Live(tmp_path, ring, short())
    follower = Follower(live.folder, ring)
    live.write(4.0)
    live.abandon()
    while follower.step():
        pass
    assert not follower.due
    assert take(live.folder, ring, patience=0.0) is None  # asks, and has no patience
    follower.let_go()
    follower = Follower(live.folder, ring)
    (live.folder / FOLDER / follow.WANTED).touch()
    assert follower.due
    follower.finish()
    result = take(live.folder, ring)
    assert result is not None and not result.finished
    assert 3.5 < result.duration_s <= 4.0


def test_one_who_hangs_harms_nobody_when_he_wakes(tmp_path: Path, ring: FileKeyRing) -> None:
    live = Live(tmp_path, ring, short())
    follower = finished(live, ring)
    assert take(live.folder, ring, patience=0.1) is None
    result = remux(live.path, ring, out_dir=live.folder)
    before = result.renditions[0].path.read_bytes()
    assert follower.due
    with pytest.raises(Taken):
        follower.finish()
    assert result.renditions[0].path.read_bytes() == before
    assert sorted(path.name for path in live.folder.iterdir()) == ["01-a.webm.sealed", "journal"]
    with pytest.raises(Taken):
        Follower(live.folder, ring)


def test_a_stream_that_was_taken_for_another_is_found_out(tmp_path: Path, ring: FileKeyRing) -> None:
    """For a minute there is nothing but what turns out to be a side line of another payload type."""
    odd, ear = Sender(1, 63, 48_000), Sender(2, 111, 48_000)
    live = Live(tmp_path, ring, voice(odd, "a/1/audio", 0, 45) + voice(ear, "a/1/audio", 46, 120))
    follower = Follower(live.folder, ring)
    for _ in live.seconds():
        follower.step()
    live.close()
    with pytest.raises(Misplaced):
        follower.finish()
    assert [path.name for path in live.folder.iterdir()] == ["journal"]
    assert take(live.folder, ring) is None
    (rendition,) = remux(live.path, ring, out_dir=tmp_path).renditions
    assert len(Film.of(rendition.path, ring).sounds) == 74 * 50


def test_a_line_that_grows_shorter_is_no_jump(tmp_path: Path, ring: FileKeyRing) -> None:
    """At 40 s another way through the net is 120 ms shorter: sound and picture go over to it together, by and by."""
    ear, eye = Sender(1, 111, 48_000), Sender(2, 96, 90_000)
    sent: list[Sent] = []
    for start, end, delay in [(0, 40, 0.15), (40, 100, 0.03)]:
        sent += voice(ear, "a/1/audio", start, end, delay=delay) + face(eye, "a/1/video", start, end, delay=delay)
    result = follow_all(live := Live(tmp_path, ring, sent), ring)
    film = Film.of(result.renditions[0].path, ring)
    assert len(film.pictures) == 1000, "none was too late"
    spoken = {float(data[1:].split()[1][:10]): ms for data, ms in film.sounds.items()}
    shown = {float(data.split(b" ")[-1][:10]): ms for ms, data in film.pictures}
    assert max(abs(spoken[t] - shown[t]) for t in shown if t in spoken) < 45
    assert min(b - a for a, b in zip(sorted(shown.values()), sorted(shown.values())[1:], strict=False)) >= 95
    assert shown[95.0] == pytest.approx(95_030, abs=15)
    assert live.path.exists()
