"""What a sender does where the line carries less than the camera gives; measured where it arrives.

One call for all of it: first the visitor, who signs, has an uplink of 150 kbit/s, then the minister, who speaks, one of
70. Both are rates on the wire, headers of IP and UDP included, sound and all. One after the other, for what each sends
is judged by the feedback that comes over the other's uplink.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.media.conftest import FLAGS, Person, running_rig, wait_until
from tests.media.hands import film
from tests.media.lines import Seen, Watch, lead
from tests.media.proxy import running_proxy

pytestmark = [pytest.mark.browser, pytest.mark.long]

SIGNER_KBPS, SPEAKER_KBPS = 150, 70
SETTLE_S = 14
THIN_S = 15
BACK_S = 18


@dataclass
class Sent:
    """What arrived of one sender: fifteen seconds on the thin line once it had settled, and when it was free again."""

    thin: Seen
    said_thin: dict[str, Any]
    """What the sender's own page was told of its picture."""
    back: Seen
    said_back: dict[str, Any]


@dataclass
class Thin:
    signer: Sent
    speaker: Sent
    held: bool
    """The visitor's page was told that the minister's picture makes way."""


@pytest.fixture(scope="module")
def thin(tmp_path_factory: pytest.TempPathFactory) -> Thin:
    playwright = pytest.importorskip("playwright.sync_api")
    hands = film(Path(tmp_path_factory.mktemp("hands")) / "hands.y4m")
    with contextlib.ExitStack() as stack:
        rig, proxy = stack.enter_context(running_rig()), stack.enter_context(running_proxy())
        player = stack.enter_context(playwright.sync_playwright())
        browser = player.chromium.launch(
            executable_path="/usr/bin/chromium", args=[*FLAGS, f"--use-file-for-fake-video-capture={hands}"]
        )
        stack.callback(browser.close)
        rig.meeting("thin", state="open", admitted=["sara"])
        people, lines = {}, {}
        for who in ("minister", "sara"):
            page = browser.new_context().new_page()
            lines[who] = proxy.line(who)
            lead(page, lines[who])
            people[who] = Person(rig, who, page)
            people[who].join("thin", motion=True, maxBitrate=1_000_000)
        for one in people.values():
            one.state("here")
            one.sees_someone(30)
        minister, sara = people["minister"], people["sara"]
        found = []
        for sender, receiver, kbps in ((sara, minister, SIGNER_KBPS), (minister, sara, SPEAKER_KBPS)):
            lines[sender.who].set(up={"kbps": kbps})
            receiver.page.wait_for_timeout(SETTLE_S * 1000)
            watch = Watch(receiver.page)
            watch.rest(THIN_S)
            found.append([watch.seen(), sender.last("sending")])
            lines[sender.who].set(up={"kbps": 0})
            watch = Watch(receiver.page)
            watch.rest(BACK_S)
            with contextlib.suppress(AssertionError):
                wait_until(lambda sender=sender: sender.last("sending")["video"] == "full", 8)
            found[-1] += [watch.seen(), sender.last("sending")]
        told = [detail["participants"] for kind, detail in sara.do("rig.events") if kind == "presence"]
        held = any(one["held"] for people in told for one in people if one["id"] == "minister")
        return Thin(Sent(*found[0]), Sent(*found[1]), held)


def test_a_signer_keeps_twenty_frames_a_second_while_150_kbps_remain(thin: Thin) -> None:
    seen = thin.signer.thin
    parts = [seen.between(seen.since + at, seen.since + at + 5).fps() for at in (0, 5, 10)]
    print("signer: fps", parts, "longest", seen.longest(), "lines", seen.last("in", "video", "frameHeight"))
    assert seen.fps() >= 20 and min(parts) >= 19, parts
    assert seen.longest() < 0.5
    assert seen.last("in", "video", "frameHeight") >= 180
    assert thin.signer.said_thin["video"] == "reduced"


def test_a_signer_s_sound_is_whole_meanwhile(thin: Thin) -> None:
    print("signer: made up", thin.signer.thin.concealed())
    assert thin.signer.thin.concealed() <= 0.02


def test_at_70_kbps_the_picture_makes_way_and_the_sound_stays_clean(thin: Thin) -> None:
    seen = thin.speaker.thin
    print("speaker: made up", seen.concealed(), "fps", seen.fps())
    assert seen.concealed() <= 0.02
    assert seen.grew("in", "audio", "totalAudioEnergy") > 0
    assert seen.fps() < 10
    assert thin.held


def test_a_free_line_brings_the_whole_picture_back_without_freezing(thin: Thin) -> None:
    for sent in (thin.signer, thin.speaker):
        print("back:", sent.said_back, "longest", sent.back.longest(), "made up", sent.back.concealed())
        assert sent.said_back["video"] == "full"
        assert sent.back.between(sent.back.until - 3, sent.back.until).fps() > 20
        assert sent.back.concealed() <= 0.02
    assert thin.signer.back.longest() < 1
