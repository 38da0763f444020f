"""Over SMPP to a gateway of our own making: octets, receipts in any shape, texts to us, and every way to fail.

Our PDUs are read by smpp34, which shares no code with what wrote them.
"""

import ssl
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import smpp34
from sqlalchemy import select

from bench.sms.smsc import INVALID_NUMBER, NEVER, OK, SYSTEM_ERROR, THROTTLED, Behaviour, Smsc, Submit
from messaging.models import InboundText, MessageReceipt
from messaging.rules import segments
from messaging.states import CREATED, DELIVERED, EXPIRED, FAILED, SENT, TEMPORARY, UNKNOWN
from tests.messaging.conftest import Bench


def entry(smsc: Smsc, name: str = "line", **more: object) -> dict[str, object]:
    return {"name": name, "kind": "smpp", "host": "127.0.0.1", "port": smsc.port, "system_id": "majlis"} | more


def test_an_arabic_appointment_goes_out_byte_for_byte_in_two_parts(bench: Bench) -> None:
    with Smsc() as smsc:
        bench.open(entry(smsc), sms_senders='{"*": "Majlis"}')
        message_id = bench.appointment()
        bench.until(lambda: bench.states() == {DELIVERED: 1})
        message = bench.get(message_id)
        assert message.parts == 2 == len(smsc.submits) and message.sender == "Majlis"
        whole, references = b"", set()
        for number, submit in enumerate(smsc.submits, 1):
            pdu = smpp34.decode(submit.pdu)
            assert isinstance(pdu, smpp34.SubmitSm)
            assert (pdu.destination_addr, pdu.dest_addr_ton, pdu.dest_addr_npi) == ("966501234567", 1, 1)
            assert (pdu.source_addr, pdu.source_addr_ton, pdu.source_addr_npi) == ("Majlis", 5, 0)
            assert (pdu.esm_class, pdu.data_coding, pdu.registered_delivery) == (0x40, 8, 1)
            assert len(pdu.short_message) <= 140 and pdu.validity_period.endswith("+")
            header, octets = pdu.short_message[:6], pdu.short_message[6:]
            assert header[:3] == b"\x05\x00\x03" and header[4:] == bytes((2, number))
            references.add(header[3])
            whole += octets
        assert len(references) == 1
        assert whole == message.body.encode("utf-16-be")


def test_an_english_text_goes_out_in_the_gsm_alphabet(bench: Bench) -> None:
    with Smsc() as smsc:
        bench.open(entry(smsc))
        bench.write(language="en", fields={"case": "48 {€}"})
        bench.until(lambda: bench.states() == {DELIVERED: 1})
        pdu = smpp34.decode(smsc.submits[0].pdu)
        assert isinstance(pdu, smpp34.SubmitSm)
        assert (pdu.esm_class, pdu.data_coding) == (0, 0)
        assert b"48 \x1b\x28\x1b\x65\x1b\x29" in pdu.short_message  # escaped { € }


SHAPES: dict[str, tuple[Callable[[int], str], Callable[[str], str]]] = {
    "as answered": (lambda n: f"{n:08X}", str),
    "other case": (lambda n: f"AB{n:06X}", str.lower),
    "lost zeros": (lambda n: f"0000{n}", lambda told: told.lstrip("0")),
    "hex, then decimal": (lambda n: f"{n:X}", lambda told: str(int(told, 16))),
    "decimal, then hex": (lambda n: f"{n:010d}", lambda told: f"{int(told):08X}"),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_receipts_find_their_parts_in_any_order_and_shape(bench: Bench, shape: str) -> None:
    id_of, id_told = SHAPES[shape]
    with Smsc(Behaviour(id_of=id_of, id_told=id_told, shuffled=True, receipt_delay=0.1)) as smsc:
        bench.open(entry(smsc, window=50))
        for n in range(6):
            bench.appointment(f"+96650{n}234567")
        bench.until(lambda: bench.states() == {DELIVERED: 6})
        bench.until(lambda: len(smsc.acknowledged) == 12)
        assert len(smsc.submits) == 12


def test_a_text_has_arrived_when_its_every_part_has_and_a_repeated_receipt_changes_nothing(bench: Bench) -> None:
    with Smsc(Behaviour(receipts="")) as smsc:
        bench.open(entry(smsc))
        message_id = bench.appointment()
        bench.until(lambda: bench.states() == {SENT: 1})
        one, two = smsc.submits
        smsc.tell(two, "DELIVRD")
        smsc.tell(two, "DELIVRD")
        bench.until(lambda: len(smsc.acknowledged) == 2)
        assert bench.get(message_id).state == SENT
        smsc.tell(one, "ENROUTE")
        smsc.tell(one, "DELIVRD")
        smsc.tell(one, "EXPIRED")  # a phone that has it has it
        bench.until(lambda: len(smsc.acknowledged) == 5)
        assert bench.get(message_id).state == DELIVERED
        with bench.db.read() as session:
            rows = session.scalars(select(MessageReceipt).order_by(MessageReceipt.received_at, MessageReceipt.id)).all()
        assert sorted(row.repeated for row in rows) == [False, False, True, True, True]


@pytest.mark.parametrize(
    ("word", "state"), [("UNDELIV", FAILED), ("EXPIRED", EXPIRED), ("UNKNOWN", UNKNOWN), ("REJECTD", FAILED)]
)
def test_what_a_receipt_says_becomes_of_the_text(bench: Bench, word: str, state: str) -> None:
    with Smsc(Behaviour(receipts=word)) as smsc:
        bench.open(entry(smsc))
        bench.write()
        bench.until(lambda: bench.states() == {state: 1})


def test_a_receipt_for_no_text_of_ours_is_kept_and_acknowledged(bench: Bench) -> None:
    with Smsc() as smsc:
        bench.open(entry(smsc))
        bench.write()
        bench.until(lambda: bench.states() == {DELIVERED: 1})
        smsc.tell(Submit(0, "966509999999", "x", 0, 0, b"", "DEADBEEF"), "DELIVRD")
        smsc.text("966509999999", "1234", b"stat:DELIVRD and nothing else", esm_class=4)
        bench.until(lambda: len(smsc.acknowledged) == 3)
        with bench.db.read() as session:
            (row,) = session.scalars(select(MessageReceipt).where(MessageReceipt.part_id.is_(None))).all()
        assert row.provider_id == "DEADBEEF" and row.message_id is None


def test_texts_to_us_come_in_whole_whatever_they_are_made_of(bench: Bench) -> None:
    arabic = "أريد معرفة حالة الطلب ٤٨٠٠٠١٢٣ 😀" * 4
    octets = arabic.encode("utf-16-be")
    cut = 133  # within a character
    with Smsc() as smsc:
        bench.open(entry(smsc))
        bench.until(lambda: bool(smsc.sessions) and all(session.bound for session in smsc.sessions))
        smsc.text("966501234567", "1234", b"\x05\x00\x03\x21\x02\x02" + octets[cut:], esm_class=0x40, data_coding=8)
        smsc.text("966501234567", "1234", b"\x05\x00\x03\x21\x02\x01" + octets[:cut], esm_class=0x40, data_coding=8)
        smsc.text("966501234567", "1234", b"\x05\x00\x03\x21\x02\x01" + octets[:cut], esm_class=0x40, data_coding=8)
        smsc.text("966507654321", "1234", b"STATUS 48\x1b\x65 \x00")
        smsc.text("966507654321", "1234", b"STATUS 48\x1b\x65 \x00")  # told twice
        smsc.text("966500000001", "1234", b"\xd8", data_coding=8)  # half a character
        smsc.text("966500000002", "1234", "hi \u202eevil\x07".encode("utf-16-be"), data_coding=8)
        smsc.text("966500000003", "1234", b"\x30\x00", esm_class=0x40, data_coding=0)  # a header longer than the text
        bench.until(lambda: len(smsc.acknowledged) == 8)
        with bench.db.read() as session:
            rows = {row.from_number: row for row in session.scalars(select(InboundText))}
            assert len(rows) == session.query(InboundText).count() == 5
    assert rows["+966501234567"].body == arabic and rows["+966501234567"].complete
    assert rows["+966507654321"].body == "STATUS 48€ @"
    assert not rows["+966500000001"].complete
    assert rows["+966500000002"].body == "hi evil"
    assert rows["+966501234567"].to_number == "1234" and "+966500000003" in rows


def test_refusals_for_good_and_for_now(bench: Bench) -> None:
    first: list[str] = []

    def status(submit: Submit) -> int:
        if submit.to.endswith("1"):
            return INVALID_NUMBER
        fresh = submit.to not in first
        first.append(submit.to)
        return SYSTEM_ERROR if fresh else OK

    with Smsc(Behaviour(status)) as smsc:
        bench.open(entry(smsc))
        code = {"template": "one_time_code", "fields": {"code": "482913"}}  # waits two seconds for its second try
        bad, good = bench.write("+966500000001", **code), bench.write("+966500000002", **code)
        bench.until(lambda: bench.states() == {FAILED: 1, TEMPORARY: 1})
        assert (bench.get(bad).error, bench.get(good).error) == ("RINVDSTADR", "RSYSERR")
        bench.until(lambda: bench.states() == {FAILED: 1, DELIVERED: 1})
        assert bench.get(good).doubts == 0


def test_a_gateway_that_is_hurried_gets_less_at_a_time(bench: Bench) -> None:
    times: list[float] = []

    def status(_submit: Submit) -> int:
        now = time.monotonic()
        recent = [one for one in times if now - one < 0.25]
        if len(recent) >= 5:
            return THROTTLED
        times.append(now)
        return OK

    with Smsc(Behaviour(status)) as smsc:
        bench.open(entry(smsc))
        for n in range(12):
            bench.write(f"+96650000{n:04d}", "one_time_code", fields={"code": "482913"})
        bench.until(lambda: bench.states() == {DELIVERED: 12}, 60)
        refused = smsc.counts[f"status {THROTTLED}"]
        assert 0 < refused < 60
        assert bench.sender is not None and bench.sender.handles[0].pace.now_rate is not None


def test_a_gateway_that_takes_and_never_answers_costs_no_text(bench: Bench) -> None:
    silent = [True]
    with Smsc(Behaviour(lambda _submit: NEVER if silent[0] else OK)) as smsc:
        bench.open(entry(smsc, timeout=0.4))
        message_id = bench.write(template="one_time_code", fields={"code": "482913"})
        bench.until(lambda: bench.states() == {TEMPORARY: 1})
        assert bench.get(message_id).doubts == 1 and "no answer" in (bench.get(message_id).error or "")
        silent[0] = False
        bench.until(lambda: bench.states() == {DELIVERED: 1})
        assert [submit.to for submit in smsc.submits] == ["966501234567"] * 2


def test_a_line_that_falls_is_raised_again_and_everything_arrives(bench: Bench) -> None:
    with Smsc() as smsc:
        bench.open(entry(smsc))
        bench.write()
        bench.until(lambda: bench.states() == {DELIVERED: 1})
        smsc.down()
        for n in range(5):
            bench.write(f"+96650000000{n}")
        for _ in range(20):
            bench.sender and bench.sender.step()
            time.sleep(0.02)
        assert bench.states() == {DELIVERED: 1, CREATED: 5}, "nothing is taken in hand while nobody is there"
        smsc.up()
        bench.until(lambda: bench.states() == {DELIVERED: 6})
        assert smsc.counts["all"] == 6


def test_a_peer_that_says_nothing_any_more_is_left(bench: Bench) -> None:
    with Smsc() as smsc:
        bench.open(entry(smsc, keep_alive=0.3, timeout=0.5))
        bench.write()
        bench.until(lambda: bench.states() == {DELIVERED: 1})
        bench.until(lambda: smsc.enquired > 0)
        smsc.deaf = True
        handle = bench.sender.handles[0] if bench.sender else None
        assert handle is not None
        bench.until(lambda: not handle.gateway.ready)
        assert "nothing any more" in handle.gateway.trouble
        smsc.deaf = False
        bench.until(lambda: handle.gateway.ready)


def test_a_wrong_password_is_said_where_people_look(bench: Bench) -> None:
    with Smsc(Behaviour(password="right")) as smsc:
        sender = bench.open(entry(smsc, password="wrong"))
        bench.until(lambda: "bind refused: RINVPASWD" in sender.handles[0].gateway.trouble)
        assert not sender.handles[0].gateway.ready


def test_the_line_may_be_encrypted_and_then_it_is_checked(bench: Bench, tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with Smsc(tls=context) as smsc:
        trusting = entry(smsc, host="localhost", tls=True, ca=str(certificate))
        sender = bench.open(trusting, entry(smsc, "doubting", host="localhost", tls=True, priority=2))
        bench.write()
        bench.until(lambda: bench.states() == {DELIVERED: 1})
        bench.until(lambda: "certificate" in sender.handles[1].gateway.trouble)


def test_the_second_gateway_carries_on_and_the_first_has_them_back(bench: Bench) -> None:
    with Smsc() as first, Smsc() as second:
        bench.open(entry(first, "first"), entry(second, "second", priority=2))
        bench.until(lambda: bool(first.sessions) and bool(second.sessions))
        bench.write()
        bench.until(lambda: bench.states() == {DELIVERED: 1})
        first.down()
        for n in range(10):
            bench.write(f"+9665000000{n:02d}")
        bench.until(lambda: bench.states() == {DELIVERED: 11})
        assert (len(first.submits), len(second.submits)) == (1, 10)
        first.up()
        handle = bench.sender.handles[0] if bench.sender else None
        bench.until(lambda: handle is not None and handle.gateway.ready)
        bench.write("+966500000099")
        bench.until(lambda: bench.states() == {DELIVERED: 12})
        assert len(first.submits) == 2


def test_what_is_no_smpp_is_no_line(bench: Bench) -> None:
    import socket
    import threading

    with socket.create_server(("127.0.0.1", 0)) as server:

        def babble() -> None:
            client, _ = server.accept()
            client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            client.recv(1000)
            client.close()

        threading.Thread(target=babble, daemon=True).start()
        there = {"name": "line", "kind": "smpp", "host": "127.0.0.1", "port": server.getsockname()[1], "system_id": "m"}
        sender = bench.open(there)
        bench.write()
        bench.until(lambda: "no SMPP" in sender.handles[0].gateway.trouble)
        assert bench.states() == {CREATED: 1}


def test_parts_are_cut_as_the_rules_say(bench: Bench) -> None:
    with Smsc() as smsc:
        bench.open(entry(smsc))
        message_id = bench.appointment()
        bench.until(lambda: bench.states() == {DELIVERED: 1})
        assert tuple(smsc.texts) == segments(bench.get(message_id).body).parts


def away(bench: Bench, seconds: float) -> None:
    """The gateway is gone for so long, and meanwhile texts of every lane are written, the least urgent first."""
    with Smsc() as smsc:
        bench.open(entry(smsc, window=1))
        bench.write("+966500000000")
        bench.until(lambda: bench.states() == {DELIVERED: 1})
        smsc.down()
        kinds = ("petition_to_office", "reply_started", "one_time_code")
        fields = ({"case": "48-1"}, {}, {"code": "482913"})
        for place in range(3):
            for n in range(4):
                number = f"+96650000{place}{n:03d}1"
                bench.write(number, kinds[place], fields=fields[place])
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            assert bench.sender is not None
            bench.sender.step()
            time.sleep(0.05)
        assert bench.states() == {DELIVERED: 1, CREATED: 12}
        smsc.up()
        bench.until(lambda: bench.states() == {DELIVERED: 13}, 90)
        lanes = list(dict.fromkeys((submit.to[8], submit.to) for submit in smsc.submits[1:]))
        assert [lane for lane, _number in lanes] == ["2"] * 4 + ["1"] * 4 + ["0"] * 4, (
            "codes first, then answers, then notices; each once"
        )


def test_a_gateway_that_was_away_gets_everything_in_the_order_of_lanes(bench: Bench) -> None:
    away(bench, 0.5)


@pytest.mark.long
@pytest.mark.timeout(240)
def test_a_gateway_that_was_away_for_a_minute_gets_everything_in_the_order_of_lanes(bench: Bench) -> None:
    away(bench, 60)
