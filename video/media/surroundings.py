"""What a room needs of the node."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from video.media.directory import Directory
from video.media.recorder import OpenSink
from video.media.sockets import Sockets


@dataclass(frozen=True)
class Surroundings:
    directory: Directory
    open_sink: OpenSink
    sockets: Sockets
    ice_servers: Callable[[str], list[dict[str, Any]]]
    """What the client of this participant is told to use."""
    wall: Callable[[], float]
    monotonic: Callable[[], float]
