"""Every person-facing string has its Arabic, with the same fields and all six plural forms."""

import re
from collections.abc import Iterator
from pathlib import Path

import jinja2.ext
import pytest
from babel.messages.extract import extract_from_dir, extract_python
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[2]
KEYWORDS = {
    "_": None,
    "N_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "Mistake": (1,),
    "Refused": (1,),
    "NotFound": (1,),
    "Fault": (1,),
}
PACKAGES = ("core", "messaging", "queueing", "video", "recordings", "reception", "web")
FIELD = re.compile(r"{(\w*)}")


def used() -> Iterator[tuple[str, str | tuple[str, str]]]:
    """(place, msgid or (singular, plural)) of every marked string in code and templates."""
    for package in PACKAGES:
        found = extract_from_dir(
            ROOT / package,
            method_map=[("templates/**.html", jinja2.ext.babel_extract), ("**.py", extract_python)],
            keywords=KEYWORDS,
        )
        for name, line, message, *_ in found:
            if message and not f"{package}/{name}".startswith("video/media/"):  # its reasons are codes, not sentences
                yield f"{package}/{name}:{line}", tuple(message) if isinstance(message, tuple) else message  # type: ignore[misc]


def arabic() -> dict[str | tuple[str, str], str | tuple[str, ...]]:
    merged: dict[str | tuple[str, str], str | tuple[str, ...]] = {}
    for path in sorted((ROOT / "web/locale/ar").glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale="ar"):
                if message.id and message.string and not message.fuzzy:
                    key = tuple(message.id) if isinstance(message.id, (list, tuple)) else message.id
                    merged[key] = message.string
    return merged


def missing() -> list[str]:
    known = arabic()
    singular = {key[0] if isinstance(key, tuple) else key for key in known}
    gone = []
    for place, message in used():
        if isinstance(message, tuple):
            forms = known.get(message)
            if not forms or len(forms) != 6 or not all(forms):
                gone.append(f"{place}: {message!r}")
        elif message not in singular:
            gone.append(f"{place}: {message!r}")
    return gone


def test_every_string_has_its_arabic() -> None:
    assert not missing(), "\n".join(missing())


def test_translations_use_the_fields_of_their_original() -> None:
    wrong = []
    for message, text in arabic().items():
        originals = message if isinstance(message, tuple) else (message,)
        allowed = set(FIELD.findall(" ".join(originals)))
        for form in text if isinstance(text, tuple) else (text,):
            fields = set(FIELD.findall(form))
            if not fields <= allowed or (isinstance(message, str) and fields != allowed):
                wrong.append(f"{message!r} → {form!r}")
    assert not wrong, "\n".join(wrong)


def test_one_string_has_one_translation_wherever_it_stands() -> None:
    seen: dict[object, set[object]] = {}
    for path in sorted((ROOT / "web/locale/ar").glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale="ar"):
                if message.id:
                    seen.setdefault(str(message.id), set()).add(str(message.string))
    assert {message: told for message, told in seen.items() if len(told) > 1} == {}


@pytest.mark.parametrize("path", sorted((ROOT / "web/locale/ar").glob("*.po")), ids=lambda p: p.stem)
def test_a_catalogue_declares_the_six_arabic_plural_forms(path: Path) -> None:
    with path.open("rb") as file:
        assert read_po(file, locale="ar").num_plurals == 6


if __name__ == "__main__":
    print("\n".join(missing()))
