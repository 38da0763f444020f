"""The model that suggests a type: character n-grams, a weight for each and type, and when it may speak. Pure.

A linear model over TF-IDF of character n-grams (within words), as scikit-learn trains it; here it is only applied, so
that an installation without scikit-learn suggests as well. Kept as plain numbers: nothing in the file is ever run.
"""

import hashlib
import json
import math
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.text import search_form

GRAMS = (2, 5)
LONGEST = 4_000  # letters that are looked at
MAGIC = b"majlis classifier 1\n"

LEAST_PETITIONS = 200
LEAST_OF_A_TYPE = 15
LEAST_TYPES = 3
LEAST_F1 = 0.5  # worse, and it would cost the clerk more than it saves
SHOWN = 3
LEAST_SHARE = 0.15  # what is less likely is not shown


@dataclass(frozen=True, slots=True)
class About:
    """What is told of a model: when and on what it was trained, how well it did on petitions it had not seen."""

    trained_at: datetime
    petitions: int
    macro_f1: float
    baseline: float  # accuracy of always saying the most common type
    accuracy: float
    fingerprint: str = ""

    @property
    def on(self) -> bool:
        """Good enough to be shown, and better than always saying the same."""
        return self.macro_f1 >= LEAST_F1 and self.accuracy > self.baseline


@dataclass(frozen=True, slots=True)
class Model:
    about: About
    codes: tuple[str, ...]
    grams: dict[str, int]
    idf: "array[float]"
    weights: "array[float]"  # one row of len(codes) for each gram
    intercepts: "array[float]"

    def suggest(self, subject: str, body: str) -> list[tuple[str, float]]:
        """Every type with its share, the likeliest first."""
        counts = Counter(gram for gram in grams(text_of(subject, body)) if gram in self.grams)
        width = len(self.codes)
        scores = list(self.intercepts)
        found = [(self.grams[gram], (1 + math.log(n)) * self.idf[self.grams[gram]]) for gram, n in counts.items()]
        norm = math.sqrt(sum(value * value for _, value in found)) or 1.0
        for column, value in found:
            share, row = value / norm, column * width
            for n in range(width):
                scores[n] += share * self.weights[row + n]
        top = max(scores)
        powers = [math.exp(score - top) for score in scores]
        total = sum(powers)
        ranked = zip(self.codes, (power / total for power in powers), strict=True)
        return sorted(ranked, key=lambda pair: (-pair[1], pair[0]))


def text_of(subject: str, body: str) -> str:
    """The subject counts twice: a clerk has put the matter into it."""
    return search_form(f"{subject} {subject} {body}"[:LONGEST])


def grams(text: str) -> Iterator[str]:
    """Character n-grams within words, words padded by a space, as scikit-learn's `char_wb` makes them."""
    least, most = GRAMS
    for word in text.split():
        padded = f" {word} "
        for n in range(least, most + 1):
            yield padded[:n]
            offset = 0
            while offset + n < len(padded):
                offset += 1
                yield padded[offset : offset + n]
            if offset == 0:
                break  # a short word is counted once


def shown(ranked: Sequence[tuple[str, float]]) -> list[tuple[str, float]]:
    """What the clerk is shown of it."""
    return [pair for pair in ranked[:SHOWN] if pair[1] >= LEAST_SHARE]


def pack(model: Model) -> bytes:
    """The model as a file: a line, a JSON header after its length, numbers as 4-byte floats, and a checksum."""
    header = json.dumps(
        {
            "trained_at": model.about.trained_at.isoformat(),
            "petitions": model.about.petitions,
            "macro_f1": model.about.macro_f1,
            "baseline": model.about.baseline,
            "accuracy": model.about.accuracy,
            "codes": list(model.codes),
            "grams": sorted(model.grams, key=model.grams.__getitem__),
        },
        ensure_ascii=False,
    ).encode()
    body = MAGIC + len(header).to_bytes(8, "little") + header
    body += model.idf.tobytes() + model.weights.tobytes() + model.intercepts.tobytes()
    return body + hashlib.sha256(body).digest()


def unpack(data: bytes) -> Model:
    """The way back. Raises ValueError for what isn't such a file, whole and unchanged."""
    body, mark = data[:-32], data[-32:]
    if not body.startswith(MAGIC) or hashlib.sha256(body).digest() != mark:
        raise ValueError("not a model of Majlis, or damaged")
    at = len(MAGIC)
    size = int.from_bytes(body[at : at + 8], "little")
    header = json.loads(body[at + 8 : at + 8 + size])
    names, codes = header["grams"], tuple(header["codes"])
    numbers = array("f")
    numbers.frombytes(body[at + 8 + size :])
    if len(numbers) != len(names) + len(names) * len(codes) + len(codes):
        raise ValueError("not a model of Majlis, or damaged")
    about = About(
        trained_at=datetime.fromisoformat(header["trained_at"]),
        petitions=header["petitions"],
        macro_f1=header["macro_f1"],
        baseline=header["baseline"],
        accuracy=header["accuracy"],
        fingerprint=mark.hex()[:16],
    )
    first, last = len(names), len(names) + len(names) * len(codes)
    return Model(
        about=about,
        codes=codes,
        grams={name: n for n, name in enumerate(names)},
        idf=numbers[:first],
        weights=numbers[first:last],
        intercepts=numbers[last:],
    )
