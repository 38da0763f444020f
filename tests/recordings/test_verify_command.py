"""`majlis recordings verify` as somebody elsewhere has it: files, a public key, and nothing else of the ministry's."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from recordings.signing import FileSigner
from tests.recordings.proofs import Keys, Small, small

ROOT = Path(__file__).parents[2]


class Elsewhere:
    """Another machine: no data folder, no database, no keys but the one public key."""

    def __init__(self, folder: Path, keys: Keys) -> None:
        self.folder = folder
        self.pem = folder / "public.pem"
        self.pem.write_bytes(next((keys.folder / "public").iterdir()).read_bytes())

    def run(self, *words: object, key: bool = True) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": os.environ["PATH"],
            "MAJLIS_DATA_DIR": str(self.folder / "nothing"),
            "MAJLIS_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        }
        command = [sys.executable, "-m", "web.cli", "recordings", "verify", *map(str, words)]
        options = ["--public-key", str(self.pem)] if key else []
        done = subprocess.run(
            [*command, *options], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
        )
        assert "Traceback" not in done.stderr
        assert not (self.folder / "nothing").exists(), "verifying leaves no trace"
        return done


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path / "ministry")


@pytest.fixture
def one(tmp_path: Path, keys: Keys) -> Small:
    (tmp_path / "exhibits").mkdir()
    return small(tmp_path / "exhibits" / "one", keys)


@pytest.fixture
def elsewhere(tmp_path: Path, keys: Keys, one: Small) -> Elsewhere:
    place = Elsewhere(tmp_path, keys)
    shutil.rmtree(keys.folder)
    return place


def test_a_whole_recording_is_proven_in_both_languages(one: Small, elsewhere: Elsewhere) -> None:
    done = elsewhere.run(one.folder)
    assert done.returncode == 0, done.stderr
    assert "Unaltered: every byte is what was signed." in done.stdout
    assert "سليم: كل بايت فيه هو ما وُقّع عليه." in done.stdout
    assert "rec-1" in done.stdout and one.keys.signer.fingerprint in done.stdout
    arabic = elsewhere.run(one.folder, "--lang", "ar").stdout
    assert "Unaltered" not in arabic and "سليم" in arabic


def test_an_altered_one_names_file_and_bytes_and_ends_with_one(one: Small, elsewhere: Elsewhere, keys: Keys) -> None:
    journal = one.folder / "journal"
    data = bytearray(journal.read_bytes())
    data[9000] ^= 1
    journal.write_bytes(data)
    done = elsewhere.run(one.folder.parent)
    assert done.returncode == 1
    assert f"journal: bytes 8192 to {len(data) - 1} are not those that were signed." in done.stdout
    assert f"الملف journal: البايتات من 8192 إلى {len(data) - 1} ليست ما وُقّع عليه." in done.stdout
    told = json.loads(elsewhere.run(one.folder.parent, "--json").stdout)
    assert told["verdict"] == "altered"
    (finding,) = told["recordings"][0]["findings"]
    assert finding == {"kind": "changed", "file": "journal", "start": 8192, "end": len(data), "other": ""}


def test_an_unsigned_one_ends_with_three(one: Small, elsewhere: Elsewhere) -> None:
    (one.folder / "manifest").unlink()
    done = elsewhere.run(one.folder)
    assert done.returncode == 3 and "Not signed" in done.stdout


def test_without_a_key_or_a_recording_it_ends_with_two(one: Small, elsewhere: Elsewhere, tmp_path: Path) -> None:
    assert elsewhere.run(one.folder, key=False).returncode == 2
    assert elsewhere.run(tmp_path / "no such place").returncode == 2
    (tmp_path / "empty").mkdir()
    assert elsewhere.run(tmp_path / "empty").returncode == 2
    elsewhere.pem.write_text("no key")
    assert elsewhere.run(one.folder).returncode == 2


def test_another_ministrys_key_proves_nothing(one: Small, elsewhere: Elsewhere, tmp_path: Path) -> None:
    other = FileSigner(tmp_path / "x.key", tmp_path / "x")
    elsewhere.pem.write_bytes((tmp_path / "x" / f"{other.fingerprint}.pem").read_bytes())
    done = elsewhere.run(one.folder)
    assert done.returncode == 1 and one.keys.signer.fingerprint in done.stdout


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")
def test_a_stranger_proves_it_with_openssl_and_sha256_alone(one: Small, elsewhere: Elsewhere, tmp_path: Path) -> None:
    """Written from docs/protocols/recording-format.md, not from our code."""
    text, signature = (one.folder / "manifest").read_bytes().splitlines(keepends=True)
    algorithm, fingerprint, digits = signature.split()
    (tmp_path / "text").write_bytes(text)
    (tmp_path / "signature").write_bytes(bytes.fromhex(digits.decode()))
    check = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", elsewhere.pem, "-rawin", "-in", tmp_path / "text"]
    done = subprocess.run([*check, "-sigfile", tmp_path / "signature"], capture_output=True, text=True, check=False)
    assert algorithm == b"ed25519" and "Signature Verified Successfully" in done.stdout, done.stderr
    der = subprocess.run(
        ["openssl", "pkey", "-pubin", "-in", elsewhere.pem, "-outform", "DER"], capture_output=True, check=True
    ).stdout
    assert hashlib.sha256(der).hexdigest().encode() == fingerprint
    for entry in json.loads(text)["files"]:
        data = (one.folder / entry["file"]).read_bytes()
        data = data[:156] + bytes(256) + data[412:]
        assert len(data) == entry["size"] and hashlib.sha256(data).hexdigest() == entry["sha256"]
        starts = range(0, len(data), entry["piece"])
        assert [hashlib.sha256(data[s : s + entry["piece"]]).hexdigest() for s in starts] == entry["pieces"]
        if entry["kind"] == "journal":
            chain, at, frames = hashlib.sha256(data[:156]).digest(), 512, 0
            while at < len(data):
                end = at + 4 + (int.from_bytes(data[at : at + 4]) & 0x7FFFFFFF)
                chain, at, frames = hashlib.sha256(chain + data[at:end]).digest(), end, frames + 1
            assert entry["chain"] == {"head": chain.hex(), "frames": frames, "finished": True}
