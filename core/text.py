"""Text as Arabic readers write it: one normal form for searching, digits of either script understood."""

import re
import unicodedata

_BETWEEN = re.compile(r"[^\w]+")
_TO_LATIN = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "01234567890123456789")
_TO_ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
_LETTERS = str.maketrans(
    {
        "أ": "ا",
        "إ": "ا",
        "آ": "ا",
        "ٱ": "ا",
        "ى": "ي",
        "ئ": "ي",
        "ؤ": "و",
        "ة": "ه",
        "ـ": None,
        "گ": "ك",
        "ک": "ك",
        "ی": "ي",
    }
)


class _Folding(dict[int, int | str | None]):
    """What becomes of each letter for searching; marks go. What is met is kept: from then on it is a look-up."""

    def __missing__(self, letter: int) -> int | None:
        folded = None if unicodedata.combining(chr(letter)) else letter
        if letter < 0x10000:  # nobody fills our memory with letters of dead scripts
            self[letter] = folded
        return folded


_FOLDED = _Folding({**_TO_LATIN, **_LETTERS})


def latin_digits(text: str) -> str:
    """Arabic-Indic and Persian digits as 0–9."""
    return text.translate(_TO_LATIN)


def arabic_digits(text: str) -> str:
    """0–9 as Arabic-Indic digits, for an Arabic reader."""
    return text.translate(_TO_ARABIC)


def search_form(text: str) -> str:
    """The form under which names and subjects are stored for searching and queries are looked up.

    Marks dropped, alef forms joined, ة/ه and ى/ي joined, tatweel dropped, digits Latin, case folded, spaces single.
    """
    text = unicodedata.normalize("NFKD", text).translate(_FOLDED).casefold()
    return _BETWEEN.sub(" ", text).strip()


def clean(text: str, *, lines: bool = False) -> str:
    """What a person typed, without control characters and bidirectional overrides; newlines kept if `lines`."""
    kept = "".join(
        c
        for c in unicodedata.normalize("NFC", text.replace("\r\n", "\n"))
        if (c == "\n" and lines) or unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co"} or c == "\u200d"
    )
    return kept.strip() if lines else " ".join(kept.split())


def isolated(text: str) -> str:
    """In a run of its own, whatever the direction of the words around it (UAX #9: FSI, PDI)."""
    return f"\u2068{text}\u2069"


def left_to_right(text: str) -> str:
    """A number, a label, a code: its hyphen doesn't turn the halves round in an Arabic sentence (UAX #9: LRI, PDI)."""
    return f"\u2066{text}\u2069"
