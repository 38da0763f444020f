"""What was opened, sent in the part that was asked for (RFC 9110, section 14)."""

from collections.abc import Mapping

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from recordings.access import Opened
from recordings.ranges import ByteRange, Unsatisfiable, parse_range


def given(opened: Opened, asked: str | None, media_type: str, more: Mapping[str, str] | None = None) -> Response:
    """The whole, or the one range that `asked` (the Range header) names."""
    headers = {"accept-ranges": "bytes", "cache-control": "private, no-store", **(more or {})}
    try:
        part = parse_range(asked, opened.size)
    except Unsatisfiable as error:
        opened.close()
        return Response(status_code=416, headers={"content-range": error.content_range})
    chosen = part or ByteRange(0, opened.size)
    headers["content-length"] = str(chosen.length)
    if part:
        headers["content-range"] = part.content_range(opened.size)
    return Given(opened, chosen, 206 if part else 200, headers, media_type)


class Given(StreamingResponse):
    """Leaves nothing open: not where the client has gone before the first byte, so that the reading never began, and
    not where an error took this answer's place."""

    def __init__(
        self, opened: Opened, part: ByteRange, status: int, headers: Mapping[str, str], media_type: str
    ) -> None:
        self.opened = opened
        super().__init__(opened.read(part), status, headers, media_type)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.opened.close()

    def __del__(self) -> None:
        self.opened.close()


def from_its_beginning(asked: str | None) -> bool:
    return asked is None or asked.startswith("bytes=0-")
