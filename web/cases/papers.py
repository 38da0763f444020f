"""Uploads and papers at the edge: the store of this installation, and how a paper leaves it."""

from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

from starlette.datastructures import UploadFile
from starlette.responses import Response

from core.errors import Mistake
from core.settings import Settings
from reception.files import service
from reception.files.models import Attachment
from reception.files.store import FileStore
from web.http import Context
from web.recording import key_ring

_SANDBOX = "sandbox; default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; object-src 'self'"


@lru_cache(maxsize=4)
def _store(folder: Path, limit: int, settings: Settings) -> FileStore:
    return FileStore(folder, key_ring(settings), limit)


def store_of(settings: Settings) -> FileStore:
    return _store(settings.files_dir, settings.upload_limit, settings)


def take(ctx: Context, uploads: list[UploadFile], *, draft_id: str | None = None) -> tuple[list[Attachment], list[str]]:
    """Keep what can be kept of several uploads: the accepted ones, and a translated reason for each refused one."""
    kept, refused = [], []
    store = store_of(ctx.settings)
    for upload in uploads:
        data = upload.file.read(store.limit + 1)
        try:
            kept.append(
                service.accept(
                    ctx.session,
                    store,
                    name=upload.filename or "",
                    data=data,
                    staff_id=ctx.staff.id,
                    draft_id=draft_id,
                    now=ctx.now,
                )
            )
        except Mistake as mistake:
            refused.append(ctx.say(mistake))
    return kept, refused


def response(ctx: Context, paper: Attachment) -> Response:
    """The paper itself. Pictures open in the browser; PDFs are handed over as files, never run in our origin."""
    data = service.read(ctx.session, store_of(ctx.settings), paper, now=ctx.now)
    shown = paper.media_type.startswith("image/") and "download" not in ctx.query
    disposition = "inline" if shown else "attachment"
    return Response(
        data,
        media_type=paper.media_type,
        headers={
            "content-disposition": f"{disposition}; filename*=UTF-8''{quote(paper.name)}",
            "content-security-policy": _SANDBOX,
            "cache-control": "private, no-store",
        },
    )
