"""Papers are opened in processes of their own, never in one that serves people: a bomb costs its bearer a message.

A process takes one paper and ends. One waits, warm, for the next (starting takes half a second, a paper takes none);
memory, seconds and everything else it might touch are bounded (child.py). Killed, it is the paper's fault.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import structlog

from core.errors import Mistake, NotFound
from reception.files.rules import Paper, safe_name

log = structlog.get_logger()
ROOT = Path(__file__).parents[2]
CHILD = Path(__file__).with_name("child.py")
MEMORY = 1536 * 1024 * 1024  # address space: a page of 50 million points takes 200 MB, and libraries take their own
CPU_S, WAIT_S = 20, 30
AT_ONCE = 3
_EMPTY = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}


class Reader:
    """Opens papers. Any thread may ask; more than a few at once wait for each other."""

    def __init__(self, *, memory: int = MEMORY) -> None:
        self._memory = memory
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._lock = threading.Lock()
        self._spare: subprocess.Popen[bytes] | None = None

    def paper(self, name: str, data: bytes, *, limit: int) -> Paper:
        """The harmless copy of an upload. Raises Mistake (field `files`)."""
        return self._copy("paper", name, [data], limit)

    def scan(self, name: str, pages: list[bytes], *, limit: int) -> Paper:
        """One PDF of pages from a camera. Raises Mistake (field `files`)."""
        return self._copy("scan", name, pages, limit)

    def note(self, name: str, data: bytes, *, limit: int) -> Paper:
        """A dictated note written anew. Raises Mistake (field `files`)."""
        return self._copy("note", name, [data], limit)

    def page(self, data: bytes, media_type: str, number: int) -> bytes:
        """One page as JPEG. Raises NotFound where there is none, or where it can't be drawn."""
        told, picture = self._ask("page", "page", [data], media_type=media_type, number=number)
        if told is None or "media_type" not in told:
            raise NotFound("There is no such paper.")
        return picture

    def close(self) -> None:
        """Send the waiting one away."""
        with self._lock:
            spare, self._spare = self._spare, None
        if spare is not None:
            _end(spare)

    def _copy(self, task: str, name: str, parts: list[bytes], limit: int) -> Paper:
        shown = safe_name(name)
        weight = sum(map(len, parts))
        if weight > limit:  # before it is copied anywhere
            raise Mistake("“{name}” is too large: {max} MB at most.", field="files", name=shown, max=limit // (1 << 20))
        told, data = self._ask(task, name, parts, limit=limit)
        if told is None:
            raise Mistake(
                "“{name}” takes too much memory or time to open. Scan it again, or print it to a new PDF.",
                field="files",
                name=shown,
            )
        if "mistake" in told:
            said = told["mistake"]
            raise Mistake(said, field="files", **told["fields"])
        if len(data) > limit * 2:
            raise Mistake("“{name}” is too large: {max} MB at most.", field="files", name=shown, max=limit // (1 << 20))
        return Paper(told["name"], told["media_type"], data, told["pages"])

    def _ask(self, task: str, name: str, parts: list[bytes], **more: Any) -> tuple[dict[str, Any] | None, bytes]:
        asked = {"task": task, "name": name, "sizes": [len(part) for part in parts], **more}
        with self._turns:
            child = self._taken()
            try:
                out, _ = child.communicate(b"".join((json.dumps(asked).encode(), b"\n", *parts)), timeout=WAIT_S)
            except (subprocess.TimeoutExpired, BrokenPipeError):
                out = b""
            finally:
                _end(child)
        line, _, data = out.partition(b"\n")
        if child.returncode != 0 or not line:
            log.warning("a paper could not be opened", task=task, bytes=sum(map(len, parts)), ended=child.returncode)
            return None, b""
        told: dict[str, Any] = json.loads(line)
        return told, data

    def _taken(self) -> subprocess.Popen[bytes]:
        """The one that waited, or a new one; and the next begins to warm up."""
        with self._lock:
            child, self._spare = self._spare, None
            if child is not None and child.poll() is not None:
                child = None
            child = child or _start(self._memory)
            self._spare = _start(self._memory)
            return child


def _start(memory: int) -> subprocess.Popen[bytes]:
    limits = json.dumps({"memory": memory, "cpu": CPU_S})
    return subprocess.Popen(
        [sys.executable, "-I", str(CHILD), limits, str(ROOT)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_EMPTY,
        cwd="/",
    )


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        child.kill()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None and not pipe.closed:
            with contextlib.suppress(OSError):
                pipe.close()
    child.wait()
