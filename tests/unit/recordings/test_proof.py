"""What verifying says of recordings whole, damaged or strange. Every byte: tests/recordings/test_every_byte.py."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recordings import container
from recordings.proof import manifest, verify
from recordings.proof.manifest import ManifestBroken
from recordings.proof.pieces import LEAST_PIECE, MOST_PIECES, blanked, piece_for, take
from recordings.proof.rules import ALTERED, ENDED, PROVEN, UNSIGNED
from recordings.sealed import open_bytes
from recordings.signing import FileSigner, PublicKeys
from recordings.storage.away import stub_of
from tests.recordings.proofs import Keys, Small, sign, small

relaxed = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path / "keys")


@pytest.fixture
def one(tmp_path: Path, keys: Keys) -> Small:
    return small(tmp_path / "one", keys)


def kinds(made: Small) -> list[str]:
    return [finding.kind for finding in made.check().findings]


def test_a_whole_recording_is_proven_by_the_public_key_alone(one: Small, tmp_path: Path) -> None:
    pem = next((tmp_path / "keys/public").iterdir()).read_bytes()
    (tmp_path / "court.pem").write_bytes(pem)
    (tmp_path / "keys/archive.key").unlink()
    (tmp_path / "keys/signing.key").unlink()
    report = verify.verify(one.folder, PublicKeys.of_file(tmp_path / "court.pem"))
    assert report.verdict == PROVEN and report.findings == []
    assert report.checked == sum(path.stat().st_size for path in one.files() if path.name != "manifest")
    assert verify.size_of(one.folder) == sum(path.stat().st_size for path in one.files())


def test_the_names_are_under_seal_and_the_rest_can_be_read(one: Small) -> None:
    text = (one.folder / "manifest").read_text()
    fields = json.loads(text.splitlines()[0])
    assert fields["participants"] == [{"id": "sara", "role": "visitor"}, {"id": "omar", "role": "official"}]
    assert fields["tracks"][0]["codec"] == "opus" and fields["duration_ms"] == 500
    assert fields["files"][0]["chain"]["finished"] is True and fields["files"][0]["chain"]["frames"] == 7
    for word in ("الحربي", "al-Harbi", "R-2026-001", "s-1", "v-1"):
        assert word not in text


def test_a_key_wrapped_anew_or_destroyed_is_told_and_leaves_the_proof_whole(one: Small) -> None:
    sealed = [path for path in one.files() if path.name != "manifest"]
    for path in sealed:
        container.rewrap(path, one.keys.ring, one.keys.ring)
    report = one.check()
    assert report.verdict == PROVEN
    assert {(f.kind, f.start, f.end) for f in report.findings} == {(verify.REWRAPPED, *container.KEY_SLOT)}
    for path in sealed:
        container.destroy_key(path)
    report = one.check()
    assert report.verdict == PROVEN and report.first() is None
    assert [f.kind for f in report.findings] == [verify.DESTROYED] * len(sealed)
    journal = one.folder / "journal"
    data = bytearray(journal.read_bytes())
    data[-1] ^= 1
    journal.write_bytes(data)
    assert one.check().verdict == ALTERED, "noise now, and no byte of it may change all the same"


def test_what_lies_in_a_key_slot_and_is_no_key_is_an_alteration(one: Small) -> None:
    journal = one.folder / "journal"
    data = bytearray(journal.read_bytes())
    data[container.KEY_SLOT[1] - 1] = 7  # behind the wrapped key, where there are zeros
    journal.write_bytes(data)
    first = one.check().first()
    assert first and (first.kind, first.start, first.end) == (verify.CHANGED, *container.KEY_SLOT)


def test_signing_after_destruction_brings_no_name_back(one: Small) -> None:
    for path in one.files():
        if path.name != "manifest":
            container.destroy_key(path)
    sign(one, revision=2)
    report = one.check()
    assert report.verdict == PROVEN and report.manifest["journal_problem"] == "KeyDestroyed"
    assert report.manifest["files"][0]["chain"]["finished"] is True
    assert open_bytes((one.folder / "people-2.sealed").read_bytes(), one.keys.ring) == b"{}"


def test_a_manifest_of_before_holds_every_byte_as_it_lies(one: Small) -> None:
    """Version 1 hashed the key slot too; such manifests go on proving what they proved."""
    fields = json.loads((one.folder / "manifest").read_text().splitlines()[0])
    for entry in fields["files"]:
        del entry["key_slot"]
        entry |= manifest.hashes_of(take(one.folder / entry["file"]))
    older = {**fields, "version": 1}
    line = manifest.canonical(older) + b"\n"
    signature = f"ed25519 {one.keys.signer.fingerprint} {one.keys.signer.sign(line).hex()}\n"
    (one.folder / "manifest").write_bytes(line + signature.encode())
    assert one.check().verdict == PROVEN and kinds(one) == []
    container.rewrap(one.folder / "journal", one.keys.ring, one.keys.ring)
    assert kinds(one) == [verify.CHANGED]


def test_a_manifest_can_not_leave_out_other_bytes_than_a_key_slot(one: Small) -> None:
    fields = json.loads((one.folder / "manifest").read_text().splitlines()[0])
    del fields["format"], fields["version"], fields["key"]
    fields["files"][0]["key_slot"] |= {"end": 4096}
    (one.folder / "manifest").write_bytes(manifest.sign(fields, one.keys.signer))
    assert kinds(one)[0] == verify.BROKEN


def test_signing_again_leaves_one_sealed_list_of_names(one: Small) -> None:
    sign(one, revision=2)
    assert [path.name for path in one.files() if path.name.startswith("people")] == ["people-2.sealed"]
    assert kinds(one) == []


def test_one_file_may_be_asked_for_alone(one: Small) -> None:
    film = one.folder / one.facts.films[0].file
    journal = one.folder / "journal"
    journal.write_bytes(journal.read_bytes()[:-1])
    assert verify.verify(film, one.keys.public).verdict == PROVEN
    assert verify.verify(journal, one.keys.public).verdict == ALTERED
    (one.folder / "other.bin").write_bytes(b"x")
    report = verify.verify(one.folder / "other.bin", one.keys.public)
    assert report.verdict == ALTERED and report.findings[0].kind == verify.UNLISTED


def test_a_file_that_nobody_signed_is_told_and_disproves_nothing(one: Small) -> None:
    (one.folder / "note.txt").write_bytes(b"hello")
    report = one.check()
    assert report.verdict == PROVEN and [f.kind for f in report.findings] == [verify.EXTRA]


def test_a_missing_file_is_named(one: Small) -> None:
    (one.folder / one.facts.films[1].file).unlink()
    assert kinds(one) == [verify.MISSING]


def in_its_place(path: Path, head: bytes, **changes: object) -> None:
    """Only a stub, which says that the rest was removed: as a destruction leaves it, or a forger."""
    taken = take(path, blank=container.KEY_SLOT)
    said = {"key": "", "version": "", "size": taken.size, "sha256": taken.sha256, "removed": "x", **changes}
    stub_of(path).write_bytes(head + json.dumps(said).encode())
    path.unlink()


def head_of(path: Path) -> bytes:
    container.destroy_key(path)
    return path.read_bytes()[: container.HEADER_BYTES]


def test_a_file_that_is_said_to_be_destroyed_is_never_proven(one: Small) -> None:
    """Whoever can write to the disk can write a stub: nothing of it is signed."""
    in_its_place(one.folder / "journal", head_of(one.folder / "journal"))
    for read in (True, False):
        report = verify.verify(one.folder, one.keys.public, read=read)
        assert report.verdict == ENDED and [f.kind for f in report.findings] == [verify.REMOVED]
    film = one.folder / one.facts.films[0].file
    data = bytearray(film.read_bytes())
    data[-1] ^= 1
    film.write_bytes(data)
    assert one.check().verdict == ALTERED


@pytest.mark.parametrize("wrong", [{"size": 0}, {"sha256": ""}, {"sha256": "0" * 64}, "zeros", "another"])
def test_a_stub_that_does_not_fit_is_no_word_at_all(one: Small, tmp_path: Path, wrong: str | dict[str, object]) -> None:
    journal, head = one.folder / "journal", head_of(one.folder / "journal")
    if wrong == "zeros":
        head = bytes(container.HEADER_BYTES)
    elif wrong == "another":
        head = head_of(small(tmp_path / "other", one.keys, "rec-2").folder / "journal")
    in_its_place(journal, head, **(wrong if isinstance(wrong, dict) else {}))
    for read in (True, False):
        report = verify.verify(one.folder, one.keys.public, read=read)
        assert report.verdict == ALTERED and [f.kind for f in report.findings] == [verify.MISSING]


def test_without_reading_sizes_and_names_are_compared(one: Small) -> None:
    journal = one.folder / "journal"
    data = bytearray(journal.read_bytes())
    data[-1] ^= 1
    journal.write_bytes(data)
    assert verify.verify(one.folder, one.keys.public, read=False).verdict == PROVEN
    journal.write_bytes(data + b"x")
    assert verify.verify(one.folder, one.keys.public, read=False).findings[0].kind == verify.LONGER


def test_an_unsigned_journal_is_no_proof_and_a_broken_one_is_told(one: Small) -> None:
    (one.folder / "manifest").unlink()
    assert one.check().verdict == UNSIGNED
    journal = one.folder / "journal"
    data = bytearray(journal.read_bytes())
    data[container.HEADER_BYTES] ^= 0x40  # the first frame's length
    journal.write_bytes(data)
    report = one.check()
    assert report.verdict == ALTERED
    assert (report.findings[-1].start, report.findings[-1].end) == (container.HEADER_BYTES, len(data))


@pytest.mark.parametrize("content", [b"", b"x", b"\0" * 5000, b"MAJLIS" + b"\xff" * 600])
def test_foreign_or_empty_journals_end_in_words_not_in_errors(tmp_path: Path, keys: Keys, content: bytes) -> None:
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "journal").write_bytes(content)
    assert verify.verify(tmp_path / "r", keys.public).verdict == ALTERED


def test_a_file_that_can_not_be_read_is_told(one: Small) -> None:
    film = one.folder / one.facts.films[0].file
    film.unlink()
    film.mkdir()
    report = one.check()
    assert report.verdict == ALTERED and report.findings[-1].kind == verify.UNREADABLE


def test_what_was_signed_after_an_alteration_says_so_itself(tmp_path: Path, keys: Keys) -> None:
    """Cut off before it was signed, at a frame's border, and the witness knows."""
    made = small(tmp_path / "cut", keys, close=False)
    from recordings.sealed_log import walk_chain

    ends = [link.end for link in walk_chain(made.folder / "journal")]
    os.truncate(made.folder / "journal", ends[2])
    sign(made, revision=2)
    first = made.check().first()
    assert first is not None and (first.kind, first.start, first.end) == (verify.BEFORE, ends[2], ends[-1])


def forged(one: Small, **changes: object) -> bytes:
    """Signed by the right key, so that only its content can be refused."""
    fields = json.loads((one.folder / "manifest").read_bytes().splitlines()[0])
    fields.update(changes)
    return manifest.sign(fields, one.keys.signer)


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "a/b", "", ".", "..", "manifest", "a\0b", "-x\n"])
def test_no_name_leads_out_of_the_folder(one: Small, name: str) -> None:
    entry = {"file": name, "kind": "rendition", "size": 0, "sha256": "0" * 64, "piece": 4096, "pieces": []}
    with pytest.raises(ManifestBroken):
        manifest.read(forged(one, files=[entry]), one.keys.public)


@pytest.mark.parametrize(
    "wrong",
    [{"size": -1}, {"size": True}, {"size": "1"}, {"piece": 0}, {"pieces": []}, {"pieces": ["x"]}, {"sha256": 5}],
)
def test_an_entry_that_makes_no_sense_is_refused(one: Small, wrong: dict[str, object]) -> None:
    entry = {"file": "a", "kind": "x", "size": 1, "sha256": "0" * 64, "piece": 4096, "pieces": ["0" * 64]}
    manifest.read(forged(one, files=[entry]), one.keys.public)
    with pytest.raises(ManifestBroken):
        manifest.read(forged(one, files=[{**entry, **wrong}]), one.keys.public)


@pytest.mark.parametrize("changes", [{"version": 3}, {"format": "other"}, {"files": None}, {"recording": {}}])
def test_a_manifest_of_another_kind_is_not_guessed_at(one: Small, changes: dict[str, object]) -> None:
    with pytest.raises(ManifestBroken):
        manifest.read(forged(one, **changes), one.keys.public)


def test_a_manifest_that_says_it_was_signed_by_another_key_is_refused(one: Small, tmp_path: Path) -> None:
    """Two keys of the same house: the text of one under the signature of the other."""
    FileSigner.rotate(tmp_path / "keys/signing.key", tmp_path / "keys/public")
    with pytest.raises(ManifestBroken):
        manifest.read(forged(one, key="0" * 64), one.keys.public)


@relaxed
@given(data=st.binary(max_size=400))
def test_no_bytes_in_a_manifests_place_raise(one: Small, data: bytes) -> None:
    (one.folder / "manifest").write_bytes(data)
    assert one.check().verdict == ALTERED


@relaxed
@given(data=st.data())
def test_any_bytes_put_anywhere_are_found_at_or_before_the_first_change(one: Small, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from([p for p in one.files() if p.name != "manifest"]))
    whole = path.read_bytes()
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, len(whole)))
    changed = whole[:start] + data.draw(st.binary(max_size=200)) + whole[end:]
    path.write_bytes(changed)
    try:
        first = one.check().first()
        if changed == whole:
            assert first is None
        else:
            place = next((i for i, (a, b) in enumerate(zip(whole, changed, strict=False)) if a != b), None)
            place = min(len(whole), len(changed)) if place is None else place
            if blanked(changed, 0, container.KEY_SLOT) == blanked(whole, 0, container.KEY_SLOT):
                first = one.check().findings[0]
            assert first is not None and first.file == path.name and first.start <= place < first.end
    finally:
        path.write_bytes(whole)


@given(size=st.integers(0, 2**43))
def test_a_file_has_never_more_than_1024_pieces_nor_smaller_ones_than_a_page(size: int) -> None:
    piece = piece_for(size)
    assert piece >= LEAST_PIECE and piece & (piece - 1) == 0 and -(-size // piece) <= MOST_PIECES
    assert piece == LEAST_PIECE or size > piece // 2 * MOST_PIECES


@pytest.mark.parametrize("size", [0, 1, 4095, 4096, 4097, 8192, 3_000_000])
def test_pieces_cover_the_file_and_nothing_else(tmp_path: Path, size: int) -> None:
    import hashlib

    data = os.urandom(size)
    (tmp_path / "f").write_bytes(data)
    told: list[int] = []
    found = take(tmp_path / "f", told.append)
    assert found.size == size == sum(told) and found.sha256 == hashlib.sha256(data).hexdigest()
    parts = [data[slice(*found.bounds(number))] for number in range(len(found.pieces))]
    assert b"".join(parts) == data
    assert [hashlib.sha256(part).hexdigest() for part in parts] == list(found.pieces)
