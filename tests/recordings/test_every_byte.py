"""Nothing of a signed recording can be changed unseen, and what is named is where it was changed. Exhaustive."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from recordings import container
from recordings.keys import KeyRefused
from recordings.proof import manifest
from recordings.proof.rules import ALTERED, PROVEN, UNSIGNED
from recordings.proof.verify import UNKNOWN_KEY, Finding
from recordings.sealed_log import walk_chain
from tests.recordings.proofs import Keys, Small, sign, small

KEY_BYTES = range(*container.KEY_SLOT)
NAMES = ["journal", "01-sara.webm.sealed", "02-omar.webm.sealed", "people-1.sealed", "manifest"]


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def one(tmp_path: Path, keys: Keys) -> Small:
    return small(tmp_path / "one", keys)


@pytest.fixture
def other(tmp_path: Path, keys: Keys) -> Small:
    return small(tmp_path / "other", keys, "rec-2")


def holds(finding: Finding | None, name: str, place: int) -> bool:
    return finding is not None and finding.file == name and finding.start <= place < finding.end


def opens(path: Path, made: Small) -> bool:
    try:
        container.read_header(path).data_key(made.keys.ring)
    except (KeyRefused, container.SealBroken, container.KeyDestroyed):
        return False
    return True


def differs_at(before: bytes, after: bytes) -> int:
    """The first byte that is not what it was."""
    pairs = enumerate(itertools.zip_longest(before, after))
    return next(place for place, (a, b) in pairs if a != b)


@pytest.mark.parametrize(
    ("often", "of"), [(1, 3), pytest.param(2, 1, marks=pytest.mark.long)], ids=["a third of them once", "twice"]
)
def test_every_flipped_byte_is_found_and_lies_in_the_range_that_is_named(one: Small, often: int, of: int) -> None:
    """Each third byte of each file: all its bits, or the one that makes a small letter a capital. Of the manifest, a
    text, each byte in both ways; `make test-long` so of all files.

    A wrapped key is no part of what is proven: a flip in it is told, and the key ring refuses it.
    """
    assert one.check().verdict == PROVEN
    flips = 0
    for path in one.files():
        whole = path.read_bytes()
        with path.open("r+b", buffering=0) as file:
            for place, byte in enumerate(whole):
                ways = 2 if path.name == manifest.NAME else often
                if place % of and path.name != manifest.NAME:
                    continue
                for mask in (0xFF, 0x20)[:ways] if place % 2 else (0x20, 0xFF)[:ways]:
                    os.pwrite(file.fileno(), bytes([byte ^ mask]), place)
                    report = one.check()
                    if path.name != manifest.NAME and place in KEY_BYTES:
                        assert holds(report.findings[0], path.name, place) and not opens(path, one), (path.name, place)
                    else:
                        assert report.verdict == ALTERED and holds(report.first(), path.name, place), (path.name, place)
                    flips += 1
                os.pwrite(file.fileno(), bytes([byte]), place)
    assert flips > 20_000 * often // of and one.check().verdict == PROVEN


@pytest.mark.long
def test_every_truncation_is_found_at_its_place(one: Small) -> None:
    for path in one.files():
        whole = path.read_bytes()
        for end in reversed(range(len(whole))):
            os.truncate(path, end)
            report = one.check()
            if path.name == manifest.NAME:
                assert report.verdict == ALTERED and report.first().file == path.name
            else:
                assert report.verdict == ALTERED and holds(report.first(), path.name, end), (path.name, end)
        path.write_bytes(whole)


def frames_of(journal: Path) -> list[bytes]:
    data, ends = journal.read_bytes(), [container.HEADER_BYTES, *(link.end for link in walk_chain(journal))]
    return [data[: container.HEADER_BYTES], *(data[start:end] for start, end in itertools.pairwise(ends))]


def pieces_of(film: Path, size: int = 512) -> list[bytes]:
    data = film.read_bytes()
    return [data[start : start + size] for start in range(0, len(data), size)]


def rearranged(parts: list[bytes]) -> Iterator[list[bytes]]:
    """Every swap of two, every one left out, doubled in place, and moved to every other place."""
    places = range(len(parts))
    for a, b in itertools.combinations(places, 2):
        swapped = list(parts)
        swapped[a], swapped[b] = parts[b], parts[a]
        yield swapped
    for a in places:
        yield parts[:a] + parts[a + 1 :]
        for b in range(len(parts) + 1):
            yield [*parts[:b], parts[a], *parts[b:]]
            rest = parts[:a] + parts[a + 1 :]
            yield [*rest[:b], parts[a], *rest[b:]]


def test_segments_swapped_moved_dropped_or_doubled_are_found_where_it_begins(one: Small) -> None:
    tried = 0
    for path in (one.folder / "journal", one.folder / one.facts.films[0].file):
        whole = path.read_bytes()
        parts = frames_of(path) if path.name == "journal" else pieces_of(path)
        assert b"".join(parts) == whole and len(parts) > 6
        for order in rearranged(parts):
            changed = b"".join(order)
            if changed == whole:
                continue
            path.write_bytes(changed)
            report = one.check()
            assert report.verdict == ALTERED
            assert holds(report.first(), path.name, differs_at(whole, changed))
            tried += 1
        path.write_bytes(whole)
    assert tried > 300 and one.check().verdict == PROVEN


def test_segments_of_another_recording_are_found_where_they_lie(one: Small, other: Small) -> None:
    """The other one's frames are well-formed and as long: only their content betrays them."""
    path = one.folder / "journal"
    whole, mine, theirs = path.read_bytes(), frames_of(path), frames_of(other.folder / "journal")
    for number in range(len(mine)):
        changed = b"".join([*mine[:number], theirs[number], *mine[number + 1 :]])
        path.write_bytes(changed)
        report = one.check()
        assert report.verdict == ALTERED and holds(report.first(), "journal", differs_at(whole, changed))


@pytest.mark.parametrize("name", NAMES)
def test_whole_files_swapped_between_two_recordings_are_found_in_both(one: Small, other: Small, name: str) -> None:
    mine, theirs = (one.folder / name).read_bytes(), (other.folder / name).read_bytes()
    (one.folder / name).write_bytes(theirs)
    (other.folder / name).write_bytes(mine)
    for recording in (one, other):
        report = recording.check()
        assert report.verdict == ALTERED
        first = report.first()
        assert first is not None and first.start == 0
        if name != manifest.NAME:
            assert first.file == name and first.kind == "foreign"
            assert {first.other} == {"rec-1", "rec-2"} - {recording.facts.recording_id}


def test_two_sides_of_one_recording_swapped_are_found(one: Small) -> None:
    sara, omar = (one.folder / film.file for film in one.facts.films)
    whole, theirs = sara.read_bytes(), omar.read_bytes()
    sara.write_bytes(theirs)
    omar.write_bytes(whole)
    report = one.check()
    assert {finding.file for finding in report.findings} == {sara.name, omar.name}
    assert holds(report.first(), sara.name, differs_at(whole, theirs))


def test_a_manifest_signed_again_with_another_key_is_not_ours(one: Small, tmp_path: Path) -> None:
    """A forger has everything but the key: the recording is altered, and a flawless manifest is made of it."""
    before = (one.folder / "manifest").read_bytes()
    forger = Keys(tmp_path / "forger")
    forger.ring = one.keys.ring
    (one.folder / "journal").write_bytes((one.folder / "journal").read_bytes()[:-40])
    forged = Small(one.folder, forger, one.facts)
    sign(forged, witness=None)
    report = one.check()
    assert report.verdict == ALTERED and report.first().kind == UNKNOWN_KEY
    assert report.first().other == forger.signer.fingerprint and report.manifest is None
    text, signature = (one.folder / "manifest").read_bytes().splitlines(keepends=True)
    ours = before.splitlines(keepends=True)[1]
    (one.folder / "manifest").write_bytes(text + ours)
    assert one.check().first().kind == "broken manifest"
    renamed = signature.replace(forger.signer.fingerprint.encode(), one.keys.signer.fingerprint.encode())
    (one.folder / "manifest").write_bytes(text + renamed)
    assert one.check().first().kind == "broken manifest"


def test_without_its_manifest_nothing_is_proven(one: Small) -> None:
    (one.folder / "manifest").unlink()
    report = one.check()
    assert report.verdict == UNSIGNED and report.manifest is None
