"""An export from asking to fetching, through pages, worker and a real ffmpeg: and every way it may go wrong."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient
from typer.testing import CliRunner

from core import clock
from core.audit import AuditEntry
from core.db import Database
from core.events import OutboxEvent, name_of
from core.ids import new_id
from core.jobs import Job
from core.settings import Settings
from recordings.archive import service as archive
from recordings.archive.service import Side
from recordings.export import proof as film_proof
from recordings.export import rules, service
from recordings.export.events import ExportAdvanced
from recordings.export.models import Export
from recordings.export.states import AGREED, CANCELLED, EXPIRED, FAILED, MAKING, READY
from recordings.journal import open_journal
from recordings.remux import remux
from recordings.signing import public_pem
from tests.recordings.calls import Sender, deliver, pictures, send, sounds
from tests.recordings.films import alive, family
from tests.unit.web.conftest import Cast, cast, house, settings  # noqa: F401
from tests.unit.web.test_library import _csrf
from video.meetings import service as meetings
from web.demo.people import Ministry
from web.exports import making
from web.exports.making import make_lane
from web.keys import key_ring, public_keys
from web.library.command import app as command
from web.wiring import make_worker

SECONDS = 6.0
PURPOSE = "عرضه على المحكمة العامة"
Record = Callable[[], str]


@pytest.fixture(scope="module")
def template(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[float, str, bytes]]:  # noqa: F811
    """Six seconds of a picture and a voice, as packets."""
    voice, face = Sender(1, 111, 48_000), Sender(2, 96, 90_000)
    sent = send(voice, "a/1/audio", sounds(0, SECONDS))
    return sent + send(face, "a/1/video", pictures(0, SECONDS, 320, 180), split=face.frame)


@pytest.fixture
def record(
    settings: Settings,  # noqa: F811
    house: tuple[Database, Ministry],  # noqa: F811
    template: list[tuple[float, str, bytes]],
) -> Record:
    """A ready recording of the minister with a visitor, which minister and aide may view. Returns its id."""
    db, ministry = house

    def make() -> str:
        now, recording_id, minister = clock.now(), new_id(), ministry.people["minister"]
        ring, folder = key_ring(settings), settings.recordings_dir / recording_id
        folder.mkdir(parents=True)
        with db.write() as session:
            meeting = meetings.schedule(
                session,
                appointment_id=new_id(),
                petition_id="-",
                visitor_id="v",
                visitor_name=("سارة الحربي", "Sara al-Harbi"),
                official=(minister.id, minister.name_ar, minister.name_en),
                centre_id=ministry.centres["central"].id,
                starts_at=now,
                ends_at=now + timedelta(minutes=20),
                now=now,
            )
            visitor = next(p for p in meeting.participants if p.role == "visitor")
            archive.start(session, recording_id=recording_id, meeting_id=meeting.id, petition_id="-", now=now)
            meeting_id, visitor_id = meeting.id, visitor.id
        journal = open_journal(
            folder / "journal", ring, recording_id=recording_id, meeting_id=meeting_id, started_at=now
        )
        journal.track("a/1/audio", visitor_id, "audio", "opus", 48_000, 0.0)
        journal.track("a/1/video", visitor_id, "video", "VP8", 90_000, 0.0)
        journal.mark(2.0, "text", {"participant": visitor_id, "line": 1, "text": "السلام عليكم"})
        deliver(journal, template)
        journal.close(SECONDS)
        (rendition,) = remux(folder / "journal", ring, out_dir=folder).renditions
        one = Side(
            visitor_id, "visitor", "سارة الحربي", "Sara al-Harbi", f"{recording_id}/{rendition.path.name}", SECONDS,
            320, 180, True, True, [],
        )  # fmt: skip
        viewers = [minister.id, ministry.people["aide"].id]
        with db.write() as session:
            archive.close(session, recording_id, now=now)
            archive.finish(session, recording_id, [one], viewers, now=now, duration_s=SECONDS)
        return recording_id

    return make


@pytest.fixture
def lane(settings: Settings, house: tuple[Database, Ministry]) -> Iterator[Callable[[], None]]:  # noqa: F811
    """Do what is due in the exports' lane, once."""
    stop = threading.Event()
    worker = make_lane(settings, house[0], stop)

    def work() -> None:
        while worker.step():
            pass

    yield work
    stop.set()


def post(client: TestClient, path: str, **form: str) -> str:
    answer = client.post(path, data={"csrf": _csrf(client.get("/exports").text), **form})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def ask(client: TestClient, recording: str, format: str = "mp4") -> str:
    """The address of the new export's page."""
    return post(client, f"/library/{recording}/export", purpose=PURPOSE, format=format, lang="ar")


def state(db: Database, address: str) -> Export:
    with db.read() as session:
        export = session.get_one(Export, address.rsplit("/", 1)[1])
        session.expunge_all()
        return export


def in_background(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def until(true: Callable[[], object], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.05)


def test_asked_agreed_made_fetched_and_over(
    cast: Cast,  # noqa: F811
    house: tuple[Database, Ministry],  # noqa: F811
    settings: Settings,  # noqa: F811
    record: Record,
    lane: Callable[[], None],
) -> None:
    db, _ = house
    minister, aide = cast("minister"), cast("aide")
    recording = record()
    page = ask(aide, recording)
    assert PURPOSE in aide.get(page).text and "/agree" not in aide.get(page).text
    assert page in minister.get("/exports").text and f"{page}/agree" in minister.get(page).text
    lane()
    assert state(db, page).state == "asked"
    post(minister, f"{page}/agree")
    assert state(db, page).state == AGREED
    lane()
    export = state(db, page)
    assert (export.state, export.problem) == (READY, None)

    film = aide.get(f"{page}/file")
    assert film.status_code == 200 and film.content[4:8] == b"ftyp" and len(film.content) == export.size
    assert "attachment" in film.headers["content-disposition"]
    part = aide.get(f"{page}/file", headers={"range": "bytes=10-19"})
    assert part.status_code == 206 and part.content == film.content[10:20]
    for who in ("minister", "officer", "admin", "interpreter", None):
        answer = cast(who).get(f"{page}/file")
        assert answer.status_code in (303, 404) and b"ftyp" not in answer.content
    for who in ("officer", "admin", None):
        assert PURPOSE not in cast(who).get(page).text

    with db.read() as session:
        actions = list(
            session.scalars(
                select(AuditEntry.action)
                .where(AuditEntry.subject_id == recording, AuditEntry.action.not_in(["open", "read"]))
                .order_by(AuditEntry.id)
            )
        )
    assert actions == ["ask for export", "agree to export", "make export", "download"]
    assert export.sha256 in aide.get(page).text.replace("<wbr>", "")

    (sealed,) = [p for p in settings.exports_dir.iterdir() if p.name == export.file]
    assert b"ftyp" not in sealed.read_bytes()
    with db.write() as session:
        session.get_one(Export, export.id).until = clock.now()
    sweep = making.sweep_exports(settings)
    with db.write() as session:
        sweep(session, clock.now())
    assert state(db, page).state == EXPIRED and not sealed.exists()
    assert aide.get(f"{page}/file").status_code == 404


def test_cancelled_while_it_is_made_it_stops_and_leaves_nothing(
    cast: Cast,  # noqa: F811
    house: tuple[Database, Ministry],  # noqa: F811
    settings: Settings,  # noqa: F811
    record: Record,
    lane: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    db, _ = house
    minister, aide = cast("minister"), cast("aide")
    page = ask(aide, record())
    post(minister, f"{page}/agree")
    monkeypatch.setattr(making, "ASK_EVERY_S", 0.0)
    thread = in_background(lane)
    until(lambda: state(db, page).state == MAKING and family(os.getpid()))
    pids = family(os.getpid())
    post(aide, f"{page}/cancel")
    thread.join(30)
    export = state(db, page)
    assert export.state == CANCELLED
    assert not (settings.exports_dir / export.file).exists()
    assert not list(settings.exports_dir.glob(f"{export.id}*"))
    assert not [pid for pid in pids if alive(pid)]
    assert "/cancel" not in aide.get(page).text


@pytest.mark.long
def test_two_at_once_are_made_one_after_the_other(
    cast: Cast,  # noqa: F811
    house: tuple[Database, Ministry],  # noqa: F811
    record: Record,
    lane: Callable[[], None],
) -> None:
    db, _ = house
    minister, aide = cast("minister"), cast("aide")
    recording = record()
    one, two = ask(aide, recording, "mp4"), ask(aide, recording, "webm")
    for page in (one, two):
        post(minister, f"{page}/agree")
    lane()
    assert [state(db, page).state for page in (one, two)] == [READY, READY]
    assert aide.get(f"{two}/file").content[:4] == b"\x1a\x45\xdf\xa3"


def damage_journal(folder: Path) -> None:
    journal = bytearray((folder / "journal").read_bytes())
    journal[len(journal) // 2] ^= 1
    (folder / "journal").write_bytes(journal)


def damage_side(folder: Path) -> None:
    (path,) = folder.glob("*.webm.sealed")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("harm", "problem"),
    [
        (damage_journal, rules.ALTERED),
        (damage_side, rules.ALTERED),
        (lambda folder: (folder / "journal").write_bytes(b""), rules.ALTERED),
        (lambda folder: (folder / "journal").unlink(), rules.GONE),
        (lambda folder: next(folder.glob("*.webm.sealed")).unlink(), rules.GONE),
    ],
    ids=["a flipped bit in the journal", "a flipped bit in a side", "an empty journal", "no journal", "no side"],
)
def test_a_damaged_recording_fails_with_its_name_and_can_be_tried_again(
    cast: Cast,  # noqa: F811
    house: tuple[Database, Ministry],  # noqa: F811
    settings: Settings,  # noqa: F811
    record: Record,
    lane: Callable[[], None],
    tmp_path: Path,
    harm: Callable[[Path], None],
    problem: str,
) -> None:
    db, _ = house
    minister, aide = cast("minister"), cast("aide")
    recording = record()
    folder = settings.recordings_dir / recording
    shutil.copytree(folder, tmp_path / "whole")
    harm(folder)
    page = ask(aide, recording)
    post(minister, f"{page}/agree")
    lane()
    export = state(db, page)
    assert (export.state, export.problem) == (FAILED, problem)
    assert f"{page}/try-again" in aide.get(page).text and f"/library/{recording}" in aide.get(page).text
    assert not list(settings.exports_dir.glob(f"{export.id}*"))
    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "whole", folder)
    post(aide, f"{page}/try-again")
    lane()
    assert state(db, page).state == READY


def test_too_little_room_is_said_before_anything_is_made(
    cast: Cast,  # noqa: F811
    house: tuple[Database, Ministry],  # noqa: F811
    record: Record,
    lane: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    db, _ = house
    minister, aide = cast("minister"), cast("aide")
    page = ask(aide, record())
    post(minister, f"{page}/agree")
    monkeypatch.setattr(making, "_free", lambda _folder: rules.MARGIN_BYTES)
    lane()
    assert (state(db, page).state, state(db, page).problem) == (FAILED, rules.DISK_FULL)


def test_a_decoder_that_hangs_fails_with_its_name_and_the_film_can_be_tried_again(
    cast: Cast,  # noqa: F811
    house: tuple[Database, Ministry],  # noqa: F811
    settings: Settings,  # noqa: F811
    record: Record,
    lane: Callable[[], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    db, _ = house
    minister, aide = cast("minister"), cast("aide")
    hanging = tmp_path / "ffmpeg"
    hanging.write_text("#!/bin/sh\nexec sleep 600\n")
    hanging.chmod(0o755)
    make = making.make
    page = ask(aide, record())
    post(minister, f"{page}/agree")
    with monkeypatch.context() as patched:
        patched.setattr(making, "make", lambda *args, **more: make(*args, **more, program=str(hanging)))
        patched.setattr(rules, "STALLED", timedelta(seconds=1))
        lane()
    assert (state(db, page).state, state(db, page).problem) == (FAILED, rules.HUNG)
    assert not [pid for pid in family(os.getpid()) if b"600" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    assert f"{page}/try-again" in aide.get(page).text
    post(aide, f"{page}/try-again")
    lane()
    assert state(db, page).state == READY


def test_a_film_is_signed_and_can_be_told_from_any_other(
    cast: Cast,  # noqa: F811
    house: tuple[Database, Ministry],  # noqa: F811
    settings: Settings,  # noqa: F811
    record: Record,
    lane: Callable[[], None],
    tmp_path: Path,
) -> None:
    """Its hash stands signed in the trail, on the page and in a file of its own; at the terminal both are compared."""
    db, _ = house
    minister, aide = cast("minister"), cast("aide")
    recording = record()
    page = ask(aide, recording)
    post(minister, f"{page}/agree")
    lane()
    export, film, lines = state(db, page), tmp_path / "film.mp4", tmp_path / "film.mp4.proof"
    film.write_bytes(aide.get(f"{page}/file").content)
    lines.write_text(aide.get(f"{page}/proof").text)
    assert f"{page}/proof" in aide.get(page).text and cast("officer").get(f"{page}/proof").status_code == 404
    fields = film_proof.read(lines.read_text(), public_keys(settings))
    assert fields["sha256"] == hashlib.sha256(film.read_bytes()).hexdigest() == export.sha256
    assert (fields["recording"], fields["size"]) == (recording, film.stat().st_size)
    with db.read() as session:
        made = session.query(AuditEntry).filter_by(subject_id=recording, action="make export").one()
    assert made.detail["signature"] == film_proof.signature(lines.read_text())
    pem = tmp_path / "public.pem"
    pem.write_text(public_pem(next(iter(public_keys(settings).values()))))

    def told(*more: str) -> tuple[int, str]:
        answer = CliRunner().invoke(command, ["film", str(film), "--public-key", str(pem), "--lang", "ar", *more])
        return answer.exit_code, answer.output

    assert told()[0] == 0 and "دون تغيير" in told()[1]
    film.write_bytes(film.read_bytes()[:-1] + b"x")
    assert told()[0] == 1 and "ليس هذا هو الفيلم" in told()[1]
    lines.write_text(lines.read_text().replace(export.sha256 or "-", hashlib.sha256(film.read_bytes()).hexdigest()))
    assert told()[0] == 1, "who changes the lines can't sign them"
    lines.unlink()
    assert told()[0] == 2


def test_a_killed_ffmpeg_fails_with_its_name(
    cast: Cast,  # noqa: F811
    house: tuple[Database, Ministry],  # noqa: F811
    record: Record,
    lane: Callable[[], None],
) -> None:
    db, _ = house
    minister, aide = cast("minister"), cast("aide")
    page = ask(aide, record())
    post(minister, f"{page}/agree")
    thread = in_background(lane)
    until(lambda: len(family(os.getpid())) == 3)
    os.kill(max(family(os.getpid())), signal.SIGKILL)
    thread.join(30)
    assert (state(db, page).state, state(db, page).problem) == (FAILED, rules.TOOL)


def test_a_worker_that_is_stopped_hands_its_film_to_the_next(
    cast: Cast,  # noqa: F811
    house: tuple[Database, Ministry],  # noqa: F811
    settings: Settings,  # noqa: F811
    record: Record,
    lane: Callable[[], None],
) -> None:
    db, _ = house
    minister, aide = cast("minister"), cast("aide")
    page = ask(aide, record())
    post(minister, f"{page}/agree")
    stop = threading.Event()
    thread = in_background(make_lane(settings, db, stop).run)
    until(lambda: family(os.getpid()))
    stop.set()
    thread.join(30)
    assert not thread.is_alive() and state(db, page).state == MAKING
    with db.write() as session:
        job = session.scalars(select(Job).where(Job.kind == service.MAKE).order_by(Job.created_at.desc())).first()
        assert job and job.payload["export_id"] == page.rsplit("/", 1)[1]
        job.run_at = clock.now()
    lane()
    assert state(db, page).state == READY


def test_progress_is_told_and_texts_do_not_wait(
    cast: Cast,  # noqa: F811
    house: tuple[Database, Ministry],  # noqa: F811
    settings: Settings,  # noqa: F811
    record: Record,
    lane: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    db, _ = house
    minister, aide = cast("minister"), cast("aide")
    page = ask(aide, record())
    post(minister, f"{page}/agree")
    assert service.MAKE not in make_worker(settings, db).handlers  # the worker's own loop never makes a film
    monkeypatch.setattr(making, "ASK_EVERY_S", 0.0)
    monkeypatch.setattr(making, "TELL_EVERY_S", 0.0)
    lane()
    with db.read() as session:
        told = select(OutboxEvent).where(OutboxEvent.name == name_of(ExportAdvanced)).order_by(OutboxEvent.id)
        mine = [e.payload["percent"] for e in session.scalars(told) if e.payload["export_id"] in page]
    assert mine[0] == 0 and mine == sorted(mine) and len(mine) >= 2
    assert state(db, page).percent == 100
