"""`majlis messages`: the load test measures, and sends real texts to nobody who isn't on the pilot's list."""

import json
from datetime import datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.db import Database
from core.settings import Settings
from messaging import allowed
from web.cli import app
from web.schema import create_all

GATEWAY = {"name": "way", "kind": "null"}


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    monkeypatch.setenv("MAJLIS_DATA_DIR", str(tmp_path))
    monkeypatch.setenv(
        "MAJLIS_SMS_PROVIDERS",
        json.dumps(
            [GATEWAY, GATEWAY | {"name": "k", "kind": "kannel", "url": "http://k", "username": "u", "password": "p"}]
        ),
    )
    db = Database(Settings(data_dir=tmp_path).database)
    create_all(db.engine)
    with db.write() as session:
        allowed.allow(session, "+966500000001", note="us", by="admin", now=now)
    db.dispose()


def test_a_load_test_says_what_the_chain_carried(installed: None) -> None:
    told = CliRunner().invoke(app, ["messages", "loadtest", "--texts", "40", "--json"])
    assert told.exit_code == 0, told.output
    figures = json.loads(told.stdout.strip().splitlines()[-1])
    assert figures["texts"] == 40 and figures["texts_sent"] >= 40 and figures["texts_a_second"] > 0


def test_real_texts_go_to_listed_numbers_only_and_are_few(installed: None) -> None:
    def run(*more: str) -> int:
        return CliRunner().invoke(app, ["messages", "loadtest", "--texts", "5", *more]).exit_code

    assert run("--gateway", "way", "--to", "+966500000001") == 0
    assert run("--gateway", "way", "--to", "+966500000002") != 0
    assert run("--gateway", "way") != 0
    assert run("--gateway", "nobody", "--to", "+966500000001") != 0
    assert run("--gateway", "way", "--to", "+966500000001", "--texts", "5000") != 0


def test_what_to_enter_at_a_gateway_is_shown(installed: None) -> None:
    told = CliRunner().invoke(app, ["messages", "gateways"])
    assert told.exit_code == 0, told.output
    assert "/callbacks/k/inbound" in told.output and "secret:" in told.output
