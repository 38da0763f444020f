"""`majlis recordings certificate` elsewhere: a saved text, a public key, perhaps the noise that is left."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from recordings.retention import certificate
from recordings.retention.erasing import erase
from recordings.sealed import SealedWriter
from recordings.signing import FileSigner, public_pem
from tests.recordings.proofs import Keys, Small, small
from web.library.command import app
from web.retention import checking


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path / "ministry")


@pytest.fixture
def end(tmp_path: Path, keys: Keys) -> End:
    return End(tmp_path, small(tmp_path / "recording", keys))


class End:
    """A recording whose keys are gone, its certificate, and the public key."""

    def __init__(self, folder: Path, one: Small) -> None:
        self.folder, self.one = folder, one
        self.pem = folder / "public.pem"
        self.pem.write_text(public_pem(one.keys.public[one.keys.signer.fingerprint]))
        self.hashes = {entry["file"]: entry["sha256"] for entry in self.manifest["files"]}
        self.path = folder / "certificate.txt"
        files = [{"file": d.file, "size": d.size, "sha256": d.sha256} for d in erase(one.folder)]
        person = {
            "staff_id": "s",
            "name_ar": "عمر السالم",
            "name_en": "Omar al-Salem",
            "at": "2041-01-01T08:00:00.000Z",
        }
        self.fields = {
            "certificate": "c-1",
            "recording": {
                "id": "rec-1",
                "meeting_id": "m-rec-1",
                "petition_id": "p-1",
                "case_number": "R-2026-001",
                "started_at": "2026-11-21T12:00:00.000Z",
                "duration_ms": 500,
            },
            "manifest": {"sha256": hashlib.sha256((one.folder / "manifest").read_bytes()).hexdigest(), "revision": 1},
            "reason": "انتهت مدة الحفظ",
            "years": 15,
            "kept_until": "2041-01-01T00:00:00.000Z",
            "proposed": person,
            "agreed": person,
            "destroyed_at": "2041-01-02T08:00:00.000Z",
            "files": files,
        }
        self.path.write_bytes(certificate.sign(self.fields, one.keys.signer).encode())

    @property
    def manifest(self) -> dict:
        return json.loads((self.one.folder / "manifest").read_bytes().splitlines()[0])

    def run(self, *words: object) -> tuple[int, str]:
        named = [str(word) for word in words] or [str(self.path)]
        done = CliRunner().invoke(app, ["certificate", *named, "--public-key", str(self.pem)])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.output


def test_a_saved_certificate_holds_and_is_told_in_both_languages(end: End) -> None:
    code, told = end.run()
    assert code == 0, told
    for words in (
        "The signature holds",
        "التوقيع صحيح",
        "R-2026-001",
        "انتهت مدة الحفظ",
        "Omar al-Salem",
        "2041-01-02",
    ):
        assert words in told, words


def test_what_was_not_as_signed_and_what_is_still_in_the_store_are_told(end: End) -> None:
    files = [{**end.fields["files"][0], "as_signed": False}, *end.fields["files"][1:]]
    store = [
        {"file": "journal", "object": "r/journal", "removed": True},
        {"file": "x.sealed", "object": "r/x.sealed", "locked_until": "2042-01-01T00:00:00.000Z"},
        {"file": "y.sealed", "object": "r/y.sealed", "problem": "refused"},
    ]
    end.path.write_text(certificate.sign({**end.fields, "files": files, "store": store}, end.one.keys.signer))
    code, told = end.run()
    assert code == 0, told
    assert f"not as it was signed: {files[0]['file']}" in told
    for words in ("r/journal: removed", "r/x.sealed: locked until 2042-01-01", "r/y.sealed: refused"):
        assert words in told


def test_with_what_is_left_of_the_recording_its_files_are_those_that_were_named(end: End) -> None:
    assert end.run(end.path, "--recording", end.one.folder)[0] == 0
    assert {entry["file"]: entry["sha256"] for entry in end.fields["files"]}.items() >= end.hashes.items()


def test_one_letter_changed_anywhere_is_an_end_with_one(end: End) -> None:
    whole = end.path.read_bytes()
    for at in range(0, len(whole), 97):
        end.path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        code, told = end.run()
        assert code == 1 and "The signature does not hold" in told, at
    end.path.write_bytes(whole[:-1])
    assert end.run()[0] == 1
    end.path.write_bytes(b"\xff\xfe" + whole)
    assert "no certificate" in end.run(end.path, "--json")[1]


def test_an_altered_reason_and_another_ministrys_key_are_told_apart(end: End, tmp_path: Path) -> None:
    text = end.path.read_text()
    end.path.write_text(text.replace("انتهت", "ابتدأ"))
    assert "altered" in end.run()[1]
    other = FileSigner(tmp_path / "x.key", tmp_path / "x")
    end.path.write_text(certificate.sign(end.fields, other))
    code, told = end.run()
    assert code == 1 and other.fingerprint in told and "not among the known" in told


def test_a_manifest_is_no_certificate_even_though_the_same_key_signed_it(end: End) -> None:
    code, told = end.run(end.one.folder / "manifest")
    assert code == 1 and "no certificate of destruction" in told


def test_what_contradicts_the_certificate_is_named(end: End) -> None:
    folder, journal = end.one.folder, end.one.folder / "journal"
    whole = journal.read_bytes()
    keys = end.one.keys

    def kinds() -> list[tuple[str, str]]:
        code, told = end.run(end.path, "--recording", folder, "--json")
        found = json.loads(told)
        assert code == (0 if found["holds"] else 1)
        return [(p["kind"], p["file"]) for p in found["certificates"][0]["problems"]]

    assert kinds() == []
    journal.write_bytes(whole[:9000] + bytes([whole[9000] ^ 1]) + whole[9001:])
    assert kinds() == [(checking.DIFFERS, "journal")]
    journal.write_bytes(whole[:-1])
    assert kinds() == [(checking.DIFFERS, "journal")]
    journal.unlink()
    assert kinds() == [(checking.MISSING, "journal")]
    journal.write_bytes(whole)
    with SealedWriter(folder / "kept.sealed", keys.ring, owner="rec-1") as kept:
        kept.write(b"a copy")
    assert kinds() == [(checking.KEY_LEFT, "kept.sealed")]
    (folder / "kept.sealed").unlink()
    manifest = folder / "manifest"
    manifest.write_bytes(manifest.read_bytes() + b"\n")
    assert kinds() == [(checking.OTHER_MANIFEST, "")]


def test_a_certificate_of_version_1_still_holds(end: End) -> None:
    from recordings.container import digest

    files = [
        {"file": e["file"], "size": e["size"], "digest": digest(end.one.folder / e["file"]).hex()}
        for e in end.fields["files"]
    ]
    end.path.write_text(certificate.sign({**end.fields, "version": 1, "files": files}, end.one.keys.signer))
    assert end.run(end.path, "--recording", end.one.folder)[0] == 0


def test_without_file_key_or_folder_it_ends_with_two(end: End, tmp_path: Path) -> None:
    assert end.run(tmp_path / "nowhere")[0] == 2
    assert end.run(end.path, "--recording", tmp_path / "nowhere")[0] == 2
    end.pem.write_text("no key")
    assert end.run()[0] == 2


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")
def test_a_stranger_proves_it_with_openssl_and_sha256_alone(end: End, tmp_path: Path) -> None:
    """Written from docs/protocols/destruction-certificate.md, not from our code."""
    text, signature = end.path.read_bytes().splitlines(keepends=True)
    algorithm, fingerprint, digits = signature.split()
    (tmp_path / "text").write_bytes(text)
    (tmp_path / "signature").write_bytes(bytes.fromhex(digits.decode()))
    check = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", end.pem, "-rawin", "-in", tmp_path / "text"]
    done = subprocess.run([*check, "-sigfile", tmp_path / "signature"], capture_output=True, text=True, check=False)
    assert algorithm == b"ed25519" and "Signature Verified Successfully" in done.stdout, done.stderr
    der = subprocess.run(
        ["openssl", "pkey", "-pubin", "-in", end.pem, "-outform", "DER"], capture_output=True, check=True
    ).stdout
    fields = json.loads(text)
    assert hashlib.sha256(der).hexdigest() == fingerprint.decode() == fields["key"]
    assert hashlib.sha256((end.one.folder / "manifest").read_bytes()).hexdigest() == fields["manifest"]["sha256"]
    assert len(fields["files"]) >= 3
    for entry in fields["files"]:
        data = (end.one.folder / entry["file"]).read_bytes()
        assert data[156:412] == bytes(256), "the slot is empty"
        assert len(data) == entry["size"] and hashlib.sha256(data).hexdigest() == entry["sha256"]
