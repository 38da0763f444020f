"""Is a recording what was signed? Asked with public keys alone: no database, no key to open anything.

Every byte below the recording's folder is compared with the manifest. What differs is named by file and range, so that
a reader knows which minutes are in doubt and which are not. Nothing here raises for what it may meet on a disk: bad
input ends in a finding.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from recordings import container
from recordings.container import NotSealed, SealBroken
from recordings.proof import manifest
from recordings.proof.manifest import Entry, Manifest, ManifestBroken, UnknownKey
from recordings.proof.pieces import NOTHING, Progress, differing, silent
from recordings.proof.rules import ALTERED, ENDED, PROVEN, UNSIGNED
from recordings.sealed_log import walk_chain
from recordings.signing import PublicKeys
from recordings.storage.away import SUFFIX, RawAway, is_away, read_stub, stub_of
from recordings.storage.bucket import BucketError
from recordings.strip.files import MARKS, STRIP

# What was found, in the order of how much it says.
CHANGED = "changed"  # bytes are not those that were signed
CUT = "cut"  # the file ends too early; nothing from `start` on is proven
LONGER = "longer"  # something was put behind the end
MISSING = "missing"
FOREIGN = "foreign"  # a sealed file of another recording lies in this one's place; `other` is its owner
BROKEN = "broken manifest"
UNKNOWN_KEY = "unknown key"
BEFORE = "altered before signing"  # what was witnessed while it was recorded is not in what was signed
CONTRADICTS = "contradicts itself"  # signed, but chain and file don't agree: a faulty signer
UNREADABLE = "unreadable"
UNLISTED = "not listed"  # the one file that was asked for is not in the manifest beside it
NO_MANIFEST = "no manifest"
EXTRA = "extra"  # a file of which the manifest knows nothing: it proves nothing, and disproves nothing
REWRAPPED = "key wrapped anew"  # the key slot is not as it was at signing; what it wraps only the key ring can tell
DESTROYED = "key destroyed"  # what was recorded can't be read any more; that it is what was recorded still holds
REMOVED = "removed"  # a stub says that it was destroyed, key first, then its bytes in the store; nobody signed for that
HARMLESS = frozenset({EXTRA, NO_MANIFEST, REWRAPPED, DESTROYED, REMOVED})
DERIVED = frozenset({MARKS, STRIP})  # drawn for the player from what was signed, after it was signed


@dataclass(frozen=True, slots=True)
class Finding:
    """`start` and `end` in bytes of `file` as it should be (for LONGER: as it is); `end` is exclusive."""

    kind: str
    file: str
    start: int = 0
    end: int = 0
    other: str = ""


@dataclass(slots=True)
class Report:
    """`checked` in bytes. The manifest's words are in `manifest` where its signature holds, else None."""

    path: Path
    manifest: Manifest | None = None
    findings: list[Finding] = field(default_factory=list)
    checked: int = 0

    @property
    def verdict(self) -> str:
        if any(finding.kind not in HARMLESS for finding in self.findings):
            return ALTERED
        if self.manifest is None:
            return UNSIGNED
        return ENDED if any(finding.kind == REMOVED for finding in self.findings) else PROVEN

    def first(self) -> Finding | None:
        """The first thing that is wrong."""
        return next((finding for finding in self.findings if finding.kind not in HARMLESS), None)


def size_of(path: Path) -> int:
    """How many bytes `verify` will read, about: for a progress bar."""
    folder, only = _place(path)
    files = [folder / only] if only else [file for file in folder.iterdir() if file.is_file()]
    return sum(_size(file) for file in files)


def _size(file: Path) -> int:
    stub = file if file.name.endswith(SUFFIX) else stub_of(file)
    if file.exists() and file != stub:
        return file.stat().st_size
    try:
        return read_stub(stub)[1].size
    except (FileNotFoundError, SealBroken):
        return 0


def verify(path: Path, keys: PublicKeys, progress: Progress = silent, *, read: bool = True) -> Report:
    """`path` is a recording's folder, its manifest, or one file beside a manifest (then only that one is looked at).

    Without `read` only the manifest, names and sizes are looked at: quick, and no proof.
    """
    folder, only = _place(path)
    report = Report(path)

    def count(block: int) -> None:
        report.checked += block
        progress(block)

    try:
        report.manifest = _manifest(folder, keys, report)
        if report.manifest:
            entries = [entry for entry in report.manifest.entries if only in ("", entry.file)]
            for entry in entries:
                report.findings += _entry(folder, entry, report.manifest, count, read=read)
            report.findings += _before(report.manifest)
            report.findings += _extra(folder, report.manifest, only)
        elif not report.findings:
            report.findings += [Finding(NO_MANIFEST, manifest.NAME), *_unsigned(folder / (only or "journal"))]
    except OSError as error:
        report.findings.append(Finding(UNREADABLE, Path(error.filename or path).name, other=error.strerror or ""))
    return report


def _place(path: Path) -> tuple[Path, str]:
    """The recording's folder, and the one file of it that is asked for (empty: all)."""
    if path.is_dir():
        return path, ""
    return path.parent, "" if path.name == manifest.NAME else path.name


def _manifest(folder: Path, keys: PublicKeys, report: Report) -> Manifest | None:
    place = folder / manifest.NAME
    try:
        with place.open("rb") as file:
            data = file.read(manifest.MOST_BYTES + 1)
    except FileNotFoundError:
        return None
    try:
        return manifest.read(data, keys)
    except UnknownKey as error:
        report.findings.append(Finding(UNKNOWN_KEY, manifest.NAME, 0, len(data), str(error)))
    except ManifestBroken as error:
        report.findings.append(Finding(BROKEN, manifest.NAME, 0, len(data), str(error)))
    return None


def _entry(folder: Path, entry: Entry, signed: Manifest, progress: Progress, *, read: bool) -> Iterator[Finding]:
    path, hashes = folder / entry.file, entry.hashes
    elsewhere = is_away(path)
    try:
        size = read_stub(stub_of(path))[1].size if elsewhere else path.stat().st_size
    except FileNotFoundError:
        yield Finding(MISSING, entry.file, 0, hashes.size)
        return
    except SealBroken:
        yield Finding(UNREADABLE, entry.file, other=stub_of(path).name)
        return
    if elsewhere and _removed(stub_of(path)):
        fits = _fits(stub_of(path), entry, signed)
        yield Finding(REMOVED if fits else MISSING, entry.file, 0, hashes.size)
        return
    try:
        bad = _runs(entry, differing(_source(path, elsewhere), size, hashes, progress)) if read else []
    except BucketError as error:
        yield Finding(UNREADABLE, entry.file, other=error.kind)
        return
    if elsewhere:
        path = stub_of(path)  # its header is here
    if hashes.blank != NOTHING and size >= min(hashes.size, hashes.piece) and not (bad and bad[0][0] == 0):
        yield from _key_slot(path, entry)
    owner = _owner(path) if bad and bad[0][0] == 0 else ""
    for start, end in bad:
        if owner and owner != signed.recording_id and start == 0:
            yield Finding(FOREIGN, entry.file, start, end, owner)
        else:
            yield Finding(CHANGED, entry.file, start, end)
    if size < hashes.size:
        yield Finding(CUT, entry.file, size - size % hashes.piece, hashes.size, str(size))
    elif size > hashes.size:
        yield Finding(LONGER, entry.file, hashes.size, size)
    elif read and not bad and entry.kind == manifest.JOURNAL and not elsewhere:
        yield from _chain(path, entry)


def _removed(stub: Path) -> bool:
    """A word that only counts with an empty key slot: what can still be opened was not destroyed."""
    head, away = read_stub(stub)
    return bool(away.removed) and not any(head[slice(*container.KEY_SLOT)])


def _fits(stub: Path, entry: Entry, signed: Manifest) -> bool:
    """Is it what a file of this size and hash, of this recording, leaves behind? Anybody may write a stub: one that
    fits proves nothing, one that doesn't is no word at all."""
    _head, away = read_stub(stub)
    same = entry.hashes.blank == NOTHING or away.sha256 == entry.hashes.sha256  # version 1 hashed the slot, too
    return _owner(stub) == signed.recording_id and away.size == entry.hashes.size and same


def _source(path: Path, elsewhere: bool) -> BinaryIO:
    return io.BufferedReader(RawAway(path), 1 << 20) if elsewhere else path.open("rb")


def _key_slot(path: Path, entry: Entry) -> Iterator[Finding]:
    start, end = entry.hashes.blank
    slot = container.key_slot(path)
    if slot is None:  # neither a key nor its absence: no rotation and no destruction leaves that behind
        yield Finding(CHANGED, entry.file, start, end)
    elif hashlib.sha256(slot).hexdigest() != entry.fields["key_slot"]["sha256"]:
        yield Finding(REWRAPPED if any(slot) else DESTROYED, entry.file, start, end)


def _runs(entry: Entry, numbers: Iterator[int]) -> list[tuple[int, int]]:
    """Neighbouring pieces make one range."""
    runs: list[tuple[int, int]] = []
    for number in numbers:
        start, end = entry.hashes.bounds(number)
        if runs and runs[-1][1] == start:
            start = runs.pop()[0]
        runs.append((start, end))
    return runs


def _owner(path: Path) -> str:
    """The recording that a sealed file says it belongs to; empty where it says nothing that can be understood."""
    try:
        return container.read_header(path).owner
    except (NotSealed, SealBroken, OSError):
        return ""


def _chain(path: Path, entry: Entry) -> Iterator[Finding]:
    """The bytes are those that were signed; so the chain over them must be the one that was signed beside them."""
    frames, head = 0, ""
    try:
        for link in walk_chain(path):
            frames, head = link.number + 1, link.chain.hex()
        said = entry.fields["chain"]
        agrees = (said["frames"], said["head"]) == (frames, head or container.read_header(path).digest.hex())
    except (SealBroken, NotSealed, KeyError, TypeError):
        agrees = entry.fields.get("chain") is None  # it was signed as one whose chain can't be followed
    if not agrees:
        yield Finding(CONTRADICTS, entry.file, 0, entry.hashes.size)


def _before(signed: Manifest) -> Iterator[Finding]:
    witness = signed.fields.get("witness")
    if isinstance(witness, dict) and witness.get("found") != "agrees":
        start = int(witness.get("intact", 0))
        yield Finding(BEFORE, "journal", start, max(start, int(witness.get("size", 0))), str(witness.get("found")))


def _extra(folder: Path, signed: Manifest, only: str) -> Iterator[Finding]:
    known = {entry.file for entry in signed.entries} | {manifest.NAME, *({} if only else DERIVED)}
    names = [only] if only else sorted(path.name for path in folder.iterdir() if path.is_file())
    for name in names:
        if name not in known and name.removesuffix(SUFFIX) not in known:
            yield Finding(UNLISTED if only else EXTRA, name, 0, (folder / name).stat().st_size)


def _unsigned(journal: Path) -> Iterator[Finding]:
    """No signature: all that can be said is whether the frames follow each other."""
    if not journal.exists():
        yield Finding(MISSING, journal.name)
        return
    end = 0
    try:
        if container.read_header(journal).kind != container.LOG:
            return
        end = container.HEADER_BYTES
        for link in walk_chain(journal):
            end = link.end
    except (SealBroken, NotSealed):
        yield Finding(CHANGED, journal.name, end, journal.stat().st_size)
