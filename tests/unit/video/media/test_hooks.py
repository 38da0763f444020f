"""Contract tests: what we lean on in aiortc, aioice and pylibsrtp is where it was and does what it did."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import aiortc
import pylibsrtp
import pytest
from aioice import stun
from aioice.ice import CandidatePair, Connection
from aiortc import RTCDtlsTransport
from aiortc.rtcdtlstransport import RTCCertificate, State
from pylibsrtp import Policy, Session
from pylibsrtp._binding import ffi

from video.media import hooks, rtp, sieve
from video.media.sockets import Port, Sockets

Make = Callable[..., bytes]
KEY = bytes(range(44))


@pytest.fixture(autouse=True)
def unsifted(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is sent here is too short for anything but a test."""
    monkeypatch.setattr(sieve, "_is_sound", lambda family: False)


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


def opened(ours: hooks.Keys, data: bytes, *, reports: bool = False) -> bytes | None:
    memory = ffi.new("char[]", 4000)
    ffi.buffer(memory)[0 : len(data)] = data
    length = ours.open(memory, len(data), reports=reports)
    return None if length < 0 else ffi.buffer(memory)[0:length]


def test_what_the_library_protected_is_opened_where_it_lies(packet: Make) -> None:
    made = packet(7, ssrc=1, body=b"\x10" + b"x" * 1000)
    assert opened(keys(), session(Policy.SSRC_ANY_OUTBOUND).protect(made)) == made
    report = b"\x80\xc9\x00\x01\x00\x00\x00\x01"
    protected = session(Policy.SSRC_ANY_OUTBOUND).protect_rtcp(report)
    assert opened(keys(), protected, reports=True) == report


def test_forged_and_replayed_packets_are_nothing(packet: Make) -> None:
    ours = keys()
    good = session(Policy.SSRC_ANY_OUTBOUND).protect(packet(1))
    assert opened(ours, good[:-1] + bytes([good[-1] ^ 1])) is None
    assert opened(ours, good) is not None
    assert opened(ours, good) is None
    assert opened(ours, b"\x80" * 2000) is None
    assert opened(ours, b"\x80" * 8) is None


def test_the_sessions_of_a_transport_without_keys_are_missed() -> None:
    with pytest.raises(hooks.HooksMoved):
        hooks.Keys(SimpleNamespace(_rx_srtp=None, _tx_srtp=None))  # type: ignore[arg-type]


def test_the_library_s_session_still_holds_its_context_in_a_pointer() -> None:
    assert pylibsrtp._binding.ffi.typeof(session(Policy.SSRC_ANY_INBOUND)._srtp).kind == "pointer"


@dataclass
class Stage:
    """An ICE transport at a port of its own, and someone outside."""

    ice: Any
    connection: Connection
    port: Port
    out: socket.socket
    media: list[bytes] = field(default_factory=list)
    signs: list[int] = field(default_factory=list)

    @property
    def protocol(self) -> Any:
        return self.connection._protocols[0]

    @property
    def queue(self) -> asyncio.Queue[Any]:
        return self.connection._queue

    def look(self, *datagrams: bytes) -> None:
        for data in datagrams:
            self.out.sendto(data, self.port.socket.getsockname())
        self.port.look()

    def check(self, password: str | None = None, *, nominates: bool = False) -> bytes:
        request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
        request.attributes["USERNAME"] = f"{self.connection.local_username}:them"
        request.attributes["PRIORITY"] = 1
        request.attributes["ICE-CONTROLLING"] = 1
        if nominates:
            request.attributes["USE-CANDIDATE"] = None
        request.add_message_integrity((password or self.connection.local_password).encode())
        return bytes(request)

    def received(self) -> list[bytes]:
        found = []
        with contextlib.suppress(BlockingIOError):
            while True:
                found.append(self.out.recv(2000))
        return found


def play(scene: Callable[[Stage], Awaitable[None]]) -> None:
    async def whole() -> None:
        sockets = Sockets(["127.0.0.1"])
        sockets.open()
        ice = hooks.ice_transport()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            out.bind(("127.0.0.1", 0))
            out.setblocking(False)
            stage = Stage(ice, ice._connection, sockets.ports[0], out)

            def media(inbox: Any, index: int, size: int, now: float) -> bool:
                stage.media.append(inbox.data(index))
                if stage.media[-1] == b"\x80broken":
                    raise RuntimeError
                return stage.media[-1] != b"\x80forged------"

            hooks.attach(ice, sockets.ports, media, lambda: stage.signs.append(1))
            try:
                await scene(stage)
            finally:
                await stage.connection.close()
                sockets.close()

    asyncio.run(whole())


def pair_to(protocol: Any, address: tuple[str, int]) -> CandidatePair:
    return CandidatePair(protocol, SimpleNamespace(_network_host=address[0], port=address[1]))  # type: ignore[arg-type]


def test_packets_go_to_the_nominated_pair_and_follow_it_and_stop_with_it(packet: Make) -> None:
    async def scene(stage: Stage) -> None:
        way, ours = hooks.Way(stage.ice), keys()
        outward = ours.outward
        made = packet(7, ssrc=1)
        assert way.rtp(made, 2, outward) == 0
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind(("127.0.0.1", 0))
            other.settimeout(2)
            stage.connection._nominated[1] = pair_to(stage.protocol, stage.out.getsockname())
            assert way.rtp(made, 0xD00000FF, outward) > len(made)
            assert stage.received() == [session(Policy.SSRC_ANY_OUTBOUND).protect(rtp.moved(made, 0xD00000FF, 7, 0))]
            stage.connection._nominated[1] = pair_to(stage.protocol, other.getsockname())
            report = b"\x80\xc9\x00\x01\x00\x00\x00\x01"
            assert way.rtcp(report, outward) > 0
            assert session(Policy.SSRC_ANY_INBOUND).unprotect_rtcp(other.recv(2000)) == report
        stage.connection._nominated.clear()
        assert way.rtp(made, 2, outward) == way.rtcp(made, outward) == 0
        assert stage.received() == []

    play(scene)


def test_an_address_belongs_to_whoever_proved_the_password_there() -> None:
    async def scene(stage: Stage) -> None:
        stage.look(b"\x80early", b"\x16early", stage.check("another password"))
        assert stage.media == [] and stage.queue.empty() and stage.received() == []
        assert stage.port.sifting.total == 3
        stage.look(stage.check(), b"\x80media", b"\xbfmedia", b"\x16dtls", b"\x7fno", b"\xc0no", b"\x40turn")
        assert stage.media == [b"\x80media", b"\xbfmedia"]
        assert stage.queue.get_nowait() == (b"\x16dtls", 1) and stage.queue.empty()
        [answer] = stage.received()
        assert stun.parse_message(answer).attributes["XOR-MAPPED-ADDRESS"] == stage.out.getsockname()

    play(scene)


def test_what_waits_for_a_handshake_that_nobody_runs_is_bounded() -> None:
    async def scene(stage: Stage) -> None:
        stage.look(stage.check())
        for _ in range(10):
            stage.look(*[b"\x16dtls"] * 30)
        assert stage.queue.qsize() == hooks.MOST_QUEUED

    play(scene)


def test_the_libraries_are_given_so_much_of_each_kind_a_second_and_no_more() -> None:
    async def scene(stage: Stage) -> None:
        taken: list[int] = []
        stage.look(stage.check())
        door = next(iter(stage.port._users.values())).visitor
        door._usual = lambda data, sender: taken.append(data[0])  # type: ignore[attr-defined]
        for _ in range(5 * hooks.OTHERS_PER_S):
            door.other(stage.check(), stage.out.getsockname(), 1e9)
            door.other(b"\x16dtls", stage.out.getsockname(), 1e9)
        assert (taken.count(0), taken.count(0x16)) == (hooks.OTHERS_PER_S, hooks.OTHERS_PER_S)
        door.other(b"\x16dtls", stage.out.getsockname(), 1e9 + 1)
        assert taken.count(0x16) == hooks.OTHERS_PER_S + 1

    play(scene)


def test_checks_that_come_before_the_answer_are_kept_in_measure() -> None:
    async def scene(stage: Stage) -> None:
        for second in range(5):
            for _ in range(hooks.OTHERS_PER_S):
                stage.look(stage.check())
            next(iter(stage.port._users.values())).visitor._taken_since = -second - 10.0  # type: ignore[attr-defined]
        assert len(stage.connection._early_checks) == hooks.MOST_QUEUED

    play(scene)


def test_who_turns_to_their_second_network_while_the_first_is_proven_is_followed() -> None:
    """Its check was under way when the first came through: aioice forgets it, and would answer the first for ever."""

    async def scene(stage: Stage) -> None:
        connection = stage.connection
        connection.remote_username, connection.remote_password = "them", "their password, long enough"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as second:
            second.bind(("127.0.0.1", 0))
            second.setblocking(False)
            connecting = asyncio.ensure_future(connection.connect())
            for out in (second, stage.out):
                out.sendto(stage.check(nominates=out is stage.out), stage.port.socket.getsockname())
            await _until(lambda: _answered(stage.out, connection))
            await _until(connecting.done)
            hooks.go_on_checking(stage.ice)
            assert connection._nominated[1].remote_addr == stage.out.getsockname()
            second.sendto(stage.check(nominates=True), stage.port.socket.getsockname())
            await _until(
                lambda: (
                    _answered(second, connection) is None
                    or connection._nominated[1].remote_addr == second.getsockname()
                )
            )

    play(scene)


async def _until(holds: Callable[[], Any]) -> None:
    async with asyncio.timeout(5):
        while not holds():
            await asyncio.sleep(0.005)


def _answered(out: socket.socket, connection: Connection) -> bool:
    """Answers a check of the node if one has come."""
    with contextlib.suppress(BlockingIOError):
        data, sender = out.recvfrom(2000)
        request = stun.parse_message(data)
        if request.message_class == stun.Class.REQUEST:
            answer = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, transaction_id=request.transaction_id)
            answer.attributes["XOR-MAPPED-ADDRESS"] = sender
            answer.add_message_integrity(connection.remote_password.encode())  # type: ignore[union-attr]
            out.sendto(bytes(answer), sender)
            return True
    return False


def test_of_the_addresses_that_someone_names_the_latest_are_remembered_and_the_one_in_use() -> None:
    async def scene(stage: Stage) -> None:
        connection = stage.connection
        connection.remote_username, connection.remote_password = "them", "their password, long enough"
        stage.look(stage.check())
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(connection.connect(), 0.05)
        used = next(pair for pair in connection._check_list)
        connection._nominated[1] = used
        door = next(iter(stage.port._users.values())).visitor
        for number in range(10 * hooks.MOST_REMOTE):
            door.moved(("127.0.0.1", 20_000 + number))
            if number % 50 == 0:
                door.other(stage.check(), ("127.0.0.2", 20_000 + number), float(number))
        await asyncio.sleep(0)
        remembered = connection._remote_candidates
        assert len(remembered) == hooks.MOST_REMOTE and used.remote_candidate in remembered
        assert remembered[-1].port == 20_000 + 10 * hooks.MOST_REMOTE - 1
        assert {id(pair.remote_candidate) for pair in connection._check_list} == {id(one) for one in remembered}
        await asyncio.sleep(0.01)
        assert len(stage.protocol.transactions) <= hooks.MOST_REMOTE

    play(scene)


def test_only_stun_from_the_known_address_is_a_sign_of_life() -> None:
    async def scene(stage: Stage) -> None:
        stage.look(stage.check())
        assert stage.signs == []
        stage.connection._nominated[1] = pair_to(stage.protocol, ("192.0.2.1", 9))
        stage.look(stage.check())
        assert stage.signs == []
        stage.connection._nominated[1] = pair_to(stage.protocol, stage.out.getsockname())
        stage.look(stage.check())
        assert stage.signs == [1]

    play(scene)


def test_nothing_that_a_handler_raises_gets_out() -> None:
    async def scene(stage: Stage) -> None:
        broken = b"\x00\x01\xff\xff" + b"\x21\x12\xa4\x42" + b"t" * 40
        stage.look(stage.check(), b"\x80broken", broken, b"", b"\x80good")
        assert stage.media == [b"\x80broken", b"\x80good"]

    play(scene)


def test_a_participant_whose_address_changes_is_taken_at_once_and_asked_to_prove_the_new_one() -> None:
    async def scene(stage: Stage) -> None:
        connection = stage.connection
        connection.remote_username, connection.remote_password = "them", "their password, long enough"
        with contextlib.suppress(TimeoutError):
            stage.look(stage.check())
            await asyncio.wait_for(connection.connect(), 0.05)
        hooks.known_by(stage.ice, (0x01020304,))
        stage.received()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as new:
            new.bind(("127.0.0.1", 0))
            new.settimeout(2)
            for data in (b"\x80forged------", b"\x80pkt1234\x09\x02\x03\x04.", b"\x80pkt1234\x01\x02\x03\x04."):
                new.sendto(data, stage.port.socket.getsockname())
            stage.port.look()
            assert stage.media == [b"\x80pkt1234\x01\x02\x03\x04."]
            await asyncio.sleep(0.05)
            check = stun.parse_message(new.recv(2000))
            assert check.check_message_integrity(connection.remote_password.encode())
            assert check.message_class == stun.Class.REQUEST
            assert check.attributes["USERNAME"] == "them:" + connection.local_username

    play(scene)


def test_a_leg_that_has_gone_hears_nothing_more() -> None:
    async def scene(stage: Stage) -> None:
        stage.look(stage.check())
        await stage.connection.close()
        stage.look(stage.check(), b"\x80late")
        assert stage.media == []
        assert not stage.port._names and not stage.port._users and not stage.port._ssrcs

    play(scene)


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
