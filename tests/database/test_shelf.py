"""The shelf's questions, asked of both databases: pages by place, words in either script, and nobody else's."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench.recordings.shelf import _context, _fill
from core.db import Database
from core.settings import Settings
from web.library import finding

pytestmark = pytest.mark.real
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path)


def ids(db: Database, settings: Settings, who: str, **asked: str) -> list[str]:
    """All pages, to the end and back again."""
    found: list[str] = []
    pages: list[list[str]] = []
    way: dict[str, str] = {}
    while True:
        with _context(db, settings, who, NOW, {**asked, **way}) as ctx:
            shelf = finding.found(ctx, finding.wanted(ctx))
        pages.append([hit.recording.id for hit in shelf.hits])
        found += pages[-1]
        if not shelf.older:
            break
        way = {"older": shelf.older}
    for page in pages[-2::-1]:
        with _context(db, settings, who, NOW, {**asked, "newer": shelf.newer}) as ctx:
            shelf = finding.found(ctx, finding.wanted(ctx))
        assert [hit.recording.id for hit in shelf.hits] == page
    return found


def test_pages_and_words_are_the_same_on_both(any_db: Database, settings: Settings) -> None:
    _fill(any_db, 45, NOW)
    everything = [f"r{n:06d}" for n in range(45)]
    assert ids(any_db, settings, "s0") == everything
    assert ids(any_db, settings, "s1") == everything[1::3]
    assert ids(any_db, settings, "s9") == []
    for q in ("1448-000040", "١٤٤٨-٠٠٠٠٤٠", "۱۴۴۸ ۰۰۰۰۴۰"):
        assert ids(any_db, settings, "s0", q=q) == ["r000040"]
        assert ids(any_db, settings, "s2", q=q) == []
    assert ids(any_db, settings, "s1", q="1448-000040") == ["r000040"]
    assert ids(any_db, settings, "s0", q="اِعَادَة النظر") == everything
    assert ids(any_db, settings, "s0", q="مُلاحظه 8") == ["r000008", "r000018", "r000028", "r000038"]
    assert ids(any_db, settings, "s0", q="visitor 000007 القرنى") == []
    with _context(any_db, settings, "s1", NOW, {}) as ctx:
        assert [who for who, _ in finding.officials(ctx.session, "s1", "en", now=NOW)] == ["s1"]
        assert finding.anything(ctx.session, "s1", now=NOW) and not finding.anything(ctx.session, "s9", now=NOW)
        assert finding.found(ctx, finding.wanted(ctx)).count == 15
