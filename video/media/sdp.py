"""The offer the node makes and the answer it gets: RFC 8829 in the one shape Majlis uses.

Every leg gets the same offer but for its secrets and SSRCs: two sections for what the participant sends (mid
0 and 1), then a pair for each of the three others who may be in the room ("slots"). The sections never
change, so nobody renegotiates: who is in which slot is said by a message. There is no `sdes:mid` extension,
because a packet is forwarded with the extensions of its sender, whose mid would be wrong on the other side.

The node announces itself as ICE lite: it needs none of the participant's candidates, so the answer need not
wait for any, names behind mDNS need no resolving, and nobody can point the node's checks at a third party.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from aiortc import sdp as aiortc_sdp
from aiortc.rtcdtlstransport import RTCDtlsFingerprint

from video.media import rtp

SLOTS = 3
LONGEST = 60_000
LINES = 1000
"""More than any browser needs, and few enough for a parser that looks through all it has read for each of some."""
START_KBPS = 600
PROFILE = "UDP/TLS/RTP/SAVPF"

TWCC_URI = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
LEVEL_URI = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"

_AUDIO = (
    f"a=extmap:{rtp.AUDIO_LEVEL_ID} {LEVEL_URI}",
    f"a=extmap:{rtp.TWCC_ID} {TWCC_URI}",
    f"a=rtpmap:{rtp.OPUS} opus/48000/2",
    f"a=rtcp-fb:{rtp.OPUS} transport-cc",
    f"a=rtcp-fb:{rtp.OPUS} nack",
    f"a=fmtp:{rtp.OPUS} minptime=10;useinbandfec=1;usedtx=0",
)
_VIDEO = (
    f"a=extmap:{rtp.TWCC_ID} {TWCC_URI}",
    f"a=rtpmap:{rtp.VP8} VP8/90000",
    f"a=rtcp-fb:{rtp.VP8} transport-cc",
    f"a=rtcp-fb:{rtp.VP8} goog-remb",
    f"a=rtcp-fb:{rtp.VP8} ccm fir",
    f"a=rtcp-fb:{rtp.VP8} nack",
    f"a=rtcp-fb:{rtp.VP8} nack pli",
    f"a=fmtp:{rtp.VP8} x-google-start-bitrate={START_KBPS}",
    f"a=rtpmap:{rtp.VP8_RTX} rtx/90000",
    f"a=fmtp:{rtp.VP8_RTX} apt={rtp.VP8}",
)


_UFRAG = re.compile(r"[!-9;-~]{4,256}")
_PASSWORD = re.compile(r"[!-~]{22,256}")
"""More lenient than RFC 8839 §5.4, which knows letters, digits, + and /."""
_UNREAD = ("a=candidate:", "a=ssrc:", "a=ssrc-group:", "a=rtcp:", "a=sctp", "a=max-message-size:", "b=", "c=")
_OFFERED = ("a=fmtp:", "a=rtcp-fb:", "a=extmap:", "a=msid")
"""What an answer only repeats."""


class BadAnswer(Exception):
    """The participant's answer cannot be used; the text is for the log."""


@dataclass(frozen=True)
class SlotStreams:
    """The identities under which the participant in one slot is sent on one leg."""

    audio: int
    video: int
    rtx: int


@dataclass(frozen=True)
class Ours:
    """What the node puts into an offer."""

    leg: str
    ufrag: str
    password: str
    fingerprint: str
    candidates: tuple[str, ...]
    slots: tuple[SlotStreams, ...]


@dataclass(frozen=True)
class Answer:
    """What the node needs of an answer."""

    ufrag: str
    password: str
    fingerprints: tuple[RTCDtlsFingerprint, ...]
    active: bool
    """Whether the participant starts the DTLS handshake."""
    sends: frozenset[str] = field(default_factory=frozenset)


def offer(ours: Ours) -> str:
    mids = [str(number) for number in range(2 + 2 * len(ours.slots))]
    lines = heading(ours, mids)
    lines += _section(ours, "audio", "0", "recvonly", ())
    lines += _section(ours, "video", "1", "recvonly", ())
    for number, slot in enumerate(ours.slots, start=1):
        lines += _section(ours, "audio", str(2 * number), "sendonly", streams(number, slot, "audio"))
        lines += _section(ours, "video", str(2 * number + 1), "sendonly", streams(number, slot, "video"))
    return "\r\n".join(lines) + "\r\n"


def heading(ours: Ours, mids: Sequence[str]) -> list[str]:
    return [
        "v=0",
        f"o=majlis {int.from_bytes(ours.leg.encode()[:6], 'big')} 1 IN IP4 0.0.0.0",
        "s=-",
        "t=0 0",
        "a=ice-lite",
        f"a=group:BUNDLE {' '.join(mids)}",
        "a=msid-semantic: WMS *",
    ]


def streams(number: int, slot: SlotStreams, kind: str, *, rtx: bool = True) -> tuple[str, ...]:
    """The identities of one kind in a slot."""
    name = f"slot{number}"
    if kind == "audio":
        return (f"a=msid:{name} {name}-audio", f"a=ssrc:{slot.audio} cname:{name}")
    if not rtx:
        return (f"a=msid:{name} {name}-video", f"a=ssrc:{slot.video} cname:{name}")
    return (
        f"a=msid:{name} {name}-video",
        f"a=ssrc-group:FID {slot.video} {slot.rtx}",
        f"a=ssrc:{slot.video} cname:{name}",
        f"a=ssrc:{slot.rtx} cname:{name}",
    )


def transport(ours: Ours, setup: str) -> list[str]:
    return [
        "a=rtcp-mux",
        "a=rtcp-rsize",
        f"a=ice-ufrag:{ours.ufrag}",
        f"a=ice-pwd:{ours.password}",
        f"a=fingerprint:sha-256 {ours.fingerprint}",
        f"a=setup:{setup}",
    ]


def candidates(ours: Ours) -> list[str]:
    return [*(f"a=candidate:{candidate}" for candidate in ours.candidates), "a=end-of-candidates"]


def _section(ours: Ours, kind: str, mid: str, direction: str, streams: tuple[str, ...]) -> list[str]:
    formats = f"{rtp.OPUS}" if kind == "audio" else f"{rtp.VP8} {rtp.VP8_RTX}"
    lines = [
        f"m={kind} 9 {PROFILE} {formats}",
        "c=IN IP4 0.0.0.0",
        "a=rtcp:9 IN IP4 0.0.0.0",
        f"a=mid:{mid}",
        f"a={direction}",
        *transport(ours, "actpass"),
        *(_AUDIO if kind == "audio" else _VIDEO),
        *streams,
    ]
    if mid == "0":
        lines += candidates(ours)
    return lines


def read_answer(text: str) -> Answer:
    """Raises `BadAnswer`, and nothing else whatever the text."""
    if not isinstance(text, str) or len(text) > LONGEST:
        raise BadAnswer("too long or no text")
    try:
        session = aiortc_sdp.SessionDescription.parse(readable(text, _OFFERED))
        return _understood(session)
    except BadAnswer:
        raise
    except Exception as error:  # the parser raises whatever comes: KeyError, AssertionError, StopIteration, …
        raise BadAnswer(f"{type(error).__name__}: {error}") from error


def readable(text: str, unread: tuple[str, ...] = ()) -> str:
    """Without the lines that nobody here reads; raises ValueError where it has too many."""
    lines = text.splitlines()
    if len(lines) > LINES:
        raise ValueError("too many lines")
    return "\r\n".join(line for line in lines if not line.startswith((*_UNREAD, *unread)))


def credentials(section: aiortc_sdp.MediaDescription) -> tuple[str, str] | None:
    """ICE user fragment and password, None where there are none that can be used."""
    ufrag, password = (section.ice.usernameFragment, section.ice.password) if section.ice else (None, None)
    if not ufrag or not password or not _UFRAG.fullmatch(ufrag) or not _PASSWORD.fullmatch(password):
        return None
    return ufrag, password


def _understood(session: aiortc_sdp.SessionDescription) -> Answer:
    if len(session.media) != 2 + 2 * SLOTS:
        raise BadAnswer("an answer has as many sections as its offer (RFC 3264 §6)")
    media = [section for section in session.media if section.kind in ("audio", "video")]
    bundled = next((section for section in media if section.port), None)
    if bundled is None:
        raise BadAnswer("everything rejected")
    if bundled.profile != PROFILE:
        raise BadAnswer(f"{PROFILE} is needed")
    if bundled.dtls is None or not bundled.dtls.fingerprints:
        raise BadAnswer("no fingerprint")
    if bundled.dtls.role not in ("client", "server"):
        raise BadAnswer("setup must be active or passive")
    secrets = credentials(bundled)
    if secrets is None:
        raise BadAnswer("no ICE credentials")
    ufrag, password = secrets
    sends = set()
    for section in media:
        if section.port and section.rtp.muxId in ("0", "1") and section.direction in ("sendonly", "sendrecv"):
            formats = {codec.payloadType: codec.mimeType.lower() for codec in section.rtp.codecs}
            wanted = (rtp.OPUS, "audio/opus") if section.rtp.muxId == "0" else (rtp.VP8, "video/vp8")
            if formats.get(wanted[0]) != wanted[1]:
                raise BadAnswer("payload types must stay as offered")
            sends.add(section.kind)
    return Answer(
        ufrag=ufrag,
        password=password,
        fingerprints=tuple(bundled.dtls.fingerprints),
        active=bundled.dtls.role == "client",
        sends=frozenset(sends),
    )
