"""Every wrapped key of an installation under the newest key-encryption key, with no media touched.

Each file's slot is written by itself, in one sector, and the ring keeps the older keys: whenever this ends, by whatever
cause, every file opens by the key that its slot names. What is done already is passed over, so it may be run again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from recordings import container
from recordings.container import KeyDestroyed, NotSealed, SealBroken
from recordings.keys import FileKeyRing, KeyRefused
from recordings.storage.away import alone

FOLLOWING = "following"  # of who makes films while a meeting runs; that folder's lock is theirs, for hours
MOST_PASSES = 6


@dataclass(slots=True)
class Rotation:
    """How many files were wrapped anew, were so already, have no key any more, or another name; and which could not
    be."""

    done: int = 0
    current: int = 0
    destroyed: int = 0
    gone: int = 0
    problems: list[tuple[Path, str]] = field(default_factory=list)


def sealed_below(*folders: Path) -> Iterator[Path]:
    """Every file with a key slot, drafts and headers of what lies elsewhere included."""
    for folder in folders:
        for place, below, names in os.walk(folder, onerror=_unless_gone):
            below.sort()
            for path in (Path(place, name) for name in sorted(names)):
                if (path.is_file() or not path.exists()) and _is_sealed(path):
                    yield path


def waiting(paths: Iterable[Path], ring: FileKeyRing) -> bool:
    """Is there a file that an older key still wraps: a rotation that was not finished?"""
    return any(_blob(path) and not ring.is_current(_blob(path)) for path in paths)


def rewrap_all(
    paths: Iterable[Path], ring: FileKeyRing, told: Callable[[Path], object] = lambda _path: None
) -> Rotation:
    """One that can't be wrapped anew is told, and keeps none of the others waiting."""
    outcome = Rotation()
    for path in paths:
        try:
            _rewrap(path, ring, outcome)
        except FileNotFoundError:  # finished, thrown away, let go or brought back meanwhile
            outcome.gone += 1
        except KeyDestroyed:
            outcome.destroyed += 1
        except (OSError, KeyRefused, NotSealed, SealBroken) as error:
            outcome.problems.append((path, str(error) or type(error).__name__))
        told(path)
    return outcome


def rewrap_below(
    folders: Iterable[Path], ring: FileKeyRing, told: Callable[[Path], object] = lambda _path: None
) -> tuple[Rotation, bool]:
    """Once, and then again until a pass finds nothing to do: a file that leaves the disk, comes back or is finished
    while others are gone through has another name by then, and may lie behind us.

    The outcome of all passes, and whether it came to rest: while it does not, an older key may still be needed.
    """
    folders = list(folders)
    whole = rewrap_all(sealed_below(*folders), ring, told)
    for _ in range(MOST_PASSES):
        last = rewrap_all(sealed_below(*folders), ring)
        whole.done += last.done
        whole.problems = last.problems
        if not (last.done or last.gone):
            return whole, not last.problems
    return whole, False


def _rewrap(path: Path, ring: FileKeyRing, outcome: Rotation) -> None:
    if path.parent.name == FOLLOWING:
        _rewrap_here(path, ring, outcome)
        return
    with alone(path.parent):  # a slot is copied from file to stub and back
        _rewrap_here(path, ring, outcome)


def _rewrap_here(path: Path, ring: FileKeyRing, outcome: Rotation) -> None:
    blob = container.read_header(path).wrapped_key
    if not blob:
        outcome.destroyed += 1
    elif ring.is_current(blob):
        outcome.current += 1
    else:
        container.rewrap(path, ring, ring)
        outcome.done += 1


def needed(*folders: Path) -> bool:
    """Is there anything that waits for a key: sealed, and its key not destroyed?"""
    return any(_blob(path) for folder in folders for path in folder.rglob("*"))


def unopenable(folder: Path, ring: FileKeyRing) -> list[Path]:
    """Files whose wrapped key no key of the ring opens; those whose key was destroyed are none of them."""
    bad = []
    for path in sealed_below(folder):
        try:
            container.read_header(path).data_key(ring)
        except (KeyDestroyed, NotSealed, SealBroken, OSError):
            continue
        except KeyRefused:
            bad.append(path)
    return bad


def _blob(path: Path) -> bytes:
    try:
        return container.read_header(path).wrapped_key
    except (OSError, NotSealed, SealBroken):
        return b""


def _is_sealed(path: Path) -> bool:
    """By its first bytes alone: one whose header is damaged, or that can't be read, is to be told, not passed over; and
    so is one that has another name by now."""
    try:
        with path.open("rb") as file:
            return file.read(6) == b"MAJLIS"
    except FileNotFoundError:
        return not path.is_symlink()
    except OSError:
        return True


def _unless_gone(error: OSError) -> None:
    """A folder that can't be looked into may hold what needs an older key."""
    if not isinstance(error, FileNotFoundError):
        raise error
