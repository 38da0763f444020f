"""A text's parts as octets, as they lie in a submit_sm or a TP-User-Data. Pure; sources as in `rules`."""

from zlib import crc32

from messaging.rules import GSM7, UCS2

_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_ESCAPED = {
    "\f": 0x0A,
    "^": 0x14,
    "{": 0x28,
    "}": 0x29,
    "\\": 0x2F,
    "[": 0x3C,
    "~": 0x3D,
    "]": 0x3E,
    "|": 0x40,
    "€": 0x65,
}
_TO_GSM = {letter: bytes([place]) for place, letter in enumerate(_BASIC) if letter != "\x1b"} | {
    letter: bytes([0x1B, code]) for letter, code in _ESCAPED.items()
}
_FROM_ESCAPED = {code: letter for letter, code in _ESCAPED.items()}


def octets(text: str, encoding: str) -> bytes:
    """GSM 7-bit unpacked, one septet an octet, as SMPP carries it; or UCS-2, big end first, surrogates as they are."""
    if encoding == UCS2:
        return text.encode("utf-16-be")
    return b"".join(_TO_GSM[letter] for letter in text)


def read(data: bytes, encoding: str) -> str:
    """The reverse; what is no character of the alphabet becomes U+FFFD, so that nothing sent to us is thrown away."""
    if encoding == UCS2:
        return data.decode("utf-16-be", "replace")
    if encoding != GSM7:
        return data.decode(encoding, "replace")
    text, escaped = [], False
    for octet in data:
        if octet == 0x1B and not escaped:
            escaped = True
            continue
        if octet > 0x7F:
            text.append("\ufffd")
        else:  # an unknown extension shows as the basic letter (TS 23.038 §6.2.1.1)
            text.append(_FROM_ESCAPED.get(octet, _BASIC[octet]) if escaped else _BASIC[octet])
        escaped = False
    return "".join(text)


def reference_of(message_id: str) -> int:
    """By which a phone joins the parts of one text: the same in every attempt, so that parts of two attempts join."""
    return crc32(message_id.encode()) & 0xFF


def header(reference: int, total: int, number: int) -> bytes:
    """The user data header of one part (TS 23.040 §9.2.3.24.1); none where there is but one."""
    return bytes((5, 0, 3, reference, total, number)) if total > 1 else b""


def split_header(data: bytes) -> tuple[tuple[int, int, int] | None, bytes]:
    """Reference, total and number of a received part with a header, and what follows it.

    A header we don't understand, or one that is longer than the part, says nothing of parts.
    """
    if not data or data[0] + 1 > len(data):
        return None, data
    elements, rest = data[1 : data[0] + 1], data[data[0] + 1 :]
    found, at = None, 0
    while at + 2 <= len(elements):
        kind, size = elements[at], elements[at + 1]
        value = elements[at + 2 : at + 2 + size]
        if kind == 0 and len(value) == 3:
            found = value[0], value[1], value[2]
        elif kind == 8 and len(value) == 4:
            found = value[0] << 8 | value[1], value[2], value[3]
        at += 2 + size
    return (found if found and 1 <= found[2] <= found[1] else None), rest
