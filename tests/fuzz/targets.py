"""What comes from the wire, one function a kind: each takes bytes, and raises only where the code is at fault.

The bytes are dice (see `dice`): hypothesis throws them in the tests, atheris in `python -m tests.fuzz`.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable

from aiortc.sdp import SessionDescription

from tests.fuzz import seeds
from tests.fuzz.dice import Dice, damaged, damaged_text
from tests.fuzz.hall import hall
from tests.fuzz.record import recording
from tests.fuzz.talk import strangers, talk
from tests.fuzz.web import web
from tests.fuzz.wire import checks, handshake
from video.media import foreign, messages, rtcp, rtp, sdp, tokens, twcc
from video.media.directory import ParticipantInfo
from video.media.member import Member
from video.media.messages import Closing

SECRET = b"0123456789abcdef"


def rtp_header(data: bytes) -> None:
    """Header, contributing sources, extensions, padding."""
    dice = Dice(data)
    packet = damaged(dice, seeds.rtp_packet(dice)).ljust(rtp.HEADER_SIZE, b"\0")
    at = rtp.payload_at(packet)
    number = rtp.transport_sequence(packet)
    level = rtp.extension_at(packet, rtp.AUDIO_LEVEL_ID)
    if not rtp.looks_sound(packet):
        return
    assert rtp.HEADER_SIZE <= at <= len(packet)
    assert level < at and -1 <= number <= 0xFFFF and 0 <= rtp.padding_of(packet) <= 255
    counted, bare = rtp.with_transport_sequence(packet, 0x1234), rtp.without_transport_sequence(packet)
    for changed in (counted, bare):
        assert len(changed) == len(packet) and changed[at:] == packet[at:]
        assert rtp.extension_at(changed, rtp.AUDIO_LEVEL_ID) == level
    if number >= 0:
        assert rtp.transport_sequence(counted) == 0x1234
        assert sum(a != b for a, b in zip(packet, counted, strict=True)) <= 2
    else:
        assert counted == packet == bare
    moved = rtp.moved(packet, 7, 70_000, 1 << 33 | 9)
    assert (rtp.ssrc(moved), rtp.sequence(moved), rtp.timestamp(moved)) == (7, 70_000 & 0xFFFF, 9)
    assert moved[:2] == packet[:2] and moved[12:] == packet[12:]


def vp8(data: bytes) -> None:
    """The payload descriptor."""
    dice = Dice(data)
    body = damaged(dice, seeds.vp8(dice))
    packet = seeds.rtp_packet(dice)
    rtp.is_vp8_keyframe(packet[: max(rtp.HEADER_SIZE, rtp.payload_at(packet))] + body)
    rtp.is_vp8_keyframe(damaged(dice, packet).ljust(rtp.HEADER_SIZE, b"\0"))


def rtx(data: bytes) -> None:
    """Retransmissions, wrapped by us and by others."""
    dice = Dice(data)
    packet = damaged(dice, seeds.rtp_packet(dice)).ljust(rtp.HEADER_SIZE, b"\0")
    opened = rtp.unwrap_rtx(packet, 5, rtp.VP8)
    if not rtp.looks_sound(packet):
        return
    if opened is not None:
        assert len(opened) == len(packet) - 2 and rtp.ssrc(opened) == 5 and rtp.looks_sound(opened)
    wrapped = rtp.wrap_rtx(packet, rtp.sequence(packet), 9, 6, rtp.VP8_RTX)
    assert wrapped is not None and rtp.sequence(wrapped) == 9 and rtp.ssrc(wrapped) == 6
    again = rtp.unwrap_rtx(wrapped, rtp.ssrc(packet), packet[1] & 0x7F)
    if len(packet) - rtp.payload_at(packet) >= max(1, rtp.padding_of(packet)):
        assert again == packet


def reports(data: bytes) -> None:
    """RTCP: every kind, in compounds, as they come."""
    dice = Dice(data)
    compound = damaged(dice, seeds.compound(dice), most=6)[:1500]
    rtcp.is_rtcp(compound)
    whole = 0
    for kind, count, packet in rtcp.walk(compound):
        whole += len(packet)
        assert len(packet) >= 8 and len(packet) % 4 == 0 and packet[1] == kind
        assert len(list(rtcp.blocks(kind, count, packet))) <= 31
        asked = list(rtcp.nacked(packet))
        assert len(asked) <= 17 * 400 and all(0 <= number <= 0xFFFF for number in asked)
        rtcp.sender_of(packet)
        rtcp.media_of(packet)
        moved = rtcp.moved_sr(packet, 9, 1 << 40)
        assert moved is None or len(moved) == 28
        rtcp.sr_middle(packet)
        bits = rtcp.remb_bitrate(packet)
        assert bits is None or bits >= 0
        if len(packet) >= 12:
            assert len(rtcp.readdressed(packet, 8)) == len(packet)
        twcc.read(packet)
    assert whole <= len(compound)


def transport(data: bytes) -> None:
    """Transport-wide feedback: chunks, counts, deltas; and what we write can be read."""
    dice = Dice(data)
    packet = damaged(dice, seeds.feedback(dice))[:1500]
    found = twcc.read(packet)
    assert len(found) <= twcc.MOST_READ
    times: list[int | None] = [
        None if dice.one_in(3) else dice.number(3) for _ in range(1 + dice.below(twcc.MOST_PACKETS))
    ]
    base = dice.number(2)
    back = twcc.read(twcc.write(1, base, times, 0))
    assert [one.number for one in back] == [(base + index) & 0xFFFF for index in range(len(times))]
    assert [one.arrived_us is None for one in back] == [time is None for time in times]


def answer(data: bytes) -> None:
    """What a browser answers to our offer."""
    dice = Dice(data)
    text = damaged_text(dice, seeds.ANSWER.replace("\r", ""), 6, pieces=seeds.SDP_PIECES)
    if dice.one_in(2):
        text = text.replace("\n", "\r\n")
    with contextlib.suppress(sdp.BadAnswer):
        read = sdp.read_answer(text)
        assert read.ufrag.isascii() and read.password.isascii() and read.fingerprints
        assert read.sends <= {"audio", "video"}
    with contextlib.suppress(sdp.BadAnswer):
        sdp.read_answer(dice.rest().decode("utf-8", "replace"))


def offer(data: bytes) -> None:
    """What a device offers (WHIP, WHEP), what we answer, and its numbers on packets both ways."""
    dice = Dice(data)
    way: foreign.Kind = dice.pick(("whip", "whep"))
    seed = seeds.DEVICE.replace("DIRECTION", "sendonly" if way == "whip" else "recvonly")
    text = damaged_text(dice, seed, 6, pieces=seeds.SDP_PIECES)
    with contextlib.suppress(foreign.BadOffer):
        offered = foreign.read_offer(text, way)
        ours = sdp.Ours("p7/1", "ufrag", "p" * 22, seeds.PRINT, seeds.OURS.candidates, seeds.OURS.slots)
        said = foreign.answer(ours, offered)
        assert len(SessionDescription.parse(said).media) == len(offered.sections)
        numbers = offered.numbers()
        for _ in range(4):
            packet = damaged(dice, seeds.rtp_packet(dice)).ljust(rtp.HEADER_SIZE, b"\0")
            if rtp.looks_sound(packet):
                for turned in (numbers.inward(packet), numbers.outward(packet)):
                    assert turned is None or rtp.looks_sound(turned)
    with contextlib.suppress(foreign.BadOffer):
        foreign.read_offer(dice.rest().decode("utf-8", "replace"), way)


def token(data: bytes) -> None:
    """Join tokens: damaged ones, and signed ones that make no sense."""
    dice = Dice(data)
    claims = tokens.JoinClaims("m1", "sara", "visitor", "سارة", "Sara", nonce="n")
    good = tokens.mint(SECRET, claims, now=100.0)
    text = damaged_text(dice, good)
    with contextlib.suppress(tokens.TokenRefused):
        assert tokens.read(SECRET, text, now=100.0) == tokens.read(SECRET, good, now=100.0)
    payload = tokens._encode(damaged(dice, seeds.message(dice).encode("utf-8", "surrogatepass")))
    if dice.one_in(2):
        values = {**claims.__dict__, dice.pick(list(claims.__dict__)): dice.pick((None, 1, "", [], float("nan"), "x"))}
        payload = tokens._encode(json.dumps(values).encode())
    signed = f"{payload}.{tokens._encode(tokens._signature(SECRET, payload))}"
    with contextlib.suppress(tokens.TokenRefused):
        read = tokens.read(SECRET, signed, now=100.0)
        assert read.role in tokens.ROLES and read.exp > 100.0 and read.nonce
        assert tokens.Used().spend(read, now=100.0)


def resume(data: bytes) -> None:
    """The secret for coming back opens with itself and with nothing else."""
    dice = Dice(data)
    member = Member("sara", ParticipantInfo("visitor", "سارة", "Sara"))
    secret = member.new_resume()
    given = damaged_text(dice, secret) if dice.one_in(2) else dice.rest().decode("utf-8", "surrogateescape")
    assert member.may_resume(given) == (given == secret)


def message(data: bytes) -> None:
    """One message: read, and every field of it taken as every kind."""
    dice = Dice(data)
    text = seeds.message(dice)
    try:
        read = messages.read(text)
    except Closing:
        return
    for key in (*read, "nothing"):
        for take in (messages.text_of, messages.number_of, messages.flag_of):
            with contextlib.suppress(Closing):
                json.dumps(take(read, key), ensure_ascii=False, allow_nan=False).encode()
    for whole in (messages.mark_of, messages.ref_of, messages.time_of):
        with contextlib.suppress(Closing):
            json.dumps(whole(read), ensure_ascii=False, allow_nan=False).encode()


TARGETS: dict[str, Callable[[bytes], None]] = {
    "rtp": rtp_header,
    "vp8": vp8,
    "rtx": rtx,
    "rtcp": reports,
    "twcc": transport,
    "answer": answer,
    "offer": offer,
    "token": token,
    "resume": resume,
    "message": message,
    "talk": talk,
    "strangers": strangers,
    "hall": hall,
    "stun": checks,
    "dtls": handshake,
    "recording": recording,
    "web": web,
}
