"""Which pictures a thin downlink is spared, so that its sound stays whole and nobody else's picture suffers for it.

There is one stream of each person, the same for all. One weak receiver must not take its sharpness from the others: a
publisher is asked for no less than a floor on its account, and the pictures for which that is too much are not sent to
this receiver, the least important first. They come back one by one, with room to spare, and later each time one could
not stay: there is no other way to learn that a line got free than to try it. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

SOUND = 45_000.0
"""Bits per second of one person's sound, headers of RTP included."""
FLOOR, SIGNING_FLOOR, LEAST_FLOOR = 300_000.0, 200_000.0, 80_000.0
"""What a publisher is held to at least, sound included: who speaks, who signs or interprets (30 frames a second of 240
lines are enough), and who is seen by nobody else, so that nobody else suffers (with less it stops by itself)."""
SPARE = 1.25
"""So much more than its floor must be free for a picture that comes back."""
WAITS_S = (4.0, 8.0, 14.0)
"""Before the next try, by how many failed in a row."""
PROVED_S = 8.0
"""A picture that went again sooner did not fit."""
BETWEEN_S = 1.0
"""One at a time, so that each is felt before the next."""


class Picture(NamedTuple):
    person: str
    floor: float


class Shed(NamedTuple):
    """What was decided, to be handed in again the next time."""

    out: frozenset[str] = frozenset()
    back_at: float = float("-inf")
    """No picture comes back sooner."""
    returned_at: float = float("-inf")
    failed: int = 0


def wishes(receiver: str, seen: Mapping[str, str], *, alone: frozenset[str] = frozenset()) -> list[Picture]:
    """The pictures somebody with the role `receiver` is to see, the most important first; `seen`: person → role.

    `alone`: whom nobody else sees.
    """
    interpreted = receiver == "interpreter" or "interpreter" in seen.values()
    order = ["official", "visitor", "interpreter", "aide"]
    if interpreted and receiver in ("visitor", "interpreter"):
        signing = "interpreter" if receiver == "visitor" else "visitor"
        order = [signing, *(role for role in order if role != signing)]
    pictures = []
    for person, role in sorted(seen.items(), key=lambda item: order.index(item[1]) if item[1] in order else len(order)):
        floor = SIGNING_FLOOR if interpreted and role in ("visitor", "interpreter") else FLOOR
        pictures.append(Picture(person, LEAST_FLOOR if person in alone else floor))
    return pictures


def shed(capacity: float, wanted: Sequence[Picture], before: Shed, *, now: float) -> Shed:
    """`capacity`: what the downlink carries, in bits per second. Sound is never shed, and comes off first."""
    room = capacity - SOUND * len(wanted)
    out: set[str] = set()
    returned = False
    for picture in wanted:
        need = picture.floor - SOUND
        was_out = picture.person in before.out
        fits = need * SPARE <= room and not returned and now >= before.back_at if was_out else need <= room
        if out or not fits:
            out.add(picture.person)
            continue
        returned |= was_out
        room -= need
    if out - before.out:
        failed = before.failed + 1 if now - before.returned_at < PROVED_S else 0
        wait = WAITS_S[min(failed, len(WAITS_S) - 1)]
        return Shed(frozenset(out), now + wait, before.returned_at, failed)
    if returned:
        return Shed(frozenset(out), now + BETWEEN_S, now, before.failed)
    return before._replace(out=frozenset(out))


def shares(capacity: float, wanted: Sequence[Picture], out: frozenset[str]) -> dict[str, float]:
    """What each publisher that is shown may send on this receiver's account, sound included."""
    shown = [picture for picture in wanted if picture.person not in out]
    rest = capacity - SOUND * (len(wanted) - len(shown)) - sum(picture.floor for picture in shown)
    return {picture.person: picture.floor + max(0.0, rest) / len(shown) for picture in shown}
