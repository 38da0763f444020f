"""What a centre, a department, a service and a counter may be called. Pure."""

import re
from collections.abc import Collection, Sequence

from core.errors import Mistake
from core.text import latin_digits

SECTIONS = ("men", "women", "family")
POINT_KINDS = ("reception", "verification", "video", "calls", "documents", "other")
_CODE = re.compile(r"[a-z0-9][a-z0-9-]{1,19}")
_LANGUAGE = re.compile(r"[a-z]{2,3}")


def code(text: str) -> str:
    """It stands in addresses and never changes. Raises Mistake."""
    value = latin_digits(text).strip().lower()
    if not _CODE.fullmatch(value):
        raise Mistake("A code has 2 to 20 small Latin letters, digits or hyphens.", field="code")
    return value


def letter(text: str) -> str:
    """The first sign of a ticket's label. Raises Mistake."""
    value = text.strip().upper()
    if not re.fullmatch(r"[A-Z]", value):
        raise Mistake("The letter is one Latin letter, A to Z.", field="letter")
    return value


def kind(text: str) -> str:
    """What happens at a service point. Raises Mistake."""
    if text not in POINT_KINDS:
        raise Mistake("Please choose one of the options.", field="kind")
    return text


def sections(chosen: Collection[str]) -> list[str]:
    """In their usual order. Raises Mistake for none or an unknown one."""
    if not chosen or set(chosen) - set(SECTIONS):
        raise Mistake("Please choose at least one section.", field="sections")
    return [section for section in SECTIONS if section in chosen]


def languages(chosen: Sequence[str]) -> list[str]:
    """Raises Mistake for none."""
    kept = list(dict.fromkeys(one for one in chosen if _LANGUAGE.fullmatch(one)))
    if not kept:
        raise Mistake("Please choose at least one language.", field="languages")
    return kept
