from __future__ import annotations

from pathlib import Path

import pytest

from recordings.keys import FileKeyRing


@pytest.fixture
def ring(tmp_path: Path) -> FileKeyRing:
    return FileKeyRing(tmp_path / "keys" / "ring")
