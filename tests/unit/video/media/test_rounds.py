"""Numbers go round, SRTP counts the rounds: a receiver that misses the beginning must still open the rest."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pylibsrtp import Error, Policy, Session

from video.media.downlink import Downlink
from video.media.forward import LATE_START, Forward

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
