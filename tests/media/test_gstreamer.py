"""Two devices made of GStreamer in one meeting (bench/devices/gstreamer.py); not run where it is not installed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from bench.media.node import SECRET
from bench.media.run import own_address
from bench.soak.journals import check
from bench.soak.node import PEOPLE
from bench.soak.run import Node
from recordings.keys import FileKeyRing
from tests.children import die_with_parent
from video.media.tokens import JoinClaims, mint

ROOT = Path(__file__).resolve().parents[2]
SYSTEM_PYTHON = "/usr/bin/python3"
PROBE = """
import gi
gi.require_version("Gst", "1.0"); gi.require_version("GstWebRTC", "1.0"); gi.require_version("GstSdp", "1.0")
from gi.repository import Gst
Gst.init(None)
raise SystemExit(not all(Gst.ElementFactory.find(one) for one in ("webrtcbin", "nicesrc", "vp8enc", "opusenc")))
"""


def installed() -> bool:
    if not Path(SYSTEM_PYTHON).exists():
        return False
    return subprocess.run([SYSTEM_PYTHON, "-c", PROBE], capture_output=True, timeout=30, check=False).returncode == 0


pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(own_address().startswith("127."), reason="GStreamer's ICE leaves loopback out"),
    pytest.mark.skipif(not installed(), reason="GStreamer with webrtcbin and its bindings is not installed"),
]


class Device:
    def __init__(self, role: str) -> None:
        self.role = role
        self.said: list[dict[str, Any]] = []

    async def start(self, base: str) -> None:
        info = PEOPLE[self.role]
        token = mint(SECRET, JoinClaims("m1", self.role, info.role, info.name_ar, info.name_en), now=time.time())
        self.process = await asyncio.create_subprocess_exec(
            SYSTEM_PYTHON, "bench/devices/gstreamer.py", base, "m1", token, cwd=ROOT,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={"no_proxy": "*", "PATH": "/usr/bin:/bin"},
            preexec_fn=die_with_parent,
        )  # fmt: skip
        self.reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.said.append(json.loads(line))

    def states(self) -> dict[str, str]:
        return {one["way"]: one["state"] for one in self.said if "state" in one}

    def seen(self) -> dict[str, int]:
        return next((one["seen"] for one in reversed(self.said) if "seen" in one), {"audio": 0, "video": 0})

    async def end(self) -> None:
        if self.process.returncode is None:
            self.process.terminate()
        try:
            await asyncio.wait_for(self.process.wait(), 10)
        except TimeoutError:
            self.process.kill()
        await self.reader


async def meet(folder: Path) -> tuple[list[Device], dict[str, Any], list[Path]]:
    """What the devices said, the node's health after they have left, and the journals."""
    devices = [Device("official"), Device("visitor")]
    async with contextlib.AsyncExitStack() as stack:
        node = await stack.enter_async_context(Node(folder / "node", own_address(), 0))
        assert isinstance(node, Node)
        for device in devices:
            await device.start(node.base)
            stack.push_async_callback(device.end)
        until = time.monotonic() + 30
        while any(min(device.seen().values()) < 60 for device in devices) and time.monotonic() < until:
            await asyncio.sleep(0.2)
        for device in devices:
            await device.end()
        health = await node.health()
        await node.over()
        await node.gone()
        return (
            devices,
            health,
            [path.rename(folder / path.name) for path in (folder / "node").glob("*.journal")]
            + [(folder / "node" / "key").rename(folder / "key")],
        )


@pytest.fixture(scope="module")
def meeting(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Device], dict[str, Any], list[Path]]:
    return asyncio.run(meet(tmp_path_factory.mktemp("gstreamer")))


def test_each_sees_and_hears_the_other(meeting: tuple[list[Device], dict[str, Any], list[Path]]) -> None:
    devices, _, _ = meeting
    for device in devices:
        assert device.states() == {"whip": "connected", "whep": "connected"}, device.said
        assert min(device.seen().values()) >= 60


def test_with_the_farewell_both_have_left(meeting: tuple[list[Device], dict[str, Any], list[Path]]) -> None:
    devices, health, _ = meeting
    assert all(device.said[-1].get("over") for device in devices)
    assert (health["meetings"], health["legs"]) == (0, 0)


def test_both_are_recorded(meeting: tuple[list[Device], dict[str, Any], list[Path]]) -> None:
    *journals, key = meeting[2]
    (journal,) = journals
    checked = check(journal, FileKeyRing(key))
    assert checked.broken == ""
    assert checked.pictures == checked.expected >= 120, "two streams of pictures"
    assert checked.packets - checked.pictures >= 200, "two of sound"
