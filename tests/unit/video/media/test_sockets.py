from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from pylibsrtp import Policy, Session

from tests.unit.video.media.checks import check
from video.media import datagrams, rtp, sieve, sockets
from video.media.datagrams import BATCH, Inbox, Outbox, destination
from video.media.sockets import MOST_ADDRESSES, MOVES_PER_S, Channel, Port, Sockets

Make = Callable[..., bytes]
KEY = bytes(range(44))


def session(kind: int) -> Session:
    return Session(Policy(KEY, ssrc_type=kind, srtp_profile=Policy.SRTP_PROFILE_AEAD_AES_256_GCM))


def bound(host: str = "127.0.0.1") -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    sock.bind((host, 0))
    return sock


@pytest.fixture(params=["127.0.0.1", "::1"])
def ends(request: pytest.FixtureRequest) -> Iterator[tuple[socket.socket, socket.socket]]:
    with ExitStack() as stack:
        try:
            yield stack.enter_context(bound(request.param)), stack.enter_context(bound(request.param))
        except OSError:
            pytest.skip("no such address here")


@pytest.fixture(params=["many", "one by one"], autouse=True)
def calls(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything holds with the C library's calls for many datagrams, and without."""
    if request.param == "one by one":
        monkeypatch.setattr(datagrams, "_libc", None)
    else:
        assert datagrams._libc is not None


def test_more_than_a_batch_goes_out_and_comes_in_whole(ends: tuple[socket.socket, socket.socket], packet: Make) -> None:
    here, there = ends
    outbox, inbox, tx, rx = (
        Outbox(here),
        Inbox(there),
        session(Policy.SSRC_ANY_OUTBOUND),
        session(Policy.SSRC_ANY_INBOUND),
    )
    to = destination(there.family, there.getsockname()[:2])
    outbox.holding = True
    made = [packet(number, body=random.randbytes(random.randrange(1, 1200))) for number in range(BATCH + 9)]
    sizes = [outbox.rtp(one, 0xA0000001, tx._srtp[0], to) for one in made]
    assert outbox.filled == 9
    outbox.flush()
    found = []
    while count := inbox.receive():
        assert all(inbox.sender(index) == here.getsockname()[:2] for index in range(count))
        found += [inbox.data(index) for index in range(count)]
    assert [len(data) for data in found] == sizes
    assert [rx.unprotect(data) for data in found] == made
    assert outbox.dropped == 0


def test_what_is_not_held_leaves_at_once(ends: tuple[socket.socket, socket.socket]) -> None:
    here, there = ends
    outbox, inbox, tx = Outbox(here), Inbox(there), session(Policy.SSRC_ANY_OUTBOUND)
    report = b"\x80\xc9\x00\x01\x00\x00\x00\x01"
    assert outbox.rtcp(report, tx._srtp[0], destination(there.family, there.getsockname()[:2])) > len(report)
    assert inbox.receive() == 1 and inbox.receive() == 0
    assert session(Policy.SSRC_ANY_INBOUND).unprotect_rtcp(inbox.data(0)) == report


def test_a_destination_that_can_not_be_reached_costs_the_others_nothing(packet: Make) -> None:
    with bound() as here, bound() as there:
        outbox, inbox, tx = Outbox(here), Inbox(there), session(Policy.SSRC_ANY_OUTBOUND)
        good, bad = (destination(socket.AF_INET, to) for to in (there.getsockname(), ("255.255.255.255", 9)))
        outbox.holding = True
        for number, to in enumerate([bad, good, bad, bad, good, bad]):
            assert outbox.rtp(packet(number), 1, tx._srtp[0], to)
        outbox.flush()
        assert inbox.receive() == 2


def test_the_largest_packets_of_a_room_device_go_on_and_again(packet: Make) -> None:
    """GStreamer's payloaders fill 1400 bytes unless told otherwise."""
    with bound() as here, bound() as there:
        outbox, inbox, tx = Outbox(here), Inbox(there), session(Policy.SSRC_ANY_OUTBOUND)
        to = destination(socket.AF_INET, there.getsockname())
        picture = packet(1, body=b"x" * 1388)
        again = rtp.wrap_rtx(picture, 1, 7, 2, rtp.VP8_RTX)
        assert len(picture) == 1400 and again is not None
        assert all(1400 < outbox.rtp(one, 1, tx._srtp[0], to) <= 1500 - 48 for one in (picture, again))
        assert inbox.receive() == 2


def test_what_is_too_large_is_neither_sent_nor_taken(packet: Make) -> None:
    with bound() as here, bound() as there:
        outbox, inbox, tx = Outbox(here), Inbox(there), session(Policy.SSRC_ANY_OUTBOUND)
        to = destination(socket.AF_INET, there.getsockname())
        large = packet(1, body=b"x" * 1440)
        assert outbox.rtp(large, 1, tx._srtp[0], to) == outbox.rtcp(large, tx._srtp[0], to) == outbox.filled == 0
        here.sendto(b"\x80" * 9000, there.getsockname())
        assert inbox.receive() == 1
        assert len(inbox.data(0)) <= datagrams.ROOM


@pytest.fixture(autouse=True)
def unsifted(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A port gets everything, as on a machine without filters, but where a test is about them."""
    if "flood" not in request.node.name:
        monkeypatch.setattr(sieve, "_is_sound", lambda family: False)


class Visit:
    """A leg that takes everything that begins with its letter."""

    def __init__(self, letter: bytes) -> None:
        self.letter = letter
        self.taken: list[bytes] = []
        self.others: list[bytes] = []
        self.moves: list[Any] = []

    def media(self, inbox: Inbox, index: int, size: int, now: float) -> bool:
        data = inbox.data(index)
        if data[1:2] == self.letter:
            self.taken.append(data)
        return data[1:2] == self.letter

    def other(self, data: bytes, sender: tuple[str, int], now: float) -> bool:
        self.others.append(data)
        return True

    def moved(self, sender: tuple[str, int]) -> None:
        self.moves.append(sender)


class House:
    """One port, two legs, and as many outsiders as a test wants."""

    def __init__(self, port: Port, stack: ExitStack) -> None:
        self.port, self._stack = port, stack
        self.gone: list[str] = []
        self.a, self.b = Visit(b"a"), Visit(b"b")
        self.one = self._open("one", self.a)
        self.two = self._open("two", self.b)

    def _open(self, user: str, visit: Visit) -> Channel:
        return self.port.open(user, "password of " + user, visit, lambda: self.gone.append(user))

    def outsider(self) -> socket.socket:
        return self._stack.enter_context(bound())

    def look(self, sender: socket.socket, *datagrams: bytes) -> None:
        for data in datagrams:
            sender.sendto(data, self.port.socket.getsockname())
        self.port.look()


def play(scene: Callable[[House], Awaitable[None]]) -> None:
    async def whole() -> None:
        sockets = Sockets(["127.0.0.1"], monotonic=lambda: 100.0)
        sockets.open()
        try:
            with ExitStack() as stack:
                await scene(House(sockets.ports[0], stack))
        finally:
            sockets.close()

    asyncio.run(whole())


def test_the_sender_s_address_tells_the_legs_apart() -> None:
    async def scene(house: House) -> None:
        anna, ben = house.outsider(), house.outsider()
        house.look(anna, check("one"))
        house.look(ben, check("two"))
        house.look(anna, b"\x80a1", b"\x16dtls")
        house.look(ben, b"\x80b1")
        house.look(house.outsider(), b"\x80a2", b"\x16dtls", b"\x80" + b"a" * 20)
        assert house.a.taken == [b"\x80a1"] and house.b.taken == [b"\x80b1"]
        assert house.a.others == [check("one"), b"\x16dtls"] and house.b.others == [check("two")]
        assert house.port.sifting.total == 3

    play(scene)


def test_a_port_rests_between_two_looks_but_not_while_more_is_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine each rest may cost a turn of the processor: then a backlog would never become less."""
    rests: list[float] = []
    monkeypatch.setattr(sockets.time, "sleep", rests.append)
    monkeypatch.setattr(sockets, "REST_S", 60.0)

    async def scene(house: House) -> None:
        anna = house.outsider()
        house.look(anna, *[b"\x80"] * (2 * BATCH + 1))
        before = len(rests)
        house.port.look()
        house.port.look()
        assert len(rests) == before, "the batches before were full"
        house.port.look()
        assert len(rests) == before + 1

    play(scene)


def test_an_address_goes_to_another_leg_only_by_that_leg_s_password() -> None:
    async def scene(house: House) -> None:
        anna = house.outsider()
        house.look(anna, check("one"), check("two", "a guess"), check("three"), b"\x80a1")
        assert house.a.taken == [b"\x80a1"] and house.b.others == []
        house.look(anna, check("two"), b"\x80b1", b"\x80a2")
        assert house.b.taken == [b"\x80b1"] and house.a.taken == [b"\x80a1"]
        house.one.close()
        house.look(anna, b"\x80b2")
        assert house.b.taken == [b"\x80b1", b"\x80b2"]

    play(scene)


def test_a_known_stream_from_a_new_address_is_followed_when_it_proves_itself() -> None:
    async def scene(house: House) -> None:
        house.one.sends((0x41414141,))
        moved, forger = house.outsider(), house.outsider()
        house.look(forger, b"\x80x......AAAA...")
        assert house.a.moves == []
        house.look(moved, b"\x80a......AAAA...", b"\x80a......BBBB...")
        assert house.a.moves == [moved.getsockname()]
        assert len(house.a.taken) == 2, "the second came from an address that was known by then"
        house.one.sends(())
        house.look(house.outsider(), b"\x80a......AAAA...")
        assert len(house.a.taken) == 2

    play(scene)


def test_strangers_do_not_make_a_leg_try_its_keys_for_ever() -> None:
    async def scene(house: House) -> None:
        tries = 0

        def count(*datagram: Any) -> bool:
            nonlocal tries
            tries += 1
            return False

        house.one.media = count  # type: ignore[method-assign]
        house.one.sends((0x41414141,))
        stranger = house.outsider()
        for _ in range(10):
            house.look(stranger, *[b"\x80a......AAAA..."] * 30)
        assert tries == MOVES_PER_S

    play(scene)


def test_what_names_no_leg_uses_up_nobody_s_tries() -> None:
    async def scene(house: House) -> None:
        house.one.sends((0x41414141,))
        stranger, moved = house.outsider(), house.outsider()
        for _ in range(4):
            house.look(stranger, *[b"\x80a......BBBB..."] * 30)
        house.look(moved, b"\x80a......AAAA...")
        assert house.a.moves == [moved.getsockname()]

    play(scene)


def test_a_leg_keeps_its_newest_addresses() -> None:
    async def scene(house: House) -> None:
        people = [house.outsider() for _ in range(MOST_ADDRESSES + 2)]
        for index, person in enumerate(people):
            house.look(person, check("one"), b"\x80a%d" % index)
        house.look(people[0], b"\x80aold")
        house.look(people[-1], b"\x80anew")
        assert house.a.taken[-1] == b"\x80anew" and b"\x80aold" not in house.a.taken
        assert len(house.port._names) == len(house.one.names) == MOST_ADDRESSES

    play(scene)


def test_a_flood_is_kept_out_by_the_kernel_and_the_leg_of_its_address_goes_on() -> None:
    async def scene(house: House) -> None:
        if not house.port.sieve.works:
            pytest.skip("no socket filters on this machine")
        anna, ben, stranger = (house.outsider() for _ in range(3))
        house.look(anna, check("one"))
        house.look(ben, check("two"))
        sound, forged = b"\x80a" + bytes(30), b"\x80x" + bytes(30)
        house.look(stranger, b"nonsense")
        assert house.port.sifting.total == 0
        for _ in range(20):
            house.look(stranger, *[forged] * 30)
        assert house.port.sifting.total < 150, "from then on the kernel has dropped them"
        for _ in range(100):
            house.look(anna, *[forged] * 30)
        assert 900 < house.port.sifting.total < 1700, "one in sixteen comes through"
        assert house.port.sieve.dropped > 1500
        came = len(house.a.taken)
        for _ in range(20):
            house.look(anna, *[sound] * 30)
        assert 0 < len(house.a.taken) - came < 200
        house.look(ben, b"\x80b" + bytes(30))
        assert len(house.b.taken) == 1

    play(scene)


def test_a_closed_channel_says_so_once_and_sends_nothing() -> None:
    async def scene(house: House) -> None:
        anna = house.outsider()
        house.look(anna, check("one"))
        house.one.sendto(b"before", anna.getsockname())
        house.one.close()
        house.one.close()
        house.one.sendto(b"after", anna.getsockname())
        await asyncio.sleep(0)
        assert house.gone == ["one"] and house.one.is_closing()
        assert anna.recv(100) == b"before"
        with pytest.raises(BlockingIOError):
            anna.recv(100)

    play(scene)


def test_without_an_address_there_are_no_sockets() -> None:
    async def scene(house: House) -> None:
        with pytest.raises(OSError, match="no address"):
            Sockets([]).open()
        with pytest.raises(OSError):
            Sockets(["192.0.2.254"]).open()

    play(scene)
