"""Taking in a posted form without taking in more than was allowed, whatever the sender says about its length."""

import json
from typing import Any

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message, Receive

FIELDS_LIMIT = 2 * 1024 * 1024  # bytes of a form without files: the longest text of any page, many times over
FILES = 60
FIELDS = 400
DEEPEST = 8


def has_files(request: Request) -> bool:
    return request.headers.get("content-type", "").lower().startswith("multipart/")


async def read_form(request: Request, limit: int) -> FormData:
    """The form. Raises HTTPException 413 as soon as more than `limit` bytes are announced or have come."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise HTTPException(413)
    bounded = Request(request.scope, _bounded(request.receive, limit))
    if request.headers.get("content-type", "").lower().startswith("application/json"):
        return _flat(await bounded.body())
    return await bounded.form(max_files=FILES, max_fields=FIELDS, max_part_size=FIELDS_LIMIT)


def _flat(body: bytes) -> FormData:
    """What a program posts as JSON, as a form: `{"a": [{"b": 1}]}` has a field `a.0.b`. Raises HTTPException 422."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise HTTPException(422) from None
    fields: list[tuple[str, str]] = []
    _collect("", found, fields, 0)
    return FormData(fields)


def _collect(name: str, value: Any, fields: list[tuple[str, str]], depth: int) -> None:
    if len(fields) >= FIELDS or depth > DEEPEST:
        return
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            _collect(f"{name}.{key}" if name else str(key), inner, fields, depth + 1)
    elif value is not None:
        fields.append((name, value if isinstance(value, str) else json.dumps(value)))


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
