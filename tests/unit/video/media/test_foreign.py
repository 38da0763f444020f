"""Offers of foreign devices, and their numbers turned into ours and back."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from video.media import foreign, rtp, sdp
from video.media.devices import DeviceLeg
from video.media.foreign import BadOffer, Numbers
from video.media.leg import Leg
from video.media.router import Router
from video.media.sdp import SlotStreams

PRINT = "sha-256 " + ":".join(["AB"] * 32)
COMMON = f"""c=IN IP4 0.0.0.0
a=rtcp-mux
a=ice-ufrag:abcd
a=ice-pwd:{"p" * 24}
a=fingerprint:{PRINT}
a=setup:actpass
"""
AUDIO = """a=mid:sound
a=DIRECTION
a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid
a=extmap:3 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=extmap:5 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=rtpmap:97 opus/48000/2
a=rtpmap:0 PCMU/8000
"""
VIDEO = """a=mid:picture
a=DIRECTION
a=extmap:5 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=rtpmap:100 H264/90000
a=rtpmap:101 VP8/90000
a=rtcp-fb:101 nack
a=rtcp-fb:101 nack pli
a=rtcp-fb:101 transport-cc
a=rtcp-fb:101 mystery
a=rtpmap:111 rtx/90000
a=fmtp:111 apt=101
"""
OURS = sdp.Ours("p7/1", "ufrag", "p" * 22, ":".join(["CD"] * 32), ("1 1 udp 1 10.0.0.1 5 typ host",), ())


def offer(direction: str = "sendonly", *, more: str = "", group: str = "sound picture") -> str:
    text = f"v=0\no=- 1 1 IN IP4 0.0.0.0\ns=-\nt=0 0\na=group:BUNDLE {group}\n"
    text += f"m=audio 9 UDP/TLS/RTP/SAVPF 97 0\n{COMMON}{AUDIO}m=video 9 UDP/TLS/RTP/SAVPF 100 101 111\n{COMMON}{VIDEO}"
    return (text.replace("DIRECTION", direction) + more).replace("\n", "\r\n")


def test_an_offer_is_answered_in_its_own_numbers_and_with_what_we_forward_only() -> None:
    offered = foreign.read_offer(offer(), "whip")
    assert offered.remote.ufrag == "abcd" and offered.remote.active and offered.kinds == {"audio", "video"}
    text = foreign.answer(OURS, offered)
    assert "m=audio 9 UDP/TLS/RTP/SAVPF 97\r\n" in text and "m=video 9 UDP/TLS/RTP/SAVPF 101 111\r\n" in text
    assert "a=group:BUNDLE sound picture\r\n" in text and text.count("a=recvonly") == 2
    assert "a=extmap:3 urn:ietf:params:rtp-hdrext:ssrc-audio-level" in text and "sdes:mid" not in text
    assert "a=fmtp:111 apt=101" in text and "a=rtcp-fb:101 nack pli" in text and "mystery" not in text
    assert text.count("a=setup:passive") == 2 and text.count("a=candidate:") == 1 and "a=ice-lite" in text


GSTREAMER = f"""m=video 9 UDP/TLS/RTP/SAVPF 96 97
{COMMON}a=rtcp-rsize
a=sendonly
a=rtpmap:96 VP8/90000
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=rtcp-fb:96 ccm fir
a=framerate:25
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
a=ssrc-group:FID 1688978680 3237391648
a=mid:video0
a=rtcp-mux-only
m=audio 0 UDP/TLS/RTP/SAVPF 111 98
{COMMON}a=bundle-only
a=rtcp-rsize
a=sendonly
a=rtpmap:111 OPUS/48000/2
a=rtcp-fb:111 nack
a=fmtp:111 sprop-stereo=0;sprop-maxcapturerate=48000
a=rtpmap:98 rtx/48000
a=fmtp:98 apt=111
a=mid:audio1
a=rtcp-mux-only
"""


def test_gstreamer_is_understood_and_told_that_sound_is_sent_again_without_a_stream_for_it() -> None:
    head = "v=0\no=- 8553987468325868248 0 IN IP4 0.0.0.0\ns=-\nt=0 0\na=ice-options:trickle\n"
    head += "a=group:BUNDLE video0 audio1\n"
    offered = foreign.read_offer((head + GSTREAMER).replace("\n", "\r\n"), "whip")
    assert offered.kinds == {"audio", "video"}
    assert offered.numbers().formats == {rtp.VP8: 96, rtp.VP8_RTX: 97, rtp.OPUS: 111}
    text = foreign.answer(OURS, offered)
    assert "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\n" in text and "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n" in text
    assert "a=rtcp-fb:96 nack\r\n" in text and "a=rtcp-fb:111 nack\r\n" in text and "apt=111" not in text


def test_a_viewer_is_told_the_streams_of_the_slots_it_has_sections_for() -> None:
    offered = foreign.read_offer(offer("recvonly"), "whep")
    assert offered.slots == 1
    ours = sdp.Ours(*[*OURS.__dict__.values()][:5], slots=(SlotStreams(11, 12, 13),))
    text = foreign.answer(ours, offered)
    assert text.count("a=sendonly") == 2
    assert "a=ssrc:11 " in text and "a=ssrc-group:FID 12 13" in text
    without = foreign.answer(ours, foreign.read_offer(offer("recvonly").replace("rtx/90000", "red/90000"), "whep"))
    assert "a=ssrc:12 " in without and "13" not in without.split("a=ssrc:12 ")[1].split("m=")[0]


def test_sections_we_do_not_take_are_turned_down_in_their_places() -> None:
    more = f"m=application 9 UDP/DTLS/SCTP webrtc-datachannel\n{COMMON}a=mid:data\na=sctp-port:5000\n"
    text = foreign.answer(OURS, foreign.read_offer(offer(more=more), "whip"))
    assert "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n" in text
    assert "a=group:BUNDLE sound picture\r\n" in text


def test_a_section_marked_bundle_only_is_no_refused_one() -> None:
    text = offer().replace("m=video 9 ", "m=video 0 ").replace("a=mid:picture", "a=mid:picture\r\na=bundle-only")
    assert foreign.read_offer(text, "whip").kinds == {"audio", "video"}
    refused = offer(group="sound").replace("m=video 9 ", "m=video 0 ")
    assert foreign.read_offer(refused, "whip").kinds == {"audio"}


@pytest.mark.parametrize(
    ("text", "way"),
    [
        (offer("recvonly"), "whip"),
        (offer("sendonly"), "whep"),
        (offer(group="sound"), "whip"),
        (offer().replace("opus", "speex").replace("VP8", "VP9"), "whip"),
        (offer().replace("a=ice-pwd", "a=ice-pw"), "whip"),
        (offer().replace("a=fingerprint", "a=fingertip"), "whip"),
        (offer().replace("a=rtcp-mux", "a=rtcp-mix"), "whip"),
        (offer().replace("a=mid:picture", "a=mid:sound"), "whip"),
        (offer().replace("a=mid:picture", "a=mid:pic<ture"), "whip"),
        (offer().replace("101", "97"), "whip"),
        ("", "whip"),
        ("v=0", "whep"),
        ("x" * 100_000, "whip"),
    ],
)
def test_what_cannot_be_answered_is_refused(text: str, way: Any) -> None:
    with pytest.raises(BadOffer):
        foreign.read_offer(text, way)


@given(st.text(max_size=300) | st.text(max_size=80).map(lambda text: offer()[:900] + text))
def test_no_text_raises_anything_else(text: str) -> None:
    with contextlib.suppress(BadOffer):
        foreign.read_offer(text, "whip")


NUMBERS = Numbers({rtp.VP8: 101, rtp.VP8_RTX: 111}, {rtp.TWCC_ID: 5})


def test_numbers_are_turned_both_ways_and_the_rest_is_not_touched(packet: Callable[..., bytes]) -> None:
    ours = packet(7, kind=rtp.VP8, transport=4711, marker=True, csrcs=2)
    theirs = NUMBERS.outward(ours)
    assert theirs is not None and theirs[1] == 0x80 | 101 and len(theirs) == len(ours)
    assert rtp.extension_at(theirs, 5) > 0 and rtp.extension_at(theirs, rtp.AUDIO_LEVEL_ID) < 0
    back = NUMBERS.inward(theirs)
    assert back is not None and back[1] == ours[1] and rtp.transport_sequence(back) == 4711
    assert back[rtp.payload_at(back) :] == ours[rtp.payload_at(ours) :]
    assert rtp.extension_at(back, rtp.AUDIO_LEVEL_ID) < 0, "an id that was not agreed on never becomes one of ours"
    assert NUMBERS.inward(packet(7, kind=rtp.VP8)) is None and NUMBERS.outward(packet(7, kind=rtp.OPUS)) is None


def test_two_byte_extensions_go_as_a_whole(packet: Callable[..., bytes]) -> None:
    plain = packet(7, kind=101, transport=1)
    wide = plain[:12] + b"\x10\x00" + plain[14:]
    found = NUMBERS.inward(wide)
    assert found is not None and not found[0] & 0x10 and found[12:] == plain[rtp.payload_at(plain) :]


@given(st.binary(min_size=12, max_size=80))
def test_no_packet_from_outside_raises(data: bytes) -> None:
    found = NUMBERS.inward(bytes([0x80 | data[0] & 0x3F]) + data[1:])
    assert found is None or found[1] & 0x7F in (rtp.VP8, rtp.VP8_RTX)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[bytes, int]]:
    """What leaves a leg, before it is protected."""
    found: list[tuple[bytes, int]] = []
    monkeypatch.setattr(Leg, "send_rtp", lambda self, data, ssrc: found.append((data, ssrc)))
    return found


def viewing_leg(*, rtx: bool) -> DeviceLeg:
    text = offer("recvonly")
    if not rtx:
        text = text.replace("a=rtpmap:111 rtx/90000\r\na=fmtp:111 apt=101\r\n", "")
    offered = foreign.read_offer(text, "whep")
    return DeviceLeg("p7/1", offered, sockets=SimpleNamespace(ports=[]), changed=lambda leg: None)


def test_a_viewer_without_rtx_gets_the_very_packet_again(
    packet: Callable[..., bytes], sent: list[tuple[bytes, int]]
) -> None:
    """With another transport-wide number it would be another packet under the same number."""
    leg = viewing_leg(rtx=False)
    slot = leg.slots[0]
    first = packet(70, kind=rtp.VP8, transport=258)
    leg.send_rtp(first, slot.video)
    kept = rtp.without_transport_sequence(first)
    for number in (70, 71):
        leg.send_rtp(rtp.wrap_rtx(kept, number, 5, slot.rtx, rtp.VP8_RTX) or b"", slot.rtx)
    assert len(sent) == 2 and sent[0] == sent[1], "what was never sent is not sent again either"
    data, ssrc = sent[0]
    assert ssrc == slot.video and rtp.sequence(data) == 70 and data[1] & 0x7F == 101


def test_a_viewer_with_rtx_gets_what_is_sent_again_in_its_number_for_that(
    packet: Callable[..., bytes], sent: list[tuple[bytes, int]]
) -> None:
    leg = viewing_leg(rtx=True)
    again = rtp.wrap_rtx(packet(70, kind=rtp.VP8), 70, 5, leg.slots[0].rtx, rtp.VP8_RTX)
    leg.send_rtp(again or b"", leg.slots[0].rtx)
    ((data, ssrc),) = sent
    assert ssrc == leg.slots[0].rtx and data[1] & 0x7F == 111


def test_a_device_is_asked_only_for_what_it_said_it_sends_again() -> None:
    offered = foreign.read_offer(offer(), "whip")
    assert offered.repairs("video") and not offered.repairs("audio")
    both = foreign.read_offer(offer().replace("a=rtpmap:0", "a=rtcp-fb:97 nack\r\na=rtpmap:0"), "whip")
    assert both.repairs("audio")


def test_with_a_leg_that_does_but_one_thing_the_node_answers_everybody_itself(outlets: Callable[[], Any]) -> None:
    tape = SimpleNamespace(write=lambda *a, **k: None, report=lambda *a, **k: None)
    router = Router(tape, monotonic=lambda: 0.0)  # type: ignore[arg-type]
    slots = (SlotStreams(1, 2, 3),)
    router.flow(True)
    router.add("a/1", "a", outlets(), slots, {0: "b"})
    router.add("b/1", "b", outlets(), slots, {0: "a"})
    assert router.relaying
    router.add("b/2", "b", outlets(), (), {}, whole=False)
    assert not router.relaying and router.endpoints["a"].arrivals is not None


@pytest.mark.parametrize("number", ["5000", "128", "-1", "72", "64", "95"])
def test_a_payload_type_that_no_packet_can_carry_is_refused(number: str) -> None:
    """Written into a packet for this device, it would raise among those for the others."""
    text = offer("recvonly").replace("a=rtpmap:101 ", f"a=rtpmap:{number} ").replace("fb:101 ", f"fb:{number} ")
    with pytest.raises(BadOffer):
        foreign.read_offer(text.replace("apt=101", f"apt={number}"), "whep")


def test_one_id_means_one_header_extension() -> None:
    with pytest.raises(BadOffer, match="one header extension"):
        foreign.read_offer(offer().replace("a=extmap:3 ", "a=extmap:5 "), "whip")


def test_an_offer_with_more_lines_than_anybody_needs_is_not_parsed() -> None:
    with pytest.raises(BadOffer):
        foreign.read_offer(offer() + "a=x\r\n" * sdp.LINES, "whip")
