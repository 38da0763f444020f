"""The shelf, searched: by person, case number, official, day, words, state; only among what the searcher may view.

Pages are taken out of the database by place and size, whatever the archive has grown to. Words of meetings lie sealed
beside each recording and are opened, one after the other, for this person alone: there is no index of them that anybody
could read, so only the latest ones are looked through at once. No count tells of what one may not see.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session, lazyload

from core.calendar import day_bounds, day_of
from core.language import N_
from core.staff.models import Staff
from core.text import arabic_digits, search_form
from reception.directives.models import Directive
from reception.directives.states import WITHDRAWN
from reception.petitions.models import Petition
from recordings import access
from recordings.archive import leave
from recordings.archive import states as s
from recordings.archive.models import Recording
from recordings.archive.rules import Viewer
from recordings.journal_records import Mark
from recordings.notes.models import Note
from recordings.notes.states import KEPT
from video.meetings.models import Meeting, Participant
from web.http import Context
from web.keys import key_ring

PAGE = 20
LOOK, LOOK_FURTHER = 100, 1000
"""So many recordings, the latest, are opened for words written in them at once; up to so many when one asks on."""
PORTION = 60

STATES = {
    "ready": (N_("Can be watched"), frozenset({s.READY})),
    "preparing": (N_("Being prepared"), frozenset({s.RECORDING, s.CLOSED})),
    "failed": (N_("Failed"), frozenset({s.FAILED})),
    "destroyed": (N_("Destroyed"), frozenset({s.DESTROYED})),
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ends: pages are found by that, not by counting, so that what is added meanwhile shifts nothing."""

    at: datetime
    id: str

    @property
    def text(self) -> str:
        return f"{round(self.at.timestamp() * 1e6)}~{self.id}"


@dataclass(frozen=True, slots=True)
class Hit:
    """A recording on the shelf. `words` is the line in which it was found, `at` its second."""

    recording: Recording
    meeting: Meeting | None
    petition: Petition | None
    where: str = ""
    words: str = ""
    at: float | None = None


@dataclass(frozen=True, slots=True)
class Shelf:
    """One page. `newer` and `older` are places to go on from, empty where there is nothing more.

    `count` is None where more was found than stands here. Of words written in meetings: `looked_to` is how far back
    they were looked through, `further` the place to go on.
    """

    hits: list[Hit]
    newer: str = ""
    older: str = ""
    count: int | None = None
    looked_to: datetime | None = None
    further: str = ""


@dataclass(slots=True)
class Wanted:
    """What was asked for; `wrong` names the fields that could not be understood, the last three are places."""

    q: str = ""
    official: str = ""
    state: str = ""
    since: date | None = None
    until: date | None = None
    wrong: frozenset[str] = frozenset()
    older: Place | None = None
    newer: Place | None = None
    further: Place | None = None

    @property
    def anything(self) -> bool:
        return bool(self.q or self.official or self.state or self.since or self.until or self.wrong)

    @property
    def words(self) -> list[str]:
        return search_form(self.q).split()


def wanted(ctx: Context) -> Wanted:
    asked, wrong = Wanted(q=ctx.query.get("q", "").strip()[:200]), set()
    for name in ("since", "until"):
        text = ctx.query.get(name, "").strip()[:40]
        if text:
            try:
                setattr(asked, name, day_of(text))
            except ValueError:
                wrong.add(name)
    asked.official = ctx.query.get("official", "")[:60]
    asked.state = ctx.query.get("state", "") if ctx.query.get("state") in STATES else ""
    asked.older, asked.newer = place_of(ctx.query.get("older", "")), place_of(ctx.query.get("newer", ""))
    asked.further = place_of(ctx.query.get("further", ""))
    asked.wrong = frozenset(wrong)
    return asked


def place_of(text: str) -> Place | None:
    """None too for what is no place: an address that somebody shortened leads to the beginning."""
    at, _, id_ = text[:80].partition("~")
    try:
        return Place(datetime.fromtimestamp(int(at) / 1e6, UTC), id_) if id_ else None
    except (ValueError, OverflowError, OSError):
        return None


def found(ctx: Context, asked: Wanted) -> Shelf:
    """What fits, latest first, a page of it: from the first one on, or on either side of a place."""
    who = leave.viewer(ctx.session, ctx.staff.id)
    words = asked.words
    if who is None or asked.wrong or (asked.q and not words):
        return Shelf([], count=0)
    query = _fitting(ctx, asked, who)
    if asked.further is not None and words:
        return _in_lines(ctx, query, words, asked.further, LOOK_FURTHER)
    hits = _page(ctx, _told_of(query, words), words, asked.older, asked.newer)
    more = len(hits) > PAGE
    if asked.newer is not None:
        if len(hits) < PAGE:  # the beginning
            return found(ctx, replace(asked, newer=None))
        hits = hits[-PAGE:]
    hits = hits[:PAGE]
    newer = bool(hits) and (asked.older is not None or (asked.newer is not None and more))
    older = bool(hits) and (asked.newer is not None or more)
    shelf = Shelf(
        hits,
        newer=_place(hits[0].recording).text if newer else "",
        older=_place(hits[-1].recording).text if older else "",
    )
    if not words:
        return replace(shelf, count=_count(ctx.session, query))
    if newer or older:
        return shelf if asked.older or asked.newer else _with_lines(ctx, shelf, query, words)
    return _with_lines(ctx, replace(shelf, count=len(hits)), query, words)


def anything(session: Session, staff_id: str, *, now: datetime) -> bool:
    """Is there one that this person may view?"""
    who = leave.viewer(session, staff_id)
    return who is not None and session.scalar(leave.visible(select(Recording.id), who, now=now).limit(1)) is not None


def officials(session: Session, staff_id: str, lang: str, *, now: datetime) -> list[tuple[str, str]]:
    """Those whose meetings are on this person's shelf, and nobody else's."""
    who = leave.viewer(session, staff_id)
    if who is None:
        return []
    mine = leave.visible(select(Recording.id), who, now=now).where(
        Recording.meeting_id == Meeting.id, Meeting.official_id == Staff.id
    )
    met = select(Staff).where(Staff.id.in_(select(Meeting.official_id).distinct()), mine.correlate(Staff).exists())
    return sorted(((one.id, one.name(lang)) for one in session.scalars(met)), key=lambda one: one[1])


def _fitting(ctx: Context, asked: Wanted, who: Viewer) -> Select[Any]:
    """What this person may view, narrowed by all but words."""
    zone = ctx.settings.timezone
    query = leave.visible(select(Recording), who, now=ctx.now)
    if asked.state:
        query = query.where(Recording.state.in_(STATES[asked.state][1]))
    if asked.since:
        query = query.where(Recording.started_at >= day_bounds(asked.since, zone)[0])
    if asked.until:
        query = query.where(Recording.started_at < day_bounds(asked.until, zone)[1])
    if asked.official:
        query = query.where(Recording.meeting_id.in_(select(Meeting.id).where(Meeting.official_id == asked.official)))
    return query


def _told_of(query: Select[Any], words: list[str]) -> Select[Any]:
    """Narrowed to where the words may stand in case, people, orders or notes; a few too many, never one too few."""
    if not words:
        return query
    case = and_(
        *(
            or_(
                exists().where(
                    Petition.id == Recording.petition_id, _may(word, Petition.subject, Petition.case_number)
                ),
                exists().where(
                    Participant.meeting_id == Recording.meeting_id,
                    _may(word, Participant.name_ar, Participant.name_en),
                ),
            )
            for word in words
        )
    )
    order = exists().where(
        Directive.meeting_id == Recording.meeting_id,
        Directive.state != WITHDRAWN,
        Directive.marked_at >= Recording.started_at,
        *(_may(word, Directive.text) for word in words),
    )
    note = exists().where(
        Note.recording_id == Recording.id, Note.state == KEPT, *(_may(word, Note.text) for word in words)
    )
    return query.where(or_(case, order, note))


def _may(word: str, *columns: Any) -> ColumnElement[bool]:
    return or_(*(column.ilike(pattern) for column in columns for pattern in patterns(word)))


def patterns(word: str) -> list[str]:
    """LIKE patterns that match whatever `search_form` makes `word` of: databases know nothing of that form.

    Letters that it joins are any letter here, and marks may stand between any two; digits are of one script at a time.
    """
    if any(letter.isdigit() for letter in word):
        scripts = [word, arabic_digits(word), word.translate(PERSIAN)]
        return list(dict.fromkeys(_pattern(one) for one in scripts))
    return [_pattern(word)]


def _pattern(word: str) -> str:
    fixed = ["_" if letter in VARIED or not letter.isalnum() else letter for letter in word]
    return "%" + ("".join(fixed) if word.isascii() and "_" not in fixed else "%".join(fixed)) + "%"


def _page(ctx: Context, query: Select[Any], words: list[str], older: Place | None, newer: Place | None) -> list[Hit]:
    """At most one more than a page, latest first."""
    hits: list[Hit] = []
    at, back = (newer, False) if newer is not None else (older, True)
    size = PORTION if words else PAGE + 1
    while len(hits) <= PAGE:
        rows = _rows(ctx.session, query, at, back=back, limit=size)
        hits += _matching(ctx, _with_cases(ctx.session, rows), words) if words else _with_cases(ctx.session, rows)
        if len(rows) < size:
            break
        at = _place(rows[-1])
    hits = hits[: PAGE + 1]
    return hits if back else hits[::-1]


def _rows(session: Session, query: Select[Any], at: Place | None, *, back: bool, limit: int) -> list[Recording]:
    """Those behind `at` (`back`: older ones), in the order of the walk."""
    when, id_ = Recording.started_at, Recording.id
    if at is not None and back:
        query = query.where(when <= at.at, or_(when < at.at, id_ < at.id))
    elif at is not None:
        query = query.where(when >= at.at, or_(when > at.at, id_ > at.id))
    order = (when.desc(), id_.desc()) if back else (when, id_)
    plain = query.options(lazyload(Recording.renditions), lazyload(Recording.grants))
    return list(session.scalars(plain.order_by(*order).limit(limit)))


def _count(session: Session, query: Select[Any]) -> int:
    return session.scalar(select(func.count()).select_from(query.with_only_columns(Recording.id).subquery())) or 0


def _place(recording: Recording) -> Place:
    return Place(recording.started_at, recording.id)


def _with_cases(session: Session, rows: list[Recording]) -> list[Hit]:
    meetings = {m.id: m for m in session.scalars(select(Meeting).where(Meeting.id.in_({r.meeting_id for r in rows})))}
    cases = {p.id: p for p in session.scalars(select(Petition).where(Petition.id.in_({r.petition_id for r in rows})))}
    return [Hit(row, meetings.get(row.meeting_id), cases.get(row.petition_id)) for row in rows]


def _matching(ctx: Context, hits: list[Hit], words: list[str]) -> list[Hit]:
    """Those of `hits` in whose case, people, orders or notes all the words stand, with the line where they do."""
    notes: dict[str, list[Note]] = {}
    ids = {hit.recording.id for hit in hits}
    for note in ctx.session.scalars(select(Note).where(Note.recording_id.in_(ids), Note.state == KEPT)):
        notes.setdefault(note.recording_id, []).append(note)
    orders: dict[str, list[Directive]] = {}
    meeting_ids = {hit.recording.meeting_id for hit in hits}
    for order in ctx.session.scalars(
        select(Directive).where(Directive.meeting_id.in_(meeting_ids), Directive.state != WITHDRAWN)
    ):
        orders.setdefault(order.meeting_id, []).append(order)
    known = (
        _known(hit, notes.get(hit.recording.id, []), orders.get(hit.recording.meeting_id, []), words) for hit in hits
    )
    return [replace(hit, where=ctx._(hit.where)) if hit.where else hit for hit in known if hit is not None]


def _known(hit: Hit, notes: list[Note], orders: list[Directive], words: list[str]) -> Hit | None:
    people = " ".join(f"{p.name_ar} {p.name_en}" for p in hit.meeting.participants) if hit.meeting else ""
    case = f"{hit.petition.case_number} {hit.petition.subject}" if hit.petition else ""
    if _match(f"{people} {case}", words):
        return hit
    for order in orders:
        at = (order.marked_at - hit.recording.started_at).total_seconds()
        if order.text and at >= 0 and _match(order.text, words):
            return replace(hit, where=ORDER, words=order.text, at=max(at - 15, 0))
    for note in notes:
        if _match(note.text, words):
            return replace(hit, where=NOTE, words=note.text, at=note.at_s)
    return None


def _with_lines(ctx: Context, shelf: Shelf, query: Select[Any], words: list[str]) -> Shelf:
    """The first page has what was written in the latest meetings, too."""
    there = {hit.recording.id for hit in shelf.hits}
    lines = _in_lines(ctx, query, words, None, LOOK, but=there)
    hits = sorted(
        [*shelf.hits, *lines.hits], key=lambda hit: (hit.recording.started_at, hit.recording.id), reverse=True
    )
    count = None if shelf.count is None or lines.further else len(hits)
    return replace(shelf, hits=hits, count=count, looked_to=lines.looked_to, further=lines.further)


def _in_lines(
    ctx: Context,
    query: Select[Any],
    words: list[str],
    at: Place | None,
    most: int,
    but: Collection[str] = frozenset(),
) -> Shelf:
    """Recordings in which the words were written, among the `most` next ones."""
    hits: list[Hit] = []
    looked = 0
    while True:
        rows = _rows(ctx.session, query, at, back=True, limit=min(LOOK, most - looked))
        lines = access.search(
            ctx.write,
            ctx.staff.id,
            [row.id for row in rows if row.id not in but],
            lambda mark: _match(_text(mark), words),
            folder=ctx.settings.recordings_dir,
            keyring=key_ring(ctx.settings),
            clock=lambda: ctx.now,
        )
        hits += [
            replace(hit, where=ctx._("Written in the meeting"), words=_text(mark), at=mark.at)
            for hit in _with_cases(ctx.session, [row for row in rows if row.id in lines])
            if (mark := lines[hit.recording.id])
        ]
        if len(rows) < min(LOOK, most - looked):
            return Shelf(hits, count=len(hits))
        looked, at = looked + len(rows), _place(rows[-1])
        if looked >= most or len(hits) >= PAGE:
            return Shelf(hits, looked_to=at.at, further=at.text)


ORDER, NOTE = N_("In an order"), N_("In a note")
PERSIAN = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
VARIED = frozenset("اأإآٱيىئیوؤهةكگکaeiounclszyrtdgjhkw")
"""Letters that stand for others once a text is in its search form (`core.text`), or may bear a mark in one piece."""


def _match(text: str, words: list[str]) -> bool:
    form = search_form(text)
    return all(word in form for word in words)


def _text(mark: Mark) -> str:
    text = mark.data.get("text")
    return text if isinstance(text, str) else ""
