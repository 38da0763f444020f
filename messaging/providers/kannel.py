"""Kannel's sendsms interface (user guide 1.4.5, chapter 6), one request a part.

We cut the text ourselves and give each part its header: where Kannel cuts, one receipt of several comes through, and it
is the last part's. The address of the receipt carries the part's own key, so no ids have to be matched; its `secret`
parameter is an HMAC of that key, so that nobody can make up a receipt for another text from one he has seen.
"""

import hmac
from urllib.parse import quote, urlencode

import httpx

from messaging.providers.base import Answer, Part
from messaging.providers.config import Setup
from messaging.providers.web import WebGateway
from messaging.rules import UCS2
from messaging.states import FAILED, SENT, TEMPORARY


def seal(secret: str, key: str) -> str:
    return hmac.new(secret.encode(), key.encode(), "sha256").hexdigest()[:32]


class KannelGateway(WebGateway):
    kind = "kannel"

    def __init__(self, setup: Setup, our_url: str, secret: str) -> None:
        super().__init__(setup)
        self.url = str(setup.option("url"))
        self.user, self.password = str(setup.option("username")), str(setup.option("password"))
        self.ours = str(setup.option("callback", our_url)).rstrip("/")
        self.secret = secret

    def request(self, part: Part) -> httpx.Request:
        fields: list[tuple[str, str | bytes]] = [
            ("username", self.user),
            ("password", self.password),
            ("from", part.sender),
            ("to", part.to_number),
            ("coding", "2" if part.encoding == UCS2 else "0"),
            ("charset", "UTF-16BE" if part.encoding == UCS2 else "UTF-8"),
            ("text", part.octets if part.encoding == UCS2 else part.text),
            ("dlr-mask", "31"),
            ("dlr-url", self.receipt_url(part.key)),
        ]
        if part.header:
            fields.append(("udh", part.header))
        if smsc := self.setup.options.get("smsc"):
            fields.append(("smsc", str(smsc)))
        return self.client.build_request("GET", f"{self.url}?{urlencode(fields, quote_via=quote)}")

    def receipt_url(self, key: str) -> str:
        return (
            f"{self.ours}/callbacks/{self.name}/receipt?part={key}&secret={seal(self.secret, key)}"
            "&type=%d&answer=%A&id=%F"
        )

    def read(self, response: httpx.Response) -> Answer:
        """202 taken, or 3: queued, its line is down; 4xx for what will never work; 503 later (§6.1.2)."""
        said = response.text.strip()[:200]
        if response.status_code == 202 or (response.status_code == 200 and said[:2] in ("0:", "3:")):
            return Answer(SENT, said.partition(":")[2].strip() if "id" in said.lower() else "")
        if response.status_code in (401, 403, 404, 405, 429) or response.status_code >= 500:
            return Answer(TEMPORARY, error=f"{response.status_code} {said}", hurried=response.status_code == 429)
        return Answer(FAILED, error=f"{response.status_code} {said}", ours=True)

    async def probe(self) -> str:
        """A text to nobody: Kannel looks at the password first, and then misses the number."""
        response, trouble = await self.ask("GET", self.url, params={"username": self.user, "password": self.password})
        if response is None:
            return trouble
        said = f"{response.status_code} {response.text.strip()[:120]}"
        if response.status_code in (401, 403):
            return f"username or password is refused: {said}"
        return "" if response.status_code in (200, 202, 400) else said
