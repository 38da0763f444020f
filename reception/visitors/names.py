"""Finding people by words of their names, among so many that a guess of the database costs a second.

Who it is, is settled among the entries alone (`VisitorWord`), before any visitor is read. Every step walks one index,
and none goes on for longer than the commonest word has entries. Databases take a narrow span of words for a single
entry, however many it holds: so nothing here is left to how they guess.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, Subquery, and_, func, intersect, literal, select
from sqlalchemy.orm import Session, aliased

from reception.visitors.models import VisitorWord

WORDS = 8  # more of a name than anybody is asked for
RARE = 2_000  # entries that are looked up one by one in the time in which 30 times as many are read through
_LAST = "\U0010ffff"

Span = Callable[[Any], ColumnElement[bool]]  # of the entity whose entries it narrows


@dataclass(frozen=True, slots=True)
class _Word:
    """A word that was typed, and how many entries it is or begins: counted up to RARE, and one more for more."""

    text: str
    whole: int
    longer: int

    @property
    def all(self) -> int:
        return self.whole + self.longer

    def is_whole(self, entry: Any) -> ColumnElement[bool]:
        return _is(self.text)(entry)

    def is_begun(self, entry: Any) -> ColumnElement[bool]:
        return and_(entry.word >= self.text, entry.word < self.text + _LAST)


def having(session: Session, words: Sequence[str], limit: int) -> list[str]:
    """Ids of those with all of `words` in the name, the newest first; then of those with whose words they begin."""
    typed = _counted(session, words[:WORDS])
    if not typed or not all(word.all for word in typed):
        return []
    found: list[str] = []
    if all(word.whole for word in typed):
        found = _looked_up(session, [word.is_whole for word in sorted(typed, key=attrgetter("whole"))], limit)
    if len(found) < limit and any(word.longer for word in typed):
        spans = [word.is_begun for word in sorted(typed, key=attrgetter("all"))]
        search = _looked_up if min(word.all for word in typed) <= RARE else _read_through
        found = list(dict.fromkeys([*found, *search(session, spans, limit)]))
    return found[:limit]


def _counted(session: Session, words: Sequence[str]) -> list[_Word]:
    if not words:
        return []
    spans = [span for word in words for span in (_is(word), _goes_on(word))]
    counts = session.execute(select(*(_many(span) for span in spans))).one()
    return [_Word(word, *both) for word, both in zip(words, zip(counts[::2], counts[1::2], strict=True), strict=True)]


def _is(word: str) -> Span:
    return lambda entry: entry.word == word


def _goes_on(word: str) -> Span:
    return lambda entry: and_(entry.word > word, entry.word < word + _LAST)


def _many(span: Span) -> Any:
    few: Subquery = select(literal(1)).select_from(VisitorWord).where(span(VisitorWord)).limit(RARE + 1).subquery()
    return select(func.count()).select_from(few).scalar_subquery()


def _looked_up(session: Session, spans: Sequence[Span], limit: int) -> list[str]:
    """Each of the first, rarest span's entries is looked for among the others. Whole words keep the index's order."""
    first, *others = spans
    wanted = select(VisitorWord.visitor_id).distinct().where(first(VisitorWord))
    for span in others:
        other = aliased(VisitorWord)
        wanted = wanted.where(
            select(literal(1)).where(other.visitor_id == VisitorWord.visitor_id, span(other)).exists()
        )
    return list(session.scalars(wanted.order_by(VisitorWord.visitor_id.desc()).limit(limit)))


def _read_through(session: Session, spans: Sequence[Span], limit: int) -> list[str]:
    """All entries of every span, intersected."""
    each = [select(VisitorWord.visitor_id).where(span(VisitorWord)) for span in spans]
    both = (intersect(*each) if len(each) > 1 else each[0]).subquery()
    return list(session.scalars(select(both.c.visitor_id).distinct().order_by(both.c.visitor_id.desc()).limit(limit)))
