from __future__ import annotations

import contextlib
import re
import time

import pytest
from aiortc.sdp import SessionDescription
from hypothesis import given
from hypothesis import strategies as st

from video.media import rtp, sdp

OURS = sdp.Ours(
    leg="sara/1",
    ufrag="abcd",
    password="p" * 22,
    fingerprint=":".join(["AB"] * 32),
    candidates=("1 1 udp 2130706431 127.0.0.1 5000 typ host",),
    slots=(sdp.SlotStreams(11, 12, 13), sdp.SlotStreams(21, 22, 23), sdp.SlotStreams(31, 32, 33)),
)


def answered(offer: str) -> str:
    """What a browser makes of the offer."""
    text = offer.replace("a=setup:actpass", "a=setup:active").replace("a=ice-lite\r\n", "")
    text = re.sub(r"a=(msid|ssrc|candidate).*\r\n|a=end-of-candidates\r\n", "", text)
    swap = {"recvonly": "sendonly", "sendonly": "recvonly"}
    return re.sub(r"a=(recvonly|sendonly)", lambda found: "a=" + swap[found[1]], text)


def test_the_offer_has_fixed_sections_and_the_same_numbers_everywhere() -> None:
    session = SessionDescription.parse(sdp.offer(OURS))
    assert [section.rtp.muxId for section in session.media] == [str(number) for number in range(8)]
    assert [section.kind for section in session.media] == ["audio", "video"] * 4
    assert [section.direction for section in session.media] == ["recvonly"] * 2 + ["sendonly"] * 6
    for section in session.media:
        types = [codec.payloadType for codec in section.rtp.codecs]
        assert types == ([rtp.OPUS] if section.kind == "audio" else [rtp.VP8, rtp.VP8_RTX])
        extensions = {extension.uri: extension.id for extension in section.rtp.headerExtensions}
        assert not any("mid" in uri for uri in extensions)
        assert rtp.TWCC_ID in extensions.values()


def test_each_slot_is_announced_with_its_streams() -> None:
    session = SessionDescription.parse(sdp.offer(OURS))
    assert [[entry.ssrc for entry in section.ssrc] for section in session.media] == [
        [], [], [11], [12, 13], [21], [22, 23], [31], [32, 33],
    ]  # fmt: skip
    assert session.media[3].ssrc_group[0].items == [12, 13]


def test_an_answer_tells_credentials_role_and_what_is_sent() -> None:
    answer = sdp.read_answer(answered(sdp.offer(OURS)))
    assert (answer.ufrag, answer.password, answer.active) == ("abcd", "p" * 22, True)
    assert answer.fingerprints[0].value == OURS.fingerprint
    assert answer.sends == {"audio", "video"}


def test_someone_without_a_camera_may_answer() -> None:
    text = answered(sdp.offer(OURS))
    first, second = text.index("a=sendonly"), text.index("a=sendonly", text.index("a=sendonly") + 1)
    text = text[:second] + "a=inactive" + text[second + len("a=sendonly") :]
    assert first < second
    assert sdp.read_answer(text).sends == {"audio"}


@pytest.mark.parametrize(
    "change",
    [
        ("a=fingerprint:sha-256", "a=nothing:sha-256"),
        ("a=setup:active", "a=setup:actpass"),
        ("a=ice-pwd:", "a=nothing:"),
        ("a=rtpmap:96 VP8", "a=rtpmap:96 H264"),
        ("m=audio 9", "m=audio x"),
        ("m=", "n="),
    ],
)
def test_an_answer_that_cannot_be_used_is_refused(change: tuple[str, str]) -> None:
    with pytest.raises(sdp.BadAnswer):
        sdp.read_answer(answered(sdp.offer(OURS)).replace(*change))


def test_a_huge_answer_is_not_even_parsed() -> None:
    with pytest.raises(sdp.BadAnswer):
        sdp.read_answer("v=0\r\n" * 20_000)


@given(st.text(max_size=400) | st.lists(st.sampled_from(answered(sdp.offer(OURS)).split("\r\n"))).map("\r\n".join))
def test_whatever_comes_is_an_answer_or_refused(text: str) -> None:
    with contextlib.suppress(sdp.BadAnswer):
        sdp.read_answer(text)


ANSWER = answered(sdp.offer(OURS))


@pytest.mark.parametrize(
    "change",
    [
        ("UDP/TLS/RTP/SAVPF", "RTP/SAVPF"),
        ("a=ice-ufrag:abcd", "a=ice-ufrag:a b c d"),
        ("a=ice-ufrag:abcd", "a=ice-ufrag:\u0639\u0639\u0639\u0639"),
        ("a=ice-ufrag:abcd", "a=ice-ufrag:ab:cd"),
        ("a=ice-pwd:", "a=ice-pwd:\u00e9"),
        ("m=audio 9", "m=audio 0"),
    ],
)
def test_only_a_sound_transport_for_sound_or_picture_is_one(change: tuple[str, str]) -> None:
    text = ANSWER.replace(*change)
    if change[0] == "m=audio 9":
        assert sdp.read_answer(text).ufrag == "abcd"
        return
    with pytest.raises(sdp.BadAnswer):
        sdp.read_answer(text)


def test_data_alone_is_no_answer() -> None:
    text = re.sub(r"m=(audio|video) 9 .*\r\n", "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n", ANSWER)
    with pytest.raises(sdp.BadAnswer, match="rejected"):
        sdp.read_answer(text)


def test_an_answer_has_as_many_sections_as_its_offer() -> None:
    for text in (ANSWER.rpartition("m=")[0], ANSWER + "m=audio 0 UDP/TLS/RTP/SAVPF 111\r\n"):
        with pytest.raises(sdp.BadAnswer, match="as many sections"):
            sdp.read_answer(text)


def test_no_answer_keeps_the_others_waiting() -> None:
    """The parser looks through all it has read for each `ssrc`, `fmtp` and `rtcp-fb`: a third of a second for 60 kB."""
    for line in ("a=ssrc:{} c:d\r\n", "a=rtpmap:{} x/1\r\na=fmtp:{} x\r\n", "a=rtpmap:{} x/1\r\na=rtcp-fb:{} x\r\n"):
        text, number = ANSWER, 0
        while len(text) < sdp.LONGEST - 40:
            number += 1
            text += line.replace("{}", str(number))
        began = time.thread_time()
        with contextlib.suppress(sdp.BadAnswer):
            sdp.read_answer(text)
        assert time.thread_time() - began < 0.05
