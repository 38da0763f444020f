"""Numbers, letters and sentences as they are said."""

import re

import pytest

from core.errors import Fault
from web.voice import numbers
from web.voice.engine import spoken
from web.voice.phrases import of_counter, of_label, parse

MARKS = re.compile("[\u064b-\u0652]")


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "صفر"),
        (3, "ثلاثة"),
        (10, "عشرة"),
        (11, "أحد عشر"),
        (12, "اثنا عشر"),
        (20, "عشرون"),
        (22, "اثنان وعشرون"),
        (99, "تسعة وتسعون"),
        (100, "مئة"),
        (101, "مئة وواحد"),
        (110, "مئة وعشرة"),
        (200, "مئتان"),
        (212, "مئتان واثنا عشر"),
        (345, "ثلاثمئة وخمسة وأربعون"),
        (800, "ثمانمئة"),
        (1000, "ألف"),
        (2026, "ألفان وستة وعشرون"),
        (3111, "ثلاثة آلاف ومئة وأحد عشر"),
    ],
)
def test_arabic_numbers(number: int, said: str) -> None:
    assert MARKS.sub("", numbers.arabic(number)) == said


def test_every_number_is_said_differently_and_with_its_vowels() -> None:
    said = [numbers.arabic(number) for number in range(numbers.MOST + 1)]
    assert len(set(said)) == len(said)
    assert all(MARKS.search(text) for text in said)
    with pytest.raises(Fault):
        numbers.arabic(numbers.MOST + 1)


def test_a_word_before_and_carries_its_ending() -> None:
    assert numbers.arabic(25) == "خَمْسَةٌ وَعِشْرُون"
    assert numbers.arabic(203) == "مِئَتَانِ وَثَلَاثَة"
    assert numbers.arabic(305) == "ثَلَاثُمِئَةٍ وَخَمْسَة"
    assert numbers.arabic(122).split()[1] == "وَاثْنَانِ"


def test_every_letter_has_a_name_and_no_two_the_same_sign() -> None:
    assert sorted(numbers.LETTERS) == [chr(n) for n in range(ord("A"), ord("Z") + 1)]
    assert len(set(numbers.LETTERS.values())) == 26
    assert len(set(numbers.TWINS.values())) == len(numbers.TWINS)
    assert numbers.twin("A12") == "أ ١٢" and numbers.twin("C12") == ""


def test_a_call_is_composed_of_number_and_counter_in_both_languages() -> None:
    texts = [of_label("ar", "A12"), of_counter("ar", 3), of_label("en", "A12"), of_counter("en", 3)]
    assert [MARKS.sub("", phrase.text) for phrase in texts if phrase] == [
        "الرقم ألف، اثنا عشر",
        "الشباك رقم ثلاثة",
        "Number A, 12",
        "Counter 3",
    ]
    assert [phrase.pieces for phrase in texts if phrase] == [
        ("number", "A", "12"),
        ("counter", "3"),
        ("number", "A", "12"),
        ("counter", "3"),
    ]


@pytest.mark.parametrize(
    "name", ["ar-label-", "ar-label-012", "fr-label-A1", "ar-counter-A3", "ar-label-A12345", "ar-label-A1/../x", ""]
)
def test_what_is_no_phrase_is_not_said(name: str) -> None:
    assert parse(name) is None


def test_a_pause_makes_the_last_letter_an_h_and_six_keeps_its_double_letter() -> None:
    assert spoken(numbers.arabic(3)).endswith("ه") and "ةٌ" in spoken(numbers.arabic(23))
    assert spoken(numbers.arabic(60)) == "سِتْتُون"
    assert spoken(numbers.arabic(16)).startswith("سِتْتَةَ")
