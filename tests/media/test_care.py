"""What a sender does where the line carries less than the camera gives; measured where it arrives.

One call for all of it: the minister speaks over an uplink of 70 kbit/s, the visitor, who signs, has one of 150. Both
are rates on the wire, headers of IP and UDP included, sound and all.
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

pytestmark = pytest.mark.browser

SIGNER_KBPS, SPEAKER_KBPS = 150, 70
SETTLE_S = 20
THIN_S = 15
BACK_S = 20


@dataclass
class Thin:
    """Fifteen seconds on thin lines, twenty after they got thin, and the twenty after they were free again."""

    signer: Seen
    """What the minister saw and heard of the visitor."""
    speaker: Seen
    signer_said: dict[str, Any]
    speaker_said: dict[str, Any]
    told: dict[str, Any]
    """How the visitor's page is told of the minister."""
    signer_back: Seen
    speaker_back: Seen
    said_back: tuple[dict[str, Any], dict[str, Any]]


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
        lines["minister"].set(up={"kbps": SPEAKER_KBPS})
        lines["sara"].set(up={"kbps": SIGNER_KBPS})
        sara.page.wait_for_timeout(SETTLE_S * 1000)
        signer, speaker = Watch(minister.page), Watch(sara.page)
        signer.rest(THIN_S)
        found = [signer.seen(), speaker.seen(), sara.last("sending"), minister.last("sending")]
        paused = [one["participants"] for kind, one in sara.do("rig.events") if kind == "presence"]
        found.append({"held": any(one["held"] for many in paused for one in many if one["id"] == "minister")})
        for line in lines.values():
            line.set(up={"kbps": 0})
        signer, speaker = Watch(minister.page), Watch(sara.page)
        signer.rest(BACK_S)
        back = signer.seen(), speaker.seen()
        with contextlib.suppress(AssertionError):
            wait_until(lambda: minister.last("sending")["video"] == "full", 8)
        said = (sara.last("sending"), minister.last("sending"))
        return Thin(*found, *back, said)


def test_a_signer_keeps_twenty_frames_a_second_while_150_kbps_remain(thin: Thin) -> None:
    seen = thin.signer
    print("signer: fps", seen.fps(), "longest", seen.longest(), "size", seen.last("in", "video", "frameHeight"))
    parts = [seen.between(seen.since + at, seen.since + at + 5).fps() for at in (0, 5, 10)]
    assert seen.fps() >= 20 and min(parts) >= 19, parts
    assert seen.longest() < 0.5
    assert seen.last("in", "video", "frameHeight") >= 180
    assert thin.signer_said["video"] == "reduced"


def test_a_signer_s_sound_is_whole_meanwhile(thin: Thin) -> None:
    print("signer: concealed", thin.signer.concealed())
    assert thin.signer.concealed() <= 0.02


def test_at_70_kbps_the_picture_makes_way_and_the_sound_stays_clean(thin: Thin) -> None:
    print("speaker: concealed", thin.speaker.concealed(), "fps", thin.speaker.fps())
    assert thin.speaker.concealed() <= 0.02
    assert thin.speaker.grew("in", "audio", "totalAudioEnergy") > 0
    assert thin.speaker.fps() < 10
    assert thin.told["held"]


def test_a_free_line_brings_the_whole_picture_back_without_freezing(thin: Thin) -> None:
    signer, speaker = thin.said_back
    print("back:", signer, speaker, "longest", thin.signer_back.longest())
    assert thin.signer_back.longest() < 1
    assert signer["video"] == "full" and thin.signer_back.last("in", "video", "frameHeight") == 360
    assert speaker["video"] != "paused"
    assert thin.speaker_back.between(thin.speaker_back.until - 5, thin.speaker_back.until).fps() > 10
    assert max(thin.signer_back.concealed(), thin.speaker_back.concealed()) <= 0.02
