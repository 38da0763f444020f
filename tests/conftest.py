"""Databases for tests: SQLite in a temporary folder, and a throw-away PostgreSQL cluster."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from core.db import Database
from core.staff.models import Staff, StaffRole
from core.staff.rules import ATTENDANT
from tests.blank import blank
from tests.children import guarded
from web.schema import create_all

settings.register_profile("majlis", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("majlis")
"""No test fails because a machine is slow; what something costs is for bench/ to say."""

TIMED = {
    "bench/test_soak.py",
    "journey/test_main_job.py",
    "media/test_four.py",
    "media/test_lines.py",
    "media/test_meeting.py",
    "media/test_reconnection.py",
    "queue/test_hall.py",
    "recordings/test_browser.py",
    "recordings/test_player.py",
}
"""Whose tests watch a clock, or a picture as it moves: nothing else may run beside them."""
LONGEST = (
    "journey/test_axe.py",
    "journey/test_appointments.py",
    "bench/test_queue_bench.py",
    "journey/test_intake.py",
    "journey/test_processes.py",
    "recordings/test_rendition.py",
    "recordings/test_every_byte.py",
    "recordings/test_export_course.py",
    "media/test_bad_input.py",
    "media/test_killed.py",
    "media/test_room.py",
    "design/test_behaviour.py",
    "fuzz/test_hostile.py",
    "queue/test_kiosk_walk.py",
    "recordings/test_remux.py",
    "recordings/test_proof_page.py",
    "recordings/test_sides.py",
    "recordings/test_following.py",
    "journey/test_postgresql.py",
    "media/test_words.py",
    "messaging/test_killed.py",
    "messaging/test_smpp.py",
    "queue/test_centre.py",
    "media/test_turn.py",
    "media/test_gstreamer.py",
    "bench/test_recordings_bench.py",
    "bench/test_media_bench.py",
    "queue/test_counter_keys.py",
    "queue/test_kiosk_printing.py",
    "media/test_devices.py",
)
"""Files that take a worker longest go first: who begins a minute's work when the others have ended has them wait."""
NOON = datetime(2026, 10, 27, 9, 0, tzinfo=UTC)  # a Tuesday, 12:00 in Riyadh
ZONE = "Asia/Riyadh"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With `-m "alone …"` no other file is read: that takes as long as a test does."""
    if not str(config.option.markexpr).startswith("alone") or collection_path.suffix != ".py":
        return None
    place = collection_path.relative_to(Path(__file__).parent)
    return True if place.name.startswith("test_") and not {place.parts[0], place.as_posix()} & TIMED else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    tests = Path(__file__).parent
    turns = {name: turn for turn, name in enumerate(LONGEST)}
    for item in items:
        place = item.path.relative_to(tests)
        if {place.parts[0], place.as_posix()} & TIMED:
            item.add_marker(pytest.mark.alone)
    items.sort(key=lambda item: turns.get(item.path.relative_to(tests).as_posix(), len(turns)))


@pytest.fixture
def now() -> datetime:
    return NOON


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = blank(tmp_path / "test.sqlite3")
    yield database
    database.dispose()


@pytest.fixture
def session(db: Database) -> Iterator[Session]:
    """A write transaction, rolled back at the end."""
    with db._sessions() as opened:
        yield opened


def attendant(centre_id: str, name: str = "") -> Staff:
    """Who seats visitors in the video hall of this centre; without one there is no meeting there."""
    name = name or f"attendant.{centre_id}"
    return Staff(
        id=name,
        username=name,
        password_hash="-",
        name_ar="مشرف القاعة",
        name_en="Attendant",
        centre_id=centre_id,
        role_rows=[StaffRole(role=ATTENDANT)],
    )


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a cluster of our own on a Unix socket, gone afterwards.

    Not below pytest's own folder: every pytest that starts shuts that folder to all but its owner, and PostgreSQL,
    which runs as somebody else, could then neither work nor be stopped.
    """
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not binaries:
        pytest.fail("PostgreSQL is not installed: run `make test`, or `bash requirements/system.sh test`")
    home = Path(tempfile.mkdtemp(prefix="majlis-pg-")).resolve()
    run = []
    if os.getuid() == 0:  # PostgreSQL refuses to run as root
        run = ["runuser", "-u", "postgres", "--"]
        shutil.chown(home, "postgres")
    data = home / "data"
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "cwd": "/", "timeout": 60}
    subprocess.run([*run, binaries[-1] / "initdb", "-D", data, "-U", "majlis", "-A", "trust", "--no-sync"], **quiet)
    options = f"-k {home} -h '' -c fsync=off -c max_connections=200"
    subprocess.run(
        [*run, binaries[-1] / "pg_ctl", "-D", data, "-l", home / "log", "-w", "-o", options, "start"], **quiet
    )
    with guarded([*run, binaries[-1] / "pg_ctl", "-D", data, "-m", "immediate", "stop"], ["rm", "-rf", home]):
        yield f"postgresql://majlis@/postgres?host={home}"


@pytest.fixture(scope="session")
def template(postgres: str) -> str:
    """The name of an empty database from which others are made."""
    _create(postgres, "empty")
    database = Database(postgres.replace("/postgres?", "/empty?"))
    create_all(database.engine)
    database.dispose()
    return "empty"


def _create(address: str, name: str, template: str = "template1") -> None:
    admin = create_engine(address.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    admin.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def any_db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """The same test on both databases, each empty."""
    if request.param == "sqlite":
        database = blank(tmp_path / "test.sqlite3")
    else:
        address = request.getfixturevalue("postgres")
        name = f"t{uuid4().hex[:12]}"
        _create(address, name, request.getfixturevalue("template"))
        database = Database(address.replace("/postgres?", f"/{name}?"))
    yield database
    database.dispose()
