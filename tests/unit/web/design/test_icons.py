"""Icons are named in templates, tables and scripts; a name without a drawing shows as nothing."""

import re
import xml.etree.ElementTree as ET

from tests.unit.web.design.sheets import SPRITE, WEB

SYMBOLS = set(re.findall(r'<symbol id="([\w-]+)"', SPRITE))
NAMED = re.compile(
    r"""(?:icon|icon_end)=['"]([\w-]+)['"]|icon\(name=['"]([\w-]+)['"]|['"]icon['"]:\s*['"]([\w-]+)['"]"""
)


def names_in(text: str) -> set[str]:
    found = {name for groups in NAMED.findall(text) for name in groups if name}
    found |= set(re.findall(r"icons\.svg#([\w-]+)", text))
    found |= set(re.findall(r"iconElement\(\"([\w-]+)\"", text))
    return found


def test_every_icon_that_a_page_names_is_drawn() -> None:
    missing = {
        f"{path.relative_to(WEB)}: {name}"
        for kind in ("*.html", "*.js", "*.py")
        for path in WEB.rglob(kind)
        for name in names_in(path.read_text())
        if name not in SYMBOLS
    }
    assert not missing


def test_every_icon_of_the_tone_tables_is_drawn() -> None:
    components = (WEB / "templates/components.html").read_text()
    table = re.search(r"_tone_icons = \{(.*?)\}", components, re.S)
    assert table
    assert {icon for icon in re.findall(r": '([\w-]*)'", table[1]) if icon} <= SYMBOLS


def test_the_style_guide_shows_every_icon() -> None:
    guide = (WEB / "templates/styleguide.html").read_text()
    shown = re.search(r"for name in \[(.*?)\]", guide, re.S)
    assert shown
    assert set(re.findall(r"'([\w-]+)'", shown[1])) == SYMBOLS - {"emblem", "mark"}


def test_icons_take_their_colour_from_the_words_beside_them() -> None:
    for symbol in ET.fromstring(SPRITE).iter("{http://www.w3.org/2000/svg}symbol"):
        for shape in symbol.iter():
            assert shape.get("stroke") in (None, "none")
            assert shape.get("fill") in (None, "none", "currentColor", "var(--emblem-light, #C9A86A)")
