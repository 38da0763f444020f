"""Contract tests: what we lean on in aiortc, aioice and pylibsrtp is where it was and does what it did."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import aiortc
import pylibsrtp
import pytest
from aioice.ice import CandidatePair, Connection, StunProtocol
from aiortc import RTCDtlsTransport
from aiortc.rtcdtlstransport import RTCCertificate, State
from pylibsrtp import Policy, Session

from video.media import hooks, rtp

Make = Callable[..., bytes]
KEY = bytes(range(44))


def session(kind: int) -> Session:
    policy = Policy(KEY, ssrc_type=kind, srtp_profile=Policy.SRTP_PROFILE_AEAD_AES_256_GCM)
    policy.allow_repeat_tx = True
    return Session(policy)


def keys() -> hooks.Keys:
    dtls: Any = SimpleNamespace(_rx_srtp=session(Policy.SSRC_ANY_INBOUND), _tx_srtp=session(Policy.SSRC_ANY_OUTBOUND))
    return hooks.Keys(dtls)


def test_everything_is_where_it_was() -> None:
    hooks.check()


def test_another_aiortc_is_noticed_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aiortc, "__version__", "1.17.0")
    with pytest.raises(hooks.HooksMoved):
        hooks.check()


def test_a_renamed_attribute_is_noticed_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    source = inspect.getsource
    monkeypatch.setattr(inspect, "getsource", lambda of: source(of).replace("_nominated", "_chosen"))
    with pytest.raises(hooks.HooksMoved, match="_nominated"):
        hooks.check()


def test_srtp_in_place_is_what_the_library_would_have_done(packet: Make) -> None:
    made = packet(7, ssrc=1, body=b"\x10" + b"x" * 1000)
    expected = session(Policy.SSRC_ANY_OUTBOUND).protect(rtp.moved(made, 0xD00000FF, 7, 0))
    ours = keys()
    assert ours.protect_as(made, 0xD00000FF) == expected
    assert ours.unprotect(expected) == rtp.moved(made, 0xD00000FF, 7, 0)


def test_srtcp_in_place_is_what_the_library_would_have_done() -> None:
    plain = b"\x80\xc9\x00\x01\x00\x00\x00\x01"
    theirs = session(Policy.SSRC_ANY_OUTBOUND)
    protected = theirs.protect_rtcp(plain)
    ours = keys()
    assert ours.unprotect_rtcp(protected) == plain
    assert session(Policy.SSRC_ANY_INBOUND).unprotect_rtcp(ours.protect_rtcp(plain)) == plain


def test_forged_replayed_and_oversized_packets_are_nothing(packet: Make) -> None:
    ours = keys()
    good = session(Policy.SSRC_ANY_OUTBOUND).protect(packet(1))
    assert ours.unprotect(good[:-1] + bytes([good[-1] ^ 1])) is None
    assert ours.unprotect(good) is not None
    assert ours.unprotect(good) is None
    assert ours.unprotect(b"\x80" * 3000) is None
    assert ours.protect_as(packet(1, body=b"x" * 1400), 5) is None
    assert ours.protect_rtcp(b"\x80\xc9" + b"x" * 1400) is None


def test_the_sessions_of_a_transport_without_keys_are_missed() -> None:
    with pytest.raises(hooks.HooksMoved):
        hooks.Keys(SimpleNamespace(_rx_srtp=None, _tx_srtp=None))  # type: ignore[arg-type]


def test_the_library_s_session_still_holds_its_context_in_a_pointer() -> None:
    assert pylibsrtp._binding.ffi.typeof(session(Policy.SSRC_ANY_INBOUND)._srtp).kind == "pointer"


class Sent:
    def __init__(self) -> None:
        self.data: list[tuple[bytes, tuple[str, int]]] = []

    def sendto(self, data: bytes, addr: tuple[str, int]) -> None:
        self.data.append((data, addr))


def transport() -> tuple[Any, Connection, Any]:
    """An ICE transport with one protocol that has no socket."""
    ice = hooks.ice_transport()
    connection = ice._connection
    protocol = StunProtocol(connection)
    protocol.transport = Sent()  # type: ignore[assignment]
    protocol.local_candidate = SimpleNamespace(component=1, host="127.0.0.1", port=1)  # type: ignore[assignment]
    connection._protocols.append(protocol)
    return ice, connection, protocol


def pair_to(protocol: Any, host: str, port: int) -> CandidatePair:
    return CandidatePair(protocol, SimpleNamespace(_network_host=host, port=port))  # type: ignore[arg-type]


def test_packets_go_to_the_nominated_pair_and_follow_it_and_stop_with_it() -> None:
    async def scene() -> None:
        ice, connection, protocol = transport()
        way = hooks.Way(ice)
        assert not way.send(b"early")
        connection._nominated[1] = pair_to(protocol, "192.0.2.1", 1000)
        assert way.send(b"one")
        connection._nominated[1] = pair_to(protocol, "192.0.2.2", 2000)
        assert way.send(b"two")
        connection._nominated.clear()
        assert not way.send(b"late")
        assert protocol.transport.data == [(b"one", ("192.0.2.1", 1000)), (b"two", ("192.0.2.2", 2000))]

    asyncio.run(scene())


def test_media_is_taken_at_once_and_the_rest_goes_its_usual_way() -> None:
    async def scene() -> None:
        ice, connection, protocol = transport()
        media: list[bytes] = []
        hooks.tap(ice, media.append, lambda: None)
        for data in (b"\x80media", b"\xbfmedia", b"\x16dtls", b"\x7fnothing", b"\xc0nothing", b"", b"\x40turn"):
            protocol.datagram_received(data, ("192.0.2.1", 1))
        assert media == [b"\x80media", b"\xbfmedia"]
        assert connection._queue.get_nowait() == (b"\x16dtls", 1)
        assert connection._queue.empty()

    asyncio.run(scene())


def test_what_waits_for_a_handshake_that_nobody_runs_is_bounded() -> None:
    async def scene() -> None:
        ice, connection, protocol = transport()
        hooks.tap(ice, lambda data: None, lambda: None)
        for _ in range(1000):
            protocol.datagram_received(b"\x16dtls", ("192.0.2.1", 1))
        assert connection._queue.qsize() == hooks.MOST_QUEUED

    asyncio.run(scene())


def test_only_stun_from_the_known_address_is_a_sign_of_life() -> None:
    async def scene() -> None:
        ice, connection, protocol = transport()
        signs: list[int] = []
        hooks.tap(ice, lambda data: None, lambda: signs.append(1))
        stun = b"\x00\x01\x00\x00\x21\x12\xa4\x42" + b"t" * 12
        protocol.datagram_received(stun, ("192.0.2.1", 1000))
        connection._nominated[1] = pair_to(protocol, "192.0.2.1", 1000)
        protocol.datagram_received(stun, ("192.0.2.9", 1000))
        assert signs == []
        protocol.datagram_received(stun, ("192.0.2.1", 1000))
        assert signs == [1]

    asyncio.run(scene())


def test_nothing_that_a_handler_raises_gets_out() -> None:
    async def scene() -> None:
        ice, _, protocol = transport()

        def broken(data: bytes) -> None:
            raise RuntimeError

        hooks.tap(ice, broken, lambda: None)
        protocol.datagram_received(b"\x80media", ("192.0.2.1", 1))
        protocol.datagram_received(b"\x00\x01\xff\xff" + b"\x21\x12\xa4\x42" + b"t" * 40, ("192.0.2.1", 1))

    asyncio.run(scene())


def test_the_dtls_role_can_be_fixed_by_the_answer() -> None:
    async def scene() -> None:
        dtls = RTCDtlsTransport(hooks.ice_transport(), [RTCCertificate.generateCertificate()])
        hooks.as_server(dtls, True)
        assert dtls._role == "server"
        hooks.as_server(dtls, False)
        assert dtls._role == "client"
        assert (dtls._state, dtls.state) == (State.NEW, "new")

    asyncio.run(scene())


def test_the_participant_controls_ice() -> None:
    async def scene() -> None:
        assert hooks.ice_transport().role == "controlled"

    asyncio.run(scene())
