"""A gateway with an HTTPS interface of its own, described in the settings instead of in code.

`request` is the JSON object (or form) to post, with {fields} in its strings: {to}, {digits}, {sender}, {text},
{reference}, {number}, {total}, {coding}, {udh}, {octets} (both in hex), {receipt_url}. `id` is where the answer has the
message's id ("messages.0.id"), `ok` a pair of such a place and its value, where a yes is not just the status. With
`whole` a text is handed over uncut, because the gateway insists on cutting it.
"""

import json
from collections.abc import Mapping
from typing import Any

import httpx

from messaging.providers.base import Answer, Part
from messaging.providers.config import Setup
from messaging.providers.web import WebGateway
from messaging.rules import UCS2
from messaging.states import FAILED, SENT, TEMPORARY

LATER = {401, 402, 403, 404, 405, 408, 409, 425, 429}
"""Not this text's fault: our key, our account, our address, our haste."""


class HttpsGateway(WebGateway):
    kind = "https"

    def __init__(self, setup: Setup, our_url: str) -> None:
        super().__init__(setup)
        self.url = str(setup.option("url"))
        self.method = str(setup.option("method", "POST")).upper()
        self.template: Mapping[str, Any] = setup.option("request")
        self.headers = {str(k): str(v) for k, v in setup.option("headers", {}).items()}
        self.as_form = setup.option("body", "json") == "form"
        self.receipts = f"{our_url}/callbacks/{setup.name}/receipt"
        filled(self.template, dict.fromkeys(FIELDS, ""))

    def request(self, part: Part) -> httpx.Request:
        body = filled(self.template, self._values(part))
        headers = {**self.headers, "idempotency-key": part.key}
        if self.method == "GET":
            return self.client.build_request("GET", self.url, params=body, headers=headers)
        if self.as_form:
            return self.client.build_request(self.method, self.url, data=body, headers=headers)
        content = json.dumps(body, ensure_ascii=False).encode()
        headers["content-type"] = "application/json"
        return self.client.build_request(self.method, self.url, content=content, headers=headers)

    def _values(self, part: Part) -> dict[str, str]:
        return {
            "to": part.to_number,
            "digits": part.to_number.removeprefix("+"),
            "sender": part.sender,
            "text": part.text,
            "reference": part.key,
            "number": str(part.number),
            "total": str(part.total),
            "coding": "8" if part.encoding == UCS2 else "0",
            "udh": part.header.hex(),
            "octets": part.octets.hex(),
            "receipt_url": self.receipts,
        }

    def read(self, response: httpx.Response) -> Answer:
        try:
            said: Any = response.json()
        except ValueError:
            said = {}
        if response.status_code >= 500 or response.status_code in LATER:
            return Answer(TEMPORARY, error=_shown(response), hurried=response.status_code == 429)
        if response.status_code >= 400:
            return Answer(FAILED, error=_shown(response), ours=True)
        wanted = self.setup.options.get("ok")
        if wanted and str(at(said, str(wanted[0]))) != str(wanted[1]):
            return Answer(FAILED, error=_shown(response), ours=True)
        found = at(said, str(self.setup.option("id", "id")))
        return Answer(SENT, "" if found is None else str(found)[:200])

    async def probe(self) -> str:
        """`check` is an address that answers 2xx to who is let in; without one, whether anybody is there at all."""
        address = self.setup.options.get("check")
        response, trouble = await self.ask("GET" if address else "HEAD", str(address or self.url), headers=self.headers)
        if response is None:
            return trouble
        said = f"{response.status_code} {response.text.strip()[:120]}".strip()
        if response.status_code in (401, 403):
            return f"our key is refused: {said}"
        return said if response.status_code >= 500 or (address and not response.is_success) else ""


FIELDS = ("to", "digits", "sender", "text", "reference", "number", "total", "coding", "udh", "octets", "receipt_url")


def filled(template: Any, values: Mapping[str, str]) -> Any:
    """The template with its fields, each replaced once: what a value contains is never looked at again."""
    if isinstance(template, Mapping):
        return {key: filled(value, values) for key, value in template.items()}
    if isinstance(template, list | tuple):
        return [filled(value, values) for value in template]
    return template.format_map(values) if isinstance(template, str) else template


def at(said: Any, place: str) -> Any:
    """What stands at `messages.0.id`; None where nothing does."""
    for step in place.split("."):
        if isinstance(said, Mapping):
            said = said.get(step)
        elif isinstance(said, list) and step.isdecimal() and int(step) < len(said):
            said = said[int(step)]
        else:
            return None
    return said


def _shown(response: httpx.Response) -> str:
    return f"{response.status_code} {response.text[:200]}"
