"""Session descriptions of a peer: the little that the measured servers need, and the little that is read of theirs."""

from __future__ import annotations

from typing import Any

from aiortc.sdp import SessionDescription

_TWCC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"


def read(text: str) -> dict[str, Any]:
    """What `peer.Remote` wants of a server's offer or answer."""
    session = SessionDescription.parse(text)
    first = session.media[0]
    candidates = [one for media in session.media for one in media.ice_candidates]
    host = next(one for one in candidates if one.protocol.lower() == "udp" and ":" not in one.ip)
    assert first.dtls is not None and first.ice is not None
    types = {
        kind: next(
            codec.payloadType
            for media in session.media
            if media.kind == kind
            for codec in media.rtp.codecs
            if codec.mimeType.lower() == wanted
        )
        for kind, wanted in (("audio", "audio/opus"), ("video", "video/vp8"))
    }
    return {
        "ufrag": first.ice.usernameFragment,
        "password": first.ice.password,
        "fingerprint": next(one.value for one in first.dtls.fingerprints if one.algorithm.lower() == "sha-256"),
        "address": host.ip,
        "port": host.port,
        "lite": "a=ice-lite" in text,
        **types,
    }


def sections(text: str) -> list[tuple[str, str, str]]:
    """(mid, kind, direction) of each section."""
    return [(one.rtp.muxId, one.kind, one.direction or "sendrecv") for one in SessionDescription.parse(text).media]


def write(
    peer: dict[str, Any],
    address: str,
    parts: list[tuple[str, str, str]],
    types: dict[str, int],
) -> str:
    """The peer's own description; `parts` are (mid, kind, direction of the peer).

    DTLS is always begun by the peer, so that every server does the same part of it.
    """
    lines = [
        "v=0",
        "o=- 1 1 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        f"a=group:BUNDLE {' '.join(mid for mid, _, _ in parts)}",
    ]
    for mid, kind, direction in parts:
        number = types[kind]
        lines += [
            f"m={kind} 9 UDP/TLS/RTP/SAVPF {number}",
            f"c=IN IP4 {address}",
            "a=rtcp:9 IN IP4 0.0.0.0",
            f"a=ice-ufrag:{peer['ufrag']}",
            f"a=ice-pwd:{peer['password']}",
            f"a=fingerprint:sha-256 {peer['fingerprint']}",
            "a=setup:active",
            f"a=mid:{mid}",
            f"a={direction}",
            "a=rtcp-mux",
            "a=rtcp-rsize",
            *_codec(kind, number),
            f"a=candidate:1 1 udp 2113937151 {address} {peer['port']} typ host",
            "a=end-of-candidates",
        ]
        if direction.startswith("send"):
            lines.append(f"a=ssrc:{peer['ssrc'][kind]} cname:bench")
    return "\r\n".join(lines) + "\r\n"


def _codec(kind: str, number: int) -> list[str]:
    if kind == "audio":
        return [
            f"a=extmap:1 {_LEVEL}",
            f"a=extmap:3 {_TWCC}",
            f"a=rtpmap:{number} opus/48000/2",
            f"a=rtcp-fb:{number} transport-cc",
            f"a=fmtp:{number} minptime=10;useinbandfec=1",
        ]
    return [
        f"a=extmap:3 {_TWCC}",
        f"a=rtpmap:{number} VP8/90000",
        f"a=rtcp-fb:{number} transport-cc",
        f"a=rtcp-fb:{number} goog-remb",
        f"a=rtcp-fb:{number} nack",
        f"a=rtcp-fb:{number} nack pli",
    ]
