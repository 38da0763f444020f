"""What no log may hold, however much it is told to say: the messages of a signalling connection carry tokens, secrets
for coming back and ICE passwords, and its opening carries cookies. The WebSocket library shows all of it at DEBUG.
"""

from __future__ import annotations

import logging

WIRES = ("uvicorn.error", "websockets.server", "websockets.client")


class _NoFrames(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        """Frames and headers begin with the direction they go in."""
        return not (isinstance(record.msg, str) and record.msg[:2] in ("< ", "> "))


def keep() -> None:
    """From now on, in this process. May be called again."""
    for name in WIRES:
        logger = logging.getLogger(name)
        if not any(isinstance(known, _NoFrames) for known in logger.filters):
            logger.addFilter(_NoFrames())
