"""The kernel's filter: run by an interpreter of its own here, and by the kernel itself."""

from __future__ import annotations

import itertools
import random
import socket
import struct
from collections.abc import Sequence

import pytest

from video.media import sieve
from video.media.sieve import Instruction, Sieve, program
from video.media.sifting import Shut

STUN = b"\x00\x01\x00\x00\x21\x12\xa4\x42" + bytes(12)
HANDSHAKE = b"\x16\xfe\xfd" + bytes(10)
CIPHERED = b"\x2f" + bytes(20)
MEDIA = b"\x90\x60" + bytes(30)
SOUND = [STUN, HANDSHAKE, CIPHERED, MEDIA, b"\x80\xc9" + bytes(20), b"\xbf" + bytes(2047), b"\x3f" + bytes(12)]
UNSOUND = [
    b"",
    b"\x00",
    STUN[:19],
    STUN.replace(b"\x42", b"\x43"),
    b"\x04" + STUN[1:],
    b"\x13\xfe\xfd" + bytes(30),
    HANDSHAKE[:12],
    b"\x16\x03\x03" + bytes(30),
    b"\x40" + bytes(30),
    b"\x7f" + bytes(30),
    b"\x80" + bytes(20),
    b"\xc0" + bytes(30),
    b"\xff" * 100,
    b"\x90" + bytes(2048),
]
HOST, OTHER = socket.inet_aton("192.0.2.7"), socket.inet_aton("192.0.2.8")


def passes(steps: Sequence[Instruction], payload: bytes, host: bytes = HOST, port: int = 5000, chance: int = 0) -> bool:
    """Classic BPF, as linux/Documentation/networking/filter.rst tells it."""
    data = struct.pack("!HHHH", port, 1, 8 + len(payload), 0) + payload
    network = bytes(12) + host if len(host) == 4 else bytes(8) + host + bytes(24)
    a = at = 0
    for _ in range(10_000):
        code, true, false, value = steps[at]
        at += 1
        if code == sieve.RETURN:
            return value > 0
        if code == sieve.LOAD_LENGTH:
            a = len(data)
        elif code in (sieve.LOAD_WORD, sieve.LOAD_HALF, sieve.LOAD_BYTE):
            size = {sieve.LOAD_WORD: 4, sieve.LOAD_HALF: 2, sieve.LOAD_BYTE: 1}[code]
            if value == sieve.RANDOM:
                a = chance
                continue
            source, start = (network, value - sieve.NETWORK) if value >= sieve.NETWORK else (data, value)
            if start + size > len(source):
                return False
            a = int.from_bytes(source[start : start + size], "big")
        elif code == sieve.JUMP:
            at += value
        elif code == sieve.AND:
            a &= value
        else:
            holds = {sieve.EQUAL: a == value, sieve.GREATER: a > value, sieve.AT_LEAST: a >= value}[code]
            at += true if holds else false
    raise AssertionError("it never ends")


@pytest.mark.parametrize("shuts", [[], [Shut(OTHER, ports=(5000,)), Shut(bytes(8), whole=True)]])
def test_what_no_browser_sends_is_dropped_and_nothing_else(shuts: list[Shut]) -> None:
    steps = program(shuts)
    assert [passes(steps, one) for one in SOUND] == [True] * len(SOUND)
    assert [passes(steps, one) for one in UNSOUND] == [False] * len(UNSOUND)


def test_who_is_shut_out_is_dropped_and_nobody_else() -> None:
    steps = program(
        [
            Shut(OTHER, ports=(7, 5000), thinned=(9,)),
            Shut(HOST, whole=True, legs=(6000, 6001), thinned=(6002,)),
        ]
    )
    heard = {
        (host, port, chance): passes(steps, MEDIA, host, port, chance)
        for host, port, chance in itertools.product(
            (HOST, OTHER, socket.inet_aton("192.0.2.9")), (7, 9, 5000, 5001, 6000, 6001, 6002), (0, 16, 17)
        )
    }
    for (host, port, chance), came in heard.items():
        if host == OTHER:
            assert came == (chance % 16 == 0 if port == 9 else port not in (7, 5000))
        elif host == HOST:
            assert came == (port in (6000, 6001) or (port == 6002 and chance % 16 == 0))
        else:
            assert came


def test_a_network_of_ipv6_is_one_host() -> None:
    here, there = (socket.inet_pton(socket.AF_INET6, f"2001:db8:0:{net}::")[:8] for net in (1, 2))
    steps = program([Shut(here, ports=(5000,)), Shut(there, whole=True)])
    assert not passes(steps, MEDIA, here, 5000) and passes(steps, MEDIA, here, 5001)
    assert not passes(steps, MEDIA, there, 5001)
    assert passes(steps, MEDIA, socket.inet_pton(socket.AF_INET6, "2001:db8:1::")[:8], 5000)


def test_the_longest_filter_fits_into_what_the_kernel_takes() -> None:
    chance = random.Random(1)
    ports = tuple(range(1000, 1006))
    steps = program([Shut(chance.randbytes(8), ports=ports) for _ in range(64)] + [Shut(HOST, thinned=ports)])
    assert len(steps) < 4096
    assert all(0 <= step.true < 256 and 0 <= step.false < 256 for step in steps)


@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_the_kernel_does_the_same(family: int, host: str) -> None:
    with socket.socket(family, socket.SOCK_DGRAM) as inner, socket.socket(family, socket.SOCK_DGRAM) as outer:
        inner.bind((host, 0))
        outer.bind((host, 0))
        inner.setblocking(False)
        kernel = Sieve(inner)
        if not kernel.works:
            pytest.skip("no socket filters on this machine")

        def heard(payload: bytes) -> bool:
            outer.sendto(payload, inner.getsockname())
            try:
                return inner.recv(4096) == payload
            except BlockingIOError:
                return False

        assert all(heard(one) for one in SOUND)
        assert not any(heard(one) for one in UNSOUND if one)
        assert kernel.dropped == len(UNSOUND) - 1
        place, port = socket.inet_pton(family, host)[:8], outer.getsockname()[1]
        kernel.shut([Shut(place, ports=(port,))])
        assert not heard(STUN)
        kernel.shut([Shut(place, ports=(port ^ 1,)), Shut(place[::-1], whole=True)])
        assert heard(STUN)
        kernel.shut([Shut(place, whole=True, legs=(port,))])
        assert heard(STUN)
        kernel.shut([Shut(place, thinned=(port,))])
        assert 0 < sum(heard(STUN) for _ in range(1000)) < 200
        kernel.shut([Shut(place, whole=True)])
        assert not heard(STUN)
        kernel.shut([])
        assert heard(STUN)


def test_where_the_kernel_has_no_filters_all_goes_on_without(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(sock: socket.socket, steps: Sequence[Instruction]) -> None:
        raise OSError("not here")

    monkeypatch.setattr(sieve, "attach", refuse)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        kernel = Sieve(sock)
        assert not kernel.works
        kernel.shut([Shut(HOST, whole=True)])


def test_a_kernel_with_little_room_takes_a_shorter_list(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []

    def short(sock: socket.socket, steps: Sequence[Instruction]) -> None:
        if len(steps) > 100:
            raise OSError(12, "no room")
        taken.append(len(steps))

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        kernel = Sieve(sock)
        if not kernel.works:
            pytest.skip("no socket filters on this machine")
        monkeypatch.setattr(sieve, "attach", short)
        kernel.shut([Shut(bytes([1, 2, 3, index]), ports=(1,)) for index in range(60)])
        assert kernel.works and len(taken) == 1
