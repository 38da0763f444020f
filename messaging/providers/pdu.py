"""SMPP 3.4 on the wire. What we say is built by aiosmpplib; what is said to us is read here, tolerantly.

aiosmpplib's own reading gives up on what gateways really send: a status of their own (0x400 and above), letters in a
receipt's `err`, sixteen-bit references, half a character at the end of a part. A text to us must not be lost over that.
Sections are those of the SMPP 3.4 specification, issue 1.2.
"""

from dataclasses import dataclass, field
from struct import pack, unpack_from

from aiosmpplib import (
    NPI,
    TON,
    BindReceiver,
    BindTransceiver,
    BindTransmitter,
    DeliverSmResp,
    EnquireLink,
    EnquireLinkResp,
    PhoneNumber,
    SmppCommandStatus,
    SubmitSm,
    Unbind,
    UnbindResp,
)

from messaging.encoding import split_header
from messaging.providers.base import Inbound, Part, Receipt
from messaging.receipts import read as read_receipt
from messaging.rules import GSM7, UCS2
from messaging.states import FAILED, TEMPORARY

HEADER = 16
LONGEST = 70_000  # octets of a PDU; more is no SMPP
GENERIC_NACK = 0x80000000
BINDS = {
    "receiver": (BindReceiver, 0x01),
    "transmitter": (BindTransmitter, 0x02),
    "transceiver": (BindTransceiver, 0x09),
}
SUBMIT, DELIVER, UNBIND, ENQUIRE, ANSWER = 0x04, 0x05, 0x06, 0x15, 0x80000000

HURRIED = (0x58, 0x14)  # throttled; queue full (§5.1.3)
OF_THE_TEXT = {0x01, 0x0B, 0x34, 0x50, 0x51, 0x61, 0x62, 0x65, 0xC0, 0xC1, 0xC2, 0xC3, 0xC4, 0xFE}
"""Length, number, its kind, its plan, times, "permanent", fields: the same text would be refused again."""


def status_of(status: int) -> tuple[str, str]:
    """State and name of an answer that is no yes."""
    try:
        name = SmppCommandStatus(status).name.removeprefix("ESME_")
    except ValueError:
        name = f"status 0x{status:08X}"
    return FAILED if status in OF_THE_TEXT else TEMPORARY, name


def submit(part: Part, sequence: int, *, service_type: str = "", validity: bool = True) -> bytes:
    """A submit_sm with a receipt asked for. Raises ValueError for what no submit_sm can carry."""
    head = part.header
    message = SubmitSm(
        sequence_num=sequence,
        short_message=part.text,
        source=source(part.sender),
        destination=PhoneNumber(part.to_number.removeprefix("+"), TON.INTERNATIONAL, NPI.ISDN),
        service_type=service_type,
        esm_class=0x40 if head else 0,
        validity_period=part.expires_at if validity else None,
        registered_delivery=1,
        encoding="ucs2" if part.encoding == UCS2 else "gsm0338",
    )
    message.set_encoded_message(head + part.octets)
    return bytes(message.pdu())


def source(sender: str) -> PhoneNumber:
    """A name is alphanumeric, +966… international, a short code of the network (§5.2.5)."""
    if sender.startswith("+") and sender[1:].isdigit():
        return PhoneNumber(sender[1:], TON.INTERNATIONAL, NPI.ISDN)
    if sender.isdigit():
        return PhoneNumber(sender, TON.NETWORK_SPECIFIC, NPI.UNKNOWN)
    return PhoneNumber(sender, TON.ALPHANUMERIC if sender else TON.UNKNOWN, NPI.UNKNOWN)


def bind(kind: str, sequence: int, system_id: str, password: str, system_type: str) -> bytes:
    made = BINDS[kind][0](sequence_num=sequence, system_id=system_id, password=password, system_type=system_type)
    return bytes(made.pdu())


def enquire(sequence: int) -> bytes:
    return bytes(EnquireLink(sequence_num=sequence).pdu())


def enquired(sequence: int) -> bytes:
    return bytes(EnquireLinkResp(sequence_num=sequence).pdu())


def delivered(sequence: int) -> bytes:
    return bytes(DeliverSmResp(sequence_num=sequence).pdu())


def unbind(sequence: int) -> bytes:
    return bytes(Unbind(sequence_num=sequence).pdu())


def unbound(sequence: int) -> bytes:
    return bytes(UnbindResp(sequence_num=sequence).pdu())


def nack(sequence: int, status: int = 0x03) -> bytes:
    return pack("!IIII", HEADER, GENERIC_NACK, status, sequence)


def identity(body: bytes) -> str:
    """The message_id of a submit_sm_resp: a C-Octet String, wherever it ends."""
    return body.split(b"\0", 1)[0].decode("ascii", "replace")[:65]


@dataclass(slots=True)
class _Reader:
    data: bytes
    at: int = 0

    def text(self) -> str:
        end = self.data.find(b"\0", self.at)
        end = len(self.data) if end < 0 else end
        found, self.at = self.data[self.at : end], end + 1
        return found.decode("latin-1")

    def octet(self) -> int:
        value = self.data[self.at] if self.at < len(self.data) else 0
        self.at += 1
        return value

    def take(self, count: int) -> bytes:
        found = self.data[self.at : self.at + count]
        self.at += count
        return found


@dataclass(slots=True)
class Delivered:
    """A deliver_sm, taken apart (§4.6.1)."""

    source: str
    source_ton: int
    destination: str
    esm_class: int
    data_coding: int
    message: bytes
    tlvs: dict[int, bytes] = field(default_factory=dict)


def read_deliver(body: bytes) -> Delivered:
    """Whatever of it can be made out: what is missing at the end is empty."""
    reader = _Reader(body)
    reader.text()
    source_ton, _ = reader.octet(), reader.octet()
    source_address = reader.text()
    reader.take(2)
    destination = reader.text()
    esm_class, _protocol, _priority = reader.octet(), reader.octet(), reader.octet()
    reader.text(), reader.text()
    reader.take(2)
    data_coding, _ = reader.octet(), reader.octet()
    message = reader.take(reader.octet())
    tlvs = {}
    while reader.at + 4 <= len(body):
        tag, size = unpack_from("!HH", reader.take(4))
        tlvs[tag] = reader.take(size)
    message = message or tlvs.get(0x0424, b"")
    return Delivered(source_address, source_ton, destination, esm_class, data_coding, message, tlvs)


def meaning(told: Delivered) -> Receipt | Inbound | None:
    """What a deliver_sm says: a receipt (§5.2.12), or a text; None for a receipt that names no message."""
    number = _number(told.source, told.source_ton)
    if told.esm_class & 0x3C in (0x04, 0x08, 0x20):
        state = told.tlvs.get(0x0427)
        read = read_receipt(
            told.message.decode("latin-1"),
            tlv_id=told.tlvs.get(0x001E, b"").decode("latin-1"),
            tlv_state=state[0] if state else None,
        )
        return Receipt(read.provider_id, read.state, read.code, number) if read else None
    of, octets = split_header(told.message) if told.esm_class & 0x40 else (None, told.message)
    if of is None and {0x020C, 0x020E, 0x020F} <= told.tlvs.keys():
        reference, total, place = (int.from_bytes(told.tlvs[tag], "big") for tag in (0x020C, 0x020E, 0x020F))
        of = (reference, total, place) if 1 <= place <= total and total > 1 else None
    return Inbound(number, told.destination, octets, alphabet(told.data_coding), of=of)


def alphabet(data_coding: int) -> str:
    """§5.2.19 and TS 23.038 §4."""
    group = data_coding & 0xF0
    if data_coding == 8 or (group == 0x10 and data_coding & 0x0C == 8):
        return UCS2
    if data_coding == 0 or (group in (0x10, 0xF0) and not data_coding & 0x0C):
        return GSM7
    return "ascii" if data_coding == 1 else "latin-1"


def _number(address: str, ton: int) -> str:
    address = address.strip()
    plain = address.removeprefix("+").removeprefix("00")
    if plain.isdigit() and (ton == 1 or address != plain or (len(plain) >= 10 and not plain.startswith("0"))):
        return f"+{plain}"
    return address
