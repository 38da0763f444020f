"""Witness, signature and check on SQLite and PostgreSQL alike."""

from datetime import UTC, datetime, timedelta

import pytest

from core.db import Database
from core.errors import NotFound, Refused
from core.jobs import Job
from core.staff.models import Staff, StaffRole
from core.staff.rules import OFFICIAL
from recordings.archive import service as archive
from recordings.proof import service as proof
from recordings.proof.rules import CHECK_LIMIT, PROVEN
from recordings.sealed_log import Head

NOW = datetime(2026, 10, 27, 9, 0, tzinfo=UTC)
pytestmark = pytest.mark.real


def head(frames: int) -> Head:
    return Head(frames, frames * 5_000_000_000, bytes([frames]) * 32)


@pytest.fixture(autouse=True)
def minister(any_db: Database) -> None:
    with any_db.write() as session:
        person = Staff(id="minister", username="minister", password_hash="", name_ar="م", name_en="m")
        person.role_rows = [StaffRole(id="minister", role=OFFICIAL)]
        session.add(person)


@pytest.fixture
def closed(any_db: Database) -> str:
    with any_db.write() as session:
        archive.start(session, recording_id="r", meeting_id="m", petition_id="p", now=NOW)
        proof.witness(session, {"r": head(1)}, now=NOW)
    with any_db.write() as session:
        proof.witness(session, {"r": head(9)}, now=NOW)
        archive.close(session, "r", now=NOW)
        archive.finish(session, "r", [], ["minister"], now=NOW, duration_s=2.5)
    return "r"


def test_a_witness_that_comes_late_changes_nothing(any_db: Database, closed: str) -> None:
    with any_db.write() as session:
        proof.witness(session, {closed: head(3)}, now=NOW + timedelta(seconds=5))
    with any_db.read() as session:
        row = proof.witnessed(session, closed)
        assert row and (row.frames, row.size, row.head, row.at) == (9, 45_000_000_000, "09" * 32, NOW)


def test_the_newest_revision_is_the_manifest(any_db: Database, closed: str) -> None:
    with any_db.write() as session:
        for revision in (1, 2):
            proof.signed(session, closed, revision=revision, sha256=f"{revision}" * 64, key="k" * 64, signed_at=NOW)
    with any_db.read() as session:
        row = proof.manifest_of(session, closed)
        assert row and (row.revision, row.sha256) == (2, "2" * 64)


def test_while_a_check_runs_it_is_the_one_that_everybody_gets(any_db: Database, closed: str) -> None:
    with any_db.write() as session:
        first = proof.ask_check(session, closed, by="minister", now=NOW)
        assert proof.ask_check(session, closed, by="minister", now=NOW + timedelta(seconds=1)).id == first.id
        with pytest.raises(NotFound):
            proof.ask_check(session, closed, by="stranger", now=NOW)
        assert session.query(Job).filter_by(kind=proof.CHECK).count() == 1
        proof.advance(session, first.id, 40, now=NOW)
        proof.checked(session, closed, verdict=PROVEN, findings=[], read=7_000_000_000, now=NOW, check_id=first.id)
    with any_db.read() as session:
        row = proof.check_of(session, closed)
        assert row and (row.verdict, row.percent, row.bytes) == (PROVEN, 100, 7_000_000_000)
    with any_db.write() as session:
        second = proof.ask_check(session, closed, by="minister", now=NOW + timedelta(minutes=1))
        assert second.id != first.id
        lost = NOW + timedelta(minutes=2) + CHECK_LIMIT
        assert proof.ask_check(session, closed, by="minister", now=lost).id != second.id, "it never came to an end"


def test_what_is_still_recorded_can_not_be_checked(any_db: Database) -> None:
    with any_db.write() as session:
        recording = archive.start(session, recording_id="live", meeting_id="m", petition_id="p", now=NOW)
        archive._give_leave(session, recording, ["minister"], now=NOW)
        session.refresh(recording)
        with pytest.raises(Refused):
            proof.ask_check(session, "live", by="minister", now=NOW)
