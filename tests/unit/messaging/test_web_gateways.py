"""Gateways over HTTP, asked over a real socket: what each kind of answer, and of silence, means for the text."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from core.db import Database
from core.settings import Settings
from messaging import entering
from messaging.models import MessageReceipt
from messaging.providers import Answer, Part, Receipt
from messaging.providers.config import gateways
from messaging.states import CREATED, DELIVERED, FAILED, SENT, TEMPORARY, UNKNOWN

PART = Part("m1", 1, 1, 7, "+966501234567", "Majlis", "نعم {code} 100%", "UCS-2", "service", None)


@contextmanager
def web(status: int | None, body: bytes = b"") -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server that answers so; None: it takes the request and says nothing until the test is over."""
    asked: list[dict[str, Any]] = []
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            asked[-1]["key"] = self.headers["idempotency-key"]
            if status is None:
                over.wait(10)
                return
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        over.set()
        server.shutdown()
        server.server_close()


def hand(url: str, **more: Any) -> Answer:
    entry = {"name": "api", "kind": "https", "url": url, "request": {"to": "{digits}", "text": "{text}"}, **more}
    ((_setup, gateway),), wrong = gateways(Settings(sms_providers=json.dumps([entry])))
    assert not wrong
    return asyncio.run(gateway.submit(PART))


@pytest.mark.parametrize(
    ("status", "body", "state", "ours", "hurried"),
    [
        (200, b'{"id": 7}', SENT, False, False),
        (200, b"not what was promised", SENT, False, False),
        (202, b'{"id": "x"}', SENT, False, False),
        (400, b"no such number", FAILED, True, False),
        (401, b"", TEMPORARY, False, False),
        (429, b"", TEMPORARY, False, True),
        (503, b"", TEMPORARY, False, False),
    ],
)
def test_what_an_answer_means(status: int, body: bytes, state: str, ours: bool, hurried: bool) -> None:
    with web(status, body) as (url, asked):
        answer = hand(url)
    assert (answer.state, answer.ours, answer.hurried) == (state, ours, hurried)
    assert asked == [{"to": "966501234567", "text": "نعم {code} 100%", "key": "m1.1"}], "its words are no template"


def test_one_that_takes_a_text_and_never_answers_leaves_it_in_doubt() -> None:
    with web(None) as (url, asked):
        answer = hand(url, timeout=0.3)
    assert answer.state == UNKNOWN and "Timeout" in answer.error and len(asked) == 1


def test_one_that_nobody_reaches_costs_no_attempt() -> None:
    assert hand("http://127.0.0.1:1").state == CREATED


def test_a_receipt_for_no_text_of_ours_is_kept_logged_and_changes_nothing(db: Database) -> None:
    with capture_logs() as logs, db.write() as session:
        told = Receipt("nobody's\u202e\x07", DELIVERED, "DELIVRD", "+966500000000")
        assert entering.receipts(session, [("api", told)], now=datetime(2026, 11, 22, tzinfo=UTC)) == 1
    assert [log["count"] for log in logs if log["event"] == "receipts for no text of ours"] == [1]
    with db.read() as session:
        row = session.scalars(select(MessageReceipt)).one()
    assert row.message_id is None and row.part_id is None and row.provider_id == "nobody's"
