"""Reads our own style sheets: small, regular files without nesting, so a small reader will do."""

import re
from dataclasses import dataclass
from pathlib import Path

WEB = Path(__file__).resolve().parents[4] / "web"
CSS = WEB / "static/css"
SHEETS = sorted(CSS.glob("*.css"))
SPRITE = (WEB / "static/icons.svg").read_text()
THEMES = ("day", "night")


@dataclass(frozen=True)
class Rule:
    sheet: str
    selector: str
    declarations: dict[str, str]


def without_comments(css: str) -> str:
    return re.sub(r"/\*.*?\*/", "", css, flags=re.S)


def rules(sheet: Path) -> list[Rule]:
    """Innermost blocks; what surrounds them (@media) is left out."""
    found = []
    for selector, body in re.findall(r"([^{};]+)\{([^{}]*)\}", without_comments(sheet.read_text())):
        pairs = (line.split(":", 1) for line in body.split(";") if ":" in line)
        found.append(Rule(sheet.name, " ".join(selector.split()), {k.strip(): v.strip() for k, v in pairs}))
    return found


def colours(theme: str) -> dict[str, tuple[float, float, float]]:
    """Token → sRGB (0–1) of one theme; translucent tokens are left out."""
    found = {}
    for rule in rules(CSS / "tokens.css"):
        if f'data-theme="{theme}"' not in rule.selector:
            continue
        for name, value in rule.declarations.items():
            if match := re.fullmatch(r"#([0-9a-f]{6})", value):
                found[name] = tuple(int(match[1][i : i + 2], 16) / 255 for i in (0, 2, 4))
    return found


def contrast(a: tuple[float, float, float], b: tuple[float, float, float]) -> float:
    """WCAG 2.2 contrast ratio (relative luminance of sRGB)."""

    def luminance(colour: tuple[float, float, float]) -> float:
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)
