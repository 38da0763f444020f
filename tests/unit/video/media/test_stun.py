from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.video.media.checks import check
from video.media import stun


@given(st.binary(max_size=200))
def test_no_datagram_is_read_beyond_its_end(data: bytes) -> None:
    stun.is_request(data)
    stun.local_user(data)
    assert not stun.is_authentic(data, b"password")


@given(st.binary(max_size=60))
def test_every_octet_before_the_integrity_is_covered_by_it(noise: bytes) -> None:
    attribute = b"\x80\x22" + len(noise).to_bytes(2, "big") + noise + bytes(-len(noise) & 3)
    good = check("one", attributes=attribute)
    assert stun.is_request(good) and stun.local_user(good) == "one"
    assert stun.is_authentic(good, b"password of one") and not stun.is_authentic(good, b"password of two")
    for at in range(20, len(good)):
        changed = good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :]
        assert not stun.is_authentic(changed, b"password of one")


def test_a_user_name_that_is_cut_off_or_missing_is_nobody() -> None:
    assert stun.local_user(check("one")[:26]) == ""
    assert stun.local_user(b"\x00\x01\x00\x00" + stun.COOKIE + b"t" * 12) == ""
