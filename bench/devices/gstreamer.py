"""A room device made of GStreamer: sends a picture and a sound by WHIP, sees the others by WHEP.

    python3 bench/devices/gstreamer.py https://majlis.example/media MEETING TOKEN [--others 2] [--seconds 60]

An example to build a real device from: put v4l2src and alsasrc in the place of the test sources, autovideosink and
autoaudiosink in the place of the sinks. It needs the system's Python, for GStreamer's bindings are no wheel (Debian):

    apt-get install python3-gst-1.0 gir1.2-gst-plugins-bad-1.0 gstreamer1.0-plugins-good gstreamer1.0-plugins-bad \\
        gstreamer1.0-nice

TOKEN is a join token: good for two minutes, and for one place. What happens is said as lines of JSON on stdout. Ends
with SIGTERM, SIGINT, or after so many seconds, and says goodbye (DELETE) then.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

SEND = """
webrtcbin name=rtc bundle-policy=max-bundle
videotestsrc is-live=true pattern=ball ! video/x-raw,width=640,height=360,framerate=25/1 ! videoconvert
  ! vp8enc deadline=1 cpu-used=8 target-bitrate=800000 keyframe-max-dist=250 error-resilient=default
  ! rtpvp8pay pt=96 picture-id-mode=15-bit ! queue ! rtc.
audiotestsrc is-live=true wave=ticks ! audioconvert ! audioresample ! opusenc ! rtpopuspay pt=111 ! queue ! rtc.
"""
OPUS = "application/x-rtp,media=audio,encoding-name=OPUS,payload=111,clock-rate=48000"
VP8 = "application/x-rtp,media=video,encoding-name=VP8,payload=96,clock-rate=90000"


class Refused(Exception):
    """The server turned the request down."""


class Way:
    """One session: an offer that is POSTed, an answer that comes back, an address to end it at."""

    def __init__(self, base: str, meeting: str, token: str, way: str, others: int) -> None:
        self.way = way
        self.seen = {"audio": 0, "video": 0}
        """Decoded buffers."""
        self._url = f"{base}/{way}/{urllib.parse.quote(meeting)}"
        self._token = token
        self._session = ""
        self._sections = 2 if way == "whip" else 2 * others
        if way == "whip":
            self.pipeline = Gst.parse_launch(SEND)
            self._rtc = self.pipeline.get_by_name("rtc")
        else:
            self.pipeline = Gst.Pipeline()
            self._rtc = Gst.ElementFactory.make("webrtcbin")
            self._rtc.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
            self.pipeline.add(self._rtc)
            for caps in [OPUS, VP8] * others:
                self._rtc.emit(
                    "add-transceiver", GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY, Gst.Caps.from_string(caps)
                )
            self._rtc.connect("pad-added", self._on_pad)
        self._rtc.connect("on-negotiation-needed", self._on_negotiation)
        self._rtc.connect("notify::connection-state", self._on_state)

    def start(self) -> None:
        self.pipeline.set_state(Gst.State.PLAYING)

    def stop(self) -> None:
        if self._session:
            self._request("DELETE", self._session)
            self._session = ""
        self.pipeline.set_state(Gst.State.NULL)

    # The offer

    def _on_negotiation(self, rtc: Any) -> None:
        if self._session:  # no session is ever renegotiated
            return
        for index in range(self._sections):
            transceiver = rtc.emit("get-transceiver", index)
            if self.way == "whip":
                transceiver.set_property("direction", GstWebRTC.WebRTCRTPTransceiverDirection.SENDONLY)
            picture = (index % 2 == 0) == (self.way == "whip")
            transceiver.set_property("do-nack", picture)
        rtc.emit("create-offer", None, Gst.Promise.new_with_change_func(self._on_offer, None))

    def _on_offer(self, promise: Any, _: Any) -> None:
        reply = promise.get_reply()  # owns the offer
        offer = reply.get_value("offer")
        self._rtc.emit("set-local-description", offer, Gst.Promise.new())
        try:
            answer = self._request("POST", self._url, offer.sdp.as_text().encode(), "application/sdp")
        except Refused as refused:
            say(way=self.way, refused=str(refused))
            return
        _, sdp = GstSdp.SDPMessage.new_from_text(answer)
        description = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, sdp)
        self._rtc.emit("set-remote-description", description, Gst.Promise.new())

    def _request(self, method: str, url: str, body: bytes | None = None, kind: str = "") -> str:
        headers = {"authorization": f"Bearer {self._token}"}
        if kind:
            headers["content-type"] = kind
        request = urllib.request.Request(url, body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                if method == "POST":
                    self._session = urllib.parse.urljoin(url, response.headers["location"])
                return str(response.read().decode())
        except urllib.error.HTTPError as error:
            raise Refused(f"{error.code} {error.read().decode().strip()}") from error
        except OSError as error:
            raise Refused(str(error)) from error

    # What comes of it

    def _on_state(self, rtc: Any, _: Any) -> None:
        say(way=self.way, state=rtc.get_property("connection-state").value_nick)

    def _on_pad(self, _: Any, pad: Any) -> None:
        if pad.get_direction() != Gst.PadDirection.SRC:
            return
        decoder = Gst.ElementFactory.make("decodebin")
        decoder.connect("pad-added", self._on_decoded)
        self.pipeline.add(decoder)
        decoder.sync_state_with_parent()
        pad.link(decoder.get_static_pad("sink"))

    def _on_decoded(self, _: Any, pad: Any) -> None:
        kind = pad.get_current_caps().get_structure(0).get_name().partition("/")[0]
        sink = Gst.ElementFactory.make("fakesink")
        sink.set_property("signal-handoffs", True)
        sink.connect("handoff", self._on_buffer, kind)
        self.pipeline.add(sink)
        sink.sync_state_with_parent()
        pad.link(sink.get_static_pad("sink"))

    def _on_buffer(self, _: Any, buffer: Any, pad: Any, kind: str) -> None:
        self.seen[kind] += 1


def say(**words: Any) -> None:
    print(json.dumps({"at": round(time.time(), 2), **words}), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="A room device made of GStreamer")
    parser.add_argument("base", help="https://majlis.example/media")
    parser.add_argument("meeting")
    parser.add_argument("token")
    parser.add_argument("--ways", default="whip,whep")
    parser.add_argument("--others", type=int, default=1, help="how many others to see, three at the most")
    parser.add_argument("--seconds", type=float, default=0, help="0: until it is told to end")
    options = parser.parse_args()
    Gst.init(None)
    loop = GLib.MainLoop()
    ways = [
        Way(options.base.rstrip("/"), options.meeting, options.token, way, options.others)
        for way in options.ways.split(",")
    ]

    def tell() -> bool:
        for way in ways:
            if way.way == "whep":
                say(way="whep", seen=way.seen)
        return True

    def end(*_: Any) -> bool:
        loop.quit()
        return False

    for word in (signal.SIGINT, signal.SIGTERM):
        GLib.unix_signal_add(GLib.PRIORITY_HIGH, word, end)
    if options.seconds:
        GLib.timeout_add(int(options.seconds * 1000), end)
    GLib.timeout_add(1000, tell)
    for way in ways:
        way.start()
    loop.run()
    for way in ways:
        try:
            way.stop()
        except Refused as refused:
            say(way=way.way, refused=str(refused))
    say(over=True)


if __name__ == "__main__":
    sys.exit(main())
