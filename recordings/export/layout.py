"""Where everything stands on the film: one canvas for all, so that no change of a picture's size moves anything."""

from typing import NamedTuple

WIDTH, HEIGHT, FPS = 1280, 720, 25
HEADER = 56
NAME = 36
PICTURES_END = 584
CAPTIONS_END = 680
GAP = 8


class Box(NamedTuple):
    """A picture's place in pixels, its name strip below it not included. All numbers are even, as 4:2:0 wants it."""

    x: int
    y: int
    width: int
    height: int


def boxes(count: int, *, rtl: bool) -> list[Box]:
    """Places for so many pictures, in reading order: up to three side by side, four in two rows, else rows of three.

    A third one is as large as the two: an interpreter's hands must be seen.
    """
    if count < 1:
        return []
    columns = 2 if count == 4 else min(count, 3)
    rows = -(-count // columns)
    width = _even((WIDTH - GAP * (columns + 1)) / columns)
    height = _even((PICTURES_END - HEADER - GAP * rows) / rows - NAME)
    places = []
    for number in range(count):
        row, column = divmod(number, columns)
        in_row = min(columns, count - row * columns)
        left = (WIDTH - in_row * width - (in_row - 1) * GAP) / 2
        if rtl:
            column = in_row - 1 - column
        x = _even(left + column * (width + GAP))
        places.append(Box(x, _even(HEADER + GAP + row * (height + NAME + GAP)), width, height))
    return places


def _even(value: float) -> int:
    return int(value) // 2 * 2
