"""The house of the office's tests: a petition whose visitor is told, and writes back."""

import re
from collections.abc import Callable, Mapping

import pytest
from httpx import Response

from tests.unit.web.conftest import Cast
from tests.unit.web.office.conftest import Office, office

__all__ = ["Office", "office"]
Send = Callable[[str, str, Mapping[str, str]], Response]


@pytest.fixture
def send(cast: Cast) -> Send:
    """Post a form as this person, with the csrf of a page that everybody may open."""

    def post(who: str, address: str, fields: Mapping[str, str]) -> Response:
        html = cast(who).get("/account/password").text
        csrf = re.search(r'name="csrf" (?:content|value)="([^"]+)"', html)
        assert csrf, html[:500]
        return cast(who).post(address, data={"csrf": csrf[1], **fields})

    return post
