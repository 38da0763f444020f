"""Packets made by hand, and a leg that only remembers what it was given to send."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest
from hypothesis import settings

from video.media import rtp

# The machines that run these are busy: how long one example took says nothing about the code.
settings.register_profile("busy", deadline=None)
settings.load_profile("busy")


def make_rtp(
    number: int,
    *,
    kind: int = rtp.VP8,
    ssrc: int = 0xA0000001,
    stamp: int = 0,
    transport: int | None = None,
    body: bytes = b"\x10\x00picture",
    csrcs: int = 0,
    marker: bool = False,
) -> bytes:
    first = 0x80 | csrcs | (0x10 if transport is not None else 0)
    head = struct.pack("!BBHII", first, kind | (0x80 if marker else 0), number & 0xFFFF, stamp & 0xFFFFFFFF, ssrc)
    head += b"CSRC" * csrcs
    if transport is not None:
        # an audio level first, so that the element looked for isn't the first one
        elements = bytes([rtp.AUDIO_LEVEL_ID << 4, 0x7F, rtp.TWCC_ID << 4 | 1]) + struct.pack("!H", transport)
        elements += b"\0" * (-len(elements) % 4)
        head += struct.pack("!HH", 0xBEDE, len(elements) // 4) + elements
    return head + body


class Outlet:
    def __init__(self) -> None:
        self.rtp: list[tuple[bytes, int]] = []
        self.rtcp: list[bytes] = []

    def send_rtp(self, packet: bytes, ssrc: int) -> None:
        """What leaves carries the SSRC it is sent under, as the leg writes it."""
        self.rtp.append((packet[:8] + struct.pack("!I", ssrc) + packet[12:], ssrc))

    def send_rtcp(self, packet: bytes) -> None:
        self.rtcp.append(packet)


@pytest.fixture
def packet() -> Callable[..., bytes]:
    return make_rtp


@pytest.fixture(scope="session")
def make() -> Callable[..., bytes]:
    """The same for property tests, which share their fixtures."""
    return make_rtp


@pytest.fixture
def outlet() -> Outlet:
    return Outlet()


@pytest.fixture
def outlets() -> Callable[[], Outlet]:
    return Outlet


@pytest.fixture(scope="session")
def outlets_for_properties() -> Callable[[], Outlet]:
    return Outlet
