"""Pure sizes of a strip: how fine the curve, how many pictures, which of them."""

from collections.abc import Iterable, Sequence

POINTS_A_SECOND = 5.0
FEWEST_POINTS, MOST_POINTS = 100, 1500
CLOSEST_S, USUAL_S = 2.0, 30.0
FEW, MOST = 24, 240
TILE_HEIGHT = 72
NARROWEST, WIDEST = 40, 160
COLUMNS = 12


def points(duration: float) -> int:
    """How many loudness values make one side's curve."""
    return int(min(max(duration * POINTS_A_SECOND, FEWEST_POINTS), MOST_POINTS))


def every(duration: float) -> float:
    """Seconds between still pictures: about 30; closer in a short recording, wider in one of hours."""
    return max(CLOSEST_S, min(USUAL_S, duration / FEW), duration / MOST)


def moments(duration: float) -> list[float]:
    """The middle of each stretch, so that a picture stands for what is around it."""
    step = every(duration)
    count = max(1, int(duration / step + 0.5)) if duration > 0 else 0
    return [min((n + 0.5) * step, max(duration - 0.1, 0.0)) for n in range(count)]


def tile(width: int, height: int) -> tuple[int, int]:
    """Pixels of one still of a picture of that shape."""
    wide = round(TILE_HEIGHT * width / height) if height else TILE_HEIGHT
    return min(max(wide, NARROWEST), WIDEST), TILE_HEIGHT


def missing(gaps: Iterable[Sequence[object]], kind: str, at: float) -> bool:
    """Has this side no `kind` (audio, video) at that moment? `gaps` as a rendition keeps them."""
    return any(g[0] == kind and float(str(g[1])) <= at < float(str(g[2])) for g in gaps)
