"""Who is shut out, and for how long: rules without a socket."""

from __future__ import annotations

from video.media import sifting
from video.media.sifting import HOST_MOST, LEG_MOST, PORT_MOST, SHUT_S, Shut, Sifting

A, B = b"\xc0\x00\x02\x01", b"\xc0\x00\x02\x02"


def flood(sifter: Sifting, host: bytes, port: int, count: int, *, leg: bool = False, now: float = 10.0) -> None:
    for _ in range(count):
        sifter.unwelcome(host, port, leg=leg, now=now)


def test_nobody_is_shut_out_for_what_browsers_do_by_mistake() -> None:
    sifter = Sifting()
    for second in range(30):
        flood(sifter, A, 5000, PORT_MOST - 1, now=second)
        flood(sifter, B, 5000, LEG_MOST - 1, leg=True, now=second)
    assert not sifter.changed and sifter.shuts([(B, 5000)], now=30) == []
    assert sifter.total == 30 * (PORT_MOST + LEG_MOST - 2)


def test_an_address_that_floods_is_shut_out_and_its_neighbour_is_not() -> None:
    sifter = Sifting()
    flood(sifter, A, 5000, PORT_MOST)
    assert sifter.changed
    assert sifter.shuts([], now=10) == [Shut(A, ports=(5000,))]
    assert not sifter.changed


def test_it_is_heard_again_and_shut_out_for_longer_each_time() -> None:
    sifter = Sifting()
    began, now = [], 10.0
    for _ in range(6):
        flood(sifter, A, 5000, PORT_MOST, now=now)
        began.append(now)
        while sifter.shuts([], now=now):
            now += 0.5
            sifter.look(now=now)
        assert sifter.shuts([], now=now) == []
        now += 1
    lasted = [after - before - 1 for before, after in zip(began, [*began[1:], now], strict=True)]
    assert lasted[0] == SHUT_S and lasted == sorted(lasted) and lasted[-1] <= sifting.LONGEST_S
    now += sifting.FORGIVEN_S + 1
    flood(sifter, A, 5000, PORT_MOST, now=now)
    sifter.look(now=now + SHUT_S)
    assert sifter.shuts([], now=now + SHUT_S) == []


def test_the_end_of_a_shut_is_a_change() -> None:
    sifter = Sifting()
    flood(sifter, A, 5000, PORT_MOST)
    sifter.shuts([], now=10)
    sifter.look(now=10 + SHUT_S - 0.3)
    assert not sifter.changed
    sifter.look(now=10 + SHUT_S + 0.2)
    assert sifter.changed and sifter.shuts([], now=10 + SHUT_S + 0.2) == []


def test_the_address_of_a_leg_is_thinned_and_not_shut_out() -> None:
    """Whoever can forge a sender's address must not be able to end that sender's call."""
    sifter = Sifting()
    flood(sifter, A, 5000, 50_000, leg=True)
    assert sifter.shuts([(A, 5000), (B, 1)], now=10) == [Shut(A, thinned=(5000,))]
    assert sifter.shuts([(B, 1)], now=10) == [], "the leg is gone: what comes now is counted anew"
    flood(sifter, A, 5000, PORT_MOST, now=11.5)
    assert sifter.shuts([(B, 1)], now=11.5) == [Shut(A, ports=(5000,))]


def test_a_host_that_floods_from_ever_new_ports_is_shut_out_but_for_its_legs() -> None:
    sifter = Sifting()
    for index in range(HOST_MOST):
        flood(sifter, A, 1024 + index, 1)
    assert sifter.shuts([(A, 9), (B, 9)], now=10) == [Shut(A, whole=True, legs=(9,))]


def test_an_office_whose_node_starts_again_is_not_shut_out() -> None:
    """Forty browsers behind one address go on sending to legs that are no more: 400 packets a second each, of which
    the kernel lets pass no more than the hundred that shut their port."""
    sifter = Sifting()
    for port in range(40):
        flood(sifter, A, port, PORT_MOST)
    (shut,) = sifter.shuts([], now=10)
    assert not shut.whole and len(shut.ports) == 40


def test_a_list_of_forged_senders_does_not_grow_without_end() -> None:
    sifter = Sifting()
    for index in range(20_000):
        sifter.unwelcome(index.to_bytes(4, "big"), 1, leg=False, now=10)
    assert len(sifter._ports) <= sifting.MOST_COUNTED and len(sifter._hosts) <= sifting.MOST_COUNTED
    for index in range(500):
        flood(sifter, index.to_bytes(4, "big"), 1, PORT_MOST, now=11 + index / 1000)
    shuts = sifter.shuts([], now=11.6)
    assert len(shuts) == sifting.MOST_HOSTS
    assert shuts[0].host == (499).to_bytes(4, "big"), "the latest"


def test_who_flooded_is_known_up_to_a_number() -> None:
    sift = Sifting()
    for sender in range(sifting.MOST_KNOWN + 10):
        now = float(sender)  # each in a second of its own
        for _ in range(PORT_MOST):
            sift.unwelcome(sender.to_bytes(4, "big"), 1000, leg=False, now=now)
    assert len(sift._shut) == sifting.MOST_KNOWN
    assert (bytes(4), 1000) not in sift._shut
