"""What counts as an identity number, a phone number and the same name. Pure."""

import re
from collections.abc import Sequence

from core.errors import Mistake
from core.text import clean, latin_digits, search_form
from messaging.rules import masked

HOME_COUNTRY = "966"
LANGUAGES = ("ar", "en")
SECTIONS = ("men", "women", "family")

# Written on either side of a name, they distinguish nobody: Ahmad bin Salim is looked up as "احمد سالم".
_JOINTS = {"بن", "ابن", "بنت", "ابنه", "bin", "ibn", "bint", "ben"}
_FIRST_PARTS = {"عبد", "ابو", "ام", "ال", "abd", "abdul", "abdel", "abu", "um", "umm", "al", "el"}


def luhn(digits: str) -> bool:
    """Luhn's check digit (ISO/IEC 7812-1 annex B): from the right every second digit doubled, the sum ≡ 0 mod 10."""
    total = 0
    for place, digit in enumerate(map(int, reversed(digits))):
        doubled = digit * 2 if place % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def identity_number(text: str) -> str:
    """Ten digits, as typed in either script. Raises Mistake, saying what is wrong with it.

    National numbers begin with 1 and residents' with 2; the last of the ten digits checks the others by Luhn's
    formula. This is how the numbers on Saudi national and resident cards are made, and it catches every wrong
    digit and nearly every swapped pair before somebody else's file is opened.
    """
    number = re.sub(r"[\s\-]", "", latin_digits(text))
    if not number:
        raise Mistake("Enter the identity number.", field="identity_number")
    if not (number.isascii() and number.isdigit() and len(number) == 10):
        raise Mistake("An identity number has ten digits. Please check it.", field="identity_number")
    if number[0] not in "12":
        raise Mistake("An identity number begins with 1 or 2. Please check it.", field="identity_number")
    if not luhn(number):
        raise Mistake("A digit is wrong or two are swapped. Please compare with the card.", field="identity_number")
    return number


def phone(text: str) -> str:
    """E.164 (`+966501234567`); numbers without a country are taken as being at home. Raises Mistake.

    Understood: 0501234567, 501234567, 966501234567, 00966…, +966 (0)50…, Arabic-Indic digits, spaces and dashes.
    At home a mobile is 5 and eight digits, a fixed line 1 and eight digits; abroad E.164's 8 to 15 digits.
    """
    number = re.sub(r"[\s\-().\u200e\u200f\u202a-\u202e]", "", latin_digits(text))
    if not number:
        raise Mistake("Enter the phone number.", field="phone")
    number = "+" + number[2:] if number.startswith("00") else number
    if not re.fullmatch(r"\+?[0-9]+", number):
        raise Mistake("A phone number has digits only. Please check it.", field="phone")
    if not number.startswith("+"):
        national = number.removeprefix(HOME_COUNTRY) if len(number) > 10 else number
        number = f"+{HOME_COUNTRY}{national.removeprefix('0')}"
    if number.startswith(f"+{HOME_COUNTRY}"):
        national = number.removeprefix(f"+{HOME_COUNTRY}").removeprefix("0")
        if not re.fullmatch(r"[15][0-9]{8}", national):
            raise Mistake("A mobile number looks like 05x xxx xxxx. Please check it.", field="phone")
        return f"+{HOME_COUNTRY}{national}"
    if not re.fullmatch(r"\+[1-9][0-9]{7,14}", number):
        raise Mistake("This is not a complete phone number with its country code.", field="phone")
    return number


def name(text: str) -> str:
    """A person's name, cleaned. Raises Mistake for fewer than two words: one word finds too many people."""
    kept = clean(text)
    if not kept:
        raise Mistake("Enter the visitor's name.", field="name")
    if len(kept) > 120:
        raise Mistake("This name is too long: 120 letters at most.", field="name")
    if len(kept.split()) < 2:
        raise Mistake("Enter at least two parts of the name, as on the card.", field="name")
    return kept


def covered(key: str, value: object) -> object:
    """What the trail keeps of a detail that was changed: enough to recognise it by, not enough to call or to name."""
    if key == "phone":
        return masked(str(value))
    if key == "name":
        return " ".join(word[0] + "•••" for word in str(value).split())
    return value


def akin(one: str, other: str) -> bool:
    """Whether two names may be one person's, in whatever spelling: two words of them sound the same."""
    return len(set(sounds(one)) & set(sounds(other))) >= 2


def name_words(text: str) -> list[str]:
    """The words under which a name is found, in their order and without repeats.

    Joined where writers differ (عبد الله and عبدالله), without the article and without بن or بنت.
    """
    words: list[str] = []
    pending = ""
    for word in search_form(text).split():
        if word in _FIRST_PARTS:
            pending += word
            continue
        joined, pending = pending + word, ""
        if joined in _JOINTS:
            continue
        bare = joined.removeprefix("ال") if len(joined) > 4 else joined
        words.append(bare)
    return list(dict.fromkeys([*words, pending] if pending else words))


def without_articles(words: Sequence[str]) -> list[str]:
    """The words as they are when somebody has typed no more of one than its article and a letter or two."""
    return list(dict.fromkeys(word.removeprefix("ال") if len(word) > 2 else word for word in words))


SOUND = "~"  # begins the entry of a sound, so that no written word is ever mistaken for one

# What writers of Arabic and of either spelling of it in Latin letters agree on: the consonants.
_PAIRS = (("kh", "x"), ("sh", "$"), ("ch", "$"), ("gh", "G"), ("th", "t"), ("dh", "d"), ("ph", "f"), ("ou", "w"))
_CONSONANTS = str.maketrans(
    {
        "ا": "a", "ع": "a", "ء": "a", "ب": "b", "پ": "b", "ت": "t", "ث": "t", "ط": "t", "ج": "j", "چ": "j", "ح": "h",
        "ه": "h", "خ": "x", "د": "d", "ذ": "d", "ض": "d", "ر": "r", "ز": "z", "ظ": "d", "س": "s", "ص": "s", "ش": "$",
        "غ": "G", "ف": "f", "ڤ": "f", "ق": "k", "ك": "k", "ل": "l", "م": "m", "ن": "n", "و": "w", "ي": "y",
        "q": "k", "c": "k", "g": "k", "p": "b", "v": "f", "e": "a", "i": "a", "o": "a", "u": "a",
    }
)  # fmt: skip


def sound(word: str) -> str:
    """How a word of a name sounds, whoever wrote it: محمد, Mohammed and Muhamad are one. Empty for too little.

    The consonants alone; the first letter stays, also where it is a vowel; doubled ones count once, a last h not at
    all (فاطمة, Fatima, Fatimah). Names that sound alike fall together: it widens a search that found nobody.
    """
    plain = search_form(word)
    if plain.isascii():
        plain = re.sub(r"^(al|el)(?=[^aeiou]{1}.{2,})", "", plain)
        for pair, one in _PAIRS:
            plain = plain.replace(pair, one)
    letters = plain.translate(_CONSONANTS)
    kept = letters[:1] + "".join(letter for letter in letters[1:] if letter not in "awy")
    single = re.sub(r"(.)\1+", r"\1", kept)
    return single[:-1] if len(single) > 2 and single.endswith("h") else single


def sounds(text: str) -> list[str]:
    """The sounds of a name's words, as they are kept and looked up beside the words themselves."""
    found = (sound(word) for word in name_words(text.replace("-", " ")))
    return list(dict.fromkeys(SOUND + one for one in found if len(one) > 1))
