"""Numbers go round, SRTP counts the rounds: a receiver that misses the beginning must still open the rest."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pylibsrtp import Error, Policy, Session

from tests.unit.video.media.conftest import make_rtp
from video.media import rtp
from video.media.downlink import Downlink
from video.media.forward import LATE_START, Forward
from video.media.source import Source

SSRC = 0xB0000001


def session(kind: int) -> Session:
    return Session(Policy(bytes(44), ssrc_type=kind, srtp_profile=Policy.SRTP_PROFILE_AEAD_AES_256_GCM))


@pytest.mark.parametrize("first", [0, 1000, 0x7FFF, LATE_START - 1, LATE_START, 0xFFF0, 0xFFFF])
@pytest.mark.parametrize("kind", ["audio", "video"])
def test_who_misses_the_first_packets_of_a_stream_opens_the_rest(
    packet: Callable[..., bytes], first: int, kind: str
) -> None:
    here, there = session(Policy.SSRC_ANY_OUTBOUND), session(Policy.SSRC_ANY_INBOUND)
    sent: list[bytes] = []

    class Leg:
        def send_rtp(self, data: bytes, ssrc: int) -> None:
            sent.append(here.protect(data[:8] + ssrc.to_bytes(4, "big") + data[12:]))

        def send_rtcp(self, data: bytes) -> None:
            raise AssertionError

    forward = Forward(Leg(), Downlink(), kind, SSRC, SSRC + 1 if kind == "video" else 0)
    for step in range(200):
        number = (first + step) & 0xFFFF
        forward.media(packet(number, stamp=step * 3000), 0xA0000001, number, step / 100)
    assert len(sent) == 200
    for data in sent[50:]:
        there.unprotect(data)


def test_without_that_the_rest_would_be_lost(packet: Callable[..., bytes]) -> None:
    here, there = session(Policy.SSRC_ANY_OUTBOUND), session(Policy.SSRC_ANY_INBOUND)
    sent = [here.protect(packet((0xFFF0 + step) & 0xFFFF)) for step in range(100)]
    with pytest.raises(Error):
        there.unprotect(sent[50])


STAMPS = (0, 960, 0x7FFFFFFF, 0x90000000, 0xFFFFFFFF)
FIRSTS = sorted({*range(0, 0x10000, 0x400), 0x7FFE, 0x7FFF, 0x8000, LATE_START - 1, LATE_START, 0xFFFE, 0xFFFF})


class Wire:
    """Protects what a leg is given to send as the leg does, and looks at what stands under each number."""

    def __init__(self) -> None:
        policy = Policy(bytes(44), Policy.SSRC_ANY_OUTBOUND, srtp_profile=Policy.SRTP_PROFILE_AEAD_AES_256_GCM)
        policy.allow_repeat_tx, policy.window_size = True, 1024
        self._here, self._there = Session(policy), session(Policy.SSRC_ANY_INBOUND)
        self.sent: list[tuple[int, int]] = []

    def send_rtp(self, data: bytes, ssrc: int) -> None:
        plain = data[:8] + ssrc.to_bytes(4, "big") + data[12:]
        assert self._there.unprotect(self._here.protect(plain)) == plain, "opened once: no number was used before"
        self.sent.append((rtp.sequence(plain), rtp.timestamp(plain)))

    def send_rtcp(self, data: bytes) -> None:
        return None


def stream(
    forward: Forward, leg: str, ssrc: int, first: int, stamp: int, *, count: int, begins: float
) -> list[tuple[int, int]]:
    """A publisher's packets, each a hundredth of a second after the one before."""
    source = Source(forward.kind, leg, "sara", lambda packet: None)
    source.started(ssrc, first)
    forward.attach(source)
    step = rtp.CLOCK_RATES[forward.kind] // 100
    said = [((first + index) & 0xFFFF, (stamp + index * step) & 0xFFFFFFFF) for index in range(count)]
    for index, (number, at) in enumerate(said):
        forward.media(make_rtp(number, stamp=at, ssrc=ssrc), ssrc, number, begins + index / 100)
    return said


@pytest.mark.parametrize("kind", ["audio", "video"])
@pytest.mark.parametrize("stamp", STAMPS)
def test_wherever_numbers_and_stamps_begin_everything_is_sent_and_goes_on_when_the_publisher_comes_back(
    kind: str, stamp: int
) -> None:
    for first in FIRSTS:
        wire = Wire()
        forward = Forward(wire, Downlink(), kind, SSRC, SSRC + 1)
        said = stream(forward, "sara/1", 7, first, stamp, count=4, begins=1.0)
        moved = 0x8000 if first >= LATE_START else 0
        assert wire.sent == [((number + moved) & 0xFFFF, at) for number, at in said]
        stream(forward, "sara/2", 8, (first * 7 + 99) & 0xFFFF, stamp ^ 0x80000000, count=4, begins=3.0)
        begun, step = wire.sent[0], rtp.CLOCK_RATES[kind] // 100
        assert [number for number, _ in wire.sent] == [(begun[0] + index) & 0xFFFF for index in range(8)]
        passed = [(at - begun[1]) & 0xFFFFFFFF for _, at in wire.sent]
        assert passed == [step * index for index in (0, 1, 2, 3, 200, 201, 202, 203)]


@pytest.mark.parametrize("kind", ["audio", "video"])
@pytest.mark.parametrize("first", [0xE000, 0xEFFF])
def test_numbers_go_round_and_are_joined_there_without_one_used_twice(kind: str, first: int) -> None:
    """Just past the round the publisher comes back with numbers that were sent under before."""
    wire = Wire()
    forward = Forward(wire, Downlink(), kind, SSRC, SSRC + 1)
    stream(forward, "sara/1", 7, first, 0x90000000, count=3, begins=1.0)
    forward.media(make_rtp(first - 1, stamp=0x90000000 - 960, ssrc=7), 7, (first - 1) & 0xFFFF, 1.03)
    assert len(wire.sent) == 3, "nothing before the beginning"
    source = forward.source
    assert source is not None
    count = 0x10000 - first + 50
    for index in range(3, count):
        number = (first + index) & 0xFFFF
        forward.media(make_rtp(number, stamp=0x90000000 + index * 10, ssrc=7), 7, number, 1 + index / 100)
    stream(forward, "sara/2", 8, first, 0x90000000, count=50, begins=1 + count / 100)
    assert [number for number, _ in wire.sent] == [(first + index) & 0xFFFF for index in range(count + 50)]
