from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from video.media.tokens import FORGET_S, LIFE_S, JoinClaims, TokenRefused, Used, mint, read

SECRET = b"0123456789abcdef"
CLAIMS = JoinClaims("m1", "sara", "visitor", "سارة", "Sara")


def refused(token: str, now: float = 100.0, secret: bytes = SECRET) -> str:
    with pytest.raises(TokenRefused) as caught:
        read(secret, token, now=now)
    return caught.value.reason


def test_a_minted_token_reads_back_with_its_names_and_a_short_life() -> None:
    claims = read(SECRET, mint(SECRET, CLAIMS, now=100.0), now=100.0 + LIFE_S - 1)
    assert (claims.meeting_id, claims.participant_id, claims.role) == ("m1", "sara", "visitor")
    assert (claims.name_ar, claims.name_en, claims.nonce) == ("سارة", "Sara", CLAIMS.nonce)
    assert claims.exp == 100.0 + LIFE_S


def test_a_token_is_refused_from_the_moment_it_expires() -> None:
    token = mint(SECRET, CLAIMS, now=100.0)
    assert refused(token, now=100.0 + LIFE_S) == "expired_token"


def test_a_token_of_another_secret_is_bad() -> None:
    assert refused(mint(b"another secret...", CLAIMS, now=100.0)) == "bad_token"


def test_claims_changed_without_the_secret_are_bad() -> None:
    payload, _, signature = mint(SECRET, CLAIMS, now=100.0).partition(".")
    values = json.loads(base64.urlsafe_b64decode(payload + "=="))
    values["role"] = "official"
    forged = base64.urlsafe_b64encode(json.dumps(values).encode()).rstrip(b"=").decode()
    assert refused(f"{forged}.{signature}") == "bad_token"


@pytest.mark.parametrize(
    "change", [{"role": "minister"}, {"role": ["visitor"]}, {"nonce": ""}, {"meeting_id": 7}, {"nonce": None}]
)
def test_a_signed_token_with_senseless_claims_is_bad(change: dict[str, object]) -> None:
    claims = JoinClaims(**{**CLAIMS.__dict__, **change})  # type: ignore[arg-type]
    assert refused(mint(SECRET, claims, now=100.0)) == "bad_token"


def test_a_token_without_a_sensible_end_has_expired() -> None:
    for end in (float("nan"), "tomorrow", [1e9]):
        claims = JoinClaims(**{**CLAIMS.__dict__, "exp": end})  # type: ignore[arg-type]
        assert refused(mint(SECRET, claims, now=100.0)) == "expired_token"


@given(st.text(max_size=300))
def test_no_text_whatever_is_a_token(text: str) -> None:
    assert refused(text) == "bad_token"


@given(st.integers(0, 200), st.integers(0, 255))
def test_a_token_with_any_byte_changed_is_bad(at: int, byte: int) -> None:
    token = mint(SECRET, JoinClaims("m", "p", "aide", "أ", "A", nonce="n"), now=100.0)
    at %= len(token)
    letter = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."[byte % 65]
    changed = token[:at] + letter + token[at + 1 :]
    if changed == token:
        return
    if at == len(token) - 1:  # the last letter of base64 carries unused bits
        return
    assert refused(changed) == "bad_token"


def test_a_nonce_is_spent_once_and_forgotten_when_its_token_is_dead_anyway() -> None:
    used = Used()
    first = JoinClaims("m", "p", "aide", "أ", "A", exp=200.0, nonce="one")
    assert used.spend(first, now=100.0)
    assert not used.spend(first, now=150.0)
    later = JoinClaims("m", "p", "aide", "أ", "A", exp=20_000.0, nonce="two")
    assert used.spend(later, now=200.0 + FORGET_S)
    assert used._until == {"two": 20_000.0}


def test_a_clock_that_jumps_an_hour_and_back_makes_no_token_good_again() -> None:
    used = Used()
    claims = JoinClaims("m", "p", "aide", "أ", "A", exp=1120.0, nonce="one")
    assert used.spend(claims, now=1000.0)
    assert used.spend(JoinClaims("m", "q", "aide", "أ", "A", exp=4720.0, nonce="two"), now=4600.0)
    assert not used.spend(claims, now=1010.0)
