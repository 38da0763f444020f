"""Whoever reads on finds what is named: links between documents and to pictures lead somewhere."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
TYPES = ("video/mp4", "video/webm")  # a folder's name begins them, too
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
NAMED = re.compile(r"`((?:docs|bench|core|messaging|queueing|reception|recordings|tests|video|web)/[\w./-]+)`")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_of_a_document_lead_somewhere(document: Path) -> None:
    text = document.read_text()
    near = {link.partition("#")[0] for link in LINK.findall(text) if "://" not in link}
    broken = [link for link in near if link and not (document.parent / link).exists()]
    broken += [name for name in NAMED.findall(text) if not _is_there(name) and name not in TYPES]
    assert broken == []


def test_every_picture_is_shown_somewhere() -> None:
    told = "".join(path.read_text() for path in DOCUMENTS)
    assert [p.name for p in (ROOT / "docs/pictures").iterdir() if f"pictures/{p.name}" not in told] == []


def _is_there(name: str) -> bool:
    return (ROOT / name).exists() or (ROOT / f"{name}.py").exists()
