"""Places, words and command lines of a film."""

import itertools
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recordings.export import arguments
from recordings.export.layout import FPS, HEADER, NAME, PICTURES_END, WIDTH, Box, boxes
from recordings.export.overlay import LONGEST_CAPTION, SHORTEST_S, captions, escaped, script, ticks
from recordings.export.plan import Film, Gap, Line, Side

START = datetime(2026, 10, 27, 13, 29, 58, 400_000, tzinfo=UTC)
SECRETS = ("سارة", "R-2026-001", "المحكمة", "نورة", "السلام")


def film(**changes: object) -> Film:
    side = Side(Path("/x/1"), "سارة", True, True, dark=(Gap(3.0, 8.0, "انقطع الاتصال"),))
    given = {
        "owner": "rec", "sides": (side, Side(Path("/x/2"), "عمر", False, True)), "duration": 20.0, "started_at": START,
        "zone": "Asia/Riyadh", "lang": "ar", "format": "mp4", "head": "المعاملة R-2026-001",
        "stamp": "نسخة لنورة — المحكمة",
        "mark": ("نورة", "المحكمة"), "only_sound": "صوت فقط", "lines": (Line(2.0, "سارة", "السلام عليكم"),),
    }  # fmt: skip
    return Film(**{**given, **changes})  # type: ignore[arg-type]


def dialogues(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("Dialogue:")]


@pytest.mark.parametrize("rtl", [True, False])
@pytest.mark.parametrize("count", range(1, 7))
def test_pictures_stand_apart_and_within_their_place(count: int, rtl: bool) -> None:
    places = boxes(count, rtl=rtl)
    assert len(places) == count
    for place in places:
        assert all(value % 2 == 0 for value in place)
        assert place.x >= 0 and place.x + place.width <= WIDTH
        assert place.y >= HEADER and place.y + place.height + NAME <= PICTURES_END
        assert place.width >= 320 and place.height >= 180  # EN 301 549 §6.5.2: signing needs as much
    for number, one in enumerate(places):
        for other in places[number + 1 :]:
            aside = one.x + one.width <= other.x or other.x + other.width <= one.x
            assert aside or one.y + one.height + NAME <= other.y or other.y + other.height + NAME <= one.y


def test_the_first_picture_stands_where_reading_begins() -> None:
    right, left = boxes(2, rtl=True)
    assert right.x > left.x
    assert [place.x for place in boxes(3, rtl=False)] == sorted(place.x for place in boxes(3, rtl=False))


def test_the_clock_shows_every_second_of_the_wall_clock_once() -> None:
    told = list(ticks(film()))
    assert [time for _, _, time, _ in told[:4]] == ["١٦:٢٩:٥٨", "١٦:٢٩:٥٩", "١٦:٣٠:٠٠", "١٦:٣٠:٠١"]
    assert told[0][0] == 0.0 and told[0][1] == pytest.approx(0.6)
    assert all(a[1] == pytest.approx(b[0]) for a, b in itertools.pairwise(told))
    assert told[-1][1] == 20.0
    assert told[0][3] == "١٦ جمادى الأولى ١٤٤٨هـ · ٢٧ أكتوبر ٢٠٢٦م"


def test_the_date_changes_at_midnight_of_the_place() -> None:
    late = film(started_at=datetime(2026, 10, 27, 20, 59, 55, tzinfo=UTC), lang="en")
    days = [day for _, _, _, day in ticks(late)]
    assert days[4] == "16 Jumada al-Ula 1448 AH · 27 October 2026"
    assert days[5] == "17 Jumada al-Ula 1448 AH · 28 October 2026"
    assert sum(",day," in line for line in dialogues(script(late))) == 2


def test_a_gap_is_covered_by_a_plate_with_words_for_as_long_as_it_lasts() -> None:
    lines = dialogues(script(film()))
    plates = [line for line in lines if "0:00:03.00,0:00:08.00" in line]
    assert len(plates) == 2 and "انقطع الاتصال" in plates[1] and "\\p1" in plates[0]


def test_one_who_was_only_heard_has_a_plate_all_the_time() -> None:
    assert any("صوت فقط" in line and "0:00:00.00,0:00:20.00" in line for line in dialogues(script(film())))


@given(st.text(max_size=60))
def test_nothing_that_people_write_is_a_command(text: str) -> None:
    shown = escaped(text)
    assert "\n" not in shown and "\r" not in shown
    assert not re.search(r"(?<!\\)[{}]", shown)
    assert not re.search(r"\\(?![\u2060{}])", shown)


def test_a_script_has_one_line_for_each_event_whatever_was_typed() -> None:
    nasty = "a\nDialogue: 9,0:00:00.00,0:00:09.00,head,,0,0,0,,{\\pos(1,1)}x"
    quiet, loud = film(lines=()), film(lines=(Line(1.0, "سارة", nasty),))
    assert len(dialogues(script(loud))) == len(dialogues(script(quiet))) + 1


def test_captions_come_one_by_one_and_long_ones_in_pieces() -> None:
    shown = captions((Line(1.0, "A", "hello"), Line(2.0, "B", "كلمة " * 80), Line(59.0, "A", "end")), 60.0)
    assert shown[0] == (1.0, 2.0, "A: hello")
    assert all(len(text) <= LONGEST_CAPTION + 3 for _, _, text in shown)
    assert "".join(text[3:] for _, _, text in shown if text[0] == "B").replace(" ", "") == "كلمة" * 80
    assert shown[-1] == (59.0, 60.0, "A: end")
    assert captions((Line(1.0, "A", "hello"),), 60.0) == [(1.0, 1.0 + SHORTEST_S, "A: hello")]


def test_no_word_of_the_meeting_stands_in_a_command_line() -> None:
    box = Box(8, 64, 628, 484)
    together = arguments.put_together(
        [(box, 7), (box, 8)], [9, 10], frames=500, format="mp4", script=11, fonts=Path("/fonts"), progress=12, target=13
    )
    lines = [
        together,
        arguments.decode_picture(box, 500, source=5, target=6),
        arguments.decode_sound(20.0, source=5, target=6),
    ]
    for line in lines:
        assert all(isinstance(part, str) for part in line)
        assert not [part for part in line for secret in SECRETS if secret in part]
        files = [part for part in line[1:] if "/" in part and not part.startswith("[")]
        assert files == []  # descriptors alone, and one folder of fonts
    assert "ass=filename=/dev/fd/11:fontsdir=/fonts" in " ".join(together)
    assert together[-1] == "pipe:13"


@pytest.mark.parametrize(("format", "codecs"), [("mp4", ("libx264", "aac")), ("webm", ("libvpx", "libopus"))])
@pytest.mark.parametrize("sounds", [[], [9], [9, 10, 11]])
def test_each_format_has_its_codecs_and_any_number_of_voices(
    format: str, codecs: tuple[str, str], sounds: list[int]
) -> None:
    line = arguments.put_together(
        [], sounds, frames=FPS, format=format, script=11, fonts=Path("/f"), progress=12, target=13
    )
    assert (line[line.index("-vcodec") + 1], line[line.index("-acodec") + 1]) == codecs
    assert ("amix" in " ".join(line)) == (len(sounds) > 1)
    assert line.count("-i") == 1 + max(1, len(sounds))
