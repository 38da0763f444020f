"""Everything written on the film, as one ASS script: libass shapes Arabic and knows both directions (UAX #9).

Names, what was typed, why a picture is missing, the clock, the mark across the pictures. The script goes to ffmpeg
through memory: what it says is as private as the pictures.

Format: the specification of "Advanced SubStation Alpha v4.00+", as libass reads it. Colours are &HAABBGGRR, AA being
how transparent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from core.calendar import GREGORIAN_MONTHS, HIJRI_MONTHS, digits, hijri_of
from core.errors import Fault
from recordings.export.layout import CAPTIONS_END, HEADER, HEIGHT, NAME, WIDTH, Box, boxes
from recordings.export.plan import Film, Gap, Line

FONT = "IBM Plex Sans Arabic"
LONGEST_CAPTION = 140
"""Characters shown at once: two lines."""
SHORTEST_S, LONGEST_S, A_CHARACTER_S = 2.5, 8.0, 0.07
"""How long a caption stays: fifteen characters a second are read with ease."""
AT_LEAST_S = 1.0
"""However soon the next one comes."""
MARK_STEP = (430, 120)
LONG_STAMP = 110

# Layers, from the bottom.
_PLATES, _WORDS, _MARKS, _CAPTIONS = 0, 1, 2, 3

_HEAD = f"""[Script Info]
ScriptType: v4.00+
PlayResX: {WIDTH}
PlayResY: {HEIGHT}
WrapStyle: 0
ScaledBorderAndShadow: yes

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, \
StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
"""
_STYLES = {  # name: size, colour, outline colour, bold, outline, alignment
    "head": (34, "&H00FFFFFF", "&H00000000", 1, 0, 5),
    "clock": (34, "&H00FFFFFF", "&H00000000", 1, 0, 5),
    "day": (28, "&H006AA8C9", "&H00000000", 0, 0, 5),
    "name": (30, "&H00FFFFFF", "&H00000000", 1, 0, 5),
    "plate": (34, "&H00FFFFFF", "&H00000000", 0, 0, 5),
    "caption": (34, "&H00FFFFFF", "&H00000000", 0, 2, 2),
    "mark": (32, "&HB4FFFFFF", "&HD8000000", 1, 1, 5),
    "stamp": (26, "&H00D8E4E8", "&H00000000", 0, 0, 5),
    "shape": (20, "&H002A2420", "&H00000000", 0, 0, 7),
}
_EVENTS = """
[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


def script(film: Film) -> str:
    """The whole ASS script of a film."""
    return "".join([_HEAD, *_styles(), _EVENTS, *_events(film)])


def captions(lines: tuple[Line, ...], duration: float) -> list[tuple[float, float, str]]:
    """(from, to, text): one makes way for the next, long ones come in pieces one after another."""
    shown = []
    for line in sorted(lines, key=lambda line: line.at):
        at = line.at
        for piece in _pieces(line.text):
            stay = min(max(SHORTEST_S, len(piece) * A_CHARACTER_S), LONGEST_S)
            if at < duration:
                shown.append((at, min(at + stay, duration), f"{line.name}: {piece}"))
            at += stay
    shown.sort(key=lambda caption: caption[0])
    return [
        (start, min(end, max(shown[number + 1][0], start + AT_LEAST_S)) if number + 1 < len(shown) else end, text)
        for number, (start, end, text) in enumerate(shown)
    ]


def ticks(film: Film) -> Iterator[tuple[float, float, str, str]]:
    """(from, to, time of day, date in both calendars) for each second of the wall clock in the film."""
    zone = ZoneInfo(film.zone)
    start = film.started_at.replace(microsecond=0)
    offset = (start - film.started_at).total_seconds()  # of the running second's beginning: 0 or just before
    days: dict[date, str] = {}
    second = 0
    while offset + second < film.duration:
        at = (start + timedelta(seconds=second)).astimezone(zone)
        day = at.date()
        if day not in days:
            days[day] = both_calendars(day, film.lang)
        yield (
            max(0.0, offset + second),
            min(offset + second + 1, film.duration),
            digits(at.strftime("%H:%M:%S"), film.lang),
            days[day],
        )
        second += 1


def both_calendars(day: date, lang: str) -> str:
    """`١٦ جمادى الأولى ١٤٤٨هـ · ٢٧ أكتوبر ٢٠٢٦م`; the Gregorian date alone where there are no Hijri tables."""
    mark_h, mark_g = ("هـ", "م") if lang == "ar" else (" AH", "")
    gregorian = f"{day.day} {GREGORIAN_MONTHS[lang][day.month - 1]} {day.year}{mark_g}"
    try:
        year, month, number = hijri_of(day)
    except Fault:
        return digits(gregorian, lang)
    return digits(f"{number} {HIJRI_MONTHS[lang][month - 1]} {year}{mark_h} · {gregorian}", lang)


def escaped(text: str) -> str:
    """Text as it is: nothing in it is a command. A word joiner keeps a backslash from meaning anything."""
    flat = re.sub(r"[\x00-\x1f\x7f\u0085\u2028\u2029]+", " ", text)
    return flat.replace("\\", "\\\u2060").replace("{", "\\{").replace("}", "\\}")


def _styles() -> Iterator[str]:
    for name, (size, colour, edge, bold, outline, alignment) in _STYLES.items():
        # Encoding -1: each line's direction is that of its first strong letter.
        yield (
            f"Style: {name},{FONT},{size},{colour},{colour},{edge},&H60000000,{-bold},0,0,0,100,100,0,0,1,{outline},0,"
            f"{alignment},24,24,{HEIGHT - CAPTIONS_END + 4},-1\n"
        )


def _events(film: Film) -> Iterator[str]:
    end = film.duration
    start_x, end_x, start_an, end_an = (WIDTH - 24, 24, 6, 4) if film.rtl else (24, WIDTH - 24, 4, 6)
    middle = HEADER // 2
    yield _event(0, end, "head", escaped(film.head), at=(start_x, middle), an=start_an, layer=_WORDS)
    small = "{\\fs20}" if len(film.stamp) > LONG_STAMP else ""
    yield _event(
        0, end, "stamp", small + escaped(film.stamp), at=(WIDTH // 2, (CAPTIONS_END + HEIGHT) // 2), layer=_WORDS
    )
    places = boxes(len(film.sides), rtl=film.rtl)
    for box, side in zip(places, film.sides, strict=True):
        middle_x = box.x + box.width // 2
        yield _event(0, end, "name", escaped(side.name), at=(middle_x, box.y + box.height + NAME // 2), layer=_WORDS)
        dark = side.dark if side.has_video else (Gap(0.0, end, film.only_sound),)
        for gap in dark:
            yield from _plate(box, gap, tall=box.height, middle=box.y + box.height // 2)
        for gap in side.silent:
            if not any(other.start <= gap.start and gap.end <= other.end for other in dark):
                yield from _plate(box, gap, tall=48, middle=box.y + 24)
        yield from _across(box, film.mark, end)
    yield from _clock(film, end_x, end_an, middle)
    for start, until, text in captions(film.lines, end):
        yield _event(start, until, "caption", escaped(text), layer=_CAPTIONS)


def _clock(film: Film, x: int, an: int, y: int) -> Iterator[str]:
    """The time at the far edge, each second of it; the date beside it, once a day."""
    shown: tuple[float, float, str] | None = None
    date_x = x + (150 if an == 4 else -150)
    for start, until, time, day in ticks(film):
        yield _event(start, until, "clock", escaped(time), at=(x, y), an=an, layer=_WORDS)
        if shown and shown[2] == day:
            shown = (shown[0], until, day)
            continue
        if shown:
            yield _event(shown[0], shown[1], "day", escaped(shown[2]), at=(date_x, y), an=an, layer=_WORDS)
        shown = (start, until, day)
    if shown:
        yield _event(shown[0], shown[1], "day", escaped(shown[2]), at=(date_x, y), an=an, layer=_WORDS)


def _plate(box: Box, gap: Gap, *, tall: int, middle: int) -> Iterator[str]:
    """A dark plate over the still picture: nobody may take the last frame for what happened."""
    shape = f"{{\\p1}}m 0 0 l {box.width} 0 l {box.width} {tall} l 0 {tall}{{\\p0}}"
    yield _event(gap.start, gap.end, "shape", shape, at=(box.x, middle - tall // 2), layer=_PLATES)
    yield _event(gap.start, gap.end, "plate", escaped(gap.words), at=(box.x + box.width // 2, middle), layer=_WORDS)


def _across(box: Box, lines: tuple[str, ...], end: float) -> Iterator[str]:
    """The mark, aslant and again and again, its lines by turns: cutting a corner off does not take it away."""
    step_x, step_y = MARK_STEP
    columns = max(1, round(box.width / step_x))
    rows = 2 * max(1, round(box.height / step_y / 2))  # an even number: the middle is for the words on a plate
    for row in range(rows):
        for column in range(columns):
            x = box.x + box.width * (2 * column + 1) // (2 * columns)
            y = box.y + box.height * (2 * row + 1) // (2 * rows)
            yield _event(
                0, end, "mark", f"{{\\frz18\\clip({box.x},{box.y},{box.x + box.width},{box.y + box.height})}}"
                + escaped(lines[(row + column) % len(lines)]), at=(x, y), layer=_MARKS,
            )  # fmt: skip


def _event(
    start: float,
    end: float,
    style: str,
    text: str,
    *,
    layer: int,
    at: tuple[int, int] | None = None,
    an: int | None = None,
) -> str:
    place = f"{{\\an{an}}}" if an else ""
    place += f"{{\\pos({at[0]},{at[1]})}}" if at else ""
    return f"Dialogue: {layer},{_time(start)},{_time(end)},{style},,0,0,0,,{place}{text}\n"


def _time(seconds: float) -> str:
    hundredths = round(max(0.0, seconds) * 100)
    minutes, rest = divmod(hundredths, 6000)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest // 100:02d}.{rest % 100:02d}"


def _pieces(text: str) -> list[str]:
    pieces, piece = [], ""
    for word in text.split():
        while len(word) > LONGEST_CAPTION:
            pieces += [piece] if piece else []
            pieces.append(word[:LONGEST_CAPTION])
            piece, word = "", word[LONGEST_CAPTION:]
        if piece and len(piece) + 1 + len(word) > LONGEST_CAPTION:
            pieces.append(piece)
            piece = word
        else:
            piece = f"{piece} {word}".strip()
    return [*pieces, piece] if piece else pieces
