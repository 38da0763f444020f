"""Credentials for the TURN server: the numbers can be worked out with openssl."""

from __future__ import annotations

from video.media.turn import LIFE_S, Turn


def test_the_user_name_says_until_when_and_for_whom_and_the_credential_is_its_hmac() -> None:
    # printf '1795311200:p7' | openssl dgst -sha1 -hmac secret -binary | base64
    server = Turn(("turn:t.example:3478?transport=tcp", "turns:t.example:5349"), "secret").server(
        "p7", now=1795311200.9 - LIFE_S
    )
    assert server == {
        "urls": ["turn:t.example:3478?transport=tcp", "turns:t.example:5349"],
        "username": "1795311200:p7",
        "credential": "kiP0UBHVP5bfZIOkt9TG9W9zeVQ=",
    }


def test_the_secret_is_not_in_what_is_logged() -> None:
    assert "hidden" not in repr(Turn(("turn:t.example",), "hidden"))
