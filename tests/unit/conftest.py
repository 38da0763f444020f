"""Passwords that are hashed in no time: a cast of thirteen is founded for each file of tests."""

from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher

from core.staff import service


@pytest.fixture(scope="session", autouse=True)
def _quick_passwords() -> Iterator[None]:
    strong, service._hasher = service._hasher, PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    assert strong.memory_cost >= 19 * 1024 and strong.time_cost >= 2  # OWASP's least, outside of tests
    yield
    service._hasher = strong
