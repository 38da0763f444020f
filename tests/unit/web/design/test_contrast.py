"""Every pair of tokens that carries words is computed, in both themes."""

import re
from pathlib import Path

import pytest

from tests.unit.web.design.sheets import SHEETS, THEMES, colours, contrast, rules

SURFACES = ("--paper", "--surface", "--sunk")
TEXT = ("--ink", "--soft", "--action-text", "--danger-text")
PAIRS = [
    *((text, ground) for text in TEXT for ground in SURFACES),
    ("--on-action", "--action"),
    ("--on-action", "--action-hover"),
    ("--on-danger", "--danger"),
    ("--on-screen", "--screen"),
    ("--on-danger", "--danger-hover"),
    ("--on-sand", "--sand"),
    ("--on-wait-fill", "--wait-fill"),
    ("--paper", "--ink"),
    *(("--ink", f"--{tone}-wash") for tone in ("action", "good", "info", "wait", "danger", "sand")),
    ("--action-text", "--action-wash"),
    ("--soft", "--action-wash"),
    ("--good-text", "--good-wash"),
    ("--info-text", "--info-wash"),
    ("--wait-text", "--wait-wash"),
    ("--danger-text", "--danger-wash"),
]  # fmt: skip
HALL = [
    *((text, ground) for text in ("--ink", "--soft") for ground in SURFACES),
    ("--on-call", "--call"),
]
LINES = [
    ("--edge", "--paper"),
    ("--edge", "--surface"),
    ("--focus", "--paper"),
    ("--focus", "--surface"),
    ("--action-text", "--hairline"),
]


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_words_stand_out_from_their_ground(theme: str, text: str, ground: str) -> None:
    tokens = colours(theme)
    assert contrast(tokens[text], tokens[ground]) >= 4.5


@pytest.mark.parametrize(("text", "ground"), HALL)
def test_the_hall_is_readable_across_the_room(text: str, ground: str) -> None:
    tokens = colours("night")
    assert contrast(tokens[text], tokens[ground]) >= 7


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("line", "ground"), LINES)
def test_edges_of_controls_and_the_focus_ring_are_visible(theme: str, line: str, ground: str) -> None:
    tokens = colours(theme)
    assert contrast(tokens[line], tokens[ground]) >= 3


@pytest.mark.parametrize("theme", THEMES)
def test_rules_that_set_words_and_ground_together_use_legible_pairs(theme: str) -> None:
    tokens = colours(theme)
    checked = 0
    for sheet in SHEETS:
        for rule in rules(sheet):
            text = re.fullmatch(r"var\((--[\w-]+)\)", rule.declarations.get("color", ""))
            ground = re.fullmatch(r"var\((--[\w-]+)\)", rule.declarations.get("background", ""))
            if not (text and ground) or text[1] not in tokens or ground[1] not in tokens:
                continue
            checked += 1
            ratio = contrast(tokens[text[1]], tokens[ground[1]])
            assert ratio >= 4.5, f"{rule.sheet} {rule.selector}: {ratio:.2f} in {theme}"
    assert checked >= 20


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_sand_is_an_accent_and_never_text(sheet: Path) -> None:
    coloured = [r.selector for r in rules(sheet) if r.declarations.get("color") == "var(--sand)"]
    assert not [selector for selector in coloured if not selector.endswith("%")]  # a passing frame of an animation


def test_both_themes_define_the_same_tokens() -> None:
    assert set(colours("day")) == set(colours("night"))
