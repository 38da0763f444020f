"""What lies in the bucket alone is watched through the same door, by ranges, and by nobody else."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.settings import Settings
from recordings import container
from recordings.container import KEY_SLOT
from recordings.storage import away
from recordings.storage.away import Away
from recordings.storage.bucket import Bucket, Place
from tests.storage.conftest import NAME, Store
from tests.unit.web.conftest import Cast, cast, house, settings
from tests.unit.web.test_library import BYTES, shelf

__all__ = ["cast", "house", "settings", "shelf"]
pytestmark = pytest.mark.real


@pytest.fixture
def gone(settings: Settings, shelf: dict[str, str], store: Store) -> Path:
    """The film, in the bucket alone."""
    path = settings.recordings_dir / shelf["id"] / "p.webm"
    bucket = Bucket(Place(NAME, store.url))
    size, sha256, version = bucket.put(path, "film", blank=KEY_SLOT)
    away.say_place(settings.recordings_dir, bucket.place)
    away.leave(path, Away("film", version, size, sha256))
    return path


def test_any_range_is_given_out_to_who_may_watch_and_to_nobody_else(
    cast: Cast, shelf: dict[str, str], gone: Path, store: Store
) -> None:
    minister = cast("minister")
    assert minister.get(shelf["page"]).status_code == 200
    part = minister.get(shelf["side"], headers={"range": "bytes=65530-131080"})
    assert part.status_code == 206 and part.content == BYTES[65530:131081]
    assert minister.get(shelf["side"]).content == BYTES
    store.asked.clear()
    assert cast("officer").get(shelf["side"]).status_code == 404
    assert store.asked == [], "the store is not even asked for who may not watch"
    away._blocks.clear()
    store.before = lambda _method, _path: 503
    silent = minister.get(shelf["side"], headers={"accept-language": "en"})
    assert silent.status_code in (500, 502, 503) and BYTES[:64] not in silent.content
    store.before = None
    container.destroy_key(away.stub_of(gone))
    assert minister.get(shelf["side"]).status_code == 404
