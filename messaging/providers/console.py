"""Ways out that lead nowhere, as product code: for a first evening with Majlis, and for load tests."""

import asyncio

import structlog

from messaging.providers.base import Answer, Line, Part
from messaging.providers.config import Setup
from messaging.states import SENT

log = structlog.get_logger(__name__)


class NullGateway:
    """Takes everything and does nothing: for load tests, and where texts must not leave."""

    kind = "null"
    ready = True
    trouble = ""

    def __init__(self, setup: Setup) -> None:
        self.name = setup.name

    async def run(self, line: Line) -> None:
        await asyncio.Event().wait()

    async def submit(self, part: Part) -> Answer:
        return Answer(SENT, f"{self.name}-{part.key}")

    async def probe(self) -> str:
        return ""


class ConsoleGateway(NullGateway):
    """Writes each text to the log."""

    kind = "console"

    async def submit(self, part: Part) -> Answer:
        log.info(
            "text message",
            to=part.to_number,
            text=part.text,
            part=part.number,
            parts=part.total,
            encoding=part.encoding,
            reference=part.message_id,
        )
        return await super().submit(part)
