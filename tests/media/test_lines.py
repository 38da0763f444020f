"""Calls over bad lines, the short way: `make bench-lines` measures more. And the proxy and the measuring themselves."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest

from tests.media.conftest import Person, Rig
from tests.media.lines import FREEZE_S, Frame, Seen, Watch, lead
from tests.media.proxy import Line, Proxy, Way, running_proxy

CONTROL_S = 3.0
LOSSY_S = 10.0
REPAIR_S = 1.5
BACK_S = 1.0


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxy]:
    with running_proxy() as proxy:
        yield proxy


@pytest.fixture
def line(proxy: Proxy) -> Iterator[Line]:
    line = proxy.line("sara")
    yield line
    line.close()


@pytest.fixture
def call(rig: Rig, meeting: str, browsers: Callable[[str], Any], line: Line) -> Iterator[dict[str, Watch]]:
    """The minister and Sara, who is on the line with everything: page, signalling, media."""
    rig.meeting(meeting, admitted=["sara"])
    contexts, watches, people = [], {}, []
    far = Rig(f"http://127.0.0.1:{line.relay('127.0.0.1', int(rig.base.rpartition(':')[2]))}")
    for who, way, base in (("minister", None, rig), ("sara", line, far)):
        context = browsers(who).new_context()
        contexts.append(context)
        page = context.new_page()
        lead(page, way)
        people.append(Person(base, who, page))
    for one in people:
        one.join(meeting)
    for one in people:
        one.state("here")
        one.sees_someone(10)
        watches[one.who] = Watch(one.page)
    watches["sara"].rest(3)
    yield watches
    for context in contexts:
        context.close()


@pytest.mark.browser
def test_five_lost_packets_in_a_hundred_freeze_no_picture_and_leave_no_hole_in_the_record(
    rig: Rig, meeting: str, call: dict[str, Watch], line: Line, eventually: Callable[..., None]
) -> None:
    began = time.time()
    call["sara"].rest(CONTROL_S)
    line.set(loss=0.05)
    bad = time.time()
    call["sara"].rest(LOSSY_S)
    until = time.time()
    lost = {way: counts["lost"] for way, counts in line.counts().items()}
    line.clear()
    assert min(lost.values()) > 30, "the line was not bad"
    for watch in call.values():
        seen = watch.seen()
        calm = seen.between(began, bad).longest()
        allowed = FREEZE_S if calm < FREEZE_S / 2 else calm + FREEZE_S / 2
        assert seen.between(bad, until).freezes(allowed) == []
        assert seen.between(bad, until).concealed() < 0.05
    call["sara"].rest(REPAIR_S)

    def whole() -> bool:
        (journal,) = rig.journals(meeting)
        return all(track["numbers"] >= track["span"] - 1 for track in journal["tracks"].values())

    eventually(whole, 3)


@pytest.mark.browser
@pytest.mark.long
def test_after_five_seconds_of_nothing_picture_and_sound_are_back_within_one(
    call: dict[str, Watch], line: Line
) -> None:
    _, light = line.blackout(5.0)
    call["sara"].rest(7)
    for who, watch in call.items():
        seen = watch.seen()
        assert any(length > 4 for _, length in seen.gaps()), f"{who} noticed nothing"
        for back in (seen.picture_after(light), seen.sound_after(light)):
            assert back is not None and back < BACK_S, who


def test_a_way_loses_what_it_is_told_to_and_the_same_each_time() -> None:
    def lost(**faults: Any) -> list[bool]:
        way = Way("seed")
        way.set(**faults)
        return [way.packet(1000, now=number / 100) is None for number in range(20_000)]

    even, bursts = lost(loss=0.05), lost(loss=0.05, burst=4)
    assert even == lost(loss=0.05)
    for losses in (even, bursts):
        assert 0.04 < sum(losses) / len(losses) < 0.06
    begins = sum(1 for before, now in pairwise(bursts) if now and not before)
    assert 3 < sum(bursts) / begins < 5


def test_a_way_throttles_to_its_rate_and_drops_what_would_wait_too_long() -> None:
    way = Way("seed")
    way.set(kbps=250, queue_ms=300, delay_ms=20)
    leaves = [way.packet(972, now=number / 100) for number in range(500)]  # 800 kbps with headers
    kept = [at for at in leaves if at is not None]
    assert 8 * 1000 * (len(kept) - 1) / (kept[-1] - kept[0]) == pytest.approx(250_000, rel=0.02)
    waits = [at - number / 100 for number, at in enumerate(leaves) if at is not None]
    assert max(waits) == pytest.approx(0.352, abs=0.03) and kept == sorted(kept)


def test_datagrams_go_both_ways_and_a_blackout_and_another_port_are_what_they_say(line: Line) -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as node,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client,
    ):
        node.bind(("127.0.0.1", 0))
        for one in (node, client):
            one.settimeout(2)
        client.connect(("127.0.0.1", line.door("127.0.0.1", node.getsockname()[1])))

        def comes(word: bytes) -> Any:
            client.send(word)
            heard, source = node.recvfrom(100)
            assert heard == word
            node.sendto(word[::-1], source)
            assert client.recv(100) == word[::-1]
            return source

        first = comes(b"one")
        line.rebind()
        second = comes(b"two")
        assert second != first and second[0] == "127.0.0.1"
        line.rebind("127.0.0.9")
        assert comes(b"three")[0] == "127.0.0.9"
        line.blackout(0.3)
        client.send(b"dark")
        node.settimeout(0.2)
        with pytest.raises(TimeoutError):
            node.recvfrom(100)
        line.blackout(0)
        comes(b"light")


def test_a_freeze_is_measured_between_pictures_and_at_both_ends() -> None:
    frames = [Frame(at, count, 640, 480) for at, count in ((1.0, 5), (1.1, 6), (1.7, 7), (1.9, 12))]
    seen = Seen(0.5, 2.5, frames)
    assert [round(length, 2) for _, length in seen.freezes()] == [0.5, 0.6, 0.6]
    assert seen.frozen_share() == pytest.approx(0.85)
    assert seen.picture_after(1.2) == pytest.approx(0.5) and seen.picture_after(2.0) is None
    assert seen.smooth_after(1.2) is None and seen.between(1.0, 2.0).smooth_after(1.2) == pytest.approx(0.5)


def test_sound_is_back_when_most_of_it_is_real() -> None:
    def sample(at: float, played: int, made_up: int, peer: int = 1) -> dict[str, Any]:
        sound = {"totalSamplesReceived": played, "concealedSamples": made_up}
        return {"at": at, "peer": peer, "in": {"audio": sound, "video": {}}}

    readings = [(0.0, 0, 0), (0.1, 4800, 0), (0.2, 9600, 4800), (0.3, 14400, 9600), (0.4, 19200, 10000)]
    seen = Seen(0.0, 0.4, [], [sample(*one) for one in readings])
    assert seen.sound_after(0.15) == pytest.approx(0.25)
    assert seen.concealed() == pytest.approx(10000 / 19200)
    renewed = Seen(0.0, 0.2, [], [sample(0.0, 4800, 0), sample(0.1, 480, 0, 2), sample(0.2, 5280, 480, 2)])
    assert renewed.grew("in", "audio", "totalSamplesReceived") == 5280
