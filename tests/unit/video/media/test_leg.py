from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pylibsrtp import Policy, Session

from video.media import hooks, sdp
from video.media.datagrams import ROOM, Inbox
from video.media.leg import DOWN_S, MOST_STREAMS, SILENT_S, Leg, is_gone, is_silent
from video.media.sockets import Sockets

Make = Callable[..., bytes]
KEY = bytes(range(44))


def session(kind: int) -> Session:
    return Session(Policy(KEY, ssrc_type=kind, srtp_profile=Policy.SRTP_PROFILE_AEAD_AES_256_GCM))


def leg(changes: list[str] | None = None) -> Leg:
    seen = [] if changes is None else changes
    return Leg("sara/1", sockets=Sockets([]), changed=lambda one: seen.append(one.state), monotonic=lambda: 100.0)


def connected(changes: list[str] | None = None) -> Leg:
    """A leg whose handshake is skipped."""
    made = leg(changes)
    dtls: Any = SimpleNamespace(_rx_srtp=session(Policy.SSRC_ANY_INBOUND), _tx_srtp=session(Policy.SSRC_ANY_OUTBOUND))
    made._keys = hooks.Keys(dtls)
    made.state = "up"
    return made


def arrive(one: Leg, data: bytes) -> bool:
    """The datagram as a port hands it over."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        inbox = Inbox(sock)
    inbox.octets[3 * ROOM : 3 * ROOM + len(data)] = data
    return one.media(inbox, 3, len(data), 100.0)


def test_media_and_reports_reach_their_handlers_in_the_clear(packet: Make) -> None:
    async def scene() -> None:
        one, heard = connected(), []
        one.on_rtp = lambda data, now: heard.append(("rtp", data, now))
        one.on_rtcp = lambda data, now: heard.append(("rtcp", data, now))
        sender = session(Policy.SSRC_ANY_OUTBOUND)
        made, report = packet(1), b"\x80\xc9\x00\x01\x00\x00\x00\x01"
        arrive(one, sender.protect(made))
        arrive(one, sender.protect_rtcp(report))
        assert heard == [("rtp", made, 100.0), ("rtcp", report, 100.0)]

    asyncio.run(scene())


def test_only_what_proves_itself_is_a_sign_of_life(packet: Make) -> None:
    async def scene() -> None:
        one = connected()
        one.heard_at = 0.0
        arrive(one, packet(1))
        assert one.heard_at == 0.0 and one.refused == 1
        arrive(one, session(Policy.SSRC_ANY_OUTBOUND).protect(packet(1)))
        assert one.heard_at == 100.0

    asyncio.run(scene())


def test_ever_new_streams_are_not_opened_and_those_that_are_known_go_on(packet: Make) -> None:
    """libsrtp would keep each of them for good, and look through all at every packet."""

    async def scene() -> None:
        one, heard = connected(), []
        one.on_rtp = one.on_rtcp = lambda data, now: heard.append(data)
        opened: list[int] = []
        keys: Any = one._keys
        one._keys = SimpleNamespace(open=lambda *args: opened.append(keys.open(*args)) or opened[-1])  # type: ignore[assignment]
        sender, forger = (
            session(Policy.SSRC_ANY_OUTBOUND),
            Session(Policy(KEY[::-1], ssrc_type=Policy.SSRC_ANY_OUTBOUND)),
        )
        for ssrc in range(1000, 1000 + 2 * MOST_STREAMS):
            arrive(one, forger.protect(packet(1, ssrc=ssrc)))
        assert one.refused == len(opened) == 2 * MOST_STREAMS, "what proves nothing takes nobody's place"
        reports = [b"\x80\xc9\x00\x01" + (2000 + number).to_bytes(4, "big") for number in range(MOST_STREAMS)]
        for number in range(MOST_STREAMS // 2):
            assert arrive(one, sender.protect(packet(1, ssrc=3000 + number)))
            assert arrive(one, sender.protect_rtcp(reports[number]))
        before = len(opened)
        assert not arrive(one, sender.protect(packet(1, ssrc=4000)))
        assert not arrive(one, sender.protect_rtcp(reports[-1]))
        assert len(opened) == before
        assert arrive(one, sender.protect(packet(2, ssrc=3000))) and arrive(one, sender.protect_rtcp(reports[0]))
        assert len(heard) == MOST_STREAMS + 2

    asyncio.run(scene())


def test_a_cut_leg_passes_nothing_and_keeps_quiet_about_it(packet: Make) -> None:
    async def scene() -> None:
        changes: list[str] = []
        one, heard = connected(changes), []
        one.on_rtp = lambda data, now: heard.append(data)
        one.cut()
        arrive(one, session(Policy.SSRC_ANY_OUTBOUND).protect(packet(1)))
        one.send_rtp(packet(1), 5)
        one.send_rtcp(b"\x80\xc9\x00\x01\x00\x00\x00\x01")
        one.fail()
        await one.close()
        assert heard == [] and changes == [] and one.packets_out == 0

    asyncio.run(scene())


def test_a_failed_leg_says_so_once(packet: Make) -> None:
    async def scene() -> None:
        changes: list[str] = []
        one = connected(changes)
        one.fail()
        one.fail()
        await one.close()
        assert changes == ["down"]

    asyncio.run(scene())


def test_a_bad_answer_is_refused_and_a_second_one_too() -> None:
    async def scene() -> None:
        one = leg()
        with pytest.raises(sdp.BadAnswer):
            one.accept("nonsense")
        assert one.state == "new"
        one.state = "connecting"
        with pytest.raises(sdp.BadAnswer):
            one.accept("")
        await one.close()

    asyncio.run(scene())


def test_a_leg_without_addresses_cannot_offer() -> None:
    async def scene() -> None:
        with pytest.raises(OSError, match="no address"):
            leg().offer()

    asyncio.run(scene())


def test_silence_counts_only_on_a_connected_leg() -> None:
    async def scene() -> None:
        one = connected()
        assert not is_silent(one, now=100 + SILENT_S - 0.1) and is_silent(one, now=100 + SILENT_S)
        assert not is_gone(one, now=100 + DOWN_S - 0.1) and is_gone(one, now=100 + DOWN_S)
        one.state = "connecting"
        assert not is_silent(one, now=1000) and not is_gone(one, now=1000)

    asyncio.run(scene())


@given(st.lists(st.binary(max_size=120), max_size=10), st.booleans())
def test_nothing_from_the_wire_raises(datagrams: list[bytes], ready: bool) -> None:
    async def scene() -> None:
        one = connected() if ready else leg()
        heard: list[bytes] = []
        one.on_rtp = one.on_rtcp = lambda data, now: heard.append(data)
        for data in datagrams:
            arrive(one, data)
        assert heard == []

    asyncio.run(scene())
