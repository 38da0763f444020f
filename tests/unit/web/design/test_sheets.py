"""Right-to-left first: no style sheet may know where left is."""

import re
from pathlib import Path

import pytest

from tests.unit.web.design.sheets import CSS, SHEETS, WEB, rules, without_comments

PHYSICAL = re.compile(
    r"^(left|right|top|bottom|width|height|(min|max)-(width|height)"
    r"|(margin|padding|border|scroll-margin|scroll-padding)-(left|right|top|bottom)(-\w+)*"
    r"|border-(top|bottom)-(left|right)-radius|inset-(left|right))$"
)
RAW_COLOUR = re.compile(r"#[0-9a-fA-F]{3,8}\b|\b(rgb|hsl|oklch)a?\(")
PRINT = re.compile(r"@media print\s*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}")
each_sheet = pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)


@each_sheet
def test_only_logical_properties_are_used(sheet: Path) -> None:
    physical = [
        f"{rule.selector} {{ {name}: {value} }}"
        for rule in rules(sheet)
        for name, value in rule.declarations.items()
        if PHYSICAL.match(name) or (name in ("text-align", "float", "clear") and value in ("left", "right"))
    ]
    assert not physical


@each_sheet
def test_arabic_is_never_letter_spaced(sheet: Path) -> None:
    spaced = [r.selector for r in rules(sheet) if r.declarations.get("letter-spacing", "0") not in ("0", "normal")]
    assert not spaced


@each_sheet
def test_raw_colours_live_in_the_tokens_alone(sheet: Path) -> None:
    if sheet.name in ("tokens.css", "print.css"):
        return
    on_screen = PRINT.sub("", without_comments(sheet.read_text()))  # printer's ink and paper are black and white
    assert not RAW_COLOUR.search(on_screen)


@each_sheet
def test_every_token_used_is_defined_somewhere(sheet: Path) -> None:
    defined = {name for path in SHEETS for rule in rules(path) for name in rule.declarations if name.startswith("--")}
    used = set(re.findall(r"var\((--[\w-]+)\)", sheet.read_text()))
    assert not used - defined


def test_every_sheet_is_linked_or_imported() -> None:
    pages = "".join(path.read_text() for path in (WEB / "templates").rglob("*.html")) + (CSS / "tokens.css").read_text()
    assert not [sheet.name for sheet in SHEETS if sheet.name not in pages]


def test_nothing_is_loaded_from_elsewhere() -> None:
    for path in [*SHEETS, *(WEB / "static/js").rglob("*.js"), *(WEB / "templates").rglob("*.html")]:
        assert not re.search(r"(src|href|url|import)\s*[=(]?\s*[\"'(]?(https?:)?//", path.read_text()), path.name
