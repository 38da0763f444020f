"""Destroying keys: every sealed file of a recording loses its own, and what is left on the disk is noise.

Hashes are taken with the key slot as zeros, as a manifest has them, so they are the same before and after, and a run
that was broken off is simply run again.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from recordings import container
from recordings.container import NotSealed, SealBroken
from recordings.proof.manifest import JOURNAL
from recordings.proof.manifest import NAME as MANIFEST
from recordings.proof.pieces import take
from recordings.storage.away import SUFFIX, read_stub

UNFINISHED = ".unfinished"


class NotItsOwn(Exception):
    """A sealed file of another recording lies here: whose key would be destroyed, and where is this one's?"""


class KeyLeft(Exception):
    """A file still has its key after it was destroyed: nothing may be certified."""


@dataclass(frozen=True, slots=True)
class Destroyed:
    """`sha256` in hexadecimal digits, as in a manifest; `size` in bytes."""

    file: str
    size: int
    sha256: str


def erase(folder: Path, others: Iterable[Path] = (), *, owner: str = "", named: Iterable[str] = ()) -> list[Destroyed]:
    """The recording's folder, and sealed files elsewhere that were made of it. Raises OSError, KeyLeft, NotItsOwn.

    With `owner`, the recording's id, nothing is touched where a file of another one lies in the place of one of this;
    and nothing where its journal, or another file that is `named`, is not there: on a disk that was not mounted nothing
    is found, and every key is still in it when it comes back.
    The manifest stays as it is: it names nobody, and goes on to prove what there was.
    """
    needed = {JOURNAL, *named}
    for name in sorted(needed):
        if not (folder / name).is_file() and not (folder / (name + SUFFIX)).is_file():
            raise FileNotFoundError(f"{name} is not there: its key may be elsewhere, so nothing was destroyed")
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != MANIFEST]
    files += [path for path in sorted(others) if path.is_file()]
    for path in files:
        if owner and _owner(path) not in ("", owner):
            raise NotItsOwn(f"{path.name} is that of another recording, {_owner(path)}")
    done = []
    for path in files:
        name = str(path.relative_to(folder)) if path.is_relative_to(folder) else f"exports/{path.name}"
        if not path.name.endswith(UNFINISHED) and path.stat().st_size >= container.HEADER_BYTES and _sealed(path):
            container.destroy_key(path)
            if _has_key(path):
                raise KeyLeft(name)
            done.append(_destroyed(name, path))
        else:  # half-written, or nothing that ought to lie here
            with suppress(FileNotFoundError):
                if path.name.endswith(UNFINISHED) and path.stat().st_size >= container.HEADER_BYTES:
                    container.destroy_key(path)
                if name in needed:
                    path.write_bytes(
                        b""
                    )  # its name stays: who comes again, after a run that was broken off, asks for it
                else:
                    path.unlink()
    return done


def _destroyed(name: str, path: Path) -> Destroyed:
    """A file whose bytes lie in the bucket is known by the hash it was stored with: its key is here, and now gone."""
    if name.endswith(SUFFIX):
        _head, away = read_stub(path)
        return Destroyed(name.removesuffix(SUFFIX), away.size, away.sha256)
    taken = take(path, blank=container.KEY_SLOT)
    return Destroyed(name, taken.size, taken.sha256)


def _sealed(path: Path) -> bool:
    try:
        container.read_header(path)
    except NotSealed:
        return False
    except SealBroken:
        return True  # altered, yet its key may still open the rest
    return True


def _owner(path: Path) -> str:
    try:
        return container.read_header(path).owner
    except (NotSealed, SealBroken):
        return ""


def _has_key(path: Path) -> bool:
    try:
        return bool(container.read_header(path).wrapped_key)
    except (NotSealed, SealBroken):
        return False
