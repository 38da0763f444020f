"""Numbers and letters as they are said. Arabic is written with all its vowels, for a machine reads it out.

A number after "رقم" counts nothing: its units keep the long form (ثلاثة, not ثلاث) whatever the gender of the thing,
and stand in the nominative; before a word that follows they carry their ending (ثَلَاثَةٌ وَعِشْرُون).
"""

import re

from core.errors import Fault
from core.text import arabic_digits

MOST = 9999
_WEAK = re.compile("^ا\u0650")  # two begins with a vowel that "and" swallows: وَاثْنَانِ

_UNITS = (
    "صِفْر", "وَاحِد", "اِثْنَان", "ثَلَاثَة", "أَرْبَعَة", "خَمْسَة", "سِتَّة", "سَبْعَة", "ثَمَانِيَة", "تِسْعَة", "عَشَرَة",
)  # fmt: skip
_TEENS = (
    "أَحَدَ عَشَر", "اِثْنَا عَشَر", "ثَلَاثَةَ عَشَر", "أَرْبَعَةَ عَشَر", "خَمْسَةَ عَشَر", "سِتَّةَ عَشَر", "سَبْعَةَ عَشَر",
    "ثَمَانِيَةَ عَشَر", "تِسْعَةَ عَشَر",
)  # fmt: skip
_TENS = ("عِشْرُون", "ثَلَاثُون", "أَرْبَعُون", "خَمْسُون", "سِتُّون", "سَبْعُون", "ثَمَانُون", "تِسْعُون")
_HUNDREDS = (
    "مِئَة", "مِئَتَان", "ثَلَاثُمِئَة", "أَرْبَعُمِئَة", "خَمْسُمِئَة", "سِتُّمِئَة", "سَبْعُمِئَة", "ثَمَانِمِئَة", "تِسْعُمِئَة",
)  # fmt: skip
_THOUSANDS = (
    "أَلْف", "أَلْفَان", "ثَلَاثَةُ آلَاف", "أَرْبَعَةُ آلَاف", "خَمْسَةُ آلَاف", "سِتَّةُ آلَاف", "سَبْعَةُ آلَاف", "ثَمَانِيَةُ آلَاف",
    "تِسْعَةُ آلَاف",
)  # fmt: skip

# A label's letter is Latin. Where an Arabic letter sounds like it, that letter is said and shown beside it; the others
# keep the name by which Arabic speakers call them.
TWINS = {
    "A": "أ", "B": "ب", "D": "د", "F": "ف", "H": "هـ", "J": "ج", "K": "ك", "L": "ل", "M": "م", "N": "ن", "Q": "ق",
    "R": "ر", "S": "س", "T": "ت", "W": "و", "Y": "ي", "Z": "ز",
}  # fmt: skip
LETTERS = {
    "A": "أَلِف", "B": "بَاء", "C": "سِي", "D": "دَال", "E": "إِي", "F": "فَاء", "G": "جِي", "H": "هَاء", "I": "آي",
    "J": "جِيم", "K": "كَاف", "L": "لَام", "M": "مِيم", "N": "نُون", "O": "أُو", "P": "بِي", "Q": "قَاف", "R": "رَاء",
    "S": "سِين", "T": "تَاء", "U": "يُو", "V": "فِي", "W": "وَاو", "X": "إِكْس", "Y": "يَاء", "Z": "زَاي",
}  # fmt: skip


def arabic(number: int) -> str:
    """`١٢` is `اِثْنَا عَشَر`. Raises Fault beyond 0–9999."""
    if not 0 <= number <= MOST:
        raise Fault("The voice counts to {most}, not to {number}.", most=MOST, number=number)
    parts = []
    thousands, below = divmod(number, 1000)
    if thousands:
        parts.append(_THOUSANDS[thousands - 1])
    hundreds, rest = divmod(below, 100)
    if hundreds:
        parts.append(_HUNDREDS[hundreds - 1])
    tens, unit = divmod(rest, 10)
    if 10 < rest < 20:
        parts.append(_TEENS[rest - 11])
    elif rest == 10 or (tens == 0 and (unit or not parts)):
        parts.append(_UNITS[rest])
    elif tens:
        parts += [_UNITS[unit], _TENS[tens - 2]] if unit else [_TENS[tens - 2]]
    said = [*(_joined(part) for part in parts[:-1]), parts[-1]]
    return " وَ".join([said[0], *(_WEAK.sub("ا", part) for part in said[1:])])


def _joined(word: str) -> str:
    """With the ending that a following "and" asks for."""
    if word.endswith("َان"):
        return f"{word}ِ"  # the dual: مِئَتَانِ وَ…
    if word in _HUNDREDS[2:] or word in _THOUSANDS[2:]:
        return f"{word}ٍ"  # the second part of a compound: ثَلَاثُمِئَةٍ وَ…
    return f"{word}ٌ"


def twin(label: str) -> str:
    """The label in Arabic signs, `أ ١٢` for `A12`; empty where the letter has no counterpart."""
    letter, number = label[:1], label[1:]
    return f"{TWINS[letter]} {arabic_digits(number)}" if letter in TWINS and number.isdecimal() else ""
