"""Whether each gateway is there and lets us in, asked without a text: what `majlis doctor` says of them."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from bench.sms.smsc import Behaviour, Smsc
from core.settings import Settings
from messaging.providers.probing import probe


def troubles(*entries: dict[str, Any], connected: tuple[str, ...] = ()) -> dict[str, str]:
    found = probe(Settings(sms_providers=json.dumps(entries)), connected=connected)
    return {one.name: one.trouble for one in found}


def line(name: str, port: int, **more: Any) -> dict[str, Any]:
    return {"name": name, "kind": "smpp", "host": "127.0.0.1", "port": port, "system_id": "m", "timeout": 1, **more}


@contextmanager
def web(status: int, wanted: str = "") -> Iterator[tuple[str, list[str]]]:
    """A server that answers so; 403 to whoever has not what is wanted in the request."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(f"{self.command} {self.path}")
            let_in = wanted in f"{self.path} {self.headers.get('authorization')}"
            self.send_response(status if let_in else 403)
            self.end_headers()

        do_HEAD = do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


def test_a_line_is_bound_and_let_go_and_its_troubles_have_names() -> None:
    with Smsc(Behaviour(password="secret")) as smsc, Smsc() as deaf:
        deaf.deaf = True
        found = troubles(
            line("good", smsc.port, password="secret"),
            line("locked", smsc.port, password="wrong"),
            line("silent", deaf.port, timeout=0.3),
            line("nobody", 1),
            {"name": "bad", "kind": "smpp"},
        )
        assert smsc.submits == []
    assert found["good"] == ""
    assert "INVPASWD" in found["locked"]
    assert "no answer in 0.3 s" in found["silent"]
    assert "not reached" in found["nobody"]
    assert "host" in found["bad"], "what is set up wrongly is named beside the others"


def test_a_line_that_a_worker_has_is_left_alone() -> None:
    assert troubles(line("up", 1), connected=("up",)) == {"up": ""}


def test_gateways_on_the_web_are_reached_and_asked_who_we_are() -> None:
    request = {"text": "{text}"}
    with web(400, "password=right") as (kannel, asked), web(204, "Bearer key") as (api, calls), web(500) as (broken, _):
        ours = {"kind": "kannel", "url": f"{kannel}/cgi-bin/sendsms", "username": "u"}
        theirs = {"kind": "https", "request": request, "headers": {"authorization": "Bearer key"}}
        found = troubles(
            {"name": "kannel", "password": "right", **ours},
            {"name": "locked", "password": "wrong", **ours},
            {"name": "api", "url": api, **theirs},
            {"name": "checked", "url": api, "check": f"{api}/balance", **theirs},
            {"name": "stranger", "kind": "https", "url": api, "request": request},
            {"name": "broken", "url": broken, **theirs},
            {"name": "nobody", "url": "http://127.0.0.1:1", **theirs},
        )
    assert [name for name, trouble in found.items() if not trouble] == ["kannel", "api", "checked"]
    assert "refused: 403" in found["locked"] and "refused: 403" in found["stranger"]
    assert found["broken"].startswith("500") and "not reached" in found["nobody"]
    assert "GET /balance" in calls and not any("POST" in call or "text=" in call for call in [*calls, *asked])
