"""Networks that let only TCP to one server through: Debian's coturn between the browsers and the node."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from aioice import stun, turn

from tests.children import die_with_parent
from tests.media.conftest import free_port, running_rig, wait_until
from video.media.turn import LIFE_S, Turn

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(shutil.which("turnserver") is None, reason="coturn is not installed"),
]
SECRET = "shared by coturn and the node"


@pytest.fixture(scope="module")
def coturn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Turn]:
    """A TURN server that speaks TCP only and gives relayed addresses on loopback."""
    folder = tmp_path_factory.mktemp("coturn")
    port = free_port()
    settings = folder / "turnserver.conf"
    settings.write_text(
        f"listening-ip=127.0.0.1\nrelay-ip=127.0.0.1\nlistening-port={port}\nrealm=majlis\n"
        f"use-auth-secret\nstatic-auth-secret={SECRET}\nno-udp\nno-tls\nno-dtls\nno-cli\n"
        f"allow-loopback-peers\nlog-file=stdout\npidfile={folder / 'pid'}\nuserdb={folder / 'db'}\n"
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            ["turnserver", "-c", str(settings)], stdout=log, stderr=log, preexec_fn=die_with_parent
        )
    try:
        wait_until(lambda: _listens(port), 10)
        yield Turn((f"turn:127.0.0.1:{port}?transport=tcp",), SECRET)
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="module")
def rig(coturn: Turn) -> Iterator[Any]:
    with running_rig(coturn.urls[0], SECRET) as rig:
        yield rig


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_the_server_takes_a_minted_credential_and_refuses_one_whose_time_is_over_or_that_was_altered(
    coturn: Turn,
) -> None:
    port = int(coturn.urls[0].split(":")[2].split("?")[0])

    async def allocated(entry: dict[str, Any]) -> bool:
        try:
            transport, _ = await asyncio.wait_for(
                turn.create_turn_endpoint(
                    asyncio.DatagramProtocol,
                    ("127.0.0.1", port),
                    username=entry["username"],
                    password=entry["credential"],
                    transport="tcp",
                ),
                5,
            )
        except stun.TransactionFailed as refused:
            assert refused.response.attributes["ERROR-CODE"][0] == 401
            return False
        transport.close()
        return True

    now = time.time()
    good = coturn.server("sara", now=now)
    assert asyncio.run(allocated(good))
    assert not asyncio.run(allocated(coturn.server("sara", now=now - LIFE_S - 5)))
    longer = good["username"].replace(":", "0:", 1)
    assert not asyncio.run(allocated({**good, "username": longer}))


def test_two_browsers_that_reach_only_the_turn_server_by_tcp_see_each_other(
    rig: Any, meeting: str, person: Callable[..., Any]
) -> None:
    rig.meeting(meeting, admitted=["sara"])
    minister, sara = person("minister"), person("sara")
    for one in (minister, sara):
        one.join(meeting, relayOnly=True)
    for one in (minister, sara):
        one.state("here")
        one.sees_someone(40)
        assert one.do("rig.way()") == ["relay", "tcp"]
