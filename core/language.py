"""Catalogues of person-facing strings: English in the code, Arabic in `.po` files read as they are (no build step).

A language may have several `.po` files (one per area of the product); they are merged.
"""

import gettext
import io
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Protocol, runtime_checkable

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from core.calendar import full_day, within_tables
from core.errors import MajlisError
from core.text import arabic_digits

LANGUAGES = ("ar", "en")
DIRECTION = {"ar": "rtl", "en": "ltr"}


@runtime_checkable
class Sayable(Protocol):
    """A value that words itself once the language is known (`core.calendar.When`)."""

    def said(self, lang: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Named:
    """A name in both languages as a part of a message."""

    ar: str
    en: str

    def said(self, lang: str) -> str:
        return self.ar if lang == "ar" else self.en

    def __str__(self) -> str:
        return self.en


def N_(message: str) -> str:
    """Mark a string for the catalogue without translating it here."""
    return message


@cache
def catalogue(lang: str, folder: Path) -> gettext.NullTranslations:
    """The merged catalogue of `lang`; English is the code's own text."""
    merged = gettext.NullTranslations()
    for path in sorted((folder / lang).glob("*.po"), reverse=True):
        with path.open("rb") as file:
            po = read_po(file, locale=lang)
        mo = io.BytesIO()
        write_mo(mo, po)
        mo.seek(0)
        part = gettext.GNUTranslations(mo)
        part.add_fallback(merged)
        merged = part
    return merged


def say(error: MajlisError, translations: gettext.NullTranslations, lang: str) -> str:
    """An error's message in the reader's language: strings in it (state names) are translated, digits are theirs."""

    def told(value: object) -> object:
        if isinstance(value, str):
            return translations.gettext(value) if value else value
        if isinstance(value, Sayable):
            return value.said(lang)
        if isinstance(value, date) and not isinstance(value, datetime) and value == within_tables(value):
            return full_day(value, lang)
        if isinstance(value, float):  # with the decimal sign that belongs to its digits
            return arabic_digits(f"{value:g}").replace(".", "٫") if lang == "ar" else f"{value:g}"
        return arabic_digits(str(value)) if lang == "ar" else value

    fields = {name: told(value) for name, value in error.fields.items()}
    text = translations.gettext(error.message)
    return text.format(**fields) if fields else text
