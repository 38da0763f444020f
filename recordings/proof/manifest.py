"""The manifest: two lines that say what a recording consists of, and who says so.

Line 1 is a JSON object in canonical form (RFC 8785), line 2 is `ed25519 <fingerprint> <signature>`. The signature
covers line 1 with its line feed, byte for byte; there is one way only to write either line, so no flipped bit passes.
It lies in the clear: ids, times, sizes, hashes, codecs. Names are in a sealed file of their own, of which it has the
hash. docs/protocols/recording-format.md says what each field means.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from recordings.container import KEY_SLOT
from recordings.proof.pieces import NOTHING, Fingerprint
from recordings.signing import PublicKeys, Signer

NAME = "manifest"  # of the file, in the recording's folder
FORMAT = "majlis recording manifest"
VERSION = 2
KNOWN = frozenset({1, VERSION})
"""1: every file as it lies. 2: a sealed file has its `key_slot` read as zeros."""
MOST_BYTES = 16 * 1024 * 1024

JOURNAL, RENDITION, PEOPLE = "journal", "rendition", "people"

_SIGNATURE = re.compile(rb"ed25519 ([0-9a-f]{64}) ([0-9a-f]{128})\n")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}")
_HASH = re.compile(r"[0-9a-f]{64}")


class ManifestBroken(Exception):
    """It was altered, or is none: no word of it counts."""


class UnknownKey(Exception):
    """It is signed by a key that is not among those given; the argument is its fingerprint."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of the recording."""

    file: str
    kind: str
    hashes: Fingerprint
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest whose signature holds. `fields` is line 1; what checking needs has its own place."""

    key: str
    fields: dict[str, Any]
    entries: tuple[Entry, ...]

    @property
    def recording_id(self) -> str:
        return str(self.fields["recording"]["id"])

    def __getitem__(self, name: str) -> Any:
        return self.fields[name]


def canonical(value: Any) -> bytes:
    """RFC 8785, for what we write: keys of ASCII, whole numbers, no others."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def sign(fields: dict[str, Any], signer: Signer) -> bytes:
    """The file's bytes."""
    line = canonical({"format": FORMAT, "version": VERSION, "key": signer.fingerprint, **fields}) + b"\n"
    return line + f"ed25519 {signer.fingerprint} {signer.sign(line).hex()}\n".encode()


def read(data: bytes, keys: PublicKeys) -> Manifest:
    """The manifest if one of `keys` signed these very bytes. Raises UnknownKey, ManifestBroken."""
    line, signature = _split(data)
    key = signature[1].decode()
    if key not in keys:
        raise UnknownKey(key)
    if not keys.verifies(key, bytes.fromhex(signature[2].decode()), line):
        raise ManifestBroken("the signature does not belong to this text")
    fields = _parse(line)
    try:
        known = (fields["format"], fields["key"]) == (FORMAT, key) and fields["version"] in KNOWN
        entries = tuple(_entry(entry) for entry in fields["files"])
        complete = bool(fields["recording"]["id"]) and len({entry.file for entry in entries}) == len(entries)
    except (KeyError, TypeError, ValueError) as error:
        raise ManifestBroken(f"signed, but not understood: {error}") from None
    if not known or not complete:
        raise ManifestBroken("signed, but of a kind that this version does not know")
    return Manifest(key, fields, entries)


def glance(data: bytes) -> tuple[str, dict[str, Any]]:
    """(fingerprint it names, fields), believing everything: for showing, never for deciding. Raises ManifestBroken."""
    line, signature = _split(data)
    return signature[1].decode(), _parse(line)


def hashes_of(found: Fingerprint) -> dict[str, Any]:
    return {"size": found.size, "sha256": found.sha256, "piece": found.piece, "pieces": list(found.pieces)}


def _split(data: bytes) -> tuple[bytes, re.Match[bytes]]:
    end = data.find(b"\n") + 1
    signature = _SIGNATURE.fullmatch(data, end) if end else None
    if signature is None or len(data) > MOST_BYTES:
        raise ManifestBroken("not a manifest of two lines")
    return data[:end], signature


def _parse(line: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(line)
        if isinstance(fields, dict) and canonical(fields) + b"\n" == line:
            return fields
    except (ValueError, RecursionError):
        pass
    raise ManifestBroken("not JSON in its canonical form")


def _blank(fields: dict[str, Any]) -> tuple[int, int]:
    """Signed or not: no other bytes than a key slot may ever be left out of what is looked at."""
    slot = fields.get("key_slot")
    if slot is None:
        return NOTHING
    if (slot["start"], slot["end"]) != KEY_SLOT or not _HASH.fullmatch(slot["sha256"]) or fields["size"] < KEY_SLOT[1]:
        raise ValueError("a file's key slot")
    return KEY_SLOT


def _entry(fields: dict[str, Any]) -> Entry:
    """Strict, and never a path: a name with a slash in it would lead out of the folder."""
    hashes = Fingerprint(fields["size"], fields["sha256"], fields["piece"], tuple(fields["pieces"]), _blank(fields))
    name = str(fields["file"])
    whole_numbers = all(type(n) is int and n >= 0 for n in (hashes.size, hashes.piece)) and hashes.piece > 0
    if not whole_numbers or not _PLAIN_NAME.fullmatch(name) or name == NAME:
        raise ValueError("a file's entry")
    if len(hashes.pieces) != -(-hashes.size // hashes.piece):
        raise ValueError("a file's pieces")
    if not all(isinstance(digest, str) and _HASH.fullmatch(digest) for digest in (hashes.sha256, *hashes.pieces)):
        raise ValueError("a file's hash")
    return Entry(name, str(fields["kind"]), hashes, fields)
