"""`majlis doctor`: what this machine lacks for running Majlis, and how to get it."""

import importlib
from collections.abc import Callable
from pathlib import Path

from alembic.script import ScriptDirectory
from rich.console import Console
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from core import clock, jobs
from core.db import Database
from core.settings import Settings
from recordings.export.making import lacking
from recordings.rotation import unopenable
from recordings.storage import service as storage
from recordings.storage.rules import Span, needed
from recordings.storage.states import DOOMED, FAILED, LOST
from web.disk import Room, free_bytes, room
from web.gateways import gateway_checks
from web.keys import archive_key, key_lost, key_ring, signer
from web.migrate import config
from web.printing.text import Unfit
from web.printing.text import check as check_slips
from web.static_files import VENDOR
from web.storage import bucket_of
from web.voice.clips import voice_of
from web.voice.phrases import LANGUAGES

Check = tuple[str, Callable[[], str | None], str]


RMEM_MAX = Path("/proc/sys/net/core/rmem_max")
CLOCKS_APART_S = 60
LATEST = 20  # recordings whose keys are tried
ENOUGH_ROOM = 2 << 20
"""Octets: a quarter of a second of what a full media process is sent."""


def report(settings: Settings, console: Console) -> int:
    """Print every check; returns 0 when nothing needed is missing, else 1. What is only advised doesn't count."""
    missing = 0
    for name, check, remedy in _checks(settings):
        try:
            problem = check()
        except Exception as error:
            problem = str(error.orig).strip() if isinstance(error, DBAPIError) else f"{type(error).__name__}: {error}"
        if problem is None:
            console.print(f"[green]✓[/green] {name}")
            continue
        missing += 1
        console.print(f"[red]✗[/red] {name}: {problem}\n    → {remedy}")
    for name, check, remedy in _advised(settings):
        problem = check()
        if problem is None:
            console.print(f"[green]✓[/green] {name}")
        else:
            console.print(f"[yellow]![/yellow] {name}: {problem}\n    → {remedy}")
    console.print("Everything needed is here." if not missing else f"{missing} of these need your attention.")
    return 1 if missing else 0


def _checks(settings: Settings) -> list[Check]:
    return [
        ("Python packages", _packages, "make setup"),
        ("Browser files", _browser_files, "make setup (brings fonts and socket.io from npm)"),
        ("libmagic (kinds of uploads)", lambda: _import("magic"), "apt-get install libmagic1"),
        ("Data folder", lambda: _writable(settings), f"make {settings.data_dir} writable, or set MAJLIS_DATA_DIR"),
        ("Disk space for recordings", lambda: _space(settings), "free some disk, or set MAJLIS_DATA_DIR elsewhere"),
        ("Database", lambda: _database(settings), "majlis migrate (run does it too), or look at MAJLIS_DATABASE_URL"),
        (
            "Signing key",
            lambda: _signing_key(settings),
            "majlis migrate makes the first one; a lost one comes back from its safe",
        ),
        (
            "Archive key",
            lambda: _archive_key(settings),
            "bring archive.key back from its safe (chmod 600), its lines above those of one made since; "
            "only if it is lost for good: majlis recordings new-archive-key",
        ),
        *_storage_checks(settings),
        *gateway_checks(settings),
        *(_checks_of_rows(settings) if _readable(settings) else []),
    ]


def _checks_of_rows(settings: Settings) -> list[Check]:
    """Where nothing was set up yet, to set it up is the one thing to be told of the database."""
    return [
        (
            "What is to leave the store",
            lambda: _remains(settings),
            "name the store again (MAJLIS_STORAGE_…), or see why",
        ),
        ("Jobs", lambda: _jobs(settings), "start a worker (majlis worker); failed jobs are in the table `job`"),
    ]


def _advised(settings: Settings) -> list[Check]:
    """What a machine with a few calls does without."""
    return [
        (
            "Room for packets that wait (net.core.rmem_max)",
            _waiting_room,
            "sysctl -w net.core.rmem_max=4194304 on machines with media processes (docs/operations.md)",
        ),
        ("ffmpeg, for exports of recordings", _ffmpeg, "apt-get install ffmpeg (where the worker runs)"),
        ("Tickets on paper", _slips, "apt-get install libfribidi0; make setup (brings the fonts)"),
        ("A voice for the halls", lambda: _voice(settings), "apt-get install espeak-ng (where web and worker run)"),
    ]


def _storage_checks(settings: Settings) -> list[Check]:
    """Only where recordings go into a bucket."""
    bucket = bucket_of(settings)
    if bucket is None:
        return []

    def lock() -> str | None:
        if settings.storage_lock_days and not bucket.offers_lock():
            return f"the bucket has no object lock, and MAJLIS_STORAGE_LOCK_DAYS is {settings.storage_lock_days}"
        return None

    def clocks() -> str | None:
        apart = abs((bucket.clock() - clock.now()).total_seconds())
        return None if apart < CLOCKS_APART_S else f"{apart:.0f} s apart; a store refuses what comes from another time"

    return [
        ("Store of recordings", bucket.probe, "look at MAJLIS_STORAGE_… and AWS credentials (docs/operations.md)"),
        ("Object lock", lock, "make the bucket with object lock, or set MAJLIS_STORAGE_LOCK_DAYS=0"),
        ("The store's clock", clocks, "let both machines keep time (chrony, systemd-timesyncd)"),
        ("Files in the store", lambda: _stored(settings), "see their problems: majlis recordings check --quick"),
    ]


def _archive_key(settings: Settings) -> str | None:
    """A lost key, or one that was made anew since and opens nothing that was sealed before: that must not go unseen."""
    if key_lost(settings):
        return "not there, and what was sealed needs it: meetings can't be recorded"
    if not archive_key(settings).exists():
        return None
    folders = sorted((p for p in settings.recordings_dir.glob("*") if p.is_dir()), reverse=True)[:LATEST]
    closed = [folder.name for folder in folders if unopenable(folder, key_ring(settings))]
    return f"{len(closed)} of the latest {len(folders)} recordings do not open with it" if closed else None


def _remains(settings: Settings) -> str | None:
    """Objects of destroyed recordings that nobody comes to remove, and those without a store in the settings."""
    db = Database(settings.database)
    try:
        with db.read() as session:
            rows = storage.in_state(session, DOOMED)
    finally:
        db.dispose()
    stuck = [row for row in rows if row.problem or not settings.storage_bucket]
    return f"{len(stuck)} objects of destroyed recordings are still there: {stuck[0].problem or ''}" if stuck else None


def _stored(settings: Settings) -> str | None:
    db = Database(settings.database)
    try:
        with db.read() as session:
            counts = storage.counts(session)
    finally:
        db.dispose()
    failed, lost = counts.get(FAILED, 0), counts.get(LOST, 0)
    return f"{failed} could not be stored yet, {lost} are lost" if failed or lost else None


def _waiting_room() -> str | None:
    """None too where the kernel doesn't say: in some containers it is the host's matter."""
    try:
        room = int(RMEM_MAX.read_text())
    except (OSError, ValueError):
        return None
    if room >= ENOUGH_ROOM:
        return None
    return f"{room // 1024} KiB; a media process under load loses what doesn't fit"


def _ffmpeg() -> str | None:
    """Without it all but exports works; an export then fails and says why."""
    missing = lacking()
    return f"not there: {', '.join(missing)}" if missing else None


def _slips() -> str | None:
    try:
        check_slips(VENDOR["ibm-plex-sans-arabic"])
    except Unfit as problem:
        return str(problem)
    return None


def _voice(settings: Settings) -> str | None:
    """Without one the halls ring and show. A recording that can't be read is worth a word, too."""
    voice = voice_of(settings)
    dumb = [lang for lang in LANGUAGES if not voice.speaks(lang)]
    if dumb:
        return f"nobody speaks {', '.join(dumb)}: the halls only ring"
    unread = voice.problems()
    return f"recordings that can't be read: {'; '.join(unread[:3])}" if unread else None


def _packages() -> str | None:
    return next((bad for name in ("aiortc", "av", "uvloop", "socketio", "psycopg") if (bad := _import(name))), None)


def _import(name: str) -> str | None:
    try:
        importlib.import_module(name)
    except (ImportError, OSError) as error:
        return str(error).splitlines()[0]
    return None


def _browser_files() -> str | None:
    absent = [name for name, folder in VENDOR.items() if not folder.is_dir()]
    return f"not installed: {', '.join(absent)}" if absent else None


def _writable(settings: Settings) -> str | None:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    probe = settings.data_dir / ".probe"
    probe.touch()
    probe.unlink()
    return None


def _space(settings: Settings) -> str | None:
    """Before there is a database, what one meeting needs."""
    db = Database(settings.database)
    try:
        with db.read() as session:
            found = room(settings, session, now=clock.now())
    except SQLAlchemyError:
        found = Room(free_bytes(settings.recordings_dir), needed([Span(clock.now())], now=clock.now()))
    finally:
        db.dispose()
    if not found.low:
        return None
    return f"{found.free_gib} GiB free; meetings need {found.need_gib} now, and an hour in HD takes about 2.8 in all"


def _database(settings: Settings) -> str | None:
    db = Database(settings.database)
    try:
        with db.read() as session:
            if not inspect(session.connection()).has_table("alembic_version"):
                return "there are no tables yet"
            stands = session.scalar(text("SELECT version_num FROM alembic_version"))
        newest = ScriptDirectory.from_config(config(settings.database)).get_current_head()
        if stands != newest:
            return f"its tables are those of version {stands}, this program's of {newest}"
    finally:
        db.dispose()
    return None


def _readable(settings: Settings) -> bool:
    try:
        return _database(settings) is None
    except SQLAlchemyError:
        return False


def _signing_key(settings: Settings) -> str | None:
    if not settings.signing_key_file.exists():
        return "there is none"
    signer(settings)
    return None


def _jobs(settings: Settings) -> str | None:
    db = Database(settings.database)
    try:
        with db.read() as session:
            state = jobs.backlog(session, now=clock.now())
    finally:
        db.dispose()
    return None if not state["failed"] and state["due"] < 1000 else f"{state['due']} due, {state['failed']} given up"
