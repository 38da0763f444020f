"""Four people in memory, one of them hostile for thousands of packets: the three others are one unbroken stream each,
little is kept of what the fourth sent, and it costs little.
"""

from __future__ import annotations

import logging
import random
import struct
import tracemalloc
from collections.abc import Callable

import pytest

from tests.fuzz.dice import Dice
from tests.fuzz.hall import GOOD, Hall, hostile
from tests.fuzz.seeds import vp8
from video.media import rtcp, rtp, twcc
from video.media.source import STARTS

STEPS = 2000
PRICE = 100
"""Usual packets for which a hostile one may count; the dearest count for about thirty."""
KEPT = 3 << 20
"""Two caches of 512 packets, feedback, gaps."""

Script = Callable[[int, Hall, random.Random], None]


def media(number: int, *, ssrc: int = 7, kind: int = rtp.VP8, counted: int = 0, body: bytes = b"\x10" * 900) -> bytes:
    head = struct.pack("!BBHII", 0x90, kind, number & 0xFFFF, (number * 3000) & 0xFFFFFFFF, ssrc)
    return head + b"\xbe\xde\x00\x01\x31" + struct.pack("!Hx", counted & 0xFFFF) + body


def feedback(base: int, count: int, chunks: bytes) -> bytes:
    body = struct.pack("!HHI", base, count, 5 << 8) + chunks
    body += bytes(-len(body) % 4)
    return struct.pack("!BBHII", 0x8F, rtcp.RTPFB, 2 + len(body) // 4, 1, 102) + body


def asks_for_everything(step: int, stage: Hall, chance: random.Random) -> None:
    """Three hundred pairs of seventeen, for each of the three pictures."""
    pairs = b"".join(struct.pack("!HH", (step + 17 * index) & 0xFFFF, 0xFFFF) for index in range(300))
    stage.report(struct.pack("!BBHII", 0x81, rtcp.RTPFB, 302, 1, (102, 202, 302)[step % 3]) + pairs)


def asks_for_one_packet_again_and_again(step: int, stage: Hall, chance: random.Random) -> None:
    stage.report(rtcp.nack(102, [stage.number] * 300))


def tells_of_packets_that_never_were(step: int, stage: Hall, chance: random.Random) -> None:
    stage.report(feedback(step & 0xFFFF, 0xFFFF, struct.pack("!H", 0x1FFF) * 9))


def tells_of_as_many_as_are_listened_to(step: int, stage: Hall, chance: random.Random) -> None:
    stage.report(feedback(chance.randrange(65536), twcc.MOST_READ, struct.pack("!H", twcc.MOST_READ)))


def tells_of_everything_in_no_time(step: int, stage: Hall, chance: random.Random) -> None:
    stage.report(feedback((step * 6) & 0xFFFF, 400, struct.pack("!H", 1 << 13 | 400) + bytes(400)))


def tells_the_time_as_it_likes(step: int, stage: Hall, chance: random.Random) -> None:
    stage.media(media(step))
    for ssrc in (7, 101, 102, 0xFFFFFFFF):
        times = [chance.choice((0, 1, 1 << 31, 0xFFFFFFFF, chance.randrange(1 << 32))) for _ in range(5)]
        block = struct.pack("!IIIIII", 102, *(chance.randrange(1 << 32) for _ in range(5)))
        stage.report(struct.pack("!BBHIIIIII", 0x81, rtcp.SR, 12, ssrc, *times) + block)
    stage.report(struct.pack("!BBHI", 0x80, rtcp.SR, 1, 7))


def leaps(step: int, stage: Hall, chance: random.Random) -> None:
    """As far as a sequence number can go forward, each time: 2³² is passed after 131,072 of them."""
    for index in range(40):
        stage.media(media((step * 40 + index) * 0x7FFF, counted=(step * 40 + index) * 0x7FFF, body=b"\x10\x00"))


def leaves_gaps_just_worth_asking_for(step: int, stage: Hall, chance: random.Random) -> None:
    stage.media(media(step * 199, counted=step * 199))


def leaves_out_every_eighteenth(step: int, stage: Hall, chance: random.Random) -> None:
    for index in range(17):
        stage.media(media(step * 18 + index))


def is_somebody_else_each_time(step: int, stage: Hall, chance: random.Random) -> None:
    stage.media(media(step, ssrc=step + 1))
    stage.media(media(step, ssrc=step + 1, kind=rtp.OPUS))


def is_two_people_at_once(step: int, stage: Hall, chance: random.Random) -> None:
    stage.media(media(step, ssrc=7 + step % 2))


def retransmits_retransmissions(step: int, stage: Hall, chance: random.Random) -> None:
    stage.media(media(step * 2))
    packet = media(step * 2 + 1)
    for _ in range(1 + step % 4):
        packet = rtp.wrap_rtx(packet, step * 2 + 1 & 0xFFFF, step, 9, rtp.VP8_RTX) or b""
    stage.media(packet)


def sends_only_padding(step: int, stage: Hall, chance: random.Random) -> None:
    stage.media(media(step))
    stage.media(b"\xb0" + media(step, kind=rtp.VP8_RTX, body=bytes(200) + bytes([chance.choice((0, 201, 255))]))[1:])


def wants_key_frames(step: int, stage: Hall, chance: random.Random) -> None:
    entries = b"".join(struct.pack("!II", (102, 202, 302)[index % 3], index << 24) for index in range(160))
    stage.report(struct.pack("!BBHII", 0x84, rtcp.PSFB, 322, 1, 0) + entries)
    stage.report(rtcp.pli(102) * 100)


def puts_a_hundred_reports_into_one(step: int, stage: Hall, chance: random.Random) -> None:
    block = rtcp.Block(102, 0xFF000000, 1, 2, 3, 4)
    stage.report(rtcp.rr([block]) * 42)
    stage.report(rtcp.rr([block] * 31))


def limits_itself_and_says_goodbye(step: int, stage: Hall, chance: random.Random) -> None:
    stage.report(rtcp.remb(chance.randrange(1 << 40), [102]) + struct.pack("!BBHI", 0x81, rtcp.BYE, 1, 7))


def begins_a_picture_with_every_packet(step: int, stage: Hall, chance: random.Random) -> None:
    stage.media(media(step, body=vp8(Dice(chance.randbytes(60)))))


def does_anything(step: int, stage: Hall, chance: random.Random) -> None:
    hostile(Dice(chance.randbytes(200)), stage)


SCRIPTS: list[Script] = [
    asks_for_everything,
    asks_for_one_packet_again_and_again,
    tells_of_packets_that_never_were,
    tells_of_as_many_as_are_listened_to,
    tells_of_everything_in_no_time,
    tells_the_time_as_it_likes,
    leaps,
    leaves_gaps_just_worth_asking_for,
    leaves_out_every_eighteenth,
    is_somebody_else_each_time,
    is_two_people_at_once,
    retransmits_retransmissions,
    sends_only_padding,
    wants_key_frames,
    puts_a_hundred_reports_into_one,
    limits_itself_and_says_goodbye,
    begins_a_picture_with_every_packet,
    does_anything,
]


LONGER = {leaps: 3334, leaves_out_every_eighteenth: 4000}
"""Until what counts in 32 or in 16 bits begins anew."""


@pytest.mark.parametrize("people", [4, 2])
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.__name__)
def test_one_who(script: Script, people: int, caplog: pytest.LogCaptureFixture) -> None:
    chance = random.Random(script.__name__)
    stage = Hall(GOOD if people == 4 else GOOD[:1])
    steps = LONGER.get(script, STEPS)
    packets = 0
    with caplog.at_level(logging.WARNING):
        for step in range(steps):
            if step % 4 == 0:
                stage.good_round()
            before = stage.hostile
            script(step, stage, chance)
            packets += stage.hostile - before
            stage.pass_time(0.003)
        stage.check()
    assert not caplog.records, caplog.text
    assert packets
    assert stage.price < PRICE
    assert len(stage.tape.tracks) <= 2 * people + 2 * STARTS


SLOW = (asks_for_everything, leaps)  # to be counted: twenty seconds and more


@pytest.mark.parametrize(
    "script",
    [pytest.param(script, marks=pytest.mark.long) if script in SLOW else script for script in SCRIPTS],
    ids=lambda script: script.__name__,
)
def test_little_is_kept_of_one_who(script: Script) -> None:
    chance = random.Random(script.__name__)
    stage = Hall()
    for step in range(300):
        script(step, stage, chance)
        stage.pass_time(0.003)
    tracemalloc.start()
    try:
        for step in range(300, 1500):
            script(step, stage, chance)
            for outlet in stage.outlets.values():
                outlet.numbers.clear()
            stage.pass_time(0.003)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < KEPT, f"{kept} octets"


def test_what_one_causes_to_be_sent_to_the_others_is_in_proportion() -> None:
    """Nobody gets more on account of someone's reports than that one sent."""
    for script in SCRIPTS:
        chance = random.Random(1)
        stage = Hall(GOOD[:1])
        for step in range(1500):
            script(step, stage, chance)
            stage.pass_time(0.003)
        stage.check()
        caused = stage.outlets[GOOD[0]].octets
        assert caused <= 1.1 * stage.octets + 20_000, (script.__name__, caused, stage.octets)
