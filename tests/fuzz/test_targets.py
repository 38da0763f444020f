"""Every target of the fuzzer, for a moment, with the same dice as in the long runs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS

SLOW = {"talk": 60, "strangers": 60, "hall": 100, "dtls": 40, "recording": 30, "web": 25}

dice = st.binary(max_size=300) | st.binary(min_size=300, max_size=600)


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_from_the_wire_raises(name: str) -> None:
    target: Callable[[bytes], None] = TARGETS[name]

    @settings(max_examples=SLOW.get(name, 300), deadline=None, suppress_health_check=list(HealthCheck))
    @given(dice)
    def throw(data: bytes) -> None:
        target(data)

    throw()
