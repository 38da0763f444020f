"""Taking in a posted form without taking in more than was allowed, whatever the sender says about its length."""

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message, Receive

FIELDS_LIMIT = 2 * 1024 * 1024  # bytes of a form without files: the longest text of any page, many times over
FILES = 60
FIELDS = 400


def has_files(request: Request) -> bool:
    return request.headers.get("content-type", "").lower().startswith("multipart/")


async def read_form(request: Request, limit: int) -> FormData:
    """The form. Raises HTTPException 413 as soon as more than `limit` bytes are announced or have come."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise HTTPException(413)
    bounded = Request(request.scope, _bounded(request.receive, limit))
    return await bounded.form(max_files=FILES, max_fields=FIELDS, max_part_size=FIELDS_LIMIT)


def _bounded(receive: Receive, limit: int) -> Receive:
    came = 0

    async def counted() -> Message:
        nonlocal came
        message = await receive()
        came += len(message.get("body", b""))
        if came > limit:
            raise HTTPException(413)
        return message

    return counted
