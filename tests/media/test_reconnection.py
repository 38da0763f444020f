"""The network goes and comes back, the computer sleeps, a page is loaded again: the call goes on without admission.

Sara's page, signalling and media go over one line (`tests.media.proxy`); the minister's don't. What the call in the
product does when its processes die: tests/media/test_killed.py.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.media.conftest import Person, Rig
from tests.media.lines import Watch, lead
from tests.media.proxy import Line, Proxy, running_proxy

pytestmark = pytest.mark.browser
MOST_S = 3.0
"""After the network is back, at the most."""
AT_ONCE_S = 1.0
"""A leg that goes on by itself."""
JUST_A_MOMENT_S = 0.6
"""The picture hardly stands still (0.1 to 0.4 s on a busy machine)."""


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxy]:
    with running_proxy() as proxy:
        yield proxy


@dataclass
class Call:
    rig: Rig
    meeting: str
    line: Line
    minister: Person
    sara: Person
    watches: dict[str, Watch]

    def rest(self, seconds: float) -> None:
        self.watches["sara"].rest(seconds)

    def back(self, light: float, within: float) -> dict[str, float]:
        """Both see and hear each other again; how long after `light` the later of picture and sound came."""
        found: dict[str, float] = {}
        looked = dict.fromkeys(self.watches, light)
        """By each page's own clock: on a busy machine its answer may take longer than what it tells of."""
        while late := [who for who in self.watches if who not in found and looked[who] < light + within + 2]:
            self.rest(0.4)
            for who in late:
                seen = self.watches[who].seen()
                looked[who] = seen.until
                both = [seen.picture_after(light), seen.sound_after(light)]
                if None not in both:
                    found[who] = max(moment for moment in both if moment is not None)
        print({who: round(seconds, 2) for who, seconds in found.items()})
        assert len(found) == 2 and max(found.values()) <= within, found
        return found

    def stood_still(self, since: float) -> dict[str, float]:
        """The longest time that each saw the same picture."""
        seen = {who: watch.seen() for who, watch in self.watches.items()}
        return {who: one.between(since, one.until).longest() for who, one in seen.items()}

    def frames_sent(self, who: str, since: float, until: float) -> float:
        """Pictures a second that this person's encoder made."""
        return self.watches[who].seen().between(since, until).grew("out", "video", "framesEncoded") / (until - since)

    def legs(self) -> set[str]:
        (journal,) = self.rig.journals(self.meeting)
        return {leg.rpartition("/")[0] for leg in journal["tracks"]}

    def says(self, text: str) -> None:
        """Signalling goes all the way, from Sara to the minister."""
        self.sara.do(f"rig.client.sendText('{text}')")
        self.minister.until(f"rig.last('text')?.text === '{text}'", 3)


@pytest.fixture
def call(rig: Rig, meeting: str, browsers: Callable[[str], Any], proxy: Proxy) -> Iterator[Call]:
    line = proxy.line("sara")
    rig.meeting(meeting, admitted=["sara"])
    far = Rig(f"http://127.0.0.1:{line.relay('127.0.0.1', int(rig.base.rpartition(':')[2]))}")
    contexts, people = [], {}
    for who, way, base in (("minister", None, rig), ("sara", line, far)):
        context = browsers(who).new_context()
        contexts.append(context)
        page = context.new_page()
        lead(page, way)
        people[who] = Person(base, who, page)
        people[who].join(meeting)
    for one in people.values():
        one.state("here")
        one.sees_someone(10)
    yield Call(rig, meeting, line, **people, watches={who: Watch(one.page) for who, one in people.items()})
    for context in contexts:
        context.close()
    line.close()


@pytest.mark.long
def test_short_blackouts_another_port_and_a_lost_signalling_leave_the_leg_as_it_is(call: Call) -> None:
    for seconds in (1.5, 5.0):
        call.rest(4)
        since, light = call.line.blackout(seconds)
        call.rest(seconds)
        call.line.forget()  # TCP takes longer to come back than the network, or never does
        call.back(light, AT_ONCE_S)
        if seconds > 3:
            assert call.frames_sent("minister", since + 1, light) > 20, "what is recorded of who is there is whole"

    moved = time.time()
    call.line.rebind("127.0.0.9")
    call.rest(3)
    still = call.stood_still(moved)
    print("after another port stood still for", still)
    assert max(still.values()) < JUST_A_MOMENT_S

    for cut in (call.line.cut, call.line.forget):
        since = time.time()
        cut()
        call.rest(3 if cut == call.line.cut else 10)
        assert max(call.stood_still(since).values()) < JUST_A_MOMENT_S
        call.says(cut.__name__)
    assert call.sara.do("rig.peers") == 1 and call.legs() == {"minister/1", "sara/1"}


@pytest.mark.long
def test_after_twenty_seconds_of_nothing_all_is_back_in_three_and_the_recording_notes_the_gap(
    call: Call,
) -> None:
    since, light = call.line.blackout(20)
    call.rest(20)
    call.line.forget()
    call.back(light, MOST_S)
    assert call.frames_sent("minister", since + 1, light) > 20
    assert call.sara.do("rig.events.filter(([type]) => type === 'refused').length") == 0
    assert "minister/1" in call.legs() and "sara/2" in call.legs()
    (journal,) = call.rig.journals(call.meeting)
    seen = [(kind, at) for at, kind, data in journal["marks"] if data.get("participant") == "sara"]
    (gone,) = [at for kind, at in seen if kind == "disconnected"]
    back = min(at for kind, at in seen if kind == "connected" and at > gone)
    assert 12 < back - gone < 18, seen
    assert call.rig.told(call.meeting)[-1][0] == "went_live", "nobody left, nothing was lost"


@pytest.mark.long
def test_media_that_alone_were_cut_come_back(call: Call) -> None:
    """Signalling answers all the while, so another leg is tried after twelve seconds."""
    call.line.set(loss=1)
    call.rest(13.5)
    call.line.set(loss=0)
    light = time.time()
    assert call.sara.do("rig.sockets.length") == 1
    call.back(light, MOST_S)
    call.says("still here")


@pytest.mark.long
def test_a_computer_that_slept_wakes_into_the_meeting(call: Call, films: dict[str, tuple[Path, Path]]) -> None:
    for seconds, most in ((8, AT_ONCE_S), (33, MOST_S)):
        with asleep(films["sara"][0]):
            time.sleep(seconds)
        woke = time.time()
        call.back(woke + 0.05, most)
        call.says(f"slept {seconds}")
    assert call.sara.do("rig.events.some(([type, one]) => type === 'closed' || one.state === 'lobby')") is False


def test_a_page_loaded_again_is_back_within_three_seconds(call: Call) -> None:
    began = time.time()
    call.sara.open()
    call.sara.join(call.meeting, None)
    call.sara.state("here")
    call.watches["sara"] = Watch(call.sara.page)
    call.back(began, MOST_S)
    assert "sara/2" in call.legs()


@contextlib.contextmanager
def asleep(film: Path) -> Iterator[None]:
    """The browser that shows this film, with every process of its, doesn't run."""
    processes = [pid for pid, command in _commands() if str(film).encode() in command]
    assert processes
    whole = list(processes)
    for parent in whole:
        for task in Path(f"/proc/{parent}/task").iterdir():
            whole += [int(child) for child in (task / "children").read_text().split() if int(child) not in whole]
    for pid in whole:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in reversed(whole):
            os.kill(pid, signal.SIGCONT)


def _commands() -> Iterator[tuple[int, bytes]]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                yield int(folder.name), (folder / "cmdline").read_bytes()
