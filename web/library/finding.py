"""The shelf, searched: by person, case number, official, day, words, state; only among what the searcher may view.

Words of meetings lie sealed beside each recording and are opened, one after the other, for this person alone: there is
no index of them that anybody could read, and no count tells of what one may not see.
"""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from core.calendar import day_bounds, day_of
from core.language import N_
from core.text import search_form
from reception.directives.models import Directive
from reception.directives.states import WITHDRAWN
from reception.petitions.models import Petition
from recordings import access
from recordings.archive import leave
from recordings.archive import states as s
from recordings.archive.models import Recording
from recordings.journal_records import Mark
from recordings.notes.models import Note
from recordings.notes.states import KEPT
from video.meetings.models import Meeting
from web.http import Context
from web.keys import key_ring

PAGE = 20
MOST = 2000
"""So many recordings, the latest, are looked through for words."""

STATES = {
    "ready": (N_("Can be watched"), frozenset({s.READY})),
    "preparing": (N_("Being prepared"), frozenset({s.RECORDING, s.CLOSED})),
    "failed": (N_("Failed"), frozenset({s.FAILED})),
    "destroyed": (N_("Destroyed"), frozenset({s.DESTROYED})),
}


@dataclass(frozen=True, slots=True)
class Hit:
    """A recording on the shelf. `words` is the line in which it was found, `at` its second."""

    recording: Recording
    meeting: Meeting | None
    petition: Petition | None
    where: str = ""
    words: str = ""
    at: float | None = None


@dataclass(slots=True)
class Wanted:
    """What was asked for; `wrong` names the fields that could not be understood."""

    q: str = ""
    official: str = ""
    state: str = ""
    since: date | None = None
    until: date | None = None
    wrong: frozenset[str] = frozenset()

    @property
    def anything(self) -> bool:
        return bool(self.q or self.official or self.state or self.since or self.until or self.wrong)


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
    asked.wrong = frozenset(wrong)
    return asked


def found(ctx: Context, asked: Wanted) -> list[Hit]:
    """Everything that fits, latest first."""
    who = leave.viewer(ctx.session, ctx.staff.id)
    if who is None or asked.wrong:
        return []
    zone = ctx.settings.timezone
    query = leave.visible(select(Recording), who, now=ctx.now).options(selectinload(Recording.renditions))
    if asked.state:
        query = query.where(Recording.state.in_(STATES[asked.state][1]))
    if asked.since:
        query = query.where(Recording.started_at >= day_bounds(asked.since, zone)[0])
    if asked.until:
        query = query.where(Recording.started_at < day_bounds(asked.until, zone)[1])
    if asked.official:
        query = query.where(Recording.meeting_id.in_(select(Meeting.id).where(Meeting.official_id == asked.official)))
    rows = list(ctx.session.scalars(query.order_by(Recording.started_at.desc(), Recording.id).limit(MOST)))
    hits = _with_cases(ctx.session, rows)
    return _with_words(ctx, hits, search_form(asked.q).split()) if asked.q else hits


def officials(session: Session, hits: list[Hit], lang: str) -> list[tuple[str, str]]:
    """Those whose meetings are on the shelf, and nobody else's."""
    names: dict[str, str] = {}
    for hit in hits:
        for person in hit.meeting.participants if hit.meeting else []:
            if hit.meeting and person.staff_id == hit.meeting.official_id:
                names[person.staff_id] = person.name(lang)
    return sorted(names.items(), key=lambda one: one[1])


def _with_cases(session: Session, rows: list[Recording]) -> list[Hit]:
    meetings = {m.id: m for m in session.scalars(select(Meeting).where(Meeting.id.in_({r.meeting_id for r in rows})))}
    cases = {p.id: p for p in session.scalars(select(Petition).where(Petition.id.in_({r.petition_id for r in rows})))}
    return [Hit(row, meetings.get(row.meeting_id), cases.get(row.petition_id)) for row in rows]


def _with_words(ctx: Context, hits: list[Hit], words: list[str]) -> list[Hit]:
    def match(text: str) -> bool:
        form = search_form(text)
        return all(word in form for word in words)

    if not words:
        return []
    ids = {hit.recording.id for hit in hits}
    notes: dict[str, list[Note]] = {}
    for note in ctx.session.scalars(select(Note).where(Note.recording_id.in_(ids), Note.state == KEPT)):
        notes.setdefault(note.recording_id, []).append(note)
    orders: dict[str, list[Directive]] = {}
    meeting_ids = {hit.recording.meeting_id for hit in hits}
    for order in ctx.session.scalars(
        select(Directive).where(Directive.meeting_id.in_(meeting_ids), Directive.state != WITHDRAWN)
    ):
        orders.setdefault(order.meeting_id, []).append(order)
    known: dict[str, Hit] = {}
    for hit in hits:
        if (better := _known(hit, notes.get(hit.recording.id, []), orders, match)) is not None:
            known[hit.recording.id] = better
    lines = access.search(
        ctx.write,
        ctx.staff.id,
        [hit.recording.id for hit in hits if hit.recording.id not in known],
        lambda mark: match(_text(mark)),
        folder=ctx.settings.recordings_dir,
        keyring=key_ring(ctx.settings),
        clock=lambda: ctx.now,
    )
    for hit in hits:
        if mark := lines.get(hit.recording.id):
            known[hit.recording.id] = Hit(
                hit.recording, hit.meeting, hit.petition, ctx._("Written in the meeting"), _text(mark), mark.at
            )
        elif (one := known.get(hit.recording.id)) and one.where:
            known[hit.recording.id] = Hit(one.recording, one.meeting, one.petition, ctx._(one.where), one.words, one.at)
    return [known[hit.recording.id] for hit in hits if hit.recording.id in known]


def _known(hit: Hit, notes: list[Note], orders: dict[str, list[Directive]], match: object) -> Hit | None:
    assert callable(match)
    people = " ".join(f"{p.name_ar} {p.name_en}" for p in hit.meeting.participants) if hit.meeting else ""
    case = f"{hit.petition.case_number} {hit.petition.subject}" if hit.petition else ""
    if match(f"{people} {case}"):
        return hit
    for order in orders.get(hit.recording.meeting_id, []):
        at = (order.marked_at - hit.recording.started_at).total_seconds()
        if order.text and at >= 0 and match(order.text):
            return Hit(hit.recording, hit.meeting, hit.petition, ORDER, order.text, max(at - 15, 0))
    for note in notes:
        if match(note.text):
            return Hit(hit.recording, hit.meeting, hit.petition, NOTE, note.text, note.at_s)
    return None


ORDER, NOTE = N_("In an order"), N_("In a note")


def _text(mark: Mark) -> str:
    text = mark.data.get("text")
    return text if isinstance(text, str) else ""
