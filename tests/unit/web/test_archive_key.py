"""archive.key is gone while what it sealed is there: nothing hides the loss, and everything goes on once it is back."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from core import clock
from core.db import Database
from core.errors import Fault
from core.ids import new_id
from core.settings import Settings
from recordings.archive import service as archive
from recordings.keys import KeyLost
from recordings.storage.away import alone
from tests.recordings.proofs import write_journal
from video.meetings import service as meetings
from video.meetings.models import Meeting
from web import cli, doctor, recording
from web.cases.papers import store_of
from web.demo.people import Ministry
from web.keys import key_lost, key_ring

NOTICE = "The archive&#39;s key is missing"


@pytest.fixture
def recorded(settings: Settings) -> Path:
    """One recording's journal, and beside the data the safe in which its key lies."""
    key_ring(settings)
    folder = settings.recordings_dir / new_id()
    folder.mkdir(parents=True)
    write_journal(folder / "journal", key_ring(settings), folder.name)
    return folder


@pytest.fixture
def lost(settings: Settings, recorded: Path) -> Path:
    return (settings.data_dir / "archive.key").rename(settings.data_dir.parent / f"{recorded.name}.safe")


@pytest.fixture
def meeting(house: tuple[Database, Ministry], at: datetime) -> Meeting:
    db, ministry = house
    minister = ministry.people["minister"]
    with db.write() as session:
        return meetings.schedule(
            session,
            appointment_id=new_id(),
            petition_id="-",
            visitor_id="-",
            visitor_name=("زائر", "Visitor"),
            official=(minister.id, minister.name_ar, minister.name_en),
            centre_id=ministry.centres["central"].id,
            starts_at=at,
            ends_at=at + timedelta(minutes=20),
            now=at,
        )


def test_no_meeting_is_recorded_by_another_key_and_the_next_try_after_its_return_is(
    settings: Settings,
    house: tuple[Database, Ministry],
    meeting: Meeting,
    recorded: Path,
    lost: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recording, "MARGIN", 0)
    before = sorted(settings.recordings_dir.iterdir())
    opener = recording.sink_opener(settings, house[0])  # a media process that starts all the same
    with pytest.raises(KeyLost):
        opener(meeting.id)
    assert sorted(settings.recordings_dir.iterdir()) == before and key_lost(settings)
    lost.rename(settings.data_dir / "archive.key")
    opener(meeting.id).close(0.0)
    assert len(list(settings.recordings_dir.iterdir())) == len(before) + 1


def test_those_who_look_after_machines_are_told_on_their_pages(
    settings: Settings, cast: Callable[[str | None], TestClient], recorded: Path, lost: Path
) -> None:
    admin = cast("admin")
    for path in ("/admin", "/quality"):
        assert NOTICE in admin.get(path, params={"lang": "en"}).text, path
    assert "can't be recorded" in str(doctor._archive_key(settings))
    lost.rename(settings.data_dir / "archive.key")
    for path in ("/admin", "/quality"):
        assert NOTICE not in admin.get(path, params={"lang": "en"}).text, path
    assert doctor._archive_key(settings) is None


def test_a_paper_is_refused_in_words_and_leaves_nothing_behind(settings: Settings, recorded: Path, lost: Path) -> None:
    before = sorted(settings.files_dir.rglob("*"))
    with pytest.raises(Fault, match="can't be kept"):
        store_of(settings).put(new_id(), b"paper")
    assert sorted(settings.files_dir.rglob("*")) == before
    lost.rename(settings.data_dir / "archive.key")


def test_only_a_command_makes_a_new_one_and_never_beside_one_that_is_there(
    settings: Settings, recorded: Path, lost: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAJLIS_DATA_DIR", str(settings.data_dir))
    run = CliRunner().invoke
    assert run(cli.app, ["recordings", "rotate-key"]).exit_code == 2 and key_lost(settings)
    made = run(cli.app, ["recordings", "new-archive-key"])
    assert made.exit_code == 0 and "safe" in made.output and not key_lost(settings)
    key_ring(settings).wrap(bytes(32), owner="r")
    assert "do not open" in str(doctor._archive_key(settings)), "what was sealed before stays closed, and is told"
    again = run(cli.app, ["recordings", "new-archive-key"])
    assert again.exit_code == 2 and "is there" in again.output
    lost.rename(settings.data_dir / "archive.key")


def test_older_keys_are_thrown_away_by_one_alone_and_with_the_recordings_at_hand(
    settings: Settings, house: tuple[Database, Ministry], recorded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with house[0].write() as session:
        archive.start(session, recording_id=recorded.name, meeting_id="m", petition_id="p", now=clock.now())
    monkeypatch.setenv("MAJLIS_DATA_DIR", str(settings.data_dir))
    run, key = CliRunner().invoke, settings.data_dir / "archive.key"
    with alone(settings.data_dir):
        assert run(cli.app, ["recordings", "rotate-key", "--drop-older"]).exit_code == 2
    assert run(cli.app, ["recordings", "rotate-key"]).exit_code == 0 and len(key.read_text().splitlines()) == 2
    settings.recordings_dir.rename(settings.data_dir / "elsewhere")
    nowhere = run(cli.app, ["recordings", "rotate-key", "--drop-older"])
    (settings.data_dir / "elsewhere").rename(settings.recordings_dir)
    assert nowhere.exit_code == 2 and "mounted" in nowhere.output and len(key.read_text().splitlines()) == 2
    dropped = run(cli.app, ["recordings", "rotate-key", "--drop-older"])
    assert dropped.exit_code == 0 and "1 older keys thrown away" in dropped.output
    assert len(key.read_text().splitlines()) == 1 and doctor._archive_key(settings) is None


def test_an_installation_that_sealed_nothing_yet_makes_its_key(tmp_path: Path) -> None:
    fresh = Settings(data_dir=tmp_path / "data", secret_hex="11" * 32)
    assert not key_ring(fresh).lost and not key_lost(fresh)
