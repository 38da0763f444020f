"""Text as Arabic readers write it: one normal form for searching, digits of either script understood."""

import re
import unicodedata

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
    text = unicodedata.normalize("NFKD", latin_digits(text)).translate(_LETTERS)
    text = "".join(c for c in text if not unicodedata.combining(c)).casefold()
    return re.sub(r"[^\w]+", " ", text).strip()


def clean(text: str, *, lines: bool = False) -> str:
    """What a person typed, without control characters and bidirectional overrides; newlines kept if `lines`."""
    kept = "".join(
        c
        for c in unicodedata.normalize("NFC", text.replace("\r\n", "\n"))
        if (c == "\n" and lines) or unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co"} or c == "\u200d"
    )
    return kept.strip() if lines else " ".join(kept.split())
