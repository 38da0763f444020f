"""Against a real Kannel: over HTTP to its fake centre, through it over SMPP to ours; receipts and texts come back."""

import contextlib
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from urllib.parse import quote, urlencode

import httpx
import pytest
import uvicorn
from sqlalchemy import select
from starlette.applications import Starlette

from bench.sms.smsc import Behaviour, Smsc
from core import clock
from core.db import Database
from core.settings import Settings
from messaging.events import InboundReceived
from messaging.models import InboundText, Message
from messaging.providers.probing import probe
from messaging.rules import UCS2, segments
from messaging.sending import Sender
from messaging.states import DELIVERED, SENT
from reception.answers.service import answer_inbound
from reception.reactions import NO_REACTION
from tests.messaging.conftest import Bench
from tests.messaging.kannel import INSTALLED, FakeSmsc, Kannel, free_ports, running
from tests.messaging.published import CASES, KANNEL_DIFFERS
from web.callbacks.routes import pages
from web.http import Edge
from web.render import Renderer
from web.schema import create_all
from web.worker import Worker

SECRET = "kannel-secret"


@dataclass
class House:
    bench: Bench
    kannel: Kannel
    smsc: Smsc
    fake: FakeSmsc
    settings: Settings

    def open(self, centre: str) -> Bench:
        if self.bench.sender is not None:
            self.bench.sender.close()
        self.bench.sender = Sender.of(with_gateway(self.settings, self.kannel.url, centre), self.bench.db, clock.now)
        return self.bench


def with_gateway(settings: Settings, url: str, centre: str) -> Settings:
    gateway = {"name": "kannel", "kind": "kannel", "url": url, "username": "majlis", "password": "secret"}
    return settings.model_copy(update={"sms_providers": json.dumps([gateway | {"smsc": centre, "secret": SECRET}])})


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    if not INSTALLED:
        pytest.fail("Kannel is not installed: run `make test`, or `bash requirements/system.sh test`")
    folder = tmp_path_factory.mktemp("kannel")
    db = Database(f"sqlite:///{folder / 'test.sqlite3'}")
    create_all(db.engine)
    port = free_ports(1)[0]
    settings = Settings(
        data_dir=folder, port=port, sms_quiet="", sms_senders='{"*": "Majlis"}', database_url=str(db.engine.url)
    )
    told = with_gateway(settings, "http://127.0.0.1:9/", "fake")  # what calls need to know of a gateway is the same
    app = Starlette(routes=Edge(db, told, Renderer(told)).routes(pages))  # the real edge, and these pages alone
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    with (
        Smsc(Behaviour(receipts="")) as smsc,
        running(folder, smpp_port=smsc.port, callback=settings.url, secret=SECRET) as kannel,
        FakeSmsc(kannel.ports["fake"], MO) as fake,
    ):
        until(lambda: bool(smsc.sessions) and "fake" in kannel.status() and server.started)
        bench = Bench(db, folder)
        yield House(bench, kannel, smsc, fake, settings)
        if bench.sender is not None:
            bench.sender.close()
    server.should_exit = True
    thread.join(10)
    db.dispose()


ASKED = "حالة الطلب ٤٨٠٠٠١٢٣"
MO = (f"+966501112233 1234 ucs2 {quote(ASKED.encode('utf-16-be'))}",)


def until(done: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.02)


def test_an_appointment_goes_over_http_byte_for_byte_in_two_parts_and_is_delivered(house: House) -> None:
    bench = house.open("fake")
    message_id = bench.appointment("+966501000001")
    bench.until(lambda: bench.get(message_id).state == DELIVERED)
    seen = [one for one in house.fake.seen if one.to == "+966501000001"]
    message = bench.get(message_id)
    assert [one.header[4:] for one in seen] == [b"\x02\x01", b"\x02\x02"]
    assert {one.header[:3] for one in seen} == {b"\x05\x00\x03"} and len({one.header[3] for one in seen}) == 1
    assert b"".join(one.octets for one in seen) == message.body.encode("utf-16-be")
    assert {one.sender for one in seen} == {"Majlis"}


def test_the_same_text_is_the_same_octets_by_kannel_and_by_our_own_line(house: House) -> None:
    """Over SMPP both ways: through Kannel's line to the centre, and on a line of ours."""
    bench = house.open("line")
    message_id = bench.appointment("+966501000002")
    bench.until(lambda: bench.get(message_id).state == SENT)
    until(
        lambda: (
            len(by_kannel := [s for s in house.smsc.submits if s.to == "966501000002"]) == 2
            or (not by_kannel[:0] and len(by_kannel) == 2)
        )
    )
    by_kannel = [one for one in house.smsc.submits if one.to == "966501000002"]
    settings = house.settings.model_copy(
        update={
            "sms_providers": json.dumps(
                [{"name": "own", "kind": "smpp", "host": "127.0.0.1", "port": house.smsc.port, "system_id": "majlis"}]
            )
        }
    )
    assert bench.sender is not None
    bench.sender.close()
    bench.sender = Sender.of(settings, bench.db, clock.now)
    second = bench.appointment("+966501000003")
    bench.until(lambda: bench.get(second).state == SENT)
    ours = [one for one in house.smsc.submits if one.to == "966501000003"]
    assert [one.octets[6:] for one in by_kannel] == [one.octets[6:] for one in ours]
    assert [one.octets[4:6] for one in by_kannel] == [one.octets[4:6] for one in ours]
    assert {(one.data_coding, one.esm_class & 0x40, one.sender) for one in by_kannel + ours} == {(8, 0x40, "Majlis")}


def test_receipts_come_back_through_kannel_in_any_order(house: House) -> None:
    bench = house.open("line")
    message_id = bench.appointment("+966501000004")
    bench.until(lambda: bench.get(message_id).state == SENT)
    until(lambda: len([one for one in house.smsc.submits if one.to == "966501000004"]) == 2)
    one, two = (submit for submit in house.smsc.submits if submit.to == "966501000004")
    time.sleep(0.3)  # Kannel writes an id down after its answer
    house.smsc.tell(two, "DELIVRD")
    time.sleep(0.5)
    assert bench.get(message_id).state == SENT, "half a text has not arrived"
    house.smsc.tell(one, "DELIVRD")
    house.smsc.tell(one, "DELIVRD")
    bench.until(lambda: bench.get(message_id).state == DELIVERED)


def test_texts_to_us_come_in_from_both_centres(house: House) -> None:
    long = "أريد أن أعرف متى موعدي القادم وأين يكون، " * 3
    octets = long.strip().encode("utf-16-be")
    for number, piece in ((2, octets[134:]), (1, octets[:134])):
        header = bytes((5, 0, 3, 9, 2, number))
        house.smsc.text("966502223344", "1234", header + piece, esm_class=0x40, data_coding=8)

    def found() -> dict[str, str]:
        with house.bench.db.read() as session:
            return {row.from_number: row.body for row in session.scalars(select(InboundText))}

    until(lambda: {"+966501112233", "+966502223344"} <= set(found()))
    assert found()["+966501112233"] == ASKED
    assert found()["+966502223344"] == long.strip()


def test_a_command_that_came_in_is_answered_on_the_same_phone(house: House) -> None:
    """In by Kannel's centre, through the reactions of the product, and out again."""
    settings = with_gateway(house.settings, house.kannel.url, "fake")
    react = partial(answer_inbound, settings=settings)
    react.__name__ = "answer_inbound"  # type: ignore[attr-defined]
    worker = Worker(house.bench.db, {InboundReceived: (react,)}, {}, quiet=NO_REACTION)
    until(lambda: asked(house))
    worker.drain()
    bench = house.open("fake")
    with bench.db.read() as session:
        (answer,) = session.scalars(select(Message).where(Message.to_number == "+966501112233")).all()
    bench.until(lambda: sum(one.to == "+966501112233" for one in house.fake.seen) == answer.parts)
    octets = b"".join(one.octets for one in house.fake.seen if one.to == "+966501112233")
    assert answer.message_class == "reply" and octets == answer.body.encode("utf-16-be")


def asked(house: House) -> bool:
    with house.bench.db.read() as session:
        return session.scalar(select(InboundText.id).where(InboundText.from_number == "+966501112233")) is not None


def test_kannel_splits_as_we_do(house: House) -> None:
    """What Kannel makes of the published cases, by the submits it sends; ours are held to the table elsewhere."""
    texts = {f"9665020{place:05d}": case for place, case in enumerate(CASES)}
    with httpx.Client(trust_env=False, timeout=10) as client:
        for to, (_name, text, _parts) in texts.items():
            arabic = segments(text).encoding == UCS2
            query = {
                "username": "majlis", "password": "secret", "to": f"+{to}", "from": "Majlis", "smsc": "line",
                "coding": "2" if arabic else "0", "charset": "UTF-16BE" if arabic else "UTF-8",
                "text": text.encode("utf-16-be" if arabic else "utf-8"),
            }  # fmt: skip
            assert client.get(f"{house.kannel.url}?{urlencode(query)}").status_code == 202
    counted: Counter[str] = Counter()
    expected = {to: KANNEL_DIFFERS.get(name, parts) for to, (name, _text, parts) in texts.items()}

    def all_came() -> bool:
        counted.clear()
        counted.update(one.to for one in house.smsc.submits if one.to in texts)
        return counted.total() >= sum(expected.values())

    with contextlib.suppress(AssertionError):
        until(all_came, 10)
    time.sleep(0.3)  # whatever is too much
    all_came()
    assert {texts[to][0]: n for to, n in counted.items()} == {texts[to][0]: n for to, n in expected.items()}


def test_a_kannel_that_refuses_us_is_no_failed_text(house: House) -> None:
    settings = house.settings.model_copy(
        update={
            "sms_providers": json.dumps(
                [{"name": "kannel", "kind": "kannel", "url": house.kannel.url, "username": "majlis", "password": "no"}]
            )
        }
    )
    assert [one.trouble for one in probe(with_gateway(house.settings, house.kannel.url, "fake"))] == [""], (
        "it is let in"
    )
    assert "refused: 403" in probe(settings)[0].trouble, "`majlis doctor` says so before the first text"
    bench = house.open("fake")
    assert bench.sender is not None
    bench.sender.close()
    bench.sender = Sender.of(settings, bench.db, clock.now)
    message_id = bench.write("+966501000009")
    bench.until(lambda: bench.get(message_id).state == "temporary")
    assert "403" in (bench.get(message_id).error or "")
    house.open("fake")
    with bench.db.write() as session:
        from messaging.models import Dispatch

        session.get_one(Dispatch, message_id).run_at = clock.now()
    bench.until(lambda: bench.get(message_id).state == DELIVERED)
    with bench.db.read() as session:
        assert session.get_one(Message, message_id).doubts == 0
