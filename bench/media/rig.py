"""What every measured server needs: a folder, a process, a hand on the load process. Ends only what it started.

Waits are bounded by `asyncio.timeout`: before Python 3.12 `wait_for` forgets a Ctrl-C that comes as its wait ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Any, NamedTuple, Self

from bench.media.gauges import favour

ROOT = Path(__file__).resolve().parents[2]


class Recorded(NamedTuple):
    packets: int
    """0 where the format doesn't say without decoding."""
    octets: int
    whole: bool
    """Every file was ended in order."""
    pictures: int = 0
    """Counted where the packets were not kept."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def started(module: str, *arguments: str, talks: bool = False, log: Path | None = None) -> Process:
    """One of our own modules as a process of its own group, so that Ctrl-C reaches the bench alone.

    `log` takes what it says on stderr.
    """
    said = await asyncio.to_thread(log.open, "wb") if log is not None else None
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments, cwd=ROOT, start_new_session=True,
        stdin=PIPE if talks else None, stdout=PIPE if talks else None, stderr=said, limit=1 << 20,
    )  # fmt: skip
    if said is not None:
        said.close()
    favour(process.pid)
    return process


async def ended(process: Process | None, patience: float = 15) -> None:
    if process is None or process.returncode is not None:
        return
    for word in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(word)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await process.wait()
            return


class Load:
    """The bench's side of the load process."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.profile = ""
        self._ups: dict[str, asyncio.Future[None]] = {}
        self._answers: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._asking = asyncio.Lock()
        self._reader = asyncio.create_task(self._read())

    module = "bench.media.load"

    @classmethod
    async def start(cls, film: Path, core: int, *more: str) -> Self:
        return cls(await started(cls.module, str(film), str(core), *more, talks=True))

    async def ask(self, do: str, **words: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        async with self._asking:
            self.process.stdin.write(json.dumps({"do": do, **words}).encode() + b"\n")
            async with asyncio.timeout(20):
                answer = await self._answers.get()
        if answer["is"] == "dead":
            raise RuntimeError("the load process has ended")
        return answer

    async def new(self, name: str, address: str) -> dict[str, Any]:
        return await self.ask("new", name=name, address=address)

    async def connect(self, name: str, remote: dict[str, Any], **more: Any) -> asyncio.Future[None]:
        """Begins to connect; the future says when that is done."""
        self._ups[name] = asyncio.get_running_loop().create_future()
        await self.ask("connect", name=name, remote=remote, **more)
        return self._ups[name]

    async def _read(self) -> None:
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            words = json.loads(line)
            if words["is"] not in ("up", "failed"):
                self._answers.put_nowait(words)
                continue
            self.profile = words["profile"] or self.profile
            up = self._ups.get(words["name"])
            if up is not None and not up.done():
                if words["is"] == "up":
                    up.set_result(None)
                else:
                    up.set_exception(RuntimeError(f"{words['name']}: {words['why']}"))
        self._answers.put_nowait({"is": "dead"})

    async def stop(self) -> None:
        await ended(self.process, 5)
        self._reader.cancel()


class Server:
    """A measured server: `async with` starts it in a folder of its own, and ends it and removes the folder."""

    name = ""

    def __init__(self, folder: Path, address: str, core: int) -> None:
        self.folder = folder
        self.address = address
        self.core = core
        self.process: Process | None = None
        self._gone = False

    async def __aenter__(self) -> Server:
        self.folder.mkdir(parents=True)
        try:
            await self._start()
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._end()

    async def gone(self) -> None:
        """Ends the server in order; its recordings may be looked at then."""
        if not self._gone:
            self._gone = True
            with contextlib.suppress(Exception):
                await self._hang_up()
            await ended(self.process)

    async def _end(self) -> None:
        await self.gone()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def pid(self) -> int:
        assert self.process is not None
        if self.process.returncode is not None:
            raise RuntimeError(f"{self.name} has ended by itself")
        return self.process.pid

    async def _start(self) -> None:
        raise NotImplementedError

    async def _hang_up(self) -> None:
        return None

    async def call(self, load: Load, number: int) -> None:
        """Connects two peers that will see each other, recorded."""
        raise NotImplementedError

    def recorded(self) -> Recorded:
        raise NotImplementedError
