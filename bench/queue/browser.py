"""As much of a browser as pressing a button needs: one kept connection, a cookie, a form. Light, so that the load
doesn't take from the server what is measured of it."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from urllib.parse import urlencode


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    location: str
    body: bytes


class Browser:
    def __init__(self, port: int, *, token: str = "", csrf: str = "", device: str = "") -> None:
        self._port, self._csrf = port, csrf
        kept = "majlis_kiosk=" + device if device else "majlis=" + token if token else ""
        self._cookie = f"cookie: {kept}\r\n" if kept else ""
        self._line: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def press(self, path: str, **fields: str) -> Answer:
        """A form with its hidden fields. Raises RuntimeError unless it leads on, as every form of ours does."""
        hidden = {"once": secrets.token_urlsafe(16)} | ({"csrf": self._csrf} if self._csrf else {})
        answer = await self._ask("POST", path, urlencode(hidden | fields).encode())
        if answer.status != 303:
            raise RuntimeError(f"{path}: {answer.status} {answer.body[-300:]!r}")
        return answer

    async def look(self, path: str) -> Answer:
        return await self._ask("GET", path, b"")

    async def close(self) -> None:
        if self._line:
            self._line[1].close()

    async def _ask(self, method: str, path: str, body: bytes) -> Answer:
        """A kept line that the server closed, for nobody spoke for some seconds, is opened anew: so browsers do."""
        if self._line is not None:
            try:
                return await self._say(method, path, body)
            except asyncio.IncompleteReadError as error:
                if error.partial:
                    raise
            except ConnectionError:
                pass
        return await self._say(method, path, body)

    async def _say(self, method: str, path: str, body: bytes) -> Answer:
        if self._line is None:
            self._line = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 20)
        reader, writer = self._line
        head = (
            f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{self._port}\r\n{self._cookie}"
            f"content-type: application/x-www-form-urlencoded\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        try:
            writer.write(head.encode() + body)
            begun = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in begun[1:])}
            content = await reader.readexactly(int(headers.get("content-length", "0")))
        except (OSError, EOFError):
            writer.close()
            self._line = None
            raise
        return Answer(int(begun[0].split()[1]), headers.get("location", ""), content)
