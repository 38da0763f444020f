"""A bucket of our own, over real HTTP, that can be made to fail."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import boto3
import pytest
from werkzeug.serving import make_server

from core.db import Database
from core.settings import Settings
from recordings.archive import service as archive
from recordings.journal_records import Mark
from recordings.storage import away
from recordings.strip.files import write_marks
from tests.recordings.proofs import Keys, Small, small
from web.storage import StorageLane, bucket_of, make_lane

NAME = "majlis-archive"


@dataclass
class Store:
    """`before(method, path)` may raise or answer for the store: (status, code)."""

    url: str
    before: Callable[[str, str], int | None] | None = None
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def client(self) -> Any:
        return boto3.client("s3", endpoint_url=self.url, region_name="us-east-1")

    def versions(self, key: str) -> list[str]:
        listed = self.client.list_object_versions(Bucket=NAME, Prefix=key).get("Versions", [])
        return [one["VersionId"] for one in listed if one["Key"] == key]

    def bytes(self, key: str) -> bytes:
        return bytes(self.client.get_object(Bucket=NAME, Key=key)["Body"].read())


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    from threading import Thread

    from moto.backends import get_backend
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    for name, value in {"AWS_ACCESS_KEY_ID": "majlis", "AWS_SECRET_ACCESS_KEY": "secret"}.items():
        monkeypatch.setenv(name, value)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    moto = DomainDispatcherApplication(create_backend_app)
    made: list[Store] = []

    def app(environ: WSGIEnvironment, start: StartResponse) -> Any:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        made[0].asked.append((method, path, environ.get("HTTP_RANGE", "")))
        status = made[0].before(method, path) if made[0].before else None
        if status is not None:
            start(f"{status} no", [("Content-Length", "0"), ("Connection", "close")])
            return [b""]
        return moto(environ, start)

    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    made.append(Store(f"http://127.0.0.1:{server.port}"))
    made[0].client.create_bucket(Bucket=NAME, ObjectLockEnabledForBucket=True)
    made[0].asked.clear()
    yield made[0]
    made[0].before = None
    server.shutdown()
    get_backend("s3").reset() if hasattr(get_backend("s3"), "reset") else None
    away._blocks.clear()


@pytest.fixture
def settings(tmp_path: Path, store: Store) -> Settings:
    return Settings(
        data_dir=tmp_path / "data",
        database_url=f"sqlite:///{tmp_path / 'test.sqlite3'}",
        storage_bucket=NAME,
        storage_endpoint=store.url,
        storage_prefix="m/",
        storage_keep_days=0,
        storage_keep_free=0,
    )


@dataclass
class Archive:
    settings: Settings
    db: Database
    one: Small
    lane: StorageLane

    @property
    def folder(self) -> Path:
        return self.one.folder

    def work(self) -> None:
        """Whatever is due now."""
        while self.lane._run_job():
            pass

    def states(self) -> dict[str, str]:
        from recordings.storage import service

        with self.db.read() as session:
            return {row.file: row.state for row in service.of_recording(session, "rec-1")}


@pytest.fixture
def held(settings: Settings, db: Database) -> Archive:
    """One signed recording, of which the bucket knows nothing yet."""
    import hashlib
    import threading

    from recordings.proof import service as proof

    settings.recordings_dir.mkdir(parents=True)
    keys = Keys(settings.data_dir)
    settings.public_keys_dir.symlink_to("public")
    one = small(settings.recordings_dir / "rec-1", keys)
    write_marks(one.folder, [Mark(0.2, "text", {"participant": "sara", "text": "السلام عليكم"})], keys.ring)
    now = datetime.now(UTC)
    with db.write() as session:
        archive.start(session, recording_id="rec-1", meeting_id="m", petition_id="p", now=now)
        archive.close(session, "rec-1", now=now)
        archive.finish(session, "rec-1", [], [], now=now, duration_s=0.5)
        digest = hashlib.sha256((one.folder / "manifest").read_bytes()).hexdigest()
        proof.signed(session, "rec-1", revision=1, sha256=digest, key=keys.signer.fingerprint, signed_at=now)
    bucket = bucket_of(settings)
    assert bucket is not None
    return Archive(settings, db, one, make_lane(settings, db, bucket, threading.Event()))
