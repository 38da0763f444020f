"""Room devices that speak WHIP and WHEP, played by aiortc, in a meeting with a browser."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.media.device import Device
from video.media import hooks
from video.media.tokens import JoinClaims, mint

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not hooks.host_addresses(), reason="aiortc's client needs an address that is not loopback"),
]
FRAGMENT = {"content-type": "application/trickle-ice-sdpfrag"}


@pytest.fixture
def device(rig: Any) -> Iterator[Callable[[], Device]]:
    made: list[Device] = []

    def make() -> Device:
        made.append(Device(rig.base))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def call(
    rig: Any, meeting: str, person: Callable[..., Any], device: Callable[[], Device], eventually: Callable[..., None]
) -> tuple[Any, Device, str]:
    """The minister in a browser, Sara's place taken by a room device with one token for both ways."""
    rig.meeting(meeting, admitted=["sara"])
    minister, room = person("minister"), device()
    minister.join(meeting)
    minister.state("here")
    token = rig.token(meeting, "sara")
    assert room.open("whip", meeting, token).status_code == 201
    assert room.open("whep", meeting, token).status_code == 201
    eventually(lambda: room.state("whip") == room.state("whep") == "connected")
    return minister, room, token


def test_a_device_is_seen_sees_and_is_recorded_like_anybody(
    rig: Any, meeting: str, call: Any, eventually: Callable[..., None]
) -> None:
    minister, room, _ = call
    minister.until("rig.numbers().then((one) => one.framesDecoded > 30)", 25)
    eventually(lambda: room.frames["video"] > 30 and room.frames["audio"] > 50, 25)
    assert {one["id"]: one["state"] for one in minister.last("presence")["participants"]} == {
        "minister": "here",
        "sara": "here",
    }
    (journal,) = rig.journals(meeting)
    found = {(track["participant"], track["kind"]) for track in journal["tracks"].values() if track["rtp"] > 30}
    assert found == {(who, kind) for who in ("minister", "sara") for kind in ("audio", "video")}
    assert minister.do("rig.client.elapsed") > 0


def test_ending_a_session_ends_the_leg_and_with_the_last_one_the_stay(
    rig: Any, call: Any, meeting: str, eventually: Callable[..., None]
) -> None:
    minister, room, token = call
    assert room.request("DELETE", "whip", "guess").status_code == 401
    assert room.request("GET", "whip", token).status_code == 405
    assert room.request("DELETE", "whip", token).status_code == 200
    assert room.request("DELETE", "whip", token).status_code == 404
    assert minister.last("presence")["participants"][-1]["state"] == "here"
    assert room.request("DELETE", "whep", token).status_code == 200
    minister.until("rig.last('presence').participants.length === 1", 3)
    eventually(lambda: [entry[0] for entry in rig.told(meeting)][-1] == "left")


def test_candidates_are_accepted_and_an_ice_restart_is_not(call: Any) -> None:
    _, room, token = call
    etag = room.request("PATCH", "whip", token, headers=FRAGMENT)
    assert etag.status_code == 428

    def patched(**headers: str) -> int:
        given = {**FRAGMENT, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return room.request("PATCH", "whip", token, headers=given, content="a=ice-ufrag:x\r\n").status_code

    assert patched(if_match='"other"') == 412
    assert patched(if_match="*") == 422
    assert patched(if_match="*", content_type="application/sdp") == 415


def test_nobody_gets_in_uninvited_unadmitted_or_with_a_token_that_was_used(
    rig: Any, meeting: str, person: Callable[..., Any], device: Callable[[], Device]
) -> None:
    minister, room = person("minister"), device()
    minister.join(meeting)
    minister.state("here")
    early = rig.token(meeting, "sara")
    secret = b"a secret of the test rig, long enough"
    stale = mint(secret, JoinClaims(meeting, "sara", "visitor", "سارة", "Sara", exp=time.time() - 1), now=0)
    wrong_role = mint(secret, JoinClaims(meeting, "sara", "official", "سارة", "Sara"), now=time.time())
    for way in ("whip", "whep"):
        for token, status in (
            (early, 403),
            (rig.token(meeting, "outsider"), 403),
            (wrong_role, 403),
            (rig.token("another-meeting", "sara"), 404),
            (stale, 401),
            (early[:-4] + "AAAA", 401),
            ("x", 401),
        ):
            assert room.open(way, meeting, token).status_code == status
    assert {one["id"] for one in minister.last("presence")["participants"]} == {"minister"}
    rig.meeting(meeting, admitted=["sara"])
    assert room.open("whip", meeting, early).status_code == 201
    thief = device()
    assert thief.open("whip", meeting, early).status_code == 401
    by_browser = person("sara")
    by_browser.join(meeting, early)
    by_browser.state("closed")
    assert by_browser.last("closed")["reason"] == "used_token"
    spent = rig.token(meeting, "signer")
    signer = person("signer")
    signer.join(meeting, spent)
    signer.state("lobby")
    rig.meeting(meeting, admitted=["sara", "signer"])
    for way in ("whip", "whep"):
        assert thief.open(way, meeting, spent).status_code == 401


def test_one_identity_is_in_one_place_browser_or_device(
    rig: Any, meeting: str, call: Any, person: Callable[..., Any], device: Callable[[], Device], eventually: Any
) -> None:
    minister, room, token = call
    other = device()
    fresh = rig.token(meeting, "sara")
    assert other.open("whep", meeting, fresh).status_code == 201
    for way in ("whip", "whep"):
        assert room.request("DELETE", way, token).status_code == 404, "the first device is out, both ways"
    assert room.open("whep", meeting, token).status_code == 401
    browser = person("sara")
    browser.join(meeting)
    browser.state("here")
    browser.sees_someone()
    assert other.request("DELETE", "whep", fresh).status_code == 404
    third = device()
    assert third.open("whip", meeting, rig.token(meeting, "sara")).status_code == 201
    browser.state("closed")
    assert browser.last("closed")["reason"] == "taken_over"
    minister.sees_someone()


def test_the_removed_are_cut_off_and_the_end_is_theirs_too(
    rig: Any, meeting: str, call: Any, eventually: Callable[..., None]
) -> None:
    minister, room, token = call
    eventually(lambda: room.frames["video"] > 5, 25)
    rig.meeting(meeting, removed=["sara"], admitted=[])
    rig.sync(meeting)
    eventually(lambda: room.state("whip") == room.state("whep") == "closed", 5)
    assert room.request("DELETE", "whip", token).status_code == 404
    minister.until("rig.last('presence').participants.length === 1", 3)


def test_what_is_no_offer_of_ours_is_refused_with_a_reason(rig: Any, meeting: str, device: Any) -> None:
    rig.meeting(meeting, admitted=["sara"])
    room = device()
    room.addresses["whip"] = f"/media/whip/{meeting}"
    token = rig.token(meeting, "sara")
    kind = {"content-type": "application/sdp"}
    assert room.request("POST", "whip", token, content="nonsense", headers=kind).status_code == 422
    assert room.request("POST", "whip", token, content="v=0", headers={"content-type": "text/plain"}).status_code == 415
    assert room.request("POST", "whip", token, content="x" * 70_000, headers=kind).status_code == 413
    assert room.request("OPTIONS", "whip", token).headers["accept-post"] == "application/sdp"
    assert room.open("whip", meeting, token).status_code == 201, "the token was not spent on any of these"


CHROMIUM_AS_DEVICE = """async ([meeting, token]) => {
  const films = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
  window.device = { frames: 0, states: {} };
  const open = async (way, prepare) => {
    const pc = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    pc.onconnectionstatechange = () => (device.states[way] = pc.connectionState);
    prepare(pc);
    await pc.setLocalDescription();
    const answer = await fetch(`/media/${way}/${meeting}`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/sdp" },
      body: pc.localDescription.sdp,
    });
    if (answer.status !== 201) return answer.status;
    await pc.setRemoteDescription({ type: "answer", sdp: await answer.text() });
    return pc;
  };
  await open("whip", (pc) => films.getTracks().forEach((track) => pc.addTransceiver(track, { direction: "sendonly" })));
  const viewing = await open("whep", (pc) => {
    for (let pair = 0; pair < 2; pair += 1) {
      pc.addTransceiver("audio", { direction: "recvonly" });
      pc.addTransceiver("video", { direction: "recvonly" });
    }
  });
  device.numbers = async () => {
    const found = [];
    (await viewing.getStats()).forEach((one) => {
      if (one.type === "inbound-rtp" && one.kind === "video") found.push(one.framesDecoded ?? 0);
    });
    return found.sort((a, b) => a - b);
  };
}"""


@pytest.mark.long
def test_a_browser_that_speaks_whip_with_all_its_extensions_is_understood_too(
    rig: Any, meeting: str, person: Callable[..., Any], eventually: Callable[..., None]
) -> None:
    rig.meeting(meeting, admitted=["sara", "signer"])
    minister, sara, signer = person("minister"), person("sara"), person("signer")
    minister.join(meeting)
    signer.join(meeting)
    for one in (minister, signer):
        one.state("here")
    sara.page.evaluate(CHROMIUM_AS_DEVICE, [meeting, rig.token(meeting, "sara")])
    sara.until("device.states.whip === 'connected' && device.states.whep === 'connected'")
    for one in (minister, signer):
        one.until("Object.keys(rig.streams).length === 2")
        one.until("[...document.querySelectorAll('video')].filter(video => video.videoWidth > 0).length === 2", 25)
        one.sees_someone(40)
    eventually(lambda: len(seen := sara.page.evaluate("device.numbers()")) == 2 and seen[0] > 30, 25)
