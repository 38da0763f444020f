"""A saved certificate of destruction, looked at as a stranger would: its signature, and what is left of its files.

Needs the certificate and a public key, no database and no decryption key. docs/protocols/destruction-certificate.md.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.language import N_
from recordings import container
from recordings.container import KEY_SLOT, NotSealed, SealBroken
from recordings.proof import manifest
from recordings.proof.pieces import FileChanged, take
from recordings.retention import certificate
from recordings.retention.certificate import NoCertificate
from recordings.signing import PublicKeys
from recordings.storage.away import SUFFIX, read_stub

NONE, UNKNOWN_KEY, BROKEN = "no certificate", "unknown key", "broken certificate"
MISSING, DIFFERS, KEY_LEFT, UNREADABLE = "missing", "differs", "key left", "unreadable"
OTHER_MANIFEST = "other manifest"
SENTENCES = {
    NONE: N_("This is no certificate of destruction."),
    UNKNOWN_KEY: N_("The certificate was signed with a key that is not among the known ones: {other}."),
    BROKEN: N_("The certificate was altered: its signature is that of another text."),
    MISSING: N_("{file} is missing."),
    DIFFERS: N_("{file} is not the file whose key was destroyed."),
    KEY_LEFT: N_("{file} still has a key."),
    UNREADABLE: N_("{file} can't be read: {other}."),
    OTHER_MANIFEST: N_("The manifest is not the one that the certificate names."),
}
MOST_BYTES = 16_000_000
_FINGERPRINT = re.compile(r"ed25519 ([0-9a-f]{64}) ")


@dataclass(frozen=True, slots=True)
class Problem:
    """`kind` is one of `SENTENCES`."""

    kind: str
    file: str = ""
    other: str = ""


@dataclass(frozen=True, slots=True)
class Looked:
    """`fields` are there only where the signature holds: nothing else of the text is to be believed."""

    path: Path
    fields: dict[str, Any] | None
    problems: tuple[Problem, ...]

    @property
    def holds(self) -> bool:
        return not self.problems


def look(path: Path, keys: PublicKeys, folder: Path | None = None) -> Looked:
    """`folder`: what is left of the recording, if one has it. Raises OSError for a certificate that can't be read."""
    with path.open("rb") as file:
        data = file.read(MOST_BYTES)
    try:
        text = data.decode()
        fields = certificate.read(text, keys)
    except UnicodeDecodeError:
        return Looked(path, None, (Problem(NONE),))
    except NoCertificate:
        return Looked(path, None, (_why(text, keys),))
    return Looked(path, fields, tuple(_left(fields, folder)) if folder else ())


def _why(text: str, keys: PublicKeys) -> Problem:
    line, _feed, rest = text.partition("\n")
    found = _FINGERPRINT.match(rest)
    if found is None or certificate.FORMAT not in line:
        return Problem(NONE)
    return Problem(BROKEN) if found[1] in keys else Problem(UNKNOWN_KEY, other=found[1])


def _left(fields: dict[str, Any], folder: Path) -> Iterator[Problem]:
    named = fields.get("manifest")
    place = folder / manifest.NAME
    if named and not place.is_file():
        yield Problem(MISSING, manifest.NAME)
    elif named and hashlib.sha256(place.read_bytes()).hexdigest() != named["sha256"]:
        yield Problem(OTHER_MANIFEST)
    for entry in fields["files"]:
        name = str(entry["file"])
        if not name.startswith("exports/"):  # films for export are not kept, not even as noise
            yield from _file(folder, name, entry)
    for path in sorted(folder.rglob("*")):
        if path.is_file() and _has_key(path):
            yield Problem(KEY_LEFT, str(path.relative_to(folder)))


def _file(folder: Path, name: str, entry: dict[str, Any]) -> Iterator[Problem]:
    path, stub = folder / name, folder / (name + SUFFIX)
    if not path.resolve().is_relative_to(folder.resolve()) or not (path.is_file() or stub.is_file()):
        yield Problem(MISSING, name)
        return
    try:
        if path.is_file():
            taken = take(path, blank=KEY_SLOT)
            size, hashes = taken.size, {taken.sha256}
            if "sha256" not in entry:  # version 1 left the slot out
                hashes.add(container.digest(path).hex())
        else:
            _head, away = read_stub(stub)
            size, hashes = away.size, {away.sha256}
    except (OSError, FileChanged, SealBroken) as error:
        yield Problem(UNREADABLE, name, str(error))
        return
    if size != entry["size"] or entry.get("sha256", entry.get("digest")) not in hashes:
        yield Problem(DIFFERS, name)


def _has_key(path: Path) -> bool:
    try:
        return bool(container.read_header(path).wrapped_key)
    except (NotSealed, SealBroken, OSError):
        return False
