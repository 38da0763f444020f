"""What every gateway over HTTP shares: connections kept open, and what a broken request means for the text."""

import asyncio
from typing import Any

import httpx

from messaging.providers.base import Answer, Line, Part
from messaging.providers.config import Setup
from messaging.states import CREATED, FAILED, UNKNOWN


class WebGateway:
    """Ready as long as nobody says otherwise: whether the other side is there shows with each request."""

    kind = "web"
    ready = True

    def __init__(self, setup: Setup) -> None:
        self.name, self.setup, self.trouble = setup.name, setup, ""
        limits = httpx.Limits(max_connections=setup.window, max_keepalive_connections=setup.window)
        verify = setup.options.get("ca", True)
        self.client = httpx.AsyncClient(timeout=setup.timeout, limits=limits, trust_env=False, verify=verify)

    async def run(self, line: Line) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await self.client.aclose()

    def request(self, part: Part) -> httpx.Request:
        raise NotImplementedError

    def read(self, response: httpx.Response) -> Answer:
        raise NotImplementedError

    async def submit(self, part: Part) -> Answer:
        """Never raises. A request that did not reach the other side is not counted; one that may have is in doubt."""
        try:
            request = self.request(part)
        except ValueError as error:
            return Answer(FAILED, error=str(error), ours=True)
        try:
            answer = self.read(await self.client.send(request))
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            answer = Answer(CREATED, error=f"not reached: {type(error).__name__}")
        except (httpx.HTTPError, ValueError) as error:
            answer = Answer(UNKNOWN, error=f"{type(error).__name__}: {error}"[:200])
        self.trouble = answer.error if not answer.ours else ""
        return answer

    async def ask(self, method: str, url: str, **more: Any) -> tuple[httpx.Response | None, str]:
        """A request that sends no text: what came of it, or why nothing did."""
        try:
            async with self.client as client:
                return await client.request(method, url, **more), ""
        except httpx.HTTPError as error:
            return None, f"not reached: {error or type(error).__name__}"[:200]
