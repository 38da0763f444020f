"""The key that signs manifests (Ed25519, RFC 8032), and the public keys that check them.

Only the process that signs (the worker) needs the private key; whoever checks needs public keys alone. A public key is
kept for ever under its fingerprint, SHA-256 over its SubjectPublicKeyInfo (RFC 5280) in DER, so that what an older key
signed can be checked after a rotation. The older private key is thrown away: nobody can sign in its name again.

A ministry with an HSM writes its own `Signer` (two members).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from recordings.keys import create_private, refuse_open_to_others, replace_private

_PEM = re.compile(rb"-----BEGIN PUBLIC KEY-----.+?-----END PUBLIC KEY-----\s*", re.DOTALL)


class NoSigningKey(Exception):
    """There is no key to sign with, and making one silently would put a stranger's name under the archive."""


class BadPublicKey(Exception):
    """What was given holds no Ed25519 public key in PEM."""


class Signer(Protocol):
    """`fingerprint` names the key in 64 hexadecimal digits; `sign` returns the 64 bytes of RFC 8032."""

    @property
    def fingerprint(self) -> str: ...

    def sign(self, data: bytes) -> bytes: ...


class FileSigner:
    """The private key in a PEM file of mode 0600 (PKCS #8), the public keys of all times in a folder beside it."""

    def __init__(self, path: Path, public_folder: Path) -> None:
        self._path, self._folder = path, public_folder
        if not path.exists():
            if any(public_folder.glob("*.pem")):
                raise NoSigningKey(
                    f"{path} is missing, and this archive has been signed before: bring the key back from its safe, "
                    "or begin a new one with `majlis recordings new-signing-key`"
                )
            create_private(path, _private_pem(Ed25519PrivateKey.generate()))
        refuse_open_to_others(path)
        self._key = _load(path)
        self.fingerprint = fingerprint(self._key.public_key())
        self._publish()

    def sign(self, data: bytes) -> bytes:
        return self._key.sign(data)

    @classmethod
    def rotate(cls, path: Path, public_folder: Path) -> FileSigner:
        """A new key from now on. What the older one signed is still checked by its public key, which stays."""
        if path.exists():
            cls(path, public_folder)  # its public key is in the folder before the private one is gone
        replace_private(path, _private_pem(Ed25519PrivateKey.generate()))
        return cls(path, public_folder)

    def _publish(self) -> None:
        public = self._folder / f"{self.fingerprint}.pem"
        if not public.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            create_private(public, public_pem(self._key.public_key()))
            public.chmod(0o644)


class PublicKeys(Mapping[str, Ed25519PublicKey]):
    """Fingerprint → key. What is not in it was not signed by us."""

    def __init__(self, keys: list[Ed25519PublicKey]) -> None:
        self._keys = {fingerprint(key): key for key in keys}

    @classmethod
    def of_folder(cls, folder: Path) -> PublicKeys:
        return cls([key for path in sorted(folder.glob("*.pem")) for key in parse_public(path.read_bytes())])

    @classmethod
    def of_file(cls, path: Path) -> PublicKeys:
        """One or several keys in PEM. Raises BadPublicKey, OSError."""
        return cls(parse_public(path.read_bytes()))

    def verifies(self, key: str, signature: bytes, data: bytes) -> bool:
        try:
            self._keys[key].verify(signature, data)
        except InvalidSignature:
            return False
        return True

    def __getitem__(self, key: str) -> Ed25519PublicKey:
        return self._keys[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)


def parse_public(pem: bytes) -> list[Ed25519PublicKey]:
    """Every key of a PEM text. Raises BadPublicKey for none, or for one of another kind."""
    keys = []
    for block in _PEM.findall(pem):
        try:
            key = load_pem_public_key(block)
        except (ValueError, UnsupportedAlgorithm):
            raise BadPublicKey("not a public key") from None
        if not isinstance(key, Ed25519PublicKey):
            raise BadPublicKey("a public key, but not of Ed25519")
        keys.append(key)
    if not keys:
        raise BadPublicKey("no public key in it")
    return keys


def fingerprint(key: Ed25519PublicKey) -> str:
    """The same as `openssl pkey -pubin -in key.pem -outform DER | sha256sum`."""
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def public_pem(key: Ed25519PublicKey) -> str:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _private_pem(key: Ed25519PrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _load(path: Path) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise NoSigningKey(f"{path} holds no private key") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise NoSigningKey(f"{path} holds a key, but not one of Ed25519")
    return key
