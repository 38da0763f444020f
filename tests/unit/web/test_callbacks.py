"""What gateways may tell us, and what nobody else may."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select
from starlette.applications import Starlette
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from core import clock
from core.db import Database
from core.settings import Settings
from messaging import outbox, service
from messaging.models import InboundText, Message, MessageReceipt
from messaging.providers import Answer, setups
from messaging.providers.config import callback_secret
from messaging.providers.https import HttpsGateway
from messaging.providers.kannel import KannelGateway, seal
from messaging.states import DELIVERED, FAILED, SENT
from web.callbacks.routes import pages
from web.http import Edge
from web.render import Renderer

GATEWAYS = [
    {"name": "kannel", "kind": "kannel", "url": "http://k", "username": "u", "password": "p", "secret": "s3cret"},
    {
        "name": "api", "kind": "https", "url": "https://api", "request": {"text": "{text}"}, "secret": "t0ken",
        "receipt": {"id": "data.id", "state": "data.status"}, "states": {"handset": "delivered"},
        "inbound": {"from": "msisdn", "text": "body"},
    },
    {"name": "listed", "kind": "https", "url": "https://l", "request": {}, "addresses": ["10.1.0.0/16"]},
    {"name": "line", "kind": "smpp", "host": "h", "system_id": "m"},
]  # fmt: skip


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(sms_providers=json.dumps(GATEWAYS), data_dir=tmp_path)


@pytest.fixture
def caller(db: Database, settings: Settings) -> Iterator[TestClient]:
    app = Starlette(routes=Edge(db, settings, Renderer(settings)).routes(pages))
    yield TestClient(app, client=("192.0.2.7", 4000))


def sent(db: Database, gateway: str, identity: str = "77") -> str:
    now = clock.now()
    with db.write() as session:
        message = service.queue(
            session, to="+966501234567", template="petition_to_office", fields={"case": "48-1"}, language="ar",
            subject=("petition", "p"), key=f"{gateway}{identity}", now=now,
        )  # fmt: skip
        (work,) = outbox.take(session, "me", room=1, manners=outbox.Manners(), now=now)
        work.answers = {1: (gateway, Answer(SENT, identity))}
        outbox.record(session, "me", [work], now=now)
        return message.id


def state(db: Database, message_id: str) -> str:
    with db.read() as session:
        return session.get_one(Message, message_id).state


def test_kannels_receipt_is_entered_by_its_own_seal(db: Database, settings: Settings, caller: TestClient) -> None:
    message_id = sent(db, "kannel")
    setup = setups(settings)[0]
    url = KannelGateway(setup, "http://testserver", callback_secret(setup, settings)).receipt_url(f"{message_id}.1")
    told = url.replace("%d", "1").replace("%A", "delivered%20%D9%86").replace("%F", "abc")
    assert caller.get(told).status_code == 200
    assert state(db, message_id) == DELIVERED


@pytest.mark.parametrize("gateway", ["kannel", "api", "listed", "line", "nobody", "é", "console"])
@pytest.mark.parametrize("what", ["receipt", "inbound"])
@pytest.mark.parametrize("secret", [None, "", "wrong", "é\0" * 50])
def test_a_forged_call_changes_nothing_and_is_logged(
    db: Database, caller: TestClient, gateway: str, what: str, secret: str | None
) -> None:
    told = {"part": "x.1", "type": "1", "id": "1", "status": "delivered", "from": "+966500000000", "text": "hi"}
    told |= {"secret": secret} if secret is not None else {}
    with capture_logs() as logs:
        assert caller.get(f"/callbacks/{gateway}/{what}", params=told).status_code == 403
        assert caller.post(f"/callbacks/{gateway}/{what}", json=told).status_code == 403
    assert sum(one["event"] == "a forged call of a gateway" for one in logs) == 2
    assert secret is None or len(secret) < 3 or secret not in repr(logs)
    with db.read() as session:
        assert session.scalar(select(func.count()).select_from(MessageReceipt)) == 0
        assert session.scalar(select(func.count()).select_from(InboundText)) == 0


def test_the_seal_of_one_text_opens_no_other(db: Database, caller: TestClient) -> None:
    message_id = sent(db, "kannel")
    told = {"part": f"{message_id}.1", "secret": seal("s3cret", "other.1"), "type": "1"}
    assert caller.get("/callbacks/kannel/receipt", params=told).status_code == 403
    assert caller.get("/callbacks/kannel/inbound", params=told | {"from": "1"}).status_code == 403
    assert state(db, message_id) == SENT


def test_a_configured_gateway_tells_in_its_own_words(db: Database, caller: TestClient) -> None:
    message_id, other = sent(db, "api", "00A7"), sent(db, "api", "8")
    bearer = {"authorization": "Bearer t0ken"}
    told = {"data": {"id": "a7", "status": "HANDSET"}, "rows": [1, {"x": None}]}
    assert caller.post("/callbacks/api/receipt", json=told, headers=bearer).status_code == 200
    form = {"data.id": "8", "data.status": "UNDELIV", "secret": "t0ken"}
    assert caller.post("/callbacks/api/receipt", data=form).status_code == 200
    assert (state(db, message_id), state(db, other)) == (DELIVERED, FAILED)
    text = {"msisdn": "966501112233", "body": "حالة \u202e٤٨", "secret": "t0ken"}
    for _ in range(2):
        assert caller.post("/callbacks/api/inbound", json=text).status_code == 200
    with db.read() as session:
        (row,) = session.scalars(select(InboundText)).all()
    assert (row.from_number, row.body) == ("+966501112233", "حالة ٤٨")


@pytest.mark.parametrize("body", [b"{", b"[" * 5000, b"null", b"[]", b'"x"', b"\xff\xfe"])
def test_what_is_no_sense_is_refused_and_breaks_nothing(db: Database, caller: TestClient, body: bytes) -> None:
    headers = {"content-type": "application/json", "authorization": "Bearer t0ken"}
    assert caller.post("/callbacks/api/receipt", content=body, headers=headers).status_code == 422
    assert caller.post("/callbacks/api/inbound", content=body, headers=headers).status_code == 422


def test_an_address_list_stands_for_a_secret(db: Database, settings: Settings) -> None:
    app = Starlette(routes=Edge(db, settings, Renderer(settings)).routes(pages))
    told = {"id": "1", "status": "delivered"}
    for address, code in (("10.1.2.3", 200), ("10.2.0.1", 403), ("::1", 403), ("testclient", 403)):
        client = TestClient(app, client=(address, 4000))
        assert client.post("/callbacks/listed/receipt", json=told).status_code == code, address
    with db.read() as session:
        (row,) = session.scalars(select(MessageReceipt)).all()
    assert row.message_id is None, "a receipt for an unknown text is kept, and belongs to none"


def test_fields_of_a_configured_request_are_filled_once(settings: Settings) -> None:
    from messaging.providers.https import filled

    assert filled({"a": "{text}", "b": ["{to}", 7]}, {"text": "{to} {x", "to": "+1"}) == {
        "a": "{to} {x",
        "b": ["+1", 7],
    }
    assert HttpsGateway.kind == "https"
