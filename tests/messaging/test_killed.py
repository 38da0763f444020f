"""Kill -9 at every step of sending: nothing is lost, and what may be on a phone twice is counted."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from bench.sms.smsc import Behaviour, Smsc
from core.db import Database
from messaging.models import Dispatch, Message
from messaging.states import DELIVERED, SENT
from tests.messaging.killed import AT_RANDOM, STEPS

ROOT = Path(__file__).resolve().parents[2]


def kill(db: Database, folder: Path, kills: int, window: int, timeout: float) -> dict[str, Any]:
    with Smsc(Behaviour(receipts="DELIVRD")) as smsc:
        command = [sys.executable, "-m", "tests.messaging.killed", str(folder), str(smsc.port), str(kills), str(window)]
        run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=timeout, check=False)
        assert run.returncode == 0, run.stderr[-3000:]
        told: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
        parts = Counter((submit.to, submit.octets) for submit in smsc.submits)
    with db.read() as session:
        told["states"] = dict(session.execute(select(Message.state, func.count()).group_by(Message.state)).all())
        told["counted"] = session.scalar(select(func.sum(Message.doubts))) or 0
        told["waiting"] = session.scalar(select(func.count()).select_from(Dispatch)) or 0
    told["kills"] = sum(told["killed"].values())
    told["arrived"] = len({to for to, _octets in parts})
    told["parts"] = len(parts)
    told["twice"] = sum(count - 1 for count in parts.values())
    told["most"] = max(parts.values())
    return told


def judge(told: dict[str, Any], kills: int) -> None:
    assert told["kills"] >= kills, told
    assert told["waiting"] == 0 and set(told["states"]) <= {SENT, DELIVERED}, told
    assert told["arrived"] == told["texts"] == sum(told["states"].values()), "none is lost"
    assert told["parts"] == told["texts"] + told["lives"], "every part of every text: one in each life has two"
    assert told["twice"] <= told["kills"], f"at most one a kill: {told}"
    assert told["twice"] <= told["counted"] * 2, "whatever may have come twice is counted (a text may have two parts)"


def test_a_sender_killed_at_every_step_loses_nothing(db: Database, tmp_path: Path) -> None:
    told = kill(db, tmp_path, len(STEPS) + 1, 10, 120)
    judge(told, len(STEPS) + 1)


@pytest.mark.long
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("window", [1, 10])
def test_five_hundred_kills_lose_nothing_and_double_at_most_one_each(db: Database, tmp_path: Path, window: int) -> None:
    told = kill(db, tmp_path, 500, window, 1400)
    print(json.dumps(told))
    judge(told, 500)
    assert set(told["killed"]) == {*STEPS, AT_RANDOM}, "at every step"
