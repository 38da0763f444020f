"""Camera and microphone in mid-meeting, run by Node as they are served, with devices that open slowly."""

from __future__ import annotations

from typing import Any

from tests.unit.web.meeting.test_line_rules import run

DEVICES = """
  export const openTrack = (kind) => globalThis.opening(kind);
  export const listDevices = async () => ({ cameras: [], microphones: [], speakers: [] });
"""
STREAM = """
  globalThis.navigator ??= {};
  const track = (kind) => Object.assign(new EventTarget(), {
    kind, enabled: true, readyState: "live", stop() { this.readyState = "ended"; },
  });
  const stream = (...tracks) => ({
    getTracks: () => [...tracks],
    getAudioTracks: () => tracks.filter((one) => one.kind === "audio"),
    getVideoTracks: () => tracks.filter((one) => one.kind === "video"),
    addTrack: (one) => tracks.push(one),
    removeTrack: (one) => tracks.splice(tracks.indexOf(one), 1),
  });
  let opened;
  globalThis.opening = () => new Promise((resolve) => (opened = resolve));
  const emitted = [], sent = [];
  const gear = (...tracks) => new m.Gear({
    stream: stream(...tracks), motion: false, send: async (kind, one) => sent.push(one), changed: () => {},
    emit: (type, detail) => emitted.push(type),
  });
"""


def play(script: str) -> Any:
    return run("meeting/gear.js", STREAM + script, {"./devices.js": DEVICES})


def test_who_is_muted_while_another_microphone_opens_stays_muted() -> None:
    script = """
      const mine = gear(track("audio")), other = track("audio");
      const changing = mine.replace("audio", "headset");
      await mine.setMicrophone(MUTED);
      opened(other);
      await changing;
      return [mine.microphoneOn, sent[0] === other, other.enabled];
    """
    assert play(script.replace("MUTED", "false")) == [False, True, False]
    assert play(script.replace("MUTED", "true")) == [True, True, True]


def test_who_leaves_while_a_camera_or_microphone_opens_is_not_filmed_behind_the_goodbye() -> None:
    script = """
      const mine = gear(), late = track(KIND);
      const opening = KIND === "video" ? mine.setCamera(true) : mine.setMicrophone(true);
      mine.stop();
      opened(late);
      await opening;
      return [late.readyState, mine.stream.getTracks().length, sent.length, emitted];
    """
    for kind in ("video", "audio"):
        assert play(script.replace("KIND", f'"{kind}"')) == ["ended", 0, 0, []]
