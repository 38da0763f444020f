"""What was opened, sent in the part that was asked for (RFC 9110, section 14)."""

from collections.abc import Mapping

from starlette.responses import Response, StreamingResponse

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
    return StreamingResponse(opened.read(chosen), 206 if part else 200, headers, media_type=media_type)


def from_its_beginning(asked: str | None) -> bool:
    return asked is None or asked.startswith("bytes=0-")
