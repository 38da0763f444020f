"""What stands left of what on a slip, and what a printer's answers mean."""

import pytest
from PIL import Image

from queueing.tickets import forecast
from reception.kiosks import states
from web.printing import escpos, words
from web.printing.text import LTR, RTL, visual


def shown(text: str, base: str) -> str:
    """From left to right, each run in its own direction's order as the eye meets it."""
    return "|".join(run.text if run.direction == LTR else run.text[::-1] for run in visual(text, base))


@pytest.mark.parametrize(
    ("text", "base", "seen"),
    [
        ("Women · Elderly", LTR, "Women · Elderly"),
        ("دور A12", RTL, "A12| |رود"),
        ("الساعة ٤:٣٠ عصرًا", RTL, "اًرصع |٤|:|٣٠| ةعاسلا"),
        ("(٢٧ أكتوبر)", RTL, ")|ربوتكأ |٢٧|("),
        ("Centre مركز 7", LTR, "Centre |زكرم| 7"),
        ("مركز Riyadh one الرياض", RTL, "ضايرلا| |Riyadh one| |زكرم"),
    ],
)
def test_two_directions_stand_as_a_reader_expects(text: str, base: str, seen: str) -> None:
    assert shown(text, base).replace("|", "") == seen.replace("|", "")


def test_every_sign_is_set_once_whatever_the_mixture() -> None:
    text = "A١b (مركز) 12:30 – ٣٫٥ ، x"
    for base in (RTL, LTR):
        assert sorted("".join(run.text for run in visual(text, base))) == sorted(text)


def test_a_picture_is_sent_in_bands_of_whole_bytes_with_black_as_one() -> None:
    image = Image.new("1", (12, escpos.BAND + 1), 1)
    image.putpixel((0, 0), 0)
    first, last = escpos.picture(image)
    assert first[:8] == b"\x1dv0\x00" + bytes((2, 0, escpos.BAND, 0)) and first[8:10] == b"\x80\x00"
    assert last[:8] == b"\x1dv0\x00" + bytes((2, 0, 1, 0)) and last[8:] == b"\x00\x00"


@pytest.mark.parametrize(
    ("answers", "condition"),
    [
        ({1: 0x12, 2: 0x12, 3: 0x12, 4: 0x12}, states.READY),
        ({4: 0x1E}, states.LOW),
        ({1: 0x1A, 4: 0x7E}, states.PAPER_OUT),
        ({2: 0x32}, states.PAPER_OUT),
        ({1: 0x1A, 2: 0x16, 4: 0x7E}, states.COVER_OPEN),
        ({3: 0x1A}, states.BROKEN),
        ({1: 0x1A}, states.OFFLINE),
    ],
)
def test_the_worst_of_what_a_printer_says_counts(answers: dict[int, int], condition: str) -> None:
    assert escpos.condition(answers) == condition


def test_answers_are_told_apart_by_their_fixed_bits() -> None:
    assert all(escpos.is_status(byte) for byte in (0x12, 0x1A, 0x7E))
    assert not any(escpos.is_status(byte) for byte in (0x00, 0x03, 0x0C, 0x0F, 0x92))
    assert [escpos.paper_after(byte) for byte in (0x00, 0x03, 0x0C)] == [states.READY, states.LOW, states.PAPER_OUT]


def test_the_coverage_that_is_stated_is_the_one_that_is_worked_out() -> None:
    assert words.coverage(words.Speech("en")).startswith("Eight of ten") and forecast.COVERAGE == 0.8
