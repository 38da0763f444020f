"""Meetings in real browsers through a real node. The cast: the minister, Sara who visits, an interpreter."""

from __future__ import annotations

import json
import time
import urllib.error
from collections.abc import Callable
from typing import Any

import pytest

from tests.media.conftest import OneCall

WRITTEN = "rig.events.filter(([type, one]) => type === 'text' && one.final).map(([type, one]) => one.text).slice(%d)"
PULLED = """(() => {
  const [track] = rig.client.stream.getTracks().filter((one) => one.kind === '%s');
  track.stop(); // and now as the browser does it where the cable was pulled
  track.dispatchEvent(new Event('ended'));
})()"""
NONE_LEFT = """(() => {
  rig.asks = navigator.mediaDevices.getUserMedia;
  navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotFoundError'); };
})()"""
PLUGGED_IN = """(() => {
  navigator.mediaDevices.getUserMedia = rig.asks;
  navigator.mediaDevices.dispatchEvent(new Event('devicechange'));
})()"""
pytestmark = pytest.mark.browser


class TestOneCall:
    """Chapters of one call: each leaves the two together, and the last one ends it."""

    def test_two_people_see_and_hear_each_other_and_everything_is_recorded(
        self, one_call: OneCall, rig: Any, eventually: Callable[..., None]
    ) -> None:
        minister, sara = one_call.minister, one_call.sara
        minister.sees_someone()
        sara.sees_someone()
        assert [entry[0] for entry in rig.told(one_call.meeting)] == ["joined", "joined", "went_live"]

        def all_tracks_and_reports() -> bool:
            (journal,) = rig.journals(one_call.meeting)
            tracks = journal["tracks"].values()
            found = {(track["participant"], track["kind"]) for track in tracks if track["rtp"] > 50 and track["sr"]}
            return found == {(who, kind) for who in ("minister", "sara") for kind in ("audio", "video")}

        eventually(all_tracks_and_reports, 15)
        recording = sara.last("recording")
        assert recording is not None and recording["state"] == "on"
        assert 0 < sara.do("rig.client.elapsed") < 60
        assert {one["state"] for one in sara.last("presence")["participants"]} == {"here"}

    def test_nobody_in_the_lobby_gets_or_gives_a_packet(
        self, one_call: OneCall, rig: Any, person: Callable[..., Any]
    ) -> None:
        minister, sara = one_call.minister, one_call.sara
        signer = person("signer")
        signer.join(one_call.meeting)
        signer.state("lobby")
        minister.sees_someone(40)
        assert signer.numbers()["packets"] == 0 and signer.numbers()["bytesSent"] == 0
        assert signer.last("presence") is None
        assert "signer" not in {one["id"] for one in sara.last("presence")["participants"]}
        assert {"id": "signer", "state": "lobby"}.items() <= minister.last("presence")["participants"][-1].items()
        (journal,) = rig.journals(one_call.meeting)
        assert not any("signer" in leg for leg in journal["tracks"])
        signer.do("rig.client.admit('signer')")
        signer.until("rig.last('refused')")
        assert signer.do("rig.client.state") == "lobby"

    def test_a_bad_a_used_and_a_stranger_s_token_get_nothing(
        self, one_call: OneCall, rig: Any, person: Callable[..., Any]
    ) -> None:
        good = rig.token(one_call.meeting, "signer")
        first = person("signer")
        first.join(one_call.meeting, good)
        first.state("lobby")
        outsiders = {
            good: "used_token",
            good[:-4] + "AAAA": "bad_token",
            "": "bad_token",
            rig.token(one_call.meeting, "outsider"): "not_invited",
            rig.token("another-meeting", "signer"): "no_meeting",
        }
        for token, reason in outsiders.items():
            outsider = person("signer")
            outsider.join(one_call.meeting, token)
            outsider.state("closed")
            assert outsider.last("closed")["reason"] == reason
            assert outsider.numbers()["packets"] == 0
        minister = one_call.minister
        assert {one["id"] for one in minister.last("presence")["participants"]} == {"minister", "sara", "signer"}

    def test_a_lost_signalling_connection_does_not_disturb_the_picture(self, one_call: OneCall) -> None:
        minister, sara = one_call.minister, one_call.sara
        before = sara.numbers()
        sara.do("rig.sockets.at(-1).close()")
        sara.until("rig.sockets.length === 2 && rig.sockets[1].readyState === 1")
        time.sleep(1)
        after = sara.numbers()
        assert after["framesDecoded"] > before["framesDecoded"] and after["freezes"] == before["freezes"]
        assert sara.do("rig.peers") == 1
        minister.do("rig.client.sendText('أهلًا')")
        sara.until("rig.last('text')?.text === 'أهلًا'")

    def test_what_is_written_arrives_once_and_in_order_whatever_becomes_of_the_links(self, one_call: OneCall) -> None:
        """Into a link that swallows it, into none at all, while the reader is away too; and back the other way."""
        minister, sara = one_call.minister, one_call.sara
        to_sara, to_minister = (WRITTEN % len(one.do(WRITTEN % 0)) for one in (sara, minister))
        minister.do("rig.client.sendText('أول')")
        sara.until("rig.last('text')?.text === 'أول'")
        minister.do("void (rig.sockets.at(-1).send = () => {})")
        for text in ("ث", "ثانٍ"):
            minister.do(f"rig.client.sendText('{text}', false)")
        minister.do("rig.client.sendText('ثانٍ')")
        for one in (minister, sara):
            one.do("rig.sockets.at(-1).close()")
        for text in ("ثالث", "رابع"):
            minister.do(f"rig.client.sendText('{text}')")
        sara.do("rig.client.sendText('جواب')")
        sara.until(f"{to_sara}.length === 4")
        minister.until(f"{to_minister}.length === 1")
        minister.do("rig.client.sendText('خامس')")
        sara.until(f"{to_sara}.length === 5")
        assert sara.do(to_sara) == ["أول", "ثانٍ", "ثالث", "رابع", "خامس"]
        assert minister.do(to_minister) == ["جواب"]

    def test_the_camera_goes_out_and_comes_back(self, one_call: OneCall) -> None:
        minister, sara = one_call.minister, one_call.sara
        sara.do("rig.client.setCamera(false)")
        minister.until("rig.last('presence').participants.some(one => one.id === 'sara' && !one.video)")
        assert sara.do("rig.client.stream.getVideoTracks().length") == 0
        sara.do("rig.client.setCamera(true)")
        minister.until("rig.last('presence').participants.every(one => one.video)")
        minister.sees_someone()
        sara.do("rig.client.setMicrophone(false)")
        minister.until("rig.last('presence').participants.some(one => one.id === 'sara' && !one.audio)")
        sara.do("rig.client.setMicrophone(true)")
        minister.until("rig.last('presence').participants.every(one => one.audio)")

    def test_an_order_is_marked_in_the_recording(self, one_call: OneCall, rig: Any) -> None:
        minister, sara = one_call.minister, one_call.sara
        ref = minister.do("rig.client.mark('order', {petition: 'P-7'})")
        minister.until("rig.last('marked')")
        marked = minister.last("marked")
        assert marked["ref"] == ref and marked["kind"] == "order" and marked["at"] > 0
        (journal,) = rig.journals(one_call.meeting)
        assert ["order", {"petition": "P-7", "by": "minister"}] in [mark[1:] for mark in journal["marks"]]
        sara.do("rig.client.mark('order')")
        sara.until("rig.last('refused')?.why === 'not_allowed'")
        assert sara.last("marked") is None

    def test_three_people_all_see_each_other(self, one_call: OneCall, rig: Any, person: Callable[..., Any]) -> None:
        minister, sara = one_call.minister, one_call.sara
        signer = person("signer")
        signer.join(one_call.meeting, motion=True)
        signer.state("lobby")
        minister.do("rig.client.admit('signer')")
        signer.state("here")
        for one in (minister, sara, signer):
            one.until("Object.keys(rig.streams).length === 2")
            one.until("[...document.querySelectorAll('video')].filter(video => video.videoWidth > 0).length === 2")
            one.sees_someone(40)
        signer.do("rig.client.leave()")
        minister.until("rig.last('remote-gone')?.participant === 'signer'")
        sara.sees_someone()
        minister.sees_someone()


class TestOnABadLine:
    """A call of its own: what an encoder has been through tells in how many pictures it dares to send."""

    def test_loss_on_the_way_is_repaired(self, one_call: OneCall, rig: Any) -> None:
        minister, sara = one_call.minister, one_call.sara
        rig.set(loss=0.05)
        before = {one.who: one.numbers() for one in (minister, sara)}
        time.sleep(8)
        rig.set(loss=0)
        time.sleep(1.5)
        for one in (minister, sara):
            now, then = one.numbers(), before[one.who]
            assert now["framesDecoded"] - then["framesDecoded"] > 8 * 12
            assert now["freezes"] - then["freezes"] < 3
            assert now["rtx"] > then["rtx"]
        (journal,) = rig.journals(one_call.meeting)
        for who in ("minister", "sara"):
            track = journal["tracks"][f"{who}/1/video"]
            assert track["numbers"] >= 0.995 * track["span"]
        minister.do("rig.client.end()")
        for one in (minister, sara):
            one.state("closed", 3)
            fared = rig.fared(one_call.meeting, one.who)[-1]
            assert fared["over"] and fared["lost_in"] > 20 and fared["asked_in"] >= fared["repaired_in"] > 10
            assert fared["asked_out"] >= fared["answered_out"] > 10 and 0.01 < fared["worst_loss_out"] < 0.4
            assert 0 < fared["rtt_ms_least"] <= fared["rtt_ms_mean"] <= fared["rtt_ms_most"] < 1000
            assert 100 < fared["kbps_in_most"] < 4000 and fared["bytes_in"] > 100_000


def test_a_reloaded_page_is_back_without_admission(rig: Any, meeting: str, couple: Any) -> None:
    minister, sara = couple
    rig.meeting(meeting, admitted=["sara"])
    sara.open()
    sara.join(meeting, None)
    sara.state("here")
    sara.sees_someone()
    minister.sees_someone()
    (journal,) = rig.journals(meeting)
    assert {"sara/1/video", "sara/2/video"} <= set(journal["tracks"])


@pytest.mark.long
def test_a_leg_that_lives_and_brings_nothing_is_replaced(rig: Any, couple: Any) -> None:
    """Whatever the reason: its checks are answered, and no sound and no picture comes."""
    minister, sara = couple
    rig.set(mute="sara/1")
    sara.until("rig.peers === 2", 30)
    sara.sees_someone()
    assert minister.do("rig.peers") == 1


def test_one_identity_is_in_one_place(meeting: str, couple: Any, person: Callable[..., Any]) -> None:
    minister, sara = couple
    second = person("sara")
    second.join(meeting)
    sara.state("closed")
    assert sara.last("closed")["reason"] == "taken_over"
    second.state("here")
    second.sees_someone()
    minister.sees_someone()


def test_the_removed_are_cut_off_at_once(rig: Any, meeting: str, couple: Any) -> None:
    minister, sara = couple
    rig.meeting(meeting, removed=["sara"])
    rig.sync(meeting)
    sara.state("closed", 2)
    assert sara.last("closed")["reason"] == "removed"
    minister.until("rig.last('presence').participants.length === 1", 3)
    before = minister.numbers()["packets"]
    time.sleep(1)
    assert minister.numbers()["packets"] == before


def test_ending_closes_everything(rig: Any, meeting: str, couple: Any, eventually: Callable[..., None]) -> None:
    minister, sara = couple
    sara.do("rig.client.end()")
    sara.until("rig.last('refused')?.why === 'not_allowed'")
    minister.do("rig.client.end()")
    for one in (minister, sara):
        one.state("closed", 3)
        assert one.last("closed")["reason"] == "ended"
    eventually(lambda: rig.journals(meeting)[0]["closed"] is not None, 5)
    eventually(lambda: rig.ask("/media/healthz")["meetings"] == 0, 5)
    sara.join(meeting)
    sara.state("closed")
    assert sara.last("closed")["reason"] == "ended"


def test_a_meeting_that_cannot_be_recorded_does_not_start(rig: Any, meeting: str, person: Callable[..., Any]) -> None:
    rig.set(broken=True)
    minister, sara = person("minister"), person("sara")
    rig.meeting(meeting, admitted=["sara"])
    minister.join(meeting)
    sara.join(meeting)
    for one in (minister, sara):
        one.until("rig.last('recording')?.state === 'lost'")
    time.sleep(1.5)
    assert minister.numbers()["packets"] == 0 and sara.numbers()["packets"] == 0
    assert [entry[0] for entry in rig.told(meeting)] == ["joined", "joined", "recording_lost"]
    rig.set(broken=False)
    for one in (minister, sara):
        one.until("rig.last('recording')?.state === 'on'")
        one.sees_someone()


def test_the_alarm_comes_within_three_seconds_of_a_stalled_writer(rig: Any, meeting: str, couple: Any) -> None:
    minister, sara = couple
    rig.set(stalled=True)
    stalled = time.monotonic()
    for one in (minister, sara):
        one.until("rig.last('recording')?.state === 'lost'", 5)
    assert time.monotonic() - stalled < 3.3
    assert rig.told(meeting)[-1][0] == "recording_lost"
    minister.sees_someone(5)
    rig.set(stalled=False)
    minister.until("rig.last('recording')?.state === 'on'", 12)
    assert len(rig.journals(meeting)) == 2


def test_a_microphone_that_was_pulled_out_has_another_in_its_place_or_everybody_knows(couple: Any) -> None:
    minister, sara = couple
    heard = "rig.last('presence').participants.find(one => one.id === 'sara').audio"
    sara.do(PULLED % "audio")
    sara.until("rig.last('device')?.what === 'other'")
    assert sara.do("rig.client.microphoneOn") and sara.do("rig.client.stream.getAudioTracks().length") == 1
    minister.until(heard)
    sara.do(NONE_LEFT)
    sara.do(PULLED % "audio")
    sara.until("rig.last('device')?.what === 'gone'")
    minister.until(f"!{heard}")
    sara.do("rig.client.setMicrophone(true)")
    sara.until("rig.last('error')?.code === 'no_microphone'")
    sara.do(PLUGGED_IN)
    sara.until("rig.last('device')?.what === 'here'")
    minister.until(heard)
    minister.sees_someone()


def test_no_other_camera_is_opened_for_one_that_was_pulled_out(couple: Any) -> None:
    minister, sara = couple
    sara.do(PULLED % "video")
    sara.until("rig.last('device')?.kind === 'video' && rig.last('device').what === 'gone'")
    minister.until("rig.last('presence').participants.some(one => one.id === 'sara' && !one.video)")
    assert not sara.do("rig.client.cameraOn")
    sara.do("navigator.mediaDevices.dispatchEvent(new Event('devicechange'))")  # the same is there again
    minister.until("rig.last('presence').participants.every(one => one.video)")
    minister.sees_someone()


def test_the_control_door_needs_its_secret(rig: Any, meeting: str) -> None:
    with pytest.raises(urllib.error.HTTPError, match="403"):
        rig.ask(f"/media/control/meetings/{meeting}/sync", "POST", {}, {"x-majlis-control": "guess"})
    assert json.dumps(rig.ask("/media/healthz")["ok"]) == "true"


def test_a_blackout_is_warned_of_noticed_and_got_over(rig: Any, meeting: str, couple: Any) -> None:
    minister, sara = couple
    rig.set(dark=True)
    began = time.monotonic()
    minister.until("rig.events.some(([type, one]) => type === 'quality' && one.level === 'silent')", 4)
    minister.until("rig.last('presence').participants.every(one => one.state === 'reconnecting')", 9)
    assert 5.5 < time.monotonic() - began < 9
    rig.set(dark=False)
    for one in (minister, sara):
        one.until("rig.last('presence').participants.every(one => one.state === 'here')", 3)
        one.sees_someone()
    (journal,) = rig.journals(meeting)
    assert {leg.split("/")[1] for leg in journal["tracks"]} == {"1"}, "the legs go on"
    kinds = [kind for _, kind, data in journal["marks"] if data.get("participant") == "sara"]
    assert kinds[-2:] == ["disconnected", "connected"], "the gap is noted"


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (["NotAllowedError"], "denied"),
        (["NotReadableError"] * 3, "busy"),
        (["NotFoundError"] * 3, "no_devices"),
        (["SecurityError"] * 3, "insecure"),
        (["OddError"] * 3, "fault"),
    ],
)
def test_a_device_that_does_not_open_has_a_reason(person: Callable[..., Any], names: list[str], code: str) -> None:
    sara = person("sara")
    got = sara.page.evaluate(
        """async (names) => {
          const { openDevices } = await import("/static/meeting/devices.js");
          navigator.mediaDevices.getUserMedia = async () => { throw new DOMException("", names.shift()); };
          return openDevices().then(() => "opened", (error) => error.code);
        }""",
        names,
    )
    assert got == code


def test_without_a_camera_the_microphone_still_opens_and_its_level_shows(person: Callable[..., Any]) -> None:
    sara = person("sara")
    missing, kinds, level = sara.page.evaluate(
        """async () => {
          const { openDevices, levelMeter } = await import("/static/meeting/devices.js");
          const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
          navigator.mediaDevices.getUserMedia = async (wanted) => {
            if (wanted.video) throw new DOMException("", "NotFoundError");
            return open(wanted);
          };
          const { stream, missing } = await openDevices();
          let highest = 0;
          const stop = levelMeter(stream, (level) => (highest = Math.max(highest, level)));
          await new Promise((done) => setTimeout(done, 1500));
          stop();
          return [missing, stream.getTracks().map((track) => track.kind), highest];
        }"""
    )
    assert missing == ["no_camera"] and kinds == ["audio"]
    assert 0.3 < level <= 1
