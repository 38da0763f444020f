"""What words a text may have, what they become at their longest, and what that costs. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from core.errors import Mistake
from core.language import DIRECTION, LANGUAGES, N_
from messaging.rules import MOST_PARTS, Segments, segments
from messaging.wording.form import HARMFUL, LRM, NUMBERED, SAMPLES

LONGEST = 900  # characters of a text as it is written; six parts of Latin letters
FIELD = re.compile(r"\{([a-z_]{1,30})\}")


@dataclass(frozen=True, slots=True)
class Lack:
    """Why words can't be approved: an English msgid and what stands in it."""

    language: str
    message: str
    fields: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Preview:
    """A text in one language with the longest likely values in its fields, and how that travels."""

    language: str
    text: str
    segments: Segments


def written(text: str, *, field: str) -> str:
    """The words as they are kept. Raises Mistake for what may not stand in a text at all.

    A right-to-left override would show a number or an address reversed; a control character does on some phones what
    nobody foresees. Both are refused rather than removed: who pasted them should see it.
    """
    text = text.replace("\r\n", "\n").strip()
    if found := HARMFUL.search(text):
        raise Mistake(
            "There is an invisible character in the text (U+{code}). Please write that place anew.",
            field=field,
            code=f"{ord(found.group()):04X}",
        )
    if len(text) > LONGEST:
        raise Mistake("Please shorten this to {max} characters.", field=field, max=LONGEST)
    return text


def lacks(words: Mapping[str, str], fields: Mapping[str, str]) -> list[Lack]:
    """Everything that stands between these words and their approval; empty when nothing does."""
    return [lack for language in LANGUAGES for lack in _lacks(language, words.get(language, ""), fields)]


def preview(language: str, text: str, fields: Mapping[str, str]) -> Preview:
    """The longest case. A field that isn't one stays as it was typed, for its writer to see."""

    def longest(found: re.Match[str]) -> str:
        kind = fields.get(found.group(1))
        if kind is None:
            return found.group()
        mark = LRM if kind in NUMBERED and DIRECTION[language] == "rtl" else ""
        return mark + SAMPLES[kind][language]

    shown = FIELD.sub(longest, text)
    return Preview(language, shown, segments(shown))


def cost(parts: int, price: Decimal, *, texts: int = 1) -> Decimal:
    """What so many texts of so many parts cost."""
    return price * parts * texts


def _lacks(language: str, text: str, fields: Mapping[str, str]) -> list[Lack]:
    if not text.strip():
        return [Lack(language, N_("The text is missing."), {})]
    used = set(FIELD.findall(text))
    found = [
        Lack(language, N_("The field {name} does not stand in the text."), {"name": f"{{{name}}}"})
        for name in fields
        if name not in used
    ]
    found += [
        Lack(language, N_("{name} is no field of this text."), {"name": f"{{{name}}}"})
        for name in sorted(used - set(fields))
    ]
    if re.search(r"[{}]", FIELD.sub("", text)):
        found.append(Lack(language, N_("A brace stands alone. Braces only ever hold a field."), {}))
    if (count := preview(language, text, fields).segments.count) > MOST_PARTS:
        found.append(
            Lack(
                language,
                N_("At its longest this takes {n} parts; {most} are allowed."),
                {"n": count, "most": MOST_PARTS},
            )
        )
    return found
