"""Our cutting against the published table; `tests/messaging/test_kannel.py` holds Kannel's beside it."""

import pytest

from messaging.encoding import header, octets, read, split_header
from messaging.receipts import key_of, keys_for, of_all
from messaging.receipts import read as read_receipt
from messaging.rules import GSM7, UCS2, segments
from messaging.states import DELIVERED, EXPIRED, FAILED, SENT, UNKNOWN
from tests.messaging.published import CASES


@pytest.mark.parametrize(("name", "text", "parts"), CASES, ids=[case[0] for case in CASES])
def test_parts_are_those_of_the_table_and_carry_the_text_in_their_room(name: str, text: str, parts: int) -> None:
    cut = segments(text)
    assert cut.count == parts
    coded = [header(7, cut.count, n) + octets(part, cut.encoding) for n, part in enumerate(cut.parts, 1)]
    for part in coded:
        room = 140 if cut.encoding == UCS2 else (160 if cut.count == 1 else 6 + 153)  # septets are unpacked here
        assert len(part) <= room
    assert "".join(read(split_header(p)[1] if cut.count > 1 else p, cut.encoding) for p in coded) == text


def test_every_letter_of_the_gsm_alphabet_comes_back() -> None:
    letters = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà\f^{}\\[~]|€"
    assert read(octets(letters, GSM7), GSM7) == letters
    assert octets("@", GSM7) == b"\x00" and octets("€", GSM7) == b"\x1b\x65"
    assert read(b"\x1b", GSM7) == "" and read(b"\x1bA\xff", GSM7) == "A\ufffd"


@pytest.mark.parametrize(
    ("data", "of"),
    [
        (b"\x05\x00\x03\x2a\x03\x01x", (0x2A, 3, 1)),
        (b"\x06\x08\x04\x01\x02\x03\x02x", (0x0102, 3, 2)),
        (b"\x0b\x05\x04\x15\x81\x15\x81\x00\x03\x07\x02\x02x", (7, 2, 2)),
        (b"\x05\x00\x03\x2a\x03\x04x", None),  # the fourth of three
        (b"\x05\x00\x03\x2a\x03\x00x", None),
        (b"\x40\x00\x03", None),
        (b"", None),
    ],
)
def test_headers_of_parts(data: bytes, of: tuple[int, int, int] | None) -> None:
    assert split_header(data)[0] == of


@pytest.mark.parametrize(
    ("answered", "told"),
    [("00AB12", "ab12"), ("0000123", "123"), ("1A2B", "6699"), ("6699", "1a2b"), ("0x1F", "31"), ("abc-7", "ABC-7")],
)
def test_ids_that_are_told_differently_meet(answered: str, told: str) -> None:
    assert key_of(answered) in keys_for(told)


def test_ids_that_are_others_do_not_meet() -> None:
    assert key_of("124") not in keys_for("123")
    assert key_of("") == "0" and key_of("000") == "0"


@pytest.mark.parametrize(
    ("text", "more", "expected"),
    [
        ("id:7 sub:001 dlvrd:001 submit date:2611 done date:2611 stat:DELIVRD err:000 text:hi", {}, ("7", DELIVERED)),
        ("ID: 7 Stat: undeliv Err: 0A1", {}, ("7", FAILED)),
        ("id:7 stat:DELIVRD text:id:9 stat:UNDELIV", {}, ("7", DELIVERED)),
        ("", {"tlv_id": "9\0", "tlv_state": 3}, ("9", EXPIRED)),
        ("id:7 stat:DELIVRD", {"tlv_id": "9", "tlv_state": 2}, ("9", DELIVERED)),
        ("id:7 stat:SOMETHING", {}, ("7", UNKNOWN)),
        ("no receipt at all", {}, None),
    ],
)
def test_receipts_as_gateways_write_them(text: str, more: dict[str, object], expected: tuple[str, str] | None) -> None:
    told = read_receipt(text, **more)  # type: ignore[arg-type]
    assert (told and (told.provider_id, told.state)) == expected


@pytest.mark.parametrize(
    ("states", "whole"),
    [
        ([DELIVERED, DELIVERED], DELIVERED),
        ([DELIVERED, SENT], SENT),
        ([DELIVERED, FAILED], FAILED),
        ([EXPIRED, SENT], EXPIRED),
        ([DELIVERED, UNKNOWN], UNKNOWN),
        ([], SENT),
    ],
)
def test_a_text_is_what_its_parts_are(states: list[str], whole: str) -> None:
    assert of_all(states) == whole
