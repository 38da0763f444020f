"""Uploads and papers at the edge: the store of this installation, how a paper comes in, and how it leaves.

What was sent is scanned and opened before the page's transaction begins (`prepare`): a large scan keeps nobody's queue
waiting. The page then keeps what came through, in its transaction (`take`).
"""

import atexit
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

from starlette.datastructures import FormData, UploadFile
from starlette.responses import Response

from core.errors import Mistake
from core.settings import Settings
from reception.files import service, virus
from reception.files.models import Attachment
from reception.files.reading import Reader
from reception.files.rules import Paper, safe_name
from reception.files.store import FileStore
from web.http import Context
from web.recording import key_ring

_SANDBOX = "sandbox; default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; object-src 'self'"
SCAN, NOTE = "scan", "note"  # fields whose files are pages of one paper, and a dictated note; any other's are papers


_stores: dict[tuple[Path, int], FileStore] = {}


def store_of(settings: Settings) -> FileStore:
    key = (settings.files_dir, settings.upload_limit)
    if key not in _stores:
        _stores[key] = FileStore(settings.files_dir, key_ring(settings), settings.upload_limit)
    return _stores[key]


@lru_cache(maxsize=1)
def reader() -> Reader:
    """Opens papers for this process, in others."""
    made = Reader()
    atexit.register(made.close)
    return made


@dataclass(frozen=True, slots=True)
class Opened:
    """An upload after it was scanned and opened: its harmless copy, or what is wrong with it."""

    name: str
    paper: Paper | None
    mistake: Mistake | None
    scan: str
    found: str = ""


def prepare(form: FormData, settings: Settings) -> dict[int, Opened]:
    """Scan and open every file of a posted form, by the identity of its upload (a scan's: of its first page)."""
    made: dict[int, Opened] = {}
    for field in dict.fromkeys(key for key, value in form.multi_items() if isinstance(value, UploadFile)):
        files = [f for f in form.getlist(field) if isinstance(f, UploadFile) and f.filename]
        if field == SCAN and files:
            made[id(files[0])] = _open(files, field, settings)
        elif field != SCAN:
            made |= {id(file): _open([file], field, settings) for file in files}
    return made


def take(
    ctx: Context,
    uploads: list[UploadFile],
    *,
    draft_id: str | None = None,
    petition_id: str | None = None,
    kind: str = service.PAPER,
    by: str | None = None,
) -> tuple[list[Attachment], list[str]]:
    """Keep what can be kept of several uploads: the accepted ones, and a translated reason for each refused one.

    `by` is who brings them; None: the member of staff who is signed in.
    """
    kept, refused = [], []
    staff_id = ctx.staff.id if by is None else by
    for upload in uploads:
        opened = (ctx.prepared or {}).get(id(upload)) or _open([upload], kind, ctx.settings)
        try:
            kept.append(_keep(ctx, opened, staff_id, draft_id, petition_id, kind))
        except Mistake as mistake:
            refused.append(ctx.say(mistake))
    return kept, refused


def take_scan(
    ctx: Context, pages: list[UploadFile], *, draft_id: str | None = None, kind: str = service.PAPER
) -> tuple[list[Attachment], list[str]]:
    """Keep pages taken one after the other as one paper."""
    if not pages:
        return [], []
    opened = (ctx.prepared or {}).get(id(pages[0])) or _open(pages, SCAN, ctx.settings)
    try:
        return [_keep(ctx, opened, ctx.staff.id, draft_id, None, kind)], []
    except Mistake as mistake:
        return [], [ctx.say(mistake)]


def _keep(
    ctx: Context, opened: Opened, staff_id: str, draft_id: str | None, petition_id: str | None, kind: str
) -> Attachment:
    if opened.scan == virus.INFECTED:
        raise service.refused_infected(ctx.session, opened.name, opened.found, staff_id=staff_id, now=ctx.now)
    if opened.paper is None:
        raise opened.mistake or Mistake("A paper is no longer there. Please add it again.", field="files")
    return service.accept(
        ctx.session,
        store_of(ctx.settings),
        opened.paper,
        staff_id=staff_id,
        draft_id=draft_id,
        petition_id=petition_id,
        kind=kind,
        scan=opened.scan,
        now=ctx.now,
    )


def _open(files: list[UploadFile], field: str, settings: Settings) -> Opened:
    limit = settings.upload_limit
    name = safe_name(files[0].filename or "")
    parts = []
    for file in files:
        file.file.seek(0)
        parts.append(file.file.read(limit + 1))
    scan, found = "", ""
    if settings.clamd:
        for part in parts:
            verdict = virus.scan(settings.clamd, part)
            scan, found = (service.WAITING if verdict.state == virus.AWAY else verdict.state), verdict.found
            if scan != virus.CLEAN:
                break
    if scan == virus.INFECTED:
        return Opened(name, None, None, scan, found)
    try:
        if field == SCAN:
            paper = reader().scan(name, parts, limit=limit * 2)
        elif field == NOTE:
            paper = reader().note(name, parts[0], limit=limit)
        else:
            paper = reader().paper(name, parts[0], limit=limit)
    except Mistake as mistake:
        return Opened(name, None, mistake, scan)
    return Opened(name, paper, None, scan)


def response(ctx: Context, paper: Attachment) -> Response:
    """The paper itself. Pictures and sound open in the browser; PDFs are handed over as files, never run here."""
    data = service.read(ctx.session, store_of(ctx.settings), paper, now=ctx.now)
    shown = (paper.media_type.startswith("image/") or paper.is_sound) and "download" not in ctx.query
    disposition = "inline" if shown else "attachment"
    headers = {
        "content-disposition": f"{disposition}; filename*=UTF-8''{quote(paper.name)}",
        "content-security-policy": _SANDBOX,
        "cache-control": "private, no-store",
    }
    return Response(data, media_type=paper.media_type, headers=headers)


def picture(ctx: Context, paper: Attachment, number: int) -> Response:
    """One page as a picture: what a person reads beside the form."""
    data = service.read(ctx.session, store_of(ctx.settings), paper, now=ctx.now)
    drawn = reader().page(data, paper.media_type, number)
    return Response(
        drawn,
        media_type="image/jpeg",
        headers={"content-security-policy": _SANDBOX, "cache-control": "private, no-store"},
    )
