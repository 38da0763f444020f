"""`majlis messages`: what the chain of texts carries, how the gateways fare, and what to enter at a gateway."""

import json
import tempfile
import threading
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import func, insert, select

from core import clock
from core.db import Database, new_id
from core.errors import MajlisError
from core.settings import Settings
from messaging import allowed, seen, service
from messaging.lanes import CAMPAIGN, lane_of
from messaging.models import Dispatch, Message
from messaging.outbox import Manners
from messaging.pipeline import Handle
from messaging.providers import Setup, gateway, setups
from messaging.providers.config import callback_secret
from messaging.providers.config import gateways as made_of
from messaging.rules import segments
from messaging.sending import Sender, manners_of
from messaging.states import CREATED
from web.schema import create_all

app = typer.Typer(no_args_is_help=True, help="Texts: gateways, load test.")
console = Console(highlight=False)
TEXT = "اختبار حمولة الرسائل، لا يلزمكم شيء."
NOBODY = "+9990"  # no country has it (ITU-T E.164)
MOST_REAL = 200
CODE_EVERY_S = 0.2


@app.command()
def loadtest(
    texts: Annotated[int, typer.Option(help="How many.")] = 5000,
    to_gateway: Annotated[str, typer.Option("--gateway", help="One of MAJLIS_SMS_PROVIDERS, really used.")] = "",
    to: Annotated[str, typer.Option(help="With --gateway: an allow-listed number that gets them all.")] = "",
    database: Annotated[str, typer.Option(help="An empty PostgreSQL database instead of SQLite.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Measure what the chain can carry: a campaign drains, and somebody asks for one-time codes meanwhile.

    In a database of its own, which is thrown away. Without --gateway nothing leaves this machine.
    """
    settings = Settings()
    try:
        setup = _chosen(settings, to_gateway, to, texts)
    except MajlisError as error:
        console.print(str(error))
        raise typer.Exit(1) from None
    with tempfile.TemporaryDirectory(prefix="majlis-loadtest-") as folder:
        db = Database(database or f"sqlite:///{folder}/loadtest.sqlite3")
        create_all(db.engine)
        _campaign(db, texts, to)
        handle = Handle(gateway(setup, settings), setup)
        told = _drain(db, handle, Manners(senders=manners_of(settings).senders), Path(folder), to)
        db.dispose()
    if as_json:
        print(json.dumps(told))
        return
    for name, value in told.items():
        console.print(f"{name.replace('_', ' '):>24}  {value}")


@app.command("gateways")
def gateways_() -> None:
    """How each gateway fares, as the workers saw it last, and the addresses to enter there."""
    settings = Settings()
    with Database(settings.database).read() as session:
        rows = {row.name: row for row in seen.gateways(session)}
    table = Table("Gateway", "Kind", "Ready", "Health", "Taken", "Refused", "Unanswered", "Trouble")
    for setup in setups(settings):
        row = rows.get(setup.name)
        figures = (f"{row.health:.2f}", str(row.taken), str(row.refused), str(row.unanswered)) if row else ("",) * 4
        ready = "" if row is None else "yes" if row.ready else "no"
        table.add_row(setup.name, setup.kind, ready, *figures, (row.trouble or "") if row else "not seen yet")
    for one in made_of(settings)[1]:
        table.add_row(one.name, one.kind, "no", *("",) * 4, str(one.why))
    console.print(table)
    for setup in setups(settings):
        if setup.kind in ("kannel", "https"):
            console.print(f"{setup.name}: {settings.url}/callbacks/{setup.name}/inbound (texts), …/receipt (receipts)")
            console.print(f"  secret: {callback_secret(setup, settings)}")


def _chosen(settings: Settings, name: str, to: str, texts: int) -> Setup:
    if not name:
        return Setup("null", "null", window=200)
    found = {setup.name: setup for setup in setups(settings)}
    if name not in found:
        raise typer.BadParameter(f"no gateway is called {name}")
    with Database(settings.database).read() as session:
        listed = {row.number for row in allowed.numbers(session)}
    if to not in listed:
        raise typer.BadParameter("real texts go to numbers of the pilot's list only (--to)")
    if texts > MOST_REAL:
        raise typer.BadParameter(f"not more than {MOST_REAL} real texts")
    return found[name]


def _campaign(db: Database, texts: int, to: str) -> None:
    now, cut = clock.now(), segments(TEXT)
    for start in range(0, texts, 5000):
        rows = [
            {
                "id": new_id(), "key": str(n), "to_number": to or f"{NOBODY}{n:09d}", "language": "ar",
                "template": CAMPAIGN, "message_class": CAMPAIGN, "body": TEXT, "encoding": cut.encoding,
                "parts": cut.count, "state": CREATED, "subject_kind": "loadtest", "subject_id": "-",
                "created_at": now, "due_at": now, "attempts": 0, "doubts": 0,
            }
            for n in range(start, min(start + 5000, texts))
        ]  # fmt: skip
        waiting = [
            {
                "message_id": row["id"], "to_number": row["to_number"], "body": TEXT, "message_class": CAMPAIGN,
                "lane": lane_of(CAMPAIGN), "run_at": now, "attempts": 0, "held": False, "released": False,
            }
            for row in rows
        ]  # fmt: skip
        with db.write() as session:
            session.execute(insert(Message), rows)
            session.execute(insert(Dispatch), waiting)


def _drain(db: Database, handle: Handle, manners: Manners, folder: Path, to: str) -> dict[str, float | str]:
    stop = threading.Event()
    sender = Sender(db, [handle], manners=manners, data_dir=folder, clock=clock.now)
    thread = threading.Thread(target=sender.run, args=(stop,), daemon=True)
    began, asked = time.monotonic(), 0
    thread.start()
    texts = left = _waiting(db)
    while left and time.monotonic() - began < 600:
        time.sleep(CODE_EVERY_S)
        if not to:
            _ask(db, asked)
            asked += 1
        left = _waiting(db)
    took = time.monotonic() - began
    stop.set()
    thread.join(15)
    with db.read() as session:
        waits = [
            (sent_at - created_at).total_seconds() * 1000
            for sent_at, created_at in session.execute(
                select(Message.sent_at, Message.created_at).where(
                    Message.message_class == "otp", Message.sent_at.is_not(None)
                )
            )
        ]
        states = dict(session.execute(select(Message.state, func.count()).group_by(Message.state)).all())
    waits.sort()
    told: dict[str, float | str] = {
        "gateway": handle.name,
        "texts": texts,
        "seconds": round(took, 2),
        "texts_a_second": round((texts - left) / took, 1),
        **{f"texts_{state}": count for state, count in sorted(states.items())},
    }
    if waits:
        told["code_ms_median"] = round(waits[len(waits) // 2], 1)
        told["code_ms_99th"] = round(waits[min(len(waits) - 1, int(len(waits) * 0.99))], 1)
    return told


def _ask(db: Database, n: int) -> None:
    with db.write() as session:
        service.queue(
            session, to=f"{NOBODY}9{n:08d}", template="one_time_code", fields={"code": "482913"}, language="ar",
            subject=("loadtest", "-"), key=f"code{n}", now=clock.now(),
        )  # fmt: skip


def _waiting(db: Database) -> int:
    with db.read() as session:
        waits = select(func.count()).select_from(Dispatch).where(Dispatch.message_class == CAMPAIGN)
        return session.scalar(waits) or 0
