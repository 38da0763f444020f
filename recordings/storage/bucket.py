"""A bucket that speaks S3. What goes there is ciphertext with an empty key slot: neither the store nor a thief of it
can ever read it, a lock that forbids deletion forbids no destruction of keys, and rotation never touches it.

Every failure is a `BucketError` with one of a few kinds, so that states can name it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, BinaryIO

from recordings.proof.pieces import NOTHING, Progress, blanked, silent
from recordings.storage.rules import part_size

UNREACHABLE = "the store does not answer"
REFUSED = "the store refuses"
MISSING = "the store has no such object"
LOCKED = "the store's lock forbids it"
DIFFERS = "what was read back is not what was sent"
CHANGED = "the local file is not what was signed"

PART = 16 * 1024**2
_READ = 1024**2
_CONNECT_S, _ANSWER_S = 5, 30
_MISSING_CODES = frozenset({"404", "NoSuchKey", "NoSuchVersion", "NoSuchBucket", "NotFound"})


class BucketError(OSError):
    """`kind` is one of the above."""

    def __init__(self, kind: str, detail: str = "") -> None:
        super().__init__(f"{kind}: {detail}" if detail else kind)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Place:
    """Which bucket. Credentials come by AWS's own ways (environment, files, the machine's role), never from here."""

    bucket: str
    endpoint: str = ""
    region: str = ""
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """What the bucket says of an object."""

    size: int
    version: str
    locked_until: datetime | None
    hold: bool


@dataclass
class Bucket:
    """Thread-safe, as boto3's clients are. `part` is the least size of a transfer's parts."""

    place: Place
    part: int = PART

    @property
    def _client(self) -> Any:
        return _client(self.place.endpoint, self.place.region)

    def put(
        self,
        path: Path,
        key: str,
        *,
        blank: tuple[int, int] = NOTHING,
        upload: str = "",
        began: Callable[[str], None] = lambda _upload: None,
        progress: Progress = silent,
    ) -> tuple[int, str, str]:
        """(size, sha256, version) of what was sent. A transfer `upload` that still stands goes on where it ended."""
        size = path.stat().st_size
        part = part_size(size, self.part)
        with path.open("rb") as file:
            if size <= part:
                data = blanked(file.read(), 0, blank)
                version = self._ask("put_object", key, Body=data, **_sums(data)).get("VersionId", "")
                progress(len(data))
                return len(data), hashlib.sha256(data).hexdigest(), version
            return self._in_parts(file, key, part, blank, upload, began, progress)

    def _in_parts(
        self,
        file: BinaryIO,
        key: str,
        part: int,
        blank: tuple[int, int],
        upload: str,
        began: Callable[[str], None],
        progress: Progress,
    ) -> tuple[int, str, str]:
        there = self._parts(key, upload) if upload else None
        if there is None:
            there = {}
            upload = str(self._ask("create_multipart_upload", key, ChecksumAlgorithm="SHA256")["UploadId"])
            began(upload)
        whole, size, done = hashlib.sha256(), 0, []
        while data := blanked(file.read(part), size, blank):
            number = len(done) + 1
            whole.update(data)
            size += len(data)
            sums = _sums(data)
            known = there.get(number)
            if known is None or not _is_of(known, data, sums):
                known = self._ask("upload_part", key, UploadId=upload, PartNumber=number, Body=data, **sums)
            done.append({"PartNumber": number, "ETag": known["ETag"], "ChecksumSHA256": sums["ChecksumSHA256"]})
            progress(len(data))
        answer = self._ask("complete_multipart_upload", key, UploadId=upload, MultipartUpload={"Parts": done})
        return size, whole.hexdigest(), str(answer.get("VersionId", ""))

    def _parts(self, key: str, upload: str) -> dict[int, Any] | None:
        """What a transfer that was broken off has left; None where the store has forgotten it."""
        found: dict[int, Any] = {}
        marker = 0
        while True:
            try:
                page = self._ask("list_parts", key, UploadId=upload, PartNumberMarker=marker)
            except BucketError as error:
                if error.kind == MISSING:
                    return None
                raise
            found |= {int(part["PartNumber"]): part for part in page.get("Parts", [])}
            if not page.get("IsTruncated"):
                return found
            marker = int(page["NextPartNumberMarker"])

    def hash(self, key: str, version: str, progress: Progress = silent) -> tuple[int, str]:
        """(size, sha256) of what lies there, by reading it: what a store says of itself is no proof."""
        state, size = hashlib.sha256(), 0
        for block in self.stream(key, version):
            state.update(block)
            size += len(block)
            progress(len(block))
        return size, state.hexdigest()

    def stream(self, key: str, version: str) -> Iterator[bytes]:
        body = self._ask("get_object", key, **_version(version))["Body"]
        while block := self._guarded(key, lambda: body.read(_READ)):
            yield block

    def read(self, key: str, version: str, start: int, end: int) -> bytes:
        answer = self._ask("get_object", key, Range=f"bytes={start}-{end - 1}", **_version(version))
        return bytes(self._guarded(key, answer["Body"].read))

    def head(self, key: str, version: str = "") -> Held:
        """Raises BucketError(MISSING)."""
        answer = self._ask("head_object", key, **_version(version))
        return Held(
            int(answer["ContentLength"]),
            str(answer.get("VersionId", "")),
            answer.get("ObjectLockRetainUntilDate"),
            answer.get("ObjectLockLegalHoldStatus") == "ON",
        )

    def lock(self, key: str, version: str, until: datetime) -> None:
        """Nobody may delete this version before `until`, whoever holds the store's keys."""
        retention = {"Mode": "COMPLIANCE", "RetainUntilDate": until}
        self._ask("put_object_retention", key, Retention=retention, **_version(version))

    def hold(self, key: str, version: str, on: bool) -> None:
        """A legal hold has no end date: it stands until it is taken away."""
        self._ask("put_object_legal_hold", key, LegalHold={"Status": "ON" if on else "OFF"}, **_version(version))

    def remove(self, key: str, version: str) -> None:
        """This very version. Raises BucketError(LOCKED) while a lock stands."""
        try:
            self._ask("delete_object", key, **_version(version))
        except BucketError as error:
            if error.kind == REFUSED:
                raise BucketError(LOCKED, str(error)) from None
            raise

    def clear(self, key: str) -> datetime | None:
        """Take everything away that lies at `key`: every version, those of which the archive was never told too, and
        transfers that were begun. Returns until when locks keep some of it; None: nothing is left. Raises BucketError.

        A legal hold on what remains is lifted: who may have set one is asked before (`retention.begin`).
        """
        for upload in self._pages("list_multipart_uploads", key, "Uploads", "NextKeyMarker", "NextUploadIdMarker"):
            self._abort(key, str(upload["UploadId"]))
        until: list[datetime] = []
        for kind in ("Versions", "DeleteMarkers"):
            for one in self._pages("list_object_versions", key, kind, "NextKeyMarker", "NextVersionIdMarker"):
                locked = self._remove_or_wait(key, str(one.get("VersionId", "")))
                until += [locked] if locked else []
        return max(until, default=None)

    def _remove_or_wait(self, key: str, version: str) -> datetime | None:
        try:
            self.remove(key, version)
        except BucketError as error:
            if error.kind != LOCKED:
                raise
        else:
            return None
        held = self.head(key, version)
        if held.hold:
            self.hold(key, version, False)
        if held.locked_until is not None and held.locked_until > self.clock():
            return held.locked_until
        try:
            self.remove(key, version)
        except BucketError as error:  # neither a lock nor a hold: an account that may not do this
            raise BucketError(REFUSED, str(error)) from None
        return None

    def _pages(self, verb: str, key: str, kind: str, *markers: str) -> Iterator[Any]:
        """What is listed under exactly this key."""
        place = self.place.prefix + key
        more: dict[str, Any] = {"Bucket": self.place.bucket, "Prefix": place}
        while True:
            page = self._guarded(key, partial(getattr(self._client, verb), **more))
            yield from (one for one in page.get(kind, []) if one["Key"] == place)
            if not page.get("IsTruncated"):
                return
            more |= {name.removeprefix("Next"): page[name] for name in markers if page.get(name)}

    def _abort(self, key: str, upload: str) -> None:
        try:
            self._ask("abort_multipart_upload", key, UploadId=upload)
        except BucketError as error:
            if error.kind != MISSING:  # it came to its end meanwhile: its object is listed
                raise

    def offers_lock(self) -> bool:
        try:
            answer = self._ask("get_object_lock_configuration")
        except BucketError as error:
            if error.kind in (MISSING, REFUSED):
                return False
            raise
        return bool(answer.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") == "Enabled")

    def clock(self) -> datetime:
        """The store's time: one that differs by minutes from ours refuses every signature."""
        answer = self._ask("head_bucket")
        return parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])

    def probe(self) -> None:
        """Writes and reads a few bytes, at one place again and again."""
        self._ask("put_object", ".probe", Body=b"majlis", **_sums(b"majlis"))
        if self.read(".probe", "", 0, 6) != b"majlis":
            raise BucketError(DIFFERS)

    def _ask(self, verb: str, key: str | None = None, **arguments: Any) -> Any:
        place = {"Bucket": self.place.bucket} | ({} if key is None else {"Key": self.place.prefix + key})
        return self._guarded(key or self.place.bucket, lambda: getattr(self._client, verb)(**place, **arguments))

    @staticmethod
    def _guarded(what: str, act: Callable[[], Any]) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return act()
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
            if code in _MISSING_CODES or code == "NoSuchUpload":
                raise BucketError(MISSING, what) from None
            kind = UNREACHABLE if status >= 500 or code in ("SlowDown", "RequestTimeout") else REFUSED
            raise BucketError(kind, f"{code} ({what})") from None
        except (BotoCoreError, OSError) as error:
            raise BucketError(UNREACHABLE, f"{type(error).__name__} ({what})") from None
        except Exception as error:  # urllib3's own, out of a body that breaks off
            if type(error).__module__.startswith("urllib3"):
                raise BucketError(UNREACHABLE, f"{type(error).__name__} ({what})") from None
            raise


@lru_cache(maxsize=8)
def _client(endpoint: str, region: str) -> Any:
    import boto3
    from botocore.config import Config

    config = Config(
        connect_timeout=_CONNECT_S,
        read_timeout=_ANSWER_S,
        retries={"total_max_attempts": 2, "mode": "standard"},
        max_pool_connections=16,
        request_checksum_calculation="when_required",
        s3={"addressing_style": "path"} if endpoint else {},
    )
    return boto3.session.Session().client(
        "s3", endpoint_url=endpoint or None, region_name=region or "us-east-1", config=config
    )


def _sums(data: bytes) -> dict[str, str]:
    """The store refuses what arrives otherwise."""
    digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
    return {"ChecksumAlgorithm": "SHA256", "ChecksumSHA256": digest}


def _is_of(part: Any, data: bytes, sums: dict[str, str]) -> bool:
    if int(part.get("Size", -1)) != len(data):
        return False
    if "ChecksumSHA256" in part:
        return bool(part["ChecksumSHA256"] == sums["ChecksumSHA256"])
    return bool(part["ETag"].strip('"') == hashlib.md5(data, usedforsecurity=False).hexdigest())


def _version(version: str) -> dict[str, str]:
    return {"VersionId": version} if version else {}
