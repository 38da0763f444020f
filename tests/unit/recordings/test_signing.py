from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest

from recordings.keys import UnsafeKeyFile
from recordings.signing import BadPublicKey, FileSigner, NoSigningKey, PublicKeys, parse_public


def signer(folder: Path) -> FileSigner:
    return FileSigner(folder / "signing.key", folder / "public")


def public(folder: Path) -> PublicKeys:
    return PublicKeys.of_folder(folder / "public")


def test_the_first_use_makes_a_key_that_its_owner_alone_can_read(tmp_path: Path) -> None:
    key = signer(tmp_path)
    assert stat.S_IMODE((tmp_path / "signing.key").stat().st_mode) == 0o600
    assert list(public(tmp_path)) == [key.fingerprint] == [path.stem for path in (tmp_path / "public").iterdir()]
    assert signer(tmp_path).fingerprint == key.fingerprint
    assert public(tmp_path).verifies(key.fingerprint, key.sign(b"text"), b"text")
    assert not public(tmp_path).verifies(key.fingerprint, key.sign(b"text"), b"Text")


def test_of_many_that_start_at_once_all_have_the_same_key(tmp_path: Path) -> None:
    made: list[str] = []
    threads = [threading.Thread(target=lambda: made.append(signer(tmp_path).fingerprint)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 8 and len(set(made)) == 1


def test_a_lost_key_is_never_replaced_in_silence(tmp_path: Path) -> None:
    signer(tmp_path)
    (tmp_path / "signing.key").unlink()
    with pytest.raises(NoSigningKey):
        signer(tmp_path)
    assert not (tmp_path / "signing.key").exists()
    fresh = FileSigner.rotate(tmp_path / "signing.key", tmp_path / "public")
    assert signer(tmp_path).fingerprint == fresh.fingerprint and len(public(tmp_path)) == 2


def test_after_a_rotation_the_older_key_still_proves_and_can_not_sign(tmp_path: Path) -> None:
    older = signer(tmp_path)
    signature, private = older.sign(b"text"), (tmp_path / "signing.key").read_bytes()
    newer = FileSigner.rotate(tmp_path / "signing.key", tmp_path / "public")
    assert newer.fingerprint != older.fingerprint
    assert public(tmp_path).verifies(older.fingerprint, signature, b"text")
    assert private not in b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert stat.S_IMODE((tmp_path / "signing.key").stat().st_mode) == 0o600


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    signer(tmp_path)
    (tmp_path / "signing.key").chmod(0o640)
    with pytest.raises(UnsafeKeyFile):
        signer(tmp_path)


@pytest.mark.parametrize("text", [b"", b"nonsense", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_a_private_key_file_that_holds_none_is_refused(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "signing.key"
    path.write_bytes(text)
    path.chmod(0o600)
    with pytest.raises(NoSigningKey):
        signer(tmp_path)


def test_several_public_keys_may_stand_in_one_file_with_words_between_them(tmp_path: Path) -> None:
    first = signer(tmp_path)
    second = FileSigner.rotate(tmp_path / "signing.key", tmp_path / "public")
    both = "# exported for the court\n" + "\n# older\n".join(p.read_text() for p in (tmp_path / "public").iterdir())
    (tmp_path / "both.pem").write_text(both)
    assert set(PublicKeys.of_file(tmp_path / "both.pem")) == {first.fingerprint, second.fingerprint}


X25519 = (
    b"-----BEGIN PUBLIC KEY-----\n"
    b"MCowBQYDK2VuAyEAVGVzdFRlc3RUZXN0VGVzdFRlc3RUZXN0VGVzdFRlc3Q=\n"
    b"-----END PUBLIC KEY-----\n"
)


@pytest.mark.parametrize("pem", [b"", b"hello", X25519, X25519.replace(b"M", b"!")])
def test_what_is_no_ed25519_public_key_is_refused(pem: bytes) -> None:
    with pytest.raises(BadPublicKey):
        parse_public(pem)
