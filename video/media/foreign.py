"""Offers of devices that speak WHIP or WHEP: here the client offers, and chooses the numbers.

A room device keeps its own payload types and extension ids on its own leg; `Numbers` turns them into ours at the door,
so that nothing behind it knows of them. Only what we forward is accepted: Opus, VP8, its RTX, audio level and
transport-wide numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from aiortc import sdp as aiortc_sdp

from video.media import rtp, sdp

Kind = Literal["whip", "whep"]
EXTENSIONS = {sdp.LEVEL_URI: rtp.AUDIO_LEVEL_ID, sdp.TWCC_URI: rtp.TWCC_ID}
CODECS = {"audio": ("audio/opus", rtp.OPUS), "video": ("video/vp8", rtp.VP8)}


class BadOffer(Exception):
    """The device's offer cannot be answered; the text is for whoever sets the device up."""


@dataclass(frozen=True)
class Section:
    """One section of an offer, with their numbers for what is ours; `formats` is empty where it is turned down."""

    kind: str
    mid: str
    formats: dict[int, int]
    extensions: dict[int, int]
    feedback: tuple[str, ...] = ()
    profile: str = "UDP/TLS/RTP/SAVPF"
    refused_formats: str = "0"

    @property
    def taken(self) -> bool:
        return bool(self.formats)


@dataclass(frozen=True)
class Offered:
    way: Kind
    remote: sdp.Answer
    sections: tuple[Section, ...]

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset(section.kind for section in self.sections if section.taken)

    @property
    def slots(self) -> int:
        """How many others a viewer has asked to see: its pairs of sections, in order."""
        counts = [sum(1 for one in self.sections if one.taken and one.kind == kind) for kind in CODECS]
        return min(sdp.SLOTS, max(counts))

    def repairs(self, kind: str) -> bool:
        """Whether the device sends again what it is asked for (RFC 4585 §4.2: nobody asks who wasn't told so)."""
        return any("nack" in section.feedback for section in self.sections if section.taken and section.kind == kind)

    def numbers(self) -> Numbers:
        formats: dict[int, int] = {}
        extensions: dict[int, int] = {}
        for section in self.sections:
            formats |= section.formats
            extensions |= section.extensions
        return Numbers(formats, extensions)


class Numbers:
    """Payload types and extension ids of one device: ours → theirs."""

    def __init__(self, formats: dict[int, int], extensions: dict[int, int]) -> None:
        self.formats = formats
        self._in = ({theirs: ours for ours, theirs in formats.items()}, {b: a for a, b in extensions.items()})
        self._out = (formats, extensions)

    def inward(self, packet: bytes) -> bytes | None:
        """The device's packet as everybody's; None for what was not agreed on."""
        return _renumbered(packet, *self._in)

    def outward(self, packet: bytes) -> bytes | None:
        return _renumbered(packet, *self._out)


def _renumbered(packet: bytes, formats: dict[int, int], extensions: dict[int, int]) -> bytes | None:
    kind = formats.get(packet[1] & 0x7F)
    body = rtp.payload_at(packet)
    if kind is None or body < 0:
        return None
    head = bytearray(packet[:body])
    head[1] = head[1] & 0x80 | kind
    if head[0] & 0x10:
        at = rtp.HEADER_SIZE + 4 * (head[0] & 0x0F)
        if head[at : at + 2] == b"\xbe\xde":
            _renumber_elements(head, at + 4, body, extensions)
        else:  # two-byte elements, which were not agreed on: the whole extension goes
            del head[at:]
            head[0] &= ~0x10
    return bytes(head) + packet[body:]


def _renumber_elements(head: bytearray, at: int, end: int, extensions: dict[int, int]) -> None:
    """Elements nobody agreed on are overwritten with padding (RFC 8285 §4.2)."""
    while at < end:
        if head[at] == 0:
            at += 1
            continue
        identity, size = head[at] >> 4, (head[at] & 0x0F) + 1
        following = at + 1 + size
        ours = extensions.get(identity)
        if identity == 15 or following > end:
            head[at:end] = bytes(end - at)
            return
        if ours is None:
            head[at:following] = bytes(following - at)
        else:
            head[at] = ours << 4 | size - 1
        at = following


def read_offer(text: str, way: Kind) -> Offered:
    """Raises `BadOffer`, and nothing else whatever the text."""
    if len(text) > sdp.LONGEST:
        raise BadOffer("the offer is too long")
    try:
        return _understood(aiortc_sdp.SessionDescription.parse(_with_ports(sdp.readable(text))), way)
    except BadOffer:
        raise
    except Exception as error:  # the parser raises whatever comes
        raise BadOffer(f"the offer can't be read: {type(error).__name__}") from error


def _with_ports(text: str) -> str:
    """Sections marked bundle-only have port 0 (RFC 9143 §6), which elsewhere means that they are turned down."""
    head, *sections = text.replace("\r\n", "\n").split("\nm=")
    for index, section in enumerate(sections):
        if "a=bundle-only" in section.split("\n"):
            kind, _, rest = section.partition(" 0 ")
            sections[index] = f"{kind} 9 {rest}" if rest and " " not in kind else section
    return "\r\n".join("\nm=".join([head, *sections]).split("\n"))


def _understood(session: aiortc_sdp.SessionDescription, way: Kind) -> Offered:
    sections = tuple(_section(media, way) for media in session.media)
    taken = [section for section in sections if section.taken]
    if not taken:
        raise BadOffer("nothing that can be taken: Opus and VP8, sendonly for WHIP, recvonly for WHEP")
    if way == "whip" and len(taken) != len({section.kind for section in taken}):
        raise BadOffer("one audio and one video stream at the most")
    if way == "whep" and len(taken) > 2 * sdp.SLOTS:
        raise BadOffer("more than the three others who may be in a meeting")
    bundle = next((group.items for group in session.group if group.semantic == "BUNDLE"), [])
    if not {section.mid for section in taken} <= {str(item) for item in bundle}:
        raise BadOffer("everything must be in one BUNDLE group")
    if len({section.mid for section in sections}) != len(sections):
        raise BadOffer("each section needs a mid of its own")
    first = next(media for media in session.media if media.rtp.muxId == str(bundle[0]))
    if first.dtls is None or not first.dtls.fingerprints or not first.rtcp_mux:
        raise BadOffer("a fingerprint and rtcp-mux are needed")
    secrets = sdp.credentials(first)
    if secrets is None:
        raise BadOffer("no ICE credentials")
    ufrag, password = secrets
    _check_numbers(taken)
    remote = sdp.Answer(ufrag, password, tuple(first.dtls.fingerprints), active=first.dtls.role != "server")
    return Offered(way, remote, sections)


def _section(media: aiortc_sdp.MediaDescription, way: Kind) -> Section:
    wanted = "sendonly" if way == "whip" else "recvonly"
    formats: dict[int, int] = {}
    feedback: list[str] = []
    if media.kind in CODECS and media.port and media.direction in (wanted, "sendrecv"):
        mime, ours = CODECS[media.kind]
        codec = next((codec for codec in media.rtp.codecs if codec.mimeType.lower() == mime), None)
        if codec is not None:
            formats[ours] = int(codec.payloadType or 0)
            feedback = [f"{one.type} {one.parameter}" if one.parameter else one.type for one in codec.rtcpFeedback]
            for rtx in media.rtp.codecs:
                if rtx.mimeType.lower() == "video/rtx" and rtx.parameters.get("apt") == codec.payloadType:
                    formats[rtp.VP8_RTX] = int(rtx.payloadType or 0)
    extensions = {
        EXTENSIONS[one.uri]: one.id for one in media.rtp.headerExtensions if one.uri in EXTENSIONS and 0 < one.id < 15
    }
    if media.kind == "video":
        extensions.pop(rtp.AUDIO_LEVEL_ID, None)
    mid = media.rtp.muxId
    if len(mid) > 32 or any(not letter.isalnum() and letter not in "-_." for letter in mid):
        raise BadOffer("a mid is letters and digits")
    return Section(
        kind=media.kind,
        mid=mid,
        formats=formats,
        extensions=extensions if formats else {},
        feedback=tuple(one for one in feedback if one in FEEDBACK.get(media.kind, ())),
        profile=media.profile,
        refused_formats=" ".join(str(number) for number in media.fmt) or "0",
    )


FEEDBACK = {
    "audio": ("nack", "transport-cc"),
    "video": ("nack", "nack pli", "ccm fir", "goog-remb", "transport-cc"),
}
"""What is done on such a leg. Sound is sent again as it was, without a stream of its own for that."""


def _check_numbers(taken: list[Section]) -> None:
    """Streams are told apart by their payload types, so a number must mean one thing in the whole offer."""
    formats: dict[int, int] = {}
    extensions: dict[int, int] = {}
    for section in taken:
        for ours, theirs in section.formats.items():
            if formats.setdefault(ours, theirs) != theirs:
                raise BadOffer("a codec has the same payload type in every section")
        for ours, theirs in section.extensions.items():
            if extensions.setdefault(ours, theirs) != theirs:
                raise BadOffer("a header extension has the same id in every section")
    if len(set(formats.values())) != len(formats):
        raise BadOffer("a payload type means one codec in the whole bundle")
    if len(set(extensions.values())) != len(extensions):
        raise BadOffer("an id means one header extension in the whole bundle")
    if not all(0 <= number < 64 or 96 <= number < 128 for number in formats.values()):
        raise BadOffer("payload types are 0 to 63 and 96 to 127 (RFC 5761 §4)")


def answer(ours: sdp.Ours, offered: Offered) -> str:
    """The answer: our addresses and keys, their numbers."""
    direction = "recvonly" if offered.way == "whip" else "sendonly"
    taken = [section.mid for section in offered.sections if section.taken]
    lines = sdp.heading(ours, taken)
    seen = {"audio": 0, "video": 0}
    for section in offered.sections:
        if not section.taken or (offered.way == "whep" and seen[section.kind] >= len(ours.slots)):
            lines += [f"m={section.kind} 0 {section.profile} {section.refused_formats}", "c=IN IP4 0.0.0.0"]
            lines += [f"a=mid:{section.mid}", "a=inactive"]
            continue
        number = seen[section.kind]
        seen[section.kind] += 1
        lines += [
            f"m={section.kind} 9 {section.profile} {' '.join(str(one) for one in section.formats.values())}",
            "c=IN IP4 0.0.0.0",
            "a=rtcp:9 IN IP4 0.0.0.0",
            f"a=mid:{section.mid}",
            f"a={direction}",
            *sdp.transport(ours, "passive" if offered.remote.active else "active"),
            *_codecs(section),
        ]
        if offered.way == "whep":
            lines += sdp.streams(number + 1, ours.slots[number], section.kind, rtx=rtp.VP8_RTX in section.formats)
        if section.mid == taken[0]:
            lines += sdp.candidates(ours)
    return "\r\n".join(lines) + "\r\n"


def _codecs(section: Section) -> list[str]:
    lines = [
        f"a=extmap:{section.extensions[id_]} {uri}" for uri, id_ in EXTENSIONS.items() if id_ in section.extensions
    ]
    if section.kind == "audio":
        number = section.formats[rtp.OPUS]
        lines += [f"a=rtpmap:{number} opus/48000/2", f"a=fmtp:{number} minptime=10;useinbandfec=1"]
    else:
        number = section.formats[rtp.VP8]
        lines.append(f"a=rtpmap:{number} VP8/90000")
        again = section.formats.get(rtp.VP8_RTX)
        if again is not None:
            lines += [f"a=rtpmap:{again} rtx/90000", f"a=fmtp:{again} apt={number}"]
    agreed = [one for one in section.feedback if one != "transport-cc" or rtp.TWCC_ID in section.extensions]
    return lines + [f"a=rtcp-fb:{number} {one}" for one in agreed]
