"""How a text is cut into parts, and which numbers can be written to.

3GPP TS 23.038 (formerly GSM 03.38) §6.2.1: the 7-bit default alphabet and its extension table, whose characters take
two septets. TS 23.040 §9.2.3.24.1: a part of a longer text loses six octets to its header, which leaves 153 of 160
septets, or 67 of 70 UCS-2 units. Neither an escaped pair nor a surrogate pair is ever split between parts.
"""

import re
from dataclasses import dataclass

GSM7, UCS2 = "GSM-7", "UCS-2"
LIMITS = {GSM7: (160, 153), UCS2: (70, 67)}  # units in a single text, and in each part of a longer one
MOST_PARTS = 6  # a longer text is a letter

GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENSION = frozenset("\f^{}\\[~]|€")

_NUMBER = re.compile(r"\+[1-9][0-9]{7,14}")


@dataclass(frozen=True, slots=True)
class Segments:
    """How a text travels: `units` are septets or UCS-2 units, and the parts joined are the text again."""

    encoding: str
    units: int
    parts: tuple[str, ...]

    @property
    def count(self) -> int:
        return len(self.parts)

    @property
    def room(self) -> int:
        """Units that can still be added without another part."""
        single, each = LIMITS[self.encoding]
        return single - self.units if self.count == 1 else each - _size(self.parts[-1], self.encoding)


def encoding_of(text: str) -> str:
    """The cheaper alphabet that can carry the text: one Arabic letter makes the whole of it UCS-2."""
    return GSM7 if all(c in GSM_BASIC or c in GSM_EXTENSION for c in text) else UCS2


def segments(text: str) -> Segments:
    encoding = encoding_of(text)
    units = _size(text, encoding)
    single, each = LIMITS[encoding]
    if units <= single:
        return Segments(encoding, units, (text,))
    parts, start, used = [], 0, 0
    for place, character in enumerate(text):
        cost = _cost(character, encoding)
        if used + cost > each:
            parts.append(text[start:place])
            start, used = place, 0
        used += cost
    parts.append(text[start:])
    return Segments(encoding, units, tuple(parts))


def can_be_written_to(number: str) -> bool:
    """Whether this is a complete international number (E.164): plus sign, country, at most fifteen digits."""
    return _NUMBER.fullmatch(number) is not None


def masked(number: str) -> str:
    """A number recognisable to its owner only: country and last two digits."""
    return f"{number[:4]}{'•' * max(len(number) - 6, 0)}{number[-2:]}" if len(number) > 6 else "•" * len(number)


def _cost(character: str, encoding: str) -> int:
    if encoding == GSM7:
        return 2 if character in GSM_EXTENSION else 1
    return 2 if ord(character) > 0xFFFF else 1


def _size(text: str, encoding: str) -> int:
    return sum(_cost(character, encoding) for character in text)
