"""A worker's sender that is killed (SIGKILL) at a chosen step, again and again: run as a process of its own.

`python -m tests.messaging.killed FOLDER PORT KILLS WINDOW`: each life is a fork that writes some texts, sends, and dies
at its step; the last one lives until nothing waits. One line of JSON says how often it was really killed, and where.
"""

import json
import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from core import clock
from core.db import Database
from core.settings import Settings
from messaging import outbox, service
from messaging.journal import Journal
from messaging.models import Dispatch
from messaging.pipeline import Pipeline
from messaging.providers.smpp import SmppGateway
from messaging.sending import Sender

TEXTS = 4  # written in each life
SETTLE = timedelta(seconds=1.5)
STEPS: dict[str, tuple[type | Any, str, bool]] = {
    # where: (whose, what, whether the kill comes before it)
    "taken, not yet in hand": (Pipeline, "put", True),
    "noted that it leaves": (Journal, "hand", False),
    "about to leave": (SmppGateway, "_flush", True),
    "left": (SmppGateway, "_flush", False),
    "answered, not yet noted": (SmppGateway, "_answered", True),
    "answer noted": (Pipeline, "_flush", False),
    "recording": (outbox, "record", False),
    "recorded": (Journal, "recorded", True),
}
AT_RANDOM = "whenever"


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def arm(step: str, after: int) -> None:
    """The `after`-th time this life comes by here is its last."""
    whose, what, before = STEPS[step]
    original: Callable[..., Any] = getattr(whose, what)
    left = [after]

    def wrapped(*given: Any, **named: Any) -> Any:
        if before:
            left[0] -= 1
            if left[0] == 0:
                die()
        result = original(*given, **named)
        if not before:
            left[0] -= 1
            if left[0] == 0:
                die()
        return result

    setattr(whose, what, wrapped)


def live(folder: Path, port: int, window: int, life: int, step: str | None, dice: random.Random) -> None:
    """In the fork."""
    db = Database(f"sqlite:///{folder / 'test.sqlite3'}")
    line = {"name": "line", "kind": "smpp", "host": "127.0.0.1", "port": port, "system_id": "m", "window": window}
    settings = Settings(data_dir=folder, sms_providers=json.dumps([line]), sms_quiet="")
    with db.write() as session:
        for n in range(TEXTS):
            code = f"{life:05d}{n}"
            case = code + "م" * 70 * (n == 0)  # the first has two parts
            service.queue(
                session, to=f"+96650{code}0", template="petition_to_office", fields={"case": case},
                language="ar", subject=("petition", "p"), key=code, now=clock.now(),
            )  # fmt: skip
    if step == AT_RANDOM:
        threading.Timer(dice.uniform(0.0, 0.25), die).start()
    elif step is not None:
        arm(step, dice.randint(1, 3) if STEPS[step][0] not in (Pipeline, outbox) else 1)
    stop = threading.Event()
    threading.Thread(target=watch, args=(db, stop, 5.0 if step else 120.0), daemon=True).start()
    sender = Sender.of(settings, db, clock.now)
    sender.manners = replace(sender.manners, settle=SETTLE)
    sender.run(stop)


def watch(db: Database, stop: threading.Event, seconds: float) -> None:
    """A life that nothing killed ends when all has left."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with db.read() as session:
            if not session.scalar(select(func.count()).select_from(Dispatch)):
                time.sleep(0.3)
                break
        time.sleep(0.05)
    stop.set()


def main() -> None:
    folder, port, kills, window = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    dice = random.Random(kills)
    killed: Counter[str] = Counter()
    steps = [*STEPS, AT_RANDOM]
    life = 0
    while killed.total() < kills and life < kills * 2:
        step = steps[life % len(steps)]
        child = os.fork()
        if child == 0:
            live(folder, port, window, life, step, random.Random(life))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
            killed[step] += 1
        life += 1
        dice.random()
    child = os.fork()
    if child == 0:
        live(folder, port, window, life, None, dice)
        os._exit(0)
    os.waitpid(child, 0)
    print(json.dumps({"lives": life + 1, "killed": killed, "texts": (life + 1) * TEXTS}), flush=True)


if __name__ == "__main__":
    main()
