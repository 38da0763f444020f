"""Listing and searching an archive of ten thousand recordings: what one page asks of the database, words included."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from sqlalchemy import Boolean, DateTime, Numeric, insert

from core.db import Base, Database
from core.settings import Settings
from core.staff.models import Staff, StaffRole
from reception.centres.models import Centre
from reception.petitions.models import Petition, PetitionType
from reception.visitors.models import Visitor
from recordings.archive.models import Grant, Recording
from recordings.archive.rules import TOOK_PART
from recordings.journal import open_journal
from recordings.journal_records import Mark
from recordings.keys import FileKeyRing
from recordings.notes.models import Note
from recordings.strip.files import write_marks
from video.meetings.models import Meeting, Participant
from web.http import Context
from web.library import finding
from web.retention.routes import told_all

OFFICIALS = 3
LISTED = 160  # recordings that have words beside them: the latest, which are opened
NAMES = ("أحمد", "محمد", "سارة", "فاطمة", "خالد", "نورة", "عبدالله", "ريم")


def shelf(place: Path, keys: FileKeyRing, settings: Settings, count: int, rounds: int = 9) -> dict[str, float]:
    """Milliseconds, medians; of the searches the slowest one. `s0` may view all of it, `s1` a third, `s9` nothing."""
    db = Database(f"sqlite:///{place / 'shelf.sqlite3'}")
    now = datetime.now(UTC)
    _fill(db, count, now)
    _listed(settings, keys, now, min(count, LISTED))

    def took(who: str, **asked: str) -> tuple[float, int]:
        times = []
        for _ in range(rounds):
            with _context(db, settings, who, now, asked) as ctx:
                began = time.perf_counter()
                found = finding.found(ctx, finding.wanted(ctx))
                told_all(ctx, [hit.recording for hit in found.hits])
                finding.officials(ctx.session, who, "ar", now=now)
                times.append(1000 * (time.perf_counter() - began))
        return statistics.median(times), len(found.hits)

    far = f"{round((now - timedelta(hours=count - 5)).timestamp() * 1e6)}~r"
    lists = [took("s0"), took("s0", older=far), took("s1"), took("s9")]
    number = f"1448-{count - 2:06d}"
    searches = [
        took(who, q=words)
        for who in ("s0", "s1", "s9")
        for words in ("احمد القرني", number, f"ملاحظة {count - 2}", "لا شيء كهذا", "الكلام المكتوب ١٥٠")
    ]
    assert lists[0][1] == finding.PAGE and lists[3][1] == 0 and searches[1][1] == 1, "it finds what is there"
    db.dispose()
    return {"shelf_list_ms": max(t for t, _ in lists), "shelf_search_ms": max(t for t, _ in searches)}


def _fill(db: Database, count: int, now: datetime) -> None:
    Base.metadata.create_all(db.engine)
    rows: dict[Any, list[dict[str, Any]]] = {
        Centre: [_row(Centre, id="c")],
        Visitor: [_row(Visitor, id="v")],
        PetitionType: [_row(PetitionType, id="t", code="t")],
        Staff: [_row(Staff, id=f"s{n}", username=f"s{n}", active=True) for n in range(10)],
        StaffRole: [_row(StaffRole, id=f"s{n}", staff_id=f"s{n}", role="official") for n in range(10)],
    }
    for table in (Petition, Meeting, Participant, Recording, Grant, Note):
        rows[table] = []
    for n in range(count):
        at, id_ = now - timedelta(hours=n), f"{n:06d}"
        host = f"s{n % OFFICIALS}"
        rows[Petition].append(
            _row(
                Petition, id=id_, case_number=f"1448-{id_}", follow_code=id_, subject=f"طلب إعادة النظر في قضية {n}",
                visitor_id="v", centre_id="c", type_id="t", department_id=None,
            )
        )  # fmt: skip
        rows[Meeting].append(_row(Meeting, id=id_, appointment_id=id_, petition_id=id_, official_id=host, starts_at=at))
        name = f"{NAMES[n % 8]} {NAMES[n // 8 % 8]} القرني"
        rows[Participant] += [
            _row(Participant, id=f"v{id_}", meeting_id=id_, role="visitor", staff_id=None, name_ar=name, name_en=id_),
            _row(
                Participant, id=f"o{id_}", meeting_id=id_, role="official", staff_id=host, name_ar="معالي", name_en="H"
            ),
        ]
        rows[Recording].append(
            _row(Recording, id=f"r{id_}", meeting_id=id_, petition_id=id_, state="ready", started_at=at, journal="-")
        )
        for who in {"s0", host}:
            rows[Grant].append(
                {
                    "id": f"{who}{id_}",
                    "recording_id": f"r{id_}",
                    "staff_id": who,
                    "purpose": TOOK_PART,
                    "granted_at": at,
                }
            )
        if n % 2 == 0:
            rows[Note].append(_row(Note, id=id_, recording_id=f"r{id_}", state="kept", text=f"ملاحظة {n} عن الصك"))
    with db.write() as session:
        for table, many in rows.items():
            session.execute(insert(table), many)


def _row(table: Any, **given: Any) -> dict[str, Any]:
    """`given`, and something in every other column that must not be empty."""
    row = dict(given)
    for column in table.__table__.columns:
        if column.name not in row and not column.nullable and column.default is None:
            kind = getattr(column.type, "impl", column.type)
            if isinstance(kind, DateTime):
                row[column.name] = datetime(2026, 1, 1, tzinfo=UTC)
            else:
                row[column.name] = 0 if isinstance(kind, Numeric) or column.type.python_type in (int, float) else ""
            if isinstance(kind, Boolean):
                row[column.name] = False
    return row


def _listed(settings: Settings, keys: FileKeyRing, now: datetime, count: int) -> None:
    for n in range(count):
        folder = settings.recordings_dir / f"r{n:06d}"
        folder.mkdir(parents=True)
        open_journal(folder / "journal", keys, recording_id=folder.name, meeting_id="m", started_at=now).close(1.0)
        lines = [
            Mark(float(k), "text", {"participant": "p", "text": f"سطر {k} من الكلام المكتوب {n}"}) for k in range(20)
        ]
        write_marks(folder, lines, keys)


@contextmanager
def _context(db: Database, settings: Settings, who: str, now: datetime, asked: dict[str, str]) -> Iterator[Context]:
    write: Callable[[], Any] = db.write
    with db.read() as session:
        plain = SimpleNamespace(
            query=asked, session=session, staff=SimpleNamespace(id=who), now=now, settings=settings, write=write,
            lang="ar", _=lambda text: text,
        )  # fmt: skip
        yield cast(Context, plain)
