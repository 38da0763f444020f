"""What would be done anew for every test: passwords are hashed in no time, templates compiled once."""

from collections.abc import Iterator

import jinja2
import pytest
from argon2 import PasswordHasher
from jinja2.bccache import Bucket

from core.settings import Settings
from core.staff import service
from web.render import Renderer


@pytest.fixture(scope="session", autouse=True)
def _quick_passwords() -> Iterator[None]:
    strong, service._hasher = service._hasher, PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    assert strong.memory_cost >= 19 * 1024 and strong.time_cost >= 2  # OWASP's least, outside of tests
    yield
    service._hasher = strong


class Compiled(jinja2.BytecodeCache):
    """Templates are compiled once for all the applications that tests make."""

    def __init__(self) -> None:
        self.code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if code := self.code.get(bucket.key):
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.code[bucket.key] = bucket.bytecode_to_string()


@pytest.fixture(autouse=True, scope="session")
def _compiled_once() -> Iterator[None]:
    compiled, made = Compiled(), Renderer.__init__

    def make(self: Renderer, settings: Settings) -> None:
        made(self, settings)
        self.environment.bytecode_cache = compiled

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Renderer, "__init__", make)
        yield
