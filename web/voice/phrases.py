"""What can be said: a ticket's number, a counter. Each is one clip, so a call is two clips in each language."""

import re
from dataclasses import dataclass

from web.voice.numbers import LETTERS, arabic

LANGUAGES = ("ar", "en")
_NAME = re.compile(r"(ar|en)-(label|counter)-([A-Z]{0,2})([1-9][0-9]{0,3})")


@dataclass(frozen=True, slots=True)
class Phrase:
    """`name` stands in addresses; `text` is for a reading machine, `pieces` are the recordings that make it up."""

    lang: str
    kind: str
    letters: str
    number: int

    @property
    def name(self) -> str:
        return f"{self.lang}-{self.kind}-{self.letters}{self.number}"

    @property
    def text(self) -> str:
        if self.lang == "ar":
            said = [*(LETTERS[letter] for letter in self.letters), arabic(self.number)]
            return f"الرقم {'، '.join(said)}" if self.kind == "label" else f"الشباك رقم {said[-1]}"
        word = "Number" if self.kind == "label" else "Counter"
        return " ".join([word, *(f"{letter}," for letter in self.letters), str(self.number)])

    @property
    def pieces(self) -> tuple[str, ...]:
        """Names of recordings, without what they end in: `number`, `A`, `12`; `counter`, `3`."""
        word = "number" if self.kind == "label" else "counter"
        return (word, *self.letters, str(self.number))


def of_label(lang: str, label: str) -> Phrase | None:
    """None for a label that can't be said."""
    return parse(f"{lang}-label-{label}")


def of_counter(lang: str, number: int) -> Phrase | None:
    return parse(f"{lang}-counter-{number}")


def parse(name: str) -> Phrase | None:
    found = _NAME.fullmatch(name)
    if found is None or (found[2] == "counter" and found[3]):
        return None
    return Phrase(found[1], found[2], found[3], int(found[4]))
