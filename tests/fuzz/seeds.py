"""Sound packets, descriptions, tokens and messages of every kind, for `dice` to choose among and to damage."""

from __future__ import annotations

import json
import re
import struct
from typing import Any

from aioice import stun

from tests.fuzz.dice import Dice
from video.media import rtcp, rtp, sdp, twcc
from video.media.rtcp import Block

SSRCS = (0xA1, 0xA2, 0xB1, 1, 0, 0xFFFFFFFF)
PASSWORD = "p" * 22
PRINT = ":".join(["AB"] * 32)
OURS = sdp.Ours(
    leg="sara/1",
    ufrag="abcd",
    password=PASSWORD,
    fingerprint=PRINT,
    candidates=("1 1 udp 2130706431 127.0.0.1 5000 typ host",),
    slots=(sdp.SlotStreams(11, 12, 13), sdp.SlotStreams(21, 22, 23), sdp.SlotStreams(31, 32, 33)),
)


# RTP


def rtp_packet(dice: Dice, *, kind: int | None = None, ssrc: int | None = None, number: int | None = None) -> bytes:
    """Header, contributing sources, extension and padding are in order with each other."""
    csrcs = dice.below(16) if dice.one_in(4) else 0
    extension = _extension(dice)
    padded = dice.below(32) + 1 if dice.one_in(4) else 0
    head = struct.pack(
        "!BBHII",
        0x80 | csrcs | (0x10 if extension else 0) | (0x20 if padded else 0),
        (dice.pick((rtp.VP8, rtp.OPUS, rtp.VP8_RTX, 100, 0, 72)) if kind is None else kind) | (dice.number() & 0x80),
        dice.odd_16() if number is None else number & 0xFFFF,
        dice.odd_32(),
        dice.pick(SSRCS) if ssrc is None else ssrc,
    )
    body = vp8(dice) if dice.one_in(2) else dice.take(dice.below(64))
    return head + b"CSRC" * csrcs + extension + body + (bytes(padded - 1) + bytes([padded]) if padded else b"")


def _extension(dice: Dice) -> bytes:
    shape = dice.below(6)
    if shape == 0:
        return b""
    if shape == 5:  # two-byte elements, or a profile nobody knows
        words = dice.below(4)
        return struct.pack("!HH", dice.pick((0x1000, 0x100F, 0, 0xFFFF)), words) + dice.take(4 * words)
    elements = b""
    for _ in range(dice.below(4) + (shape == 1)):
        identity = dice.pick((rtp.TWCC_ID, rtp.AUDIO_LEVEL_ID, 4, 0, 15))
        size = 2 if identity == rtp.TWCC_ID and not dice.one_in(4) else 1 + dice.below(16)
        elements += bytes([identity << 4 | (size - 1)]) + dice.take(size)
        elements += bytes(dice.below(3))
    elements += bytes(-len(elements) % 4)
    return struct.pack("!HH", 0xBEDE, len(elements) // 4) + elements


def vp8(dice: Dice) -> bytes:
    """A payload descriptor (RFC 7741 §4.2) with the fields that it promises, and some payload."""
    flags = dice.number()
    made = bytes([0x10 | (flags & 0x80) | dice.below(8)])
    if flags & 0x80:
        more = dice.number() & 0xF0
        made += bytes([more])
        if more & 0x80:
            made += struct.pack("!H", 0x8000 | dice.number(2)) if dice.one_in(2) else bytes([dice.number() & 0x7F])
        made += bytes(1 if more & 0x40 else 0) + bytes(1 if more & 0x30 else 0)
    return made + dice.take(1 + dice.below(40))


# RTCP


def sender_report(dice: Dice) -> bytes:
    count = dice.below(4)
    body = struct.pack("!IIIIII", dice.pick(SSRCS), *(dice.odd_32() for _ in range(5)))
    body += b"".join(_block(dice) for _ in range(count))
    return struct.pack("!BBH", 0x80 | count, rtcp.SR, len(body) // 4) + body


def _block(dice: Dice) -> bytes:
    return struct.pack("!IIIIII", dice.pick((*SSRCS, 101, 102, 202)), *(dice.odd_32() for _ in range(5)))


def _receiver_report(dice: Dice) -> bytes:
    blocks = [Block(*struct.unpack("!IIIIII", _block(dice))) for _ in range(dice.below(32))]
    return rtcp.rr(blocks, dice.pick(SSRCS))


def _described(dice: Dice) -> bytes:
    name = dice.take(dice.below(40))
    body = struct.pack("!IBB", dice.pick(SSRCS), 1, len(name)) + name + b"\0"
    body += bytes(-len(body) % 4)
    return struct.pack("!BBH", 0x81, rtcp.SDES, len(body) // 4) + body


def _bye(dice: Dice) -> bytes:
    return struct.pack("!BBHI", 0x81, rtcp.BYE, 1, dice.pick(SSRCS))


def _nack(dice: Dice) -> bytes:
    media, pairs = dice.pick((102, 202, 101, *SSRCS)), dice.below(300) if dice.one_in(4) else dice.below(4)
    first, mask = dice.odd_16(), dice.odd_16()
    body = b"".join(struct.pack("!HH", (first + 17 * index) & 0xFFFF, mask) for index in range(pairs))
    return struct.pack("!BBHII", 0x81, rtcp.RTPFB, 2 + pairs, 1, media) + body


def _transport(dice: Dice) -> bytes:
    if dice.one_in(3):  # runs that promise as much as the count can say
        chunks = b"".join(
            struct.pack("!H", dice.below(4) << 13 | dice.pick((0x1FFF, 0, 1, 7))) for _ in range(1 + dice.below(9))
        )
        body = struct.pack("!HHI", dice.odd_16(), dice.odd_16(), dice.odd_32()) + chunks + dice.take(dice.below(40))
        body += bytes(-len(body) % 4)
        return struct.pack("!BBHII", 0x8F, rtcp.RTPFB, 2 + len(body) // 4, 1, dice.pick(SSRCS)) + body
    times: list[int | None] = [
        None if dice.one_in(3) else 1000 * index + dice.odd_16() for index in range(1 + dice.below(60))
    ]
    return twcc.write(dice.pick((102, *SSRCS)), dice.odd_16(), times, dice.number())


def _pli(dice: Dice) -> bytes:
    return rtcp.pli(dice.pick((102, 202, 101, *SSRCS)))


def _fir(dice: Dice) -> bytes:
    entries = dice.below(40)
    body = b"".join(struct.pack("!II", dice.pick((102, 202, *SSRCS)), index << 24) for index in range(entries))
    return struct.pack("!BBHII", 0x84, rtcp.PSFB, 2 + 2 * entries, 1, 0) + body


def _remb(dice: Dice) -> bytes:
    return rtcp.remb(dice.odd_32(), [dice.pick(SSRCS) for _ in range(dice.below(6))])


REPORTS = (
    sender_report,
    _receiver_report,
    _described,
    _bye,
    _nack,
    _transport,
    _pli,
    _fir,
    _remb,
)


def compound(dice: Dice) -> bytes:
    return b"".join(dice.pick(REPORTS)(dice) for _ in range(1 + dice.below(4)))


def feedback(dice: Dice) -> bytes:
    return _transport(dice)


# Session descriptions


def answered(offer: str) -> str:
    """What a browser makes of our offer."""
    text = offer.replace("a=setup:actpass", "a=setup:active").replace("a=ice-lite\r\n", "")
    text = re.sub(r"a=(msid|ssrc|candidate).*\r\n|a=end-of-candidates\r\n", "", text)
    swap = {"recvonly": "sendonly", "sendonly": "recvonly"}
    return re.sub(r"a=(recvonly|sendonly)", lambda found: "a=" + swap[found[1]], text)


ANSWER = answered(sdp.offer(OURS))
_TRANSPORT = f"""c=IN IP4 0.0.0.0
a=rtcp-mux
a=ice-ufrag:abcd
a=ice-pwd:{PASSWORD}
a=fingerprint:sha-256 {PRINT}
a=setup:actpass
"""
DEVICE = f"""v=0
o=- 1 1 IN IP4 0.0.0.0
s=-
t=0 0
a=group:BUNDLE sound picture
m=audio 9 UDP/TLS/RTP/SAVPF 97 0
{_TRANSPORT}a=mid:sound
a=DIRECTION
a=extmap:3 {sdp.LEVEL_URI}
a=extmap:5 {sdp.TWCC_URI}
a=rtpmap:97 opus/48000/2
a=rtpmap:0 PCMU/8000
m=video 9 UDP/TLS/RTP/SAVPF 100 101 111
{_TRANSPORT}a=mid:picture
a=DIRECTION
a=extmap:5 {sdp.TWCC_URI}
a=rtpmap:100 H264/90000
a=rtpmap:101 VP8/90000
a=rtcp-fb:101 nack
a=rtcp-fb:101 nack pli
a=rtcp-fb:101 transport-cc
a=rtpmap:111 rtx/90000
a=fmtp:111 apt=101
"""
SDP_PIECES = (
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
    "m=audio 9 RTP/SAVP 0 8",
    "m=video 0 UDP/TLS/RTP/SAVPF 96",
    "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4",
    "a=bundle-only",
    "a=setup:holdconn",
    "a=mid:",
    "a=mid:0",
    "a=fingerprint:sha-1 AB",
    "a=fingerprint:",
    "a=ice-ufrag:",
    "a=ice-ufrag:é ü",
    "a=ice-pwd:short",
    "a=rtpmap:5000 VP8/90000",
    "a=rtpmap:-1 opus/48000/2",
    "a=rtpmap:72 VP8/90000",
    "a=rtpmap:96 VP8/0",
    "a=fmtp:5000 apt=96",
    "a=fmtp:96 apt=x",
    "a=extmap:0 x",
    f"a=extmap:15/sendrecv {sdp.TWCC_URI}",
    f"a=extmap:3 {sdp.TWCC_URI}",
    "a=ssrc-group:FID 1",
    "a=ssrc:4294967296 cname:x",
    "a=candidate:1 1 udp",
    "a=group:BUNDLE",
    "a=rtcp:x IN IP9 y",
    "a=sendrecv",
    "a=inactive",
    "",
    "=",
    "a",
    "a=\u2028m=audio 9 A 0",
)

# What clients say

MESSAGES: tuple[dict[str, Any], ...] = (
    {"type": "join", "token": "a.b"},
    {"type": "join", "resume": "m1:sara:secret", "leg": "sara/1", "heard": 1000000},
    {"type": "answer", "leg": "sara/1", "sdp": "v=0"},
    {"type": "renew", "leg": "sara/1"},
    {"type": "admit", "participant": "sara"},
    {"type": "media", "audio": True, "video": False},
    {"type": "text", "line": 3, "text": "مرحبا", "final": True},
    {"type": "text", "line": 4, "text": "again", "final": False, "writer": "page", "number": 2},
    {"type": "mark", "kind": "order", "data": {"a": [1, {"b": None}]}, "ref": "r"},
    {"type": "ping", "t": 1.5},
)
VALUES = (
    '"\\ud800"',
    '"\\udfff x \\ud83d\\ude00"',
    '"\\u0000"',
    "NaN",
    "-Infinity",
    "1e999",
    "9" * 400,
    "9" * 5000,
    "-0",
    "1e-400",
    "[" * 500 + "]" * 500,
    "[" * 30000,
    '{"a":' * 900 + "1" + "}" * 900,
    "true",
    "null",
    '"' + "ع" * 3000 + '"',
    '{"type":1}',
    "{}",
    "[]",
    '""',
    '{"a":1,"a":2}',
    '{"\\udc00":1}',
    "9007199254740993",
)


def message(dice: Dice) -> str:
    """JSON, with values of the wrong kind put in as text, so that no encoder tidies them up."""
    chosen = dict(dice.pick(MESSAGES))
    texts = {key: json.dumps(value) for key, value in chosen.items()}
    for _ in range(dice.below(3)):
        texts[dice.pick(list(texts))] = dice.pick(VALUES)
    if dice.one_in(4):
        texts["more"] = dice.pick(VALUES)
    made = "{" + ",".join(f'"{key}":{value}' for key, value in texts.items()) + "}"
    if dice.one_in(4):
        made = damaged_json(dice, made)
    return made


def damaged_json(dice: Dice, text: str) -> str:
    at = dice.below(len(text) + 1)
    return text[:at] + dice.take(dice.below(4)).decode("latin-1") + text[at + dice.below(4) :]


# ICE and DTLS


def check(dice: Dice, *, password: str = PASSWORD, user: str = "abcd:efgh") -> bytes:
    """A binding request, signed or not, with whatever attributes the dice leave in."""
    made = stun.Message(
        dice.pick((stun.Method.BINDING, stun.Method.ALLOCATE)),
        dice.pick((stun.Class.REQUEST, stun.Class.RESPONSE, stun.Class.ERROR, stun.Class.INDICATION)),
        transaction_id=dice.take(12),
    )
    for name, value in (
        ("USERNAME", dice.pick((user, "abcd", ":", "é" * 200, ""))),
        ("PRIORITY", dice.number(4)),
        (dice.pick(("ICE-CONTROLLING", "ICE-CONTROLLED")), dice.number(8)),
        ("USE-CANDIDATE", None),
        ("SOFTWARE", "x" * dice.below(40)),
    ):
        if not dice.one_in(6):
            made.attributes[name] = value
    if not dice.one_in(4):
        made.add_message_integrity(password.encode())
    return bytes(made)


def record(dice: Dice) -> bytes:
    """Something with the head of a DTLS record (RFC 6347 §4.1)."""
    body = dice.take(dice.below(120))
    length = len(body) if not dice.one_in(3) else dice.odd_16()
    kind = dice.pick((22, 20, 21, 23, 24, 25, 63))
    return struct.pack("!BHHIHH", kind, dice.pick((0xFEFD, 0xFEFF, 0, 0x0303)), 0, 0, dice.number(2), length) + body
