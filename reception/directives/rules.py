"""Decisions about directives. Pure."""

from datetime import datetime
from hashlib import sha256

from core.errors import Mistake
from core.text import clean

TEXT_MAX = 2_000


def text(value: str) -> str:
    """The order in words: it must stand alone, since the department reads nothing else. Raises Mistake."""
    kept = clean(value, lines=True)
    if not kept:
        raise Mistake("Write the order down as it was given.", field="text")
    if len(kept) > TEXT_MAX:
        raise Mistake("This is too long: {max} letters at most.", field="text", max=TEXT_MAX)
    return kept


def reading(text: str) -> str:
    """Names the very words that were read, so that none can be put in their place before they are signed."""
    return sha256(text.encode()).hexdigest()


def due(at: datetime, *, now: datetime) -> datetime:
    """The day to be done by lies ahead. Raises Mistake."""
    if at <= now:
        raise Mistake("Choose a day that lies ahead.", field="due_at")
    return at


def offset(seconds: float) -> float:
    """A place in a recording: never before its start."""
    return max(0.0, round(float(seconds), 2))
