"""An export's course where rows are locked for real."""

from core.db import Database
from recordings.archive import service as archive
from recordings.archive.service import Side
from recordings.export import rules, service
from recordings.export.models import Export
from recordings.export.states import EXPIRED
from tests.unit.recordings.test_export import NOON, ask, staff


def test_an_export_runs_its_course_on_both_databases(any_db: Database) -> None:
    with any_db.write() as session:
        staff(session)
        archive.start(session, recording_id="rec", meeting_id="m", petition_id="p", now=NOON)
        archive.close(session, "rec", now=NOON)
        side = Side("a", "visitor", "سارة", "Sara", "x", 60.0, 640, 360, True, True, [])
        archive.finish(session, "rec", [side], ["nora", "omar"], now=NOON)
    with any_db.write() as session:
        export_id = ask(session).id
    with any_db.write() as session:
        service.agree(session, export_id, by="omar", now=NOON)
        service.begin(session, export_id, now=NOON)
        service.finish(session, export_id, size=1, sha256="", now=NOON)
    with any_db.write() as session:
        assert [e.id for e in service.expire_due(session, now=NOON + rules.KEPT)] == [export_id]
    with any_db.read() as session:
        assert session.get_one(Export, export_id).state == EXPIRED
