"""The load process of the screens: sockets that subscribe as hall, counters and phones do, and note every hint.

    python -m bench.queue.screens PORT COUNT TOPIC FOLDER

Says `ready` once all are subscribed. When its stdin ends it writes FOLDER/hints: for each hint the instant at which
the server sent it (milliseconds, the server's own word) and when each socket had it.
"""

from __future__ import annotations

import asyncio
import json
import pickle
import re
import sys
import time
from pathlib import Path

import uvloop
from websockets.asyncio.client import ClientConnection, connect

AT = re.compile(r'"at":(\d+)')


class Screen:
    """The dozen lines of Engine.IO 4 and Socket.IO 5 that the page of a phone speaks (web/static/js/kiosk-phone.js)."""

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self.heard: list[tuple[int, float]] = []
        self.subscribed = asyncio.Event()

    async def run(self, address: str) -> None:
        async with connect(address, ping_interval=None, max_size=65536) as line:
            async for message in line:
                await self._hear(line, str(message))

    async def _hear(self, line: ClientConnection, message: str) -> None:
        if message.startswith('42["changed"'):
            found = AT.search(message)
            assert found
            self.heard.append((int(found.group(1)), time.time()))
        elif message == "2":
            await line.send("3")
        elif message.startswith("0"):
            await line.send("40")
        elif message.startswith("40"):
            await line.send(f"420{json.dumps(['watch', {'topics': [self.topic]}])}")
        elif message.startswith("430"):
            assert self.topic in message, message
            self.subscribed.set()


async def watch(port: int, count: int, topic: str, folder: Path) -> None:
    screens = [Screen(topic) for _ in range(count)]
    address = f"ws://127.0.0.1:{port}/socket.io/?EIO=4&transport=websocket"
    tasks = []
    for screen in screens:
        tasks.append(asyncio.create_task(screen.run(address)))
        await asyncio.wait_for(screen.subscribed.wait(), 20)
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    dead = sum(task.done() for task in tasks)
    (folder / "hints").write_bytes(pickle.dumps((dead, [screen.heard for screen in screens])))
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


if __name__ == "__main__":
    uvloop.run(watch(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], Path(sys.argv[4])))
