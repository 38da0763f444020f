"""What `majlis doctor` says of the kernel."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from core.settings import Settings
from web import doctor


def told(settings: Settings, monkeypatch: pytest.MonkeyPatch, rmem_max: Path) -> tuple[int, str]:
    monkeypatch.setattr(doctor, "RMEM_MAX", rmem_max)
    monkeypatch.setattr(doctor, "_checks", lambda settings: [])
    out = io.StringIO()
    return doctor.report(settings, Console(file=out, width=200)), out.getvalue()


@pytest.mark.parametrize(("value", "warned"), [("212992\n", True), ("2097151\n", True), ("2097152\n", False)])
def test_a_small_waiting_room_for_packets_is_warned_of_and_is_no_fault(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str, warned: bool
) -> None:
    file = tmp_path / "rmem_max"
    file.write_text(value)
    code, text = told(settings, monkeypatch, file)
    assert code == 0 and "Everything needed is here." in text
    assert ("! Room for packets" in text and "sysctl" in text) == warned


def test_a_kernel_that_does_not_say_is_not_complained_about(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    code, text = told(settings, monkeypatch, tmp_path / "absent")
    assert code == 0 and "✓ Room for packets" in text


def test_a_machine_without_ffmpeg_is_told_what_it_can_not_do(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(doctor, "lacking", lambda: ["ffmpeg"])
    code, text = told(settings, monkeypatch, tmp_path / "absent")
    assert code == 0 and "! ffmpeg, for exports of recordings: not there: ffmpeg" in text


def test_every_gateway_is_asked_and_a_wrong_one_is_named_with_what_to_do(tmp_path: Path) -> None:
    entries = [{"name": "quiet", "kind": "null"}, {"name": "line", "kind": "smpp"}, {"name": "x", "kind": "pigeon"}]
    settings = Settings(data_dir=tmp_path, sms_providers=json.dumps(entries), sms_quiet="[1]")
    found = {name: (check(), remedy) for name, check, remedy in doctor.gateway_checks(settings)}
    assert found["Gateway quiet (null)"][0] is None
    assert "host" in (found["Gateway line (smpp)"][0] or "") and "docs/operations.md" in found["Gateway line (smpp)"][1]
    assert "pigeon" in (found["Gateway x (pigeon)"][0] or "")
    assert "MAJLIS_SMS_QUIET" in (found["Settings of texts"][0] or "")


def test_where_nothing_was_set_up_yet_that_is_said_once_and_in_words(tmp_path: Path) -> None:
    out = io.StringIO()
    assert doctor.report(Settings(data_dir=tmp_path), Console(file=out, width=200)) == 1
    text = out.getvalue()
    assert "✗ Database: there are no tables yet" in text and "majlis migrate" in text
    assert "SELECT" not in text and "Jobs" not in text and "What is to leave" not in text


def test_a_database_that_can_not_be_reached_is_named_without_our_questions(tmp_path: Path) -> None:
    out = io.StringIO()
    away = Settings(data_dir=tmp_path, database_url=f"sqlite:///{tmp_path}/nowhere/majlis.sqlite3")
    doctor.report(away, Console(file=out, width=200))
    assert "✗ Database: unable to open database file" in out.getvalue() and "sqlalche.me" not in out.getvalue()
