from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

from recordings.keys import FileKeyRing

# The machines that run these are busy: how long one example took says nothing about the code.
settings.register_profile("busy", deadline=None)
settings.load_profile("busy")


@pytest.fixture
def ring(tmp_path: Path) -> FileKeyRing:
    return FileKeyRing(tmp_path / "keys" / "ring")
