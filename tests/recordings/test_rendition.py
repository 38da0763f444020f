"""A recording as one film: the synthetic call is exported for real, and the film asked for what must be in it."""

from __future__ import annotations

import errno
import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from recordings import sealed as sealed_files
from recordings.container import Unfinished
from recordings.export import rules
from recordings.export.making import Made, NotMade, Stopped, destroy
from recordings.export.plan import Film
from recordings.keys import FileKeyRing
from recordings.sealed import SealedReader, SealedWriter
from recordings.webm import WebmWriter
from tests.children import die_with_parent
from tests.recordings.calls import beeps, sounds
from tests.recordings.calls import pictures as images
from tests.recordings.conftest import ALICE_DELAY, END, Recorded
from tests.recordings.films import (
    ALICE,
    BOB,
    TYPED_AT,
    TYPED_UNTIL,
    WORDS,
    alive,
    captions,
    clock,
    family,
    film_of,
    lit,
    make_film,
    middle,
    pictures,
    side,
)

SYNC_S = 0.080
CLEAR = [b"ftyp", b"moov", b"mdat", b"\x1a\x45\xdf\xa3", b"OpusHead", b"Dialogue:", *(w.encode() for w in WORDS)]
HARMLESS = ("pipe:", "/memfd:", "/dev/null", "anon_inode", "/usr/")
ARGUMENT_WORDS = [word.encode() for word in WORDS]


@dataclass
class Shown:
    """A film, and what was seen of disk and processes while it was made."""

    path: Path
    made: Made
    film: Film
    took: float
    found: list[str]
    looks: int

    def open(self, ring: FileKeyRing) -> SealedReader:
        return SealedReader(self.path, ring)


def sides(call: Recorded) -> list:
    return [
        side(call.of(who).path, name, [(g.kind, g.start, g.end) for g in call.of(who).gaps])
        for who, name in (("alice", WORDS[0]), ("bob", WORDS[1]))
    ]


def film(call: Recorded, format: str = "mp4") -> Film:
    return film_of(*sides(call), END, format)


def clear_in(folder: Path, needles: list[bytes]) -> list[str]:
    """What can be read in the folder's files by somebody without a key."""
    found = []
    for path in folder.rglob("*"):
        try:
            content = path.read_bytes() if path.is_file() else b""
        except FileNotFoundError:
            continue
        found += [f"{path.name}: {needle!r}" for needle in needles if needle in content]
    return found


def told_by_processes() -> list[str]:
    """Words in command lines or environments, and files that are held open besides pipes, memory and fonts."""
    found = []
    for pid in family(os.getpid()):
        try:
            seen = Path(f"/proc/{pid}/cmdline").read_bytes() + Path(f"/proc/{pid}/environ").read_bytes()
            links = [str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()]
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        found += [f"argument: {word!r}" for word in ARGUMENT_WORDS if word in seen]
        usual = ("pipe:", "/memfd:", "/dev/null", "anon_inode", "/usr/")
        found += [link for link in links if not link.startswith(usual) and "/node_modules/@fontsource/" not in link]
    return found


def export(call: Recorded, folder: Path, format: str) -> Shown:
    target = folder / f"film.{format}.sealed"
    found: list[str] = []
    looks = 0

    def watch(share: float) -> None:
        nonlocal looks
        looks += share > 0
        found.extend(clear_in(folder, [*CLEAR, *call.payloads]) + told_by_processes())

    began = time.monotonic()
    wanted = film(call, format)
    made = make_film(wanted, call.ring, target, watch)
    return Shown(target, made, wanted, time.monotonic() - began, found, looks)


@pytest.fixture(scope="module")
def shown(call: Recorded, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    yield export(call, tmp_path_factory.mktemp("film"), "mp4")


@pytest.fixture(scope="module")
def seen(call: Recorded, shown: Shown) -> list[tuple[float, np.ndarray]]:
    """Every picture of the film, at half its size where nothing depends on it."""
    with shown.open(call.ring) as file:
        return [(t, picture.copy()) for t, picture in pictures(file)]


def at(seen: list[tuple[float, np.ndarray]], t: float) -> np.ndarray:
    return min(seen, key=lambda one: abs(one[0] - t))[1]


def flashes(seen: list[tuple[float, np.ndarray]], box: tuple[int, int, int, int]) -> list[float]:
    levels = [(t, middle(picture, box)) for t, picture in seen]
    return [b[0] for a, b in itertools.pairwise(levels) if a[1] < 130 <= b[1]]


def probe(data: bytes) -> dict:
    command = ["ffprobe", "-v", "error", "-show_format", "-show_streams", "-of", "json", "pipe:0"]
    return json.loads(subprocess.run(command, input=data, capture_output=True, check=True, timeout=60).stdout)


def test_it_is_an_ordinary_mp4_of_the_meetings_length(call: Recorded, shown: Shown) -> None:
    with shown.open(call.ring) as file:
        data = file.read()
    found = probe(data)
    assert [stream["codec_name"] for stream in found["streams"]] == ["h264", "aac"]
    assert float(found["format"]["duration"]) == pytest.approx(END, abs=0.5)
    assert float(found["streams"][0]["duration"]) == pytest.approx(END, abs=0.05)
    assert int(found["streams"][0]["nb_frames"]) == END * 25
    assert (found["streams"][0]["width"], found["streams"][0]["height"]) == (1280, 720)
    assert WORDS[5] in found["format"]["tags"]["title"]
    assert b"moov" in data and b"moof" not in data  # it has its index: any player can seek
    assert len(data) == shown.made.size <= rules.size_at_most(END)


def test_both_pictures_stand_at_their_places_at_their_times(seen: list[tuple[float, np.ndarray]]) -> None:
    """White at whole seconds: Alice from 1 to 24 s but for her loss, Bob from 3 to 9 and from 15 on."""
    of_alice, of_bob = flashes(seen, ALICE), flashes(seen, BOB)
    assert {round(t) for t in of_alice} >= {*range(1, 9), *range(10, 25)}
    assert {round(t) for t in of_bob} == {*range(3, 10), *range(15, 25)}
    for moment in of_alice + of_bob:
        assert moment == pytest.approx(round(moment) + 0.05, abs=SYNC_S)


def test_sound_and_picture_are_together(call: Recorded, shown: Shown, seen: list[tuple[float, np.ndarray]]) -> None:
    with shown.open(call.ring) as file:
        heard = beeps(file)
    assert {round(t) for t in heard} >= set(range(1, 25))
    apart = [f - h for f in flashes(seen, ALICE) for h in heard if abs(f - h) < 0.5]
    assert len(apart) >= 20
    print(f"picture after sound: {min(apart) * 1000:.0f} to {max(apart) * 1000:.0f} ms")
    assert max(map(abs, apart)) <= SYNC_S
    assert all(h == pytest.approx(round(h) + ALICE_DELAY, abs=SYNC_S) for h in heard)


def test_a_gap_is_a_plate_with_words_and_not_the_last_picture(seen: list[tuple[float, np.ndarray]]) -> None:
    x, y, width, height = BOB
    for t in (1.5, 10.5, 12.5, 14.8):
        plate = at(seen, t)[y : y + height, x : x + width]
        assert np.median(plate) < 60
        assert (
            300
            < lit(at(seen, t), x + width // 3, y + height // 2 - 24, x + width * 2 // 3, y + height // 2 + 24)
            < 9000
        )
    assert lit(at(seen, 7.5), x + width // 3, y + height // 2 - 24, x + width * 2 // 3, y + height // 2 + 24, 200) == 0


def test_a_picture_that_changes_its_size_stays_in_its_place(seen: list[tuple[float, np.ndarray]]) -> None:
    """At 12 s Alice's picture becomes twice as large: on the film its edges stay where they are."""
    x, y, width, height = ALICE

    def edges(t: float) -> tuple[int, int]:
        white = np.flatnonzero(
            at(seen, t)[y : y + height, x + width // 2 - 40 : x + width // 2 + 40].mean(axis=1) > 150
        )
        return int(white[0]), int(white[-1])

    small, large = edges(6 + 0.08), edges(20 + 0.08)
    assert abs(small[0] - large[0]) <= 2 and abs(small[1] - large[1]) <= 2
    assert large[1] - large[0] == pytest.approx(width * 9 / 16, abs=6)


def test_the_clock_ticks_with_the_wall_clock(seen: list[tuple[float, np.ndarray]]) -> None:
    """The recording began 0.4 s after a full second: the digits change 0.6 s after each whole second."""
    for second in range(2, 22):
        before, after = clock(at(seen, second + 0.55)), clock(at(seen, second + 0.72))
        later = clock(at(seen, second + 1.5))
        assert before.sum() > 100
        assert (before != after).sum() > 15 >= (after != later).sum()


def test_what_was_typed_is_shown_when_it_was_typed(seen: list[tuple[float, np.ndarray]]) -> None:
    assert captions(at(seen, TYPED_AT - 0.2)) == 0
    assert captions(at(seen, TYPED_AT + 0.2)) > 500
    assert captions(at(seen, TYPED_UNTIL - 0.2)) > 500
    assert captions(at(seen, TYPED_UNTIL + 0.2)) == 0


def test_every_picture_bears_the_mark_of_whom_it_is_for(
    call: Recorded, seen: list[tuple[float, np.ndarray]], tmp_path: Path
) -> None:
    """The same film for nobody (its beginning) differs in both pictures, in all four quarters of each."""
    make_film(replace(film(call), mark=("",), duration=7.0), call.ring, tmp_path / "bare")
    with SealedReader(tmp_path / "bare", call.ring) as file:
        bare = next(picture for t, picture in pictures(file) if t >= 5.5)
    marked = at(seen, 5.5)
    for x, y, width, height in (ALICE, BOB):
        for left, top in ((x, y), (x + width // 2, y), (x, y + height // 2), (x + width // 2, y + height // 2)):
            part = np.s_[top : top + height // 2, left : left + width // 2]
            assert (np.abs(marked[part].astype(int) - bare[part].astype(int)) > 20).sum() > 200


def test_nothing_lies_open_on_the_disk_or_in_an_argument_while_and_after(call: Recorded, shown: Shown) -> None:
    assert shown.looks >= 3
    assert shown.found == []
    assert clear_in(shown.path.parent, [*CLEAR, *call.payloads]) == []
    assert [path.name for path in shown.path.parent.iterdir()] == [shown.path.name]
    with shown.open(call.ring) as file:
        assert b"moov" in file.read()  # it would have been found


def test_a_destroyed_film_is_gone_key_first(call: Recorded, shown: Shown, tmp_path: Path) -> None:
    path = Path(shutil.copy(shown.path, tmp_path / "film.mp4.sealed"))
    destroy(path)
    assert not path.exists()
    destroy(path)


@pytest.mark.long
def test_the_film_as_webm(call: Recorded, tmp_path: Path) -> None:
    shown = export(call, tmp_path, "webm")
    with shown.open(call.ring) as file:
        found = probe(file.read())
        heard = beeps(file)
        white = flashes(list(pictures(file)), ALICE)
    assert [stream["codec_name"] for stream in found["streams"]] == ["vp8", "opus"]
    assert float(found["format"]["duration"]) == pytest.approx(END, abs=0.5)
    apart = [f - h for f in white for h in heard if abs(f - h) < 0.5]
    assert len(apart) >= 20 and max(map(abs, apart)) <= SYNC_S
    assert shown.found == []


class _Blow:
    """A watcher that does something once, as soon as the film grows; and checks that nothing is left afterwards."""

    def __init__(self, blow) -> None:
        self.blow, self.done, self.family = blow, False, []

    def __call__(self, share: float) -> None:
        if share > 0.02 and not self.done:
            self.done = True
            self.family = family(os.getpid())
            self.blow(self.family)


@pytest.mark.parametrize("which", [0, -1], ids=["a decoder", "the one that puts together"])
def test_a_killed_ffmpeg_is_a_failure_with_a_name(call: Recorded, tmp_path: Path, which: int) -> None:
    blow = _Blow(lambda pids: os.kill(sorted(pids)[which], signal.SIGKILL))
    with pytest.raises(NotMade) as failed:
        make_film(film(call), call.ring, tmp_path / "film", blow)
    assert blow.done and failed.value.problem == rules.TOOL
    assert list(tmp_path.iterdir()) == []
    assert not [pid for pid in blow.family if alive(pid)]


def test_one_killed_before_its_first_word_is_a_failure_with_a_name_too(call: Recorded, tmp_path: Path) -> None:
    for _ in range(5):
        killed: list[int] = []

        def kill(_share: float, killed: list[int] = killed) -> None:
            if not killed:
                killed.append(max(family(os.getpid())))
                os.kill(killed[0], signal.SIGKILL)

        with pytest.raises(NotMade) as failed:
            make_film(film(call), call.ring, tmp_path / "film", kill)
        assert failed.value.problem == rules.TOOL
        assert list(tmp_path.iterdir()) == []


def test_one_that_nobody_wants_any_more_stops_at_once(call: Recorded, tmp_path: Path) -> None:
    def stop(_pids: list[int]) -> None:
        raise Stopped

    blow = _Blow(stop)
    with pytest.raises(Stopped):
        make_film(film(call), call.ring, tmp_path / "film", blow)
    assert len(blow.family) == 5
    assert not [pid for pid in blow.family if alive(pid)]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
def test_a_full_disk_is_a_failure_with_a_name(call: Recorded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write, written = os.pwrite, []

    def pwrite(fd: int, data: bytes, offset: int) -> int:
        written.append(len(data))
        if sum(written) > 300_000:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(fd, data, offset)

    monkeypatch.setattr(sealed_files.os, "pwrite", pwrite)
    with pytest.raises(NotMade) as failed:
        make_film(film(call), call.ring, tmp_path / "film")
    assert failed.value.problem == rules.DISK_FULL
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", [0.02, 0.5, 0.97])
def test_an_altered_side_gives_no_film(call: Recorded, tmp_path: Path, place: float) -> None:
    data = bytearray(call.of("bob").path.read_bytes())
    data[int(len(data) * place)] ^= 1
    (tmp_path / "bob").write_bytes(data)
    alice, bob = sides(call)
    with pytest.raises(NotMade) as failed:
        make_film(film_of(alice, replace(bob, path=tmp_path / "bob"), END), call.ring, tmp_path / "out/film")
    assert failed.value.problem == rules.ALTERED
    assert list((tmp_path / "out").glob("*")) == []


NONSENSE = {
    "noise": random.Random(7).randbytes(400),
    "a keyframe of noise": b"\x10\x02\x00\x9d\x01\x2a\x40\x01\xb4\x00" + random.Random(7).randbytes(400),
    "a huge keyframe": b"\x10\x02\x00\x9d\x01\x2a\xff\x3f\xff\x3f" + random.Random(7).randbytes(400),
    "nearly nothing": b"\x10",
}


@pytest.mark.parametrize("name", NONSENSE)
def test_one_whose_pictures_make_no_sense_does_not_cost_the_others_their_film(tmp_path: Path, name: str) -> None:
    ring = FileKeyRing(tmp_path / "ring")

    def webm(path: Path, frames: list[bytes]) -> Path:
        with SealedWriter(path, ring, owner="rec-7") as sink:
            writer = WebmWriter(sink)
            for number, (t, packet) in enumerate(sounds(0, 2)):
                writer.audio(round(t * 1000), packet)
                if number % 2 == 0 and number // 2 < len(frames):
                    writer.video(round(t * 1000) + 1, frames[number // 2], keyframe=number == 0)
            writer.finish(2000.0, 320, 180)
        return path

    good = webm(tmp_path / "good", [frame for _, frame in images(0, 2, 320, 180)])
    bad = webm(tmp_path / "bad", [NONSENSE[name]] * 40)
    wanted = film_of(side(good, WORDS[0], []), side(bad, WORDS[1], []), 2.0)
    make_film(wanted, ring, tmp_path / "film")
    with SealedReader(tmp_path / "film", ring) as file:
        shown = list(pictures(file))
    assert len(shown) == 50
    assert max(middle(picture, ALICE) for _, picture in shown) > 150


def test_a_missing_side_a_foreign_one_and_a_missing_key_have_their_names(call: Recorded, tmp_path: Path) -> None:
    alice, bob = sides(call)

    def problem(film: Film, ring: FileKeyRing = call.ring, program: str = "ffmpeg") -> str:
        with pytest.raises(NotMade) as failed:
            make_film(film, ring, tmp_path / "out/film", program=program)
        return failed.value.problem

    assert problem(film_of(alice, replace(bob, path=tmp_path / "nowhere"), END)) == rules.GONE
    assert problem(replace(film_of(alice, bob, END), owner="rec-8")) == rules.ALTERED
    assert problem(film_of(alice, bob, END), FileKeyRing(tmp_path / "other")) == rules.NO_KEY
    assert problem(replace(film_of(alice, bob, END), sides=())) == rules.NOTHING
    assert problem(film_of(alice, bob, END), program="no-such-program") == rules.NO_TOOL
    (tmp_path / "empty").touch()
    assert problem(film_of(alice, replace(bob, path=tmp_path / "empty"), END)) == rules.ALTERED


def test_two_makers_of_one_film_do_not_meet(call: Recorded, tmp_path: Path) -> None:
    def again(_pids: list[int]) -> None:
        with pytest.raises(BlockingIOError):
            make_film(film(call), call.ring, tmp_path / "film")
        raise Stopped

    with pytest.raises(Stopped):
        make_film(film(call), call.ring, tmp_path / "film", _Blow(again))


def test_a_maker_that_is_killed_leaves_no_process_and_nothing_readable(call: Recorded, tmp_path: Path) -> None:
    """kill -9 of the worker in the middle: every ffmpeg ends by itself, and the next worker starts afresh."""
    for who in ("alice", "bob"):
        shutil.copy(call.of(who).path, tmp_path)
    ring = call.journal.parent / "ring"
    (shutil.copytree if ring.is_dir() else shutil.copy)(ring, tmp_path / "ring")
    maker = subprocess.Popen(
        [sys.executable, "-m", "tests.recordings.films", str(tmp_path)],
        stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent,
    )  # fmt: skip
    assert maker.stdout
    pids: list[int] = []
    for line in maker.stdout:
        share, *numbers = line.split()
        pids = [int(number) for number in numbers]
        if float(share) > 0.02:
            break
    maker.kill()
    maker.wait()
    maker.stdout.close()
    assert len(pids) == 5
    until = time.monotonic() + 10
    while any(alive(pid) for pid in pids) and time.monotonic() < until:
        time.sleep(0.1)
    assert not [pid for pid in pids if alive(pid)]
    assert not (tmp_path / "film.mp4.sealed").exists()
    draft = tmp_path / "film.mp4.sealed.unfinished"
    with pytest.raises(Unfinished):
        SealedReader(draft, call.ring)
    assert clear_in(tmp_path, [*CLEAR, *call.payloads]) == []
    make_film(film(call), call.ring, tmp_path / "film.mp4.sealed")
    assert not draft.exists()
