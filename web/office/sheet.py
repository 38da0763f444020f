"""The day sheet: the audience of one day in the order of the visitors, on the screen, on paper with every dossier."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session
from starlette.responses import Response

from core import audit
from core.calendar import LAST_DAY, day_bounds, within_tables
from core.errors import Mistake, NotFound
from core.staff.models import Staff
from core.staff.rules import AIDE, OFFICIAL
from queueing.appointments import calendar
from queueing.appointments.rules import KINDS
from reception.centres import service as centres
from reception.dossier import service as dossier
from reception.dossier.service import Dossier
from reception.petitions.states import NAMES
from web.cases.view import told
from web.http import Context, Pages, staff
from web.office.engagements import Engagement, engagements, officials, whose
from web.office.press import pdf

pages = Pages()
office = staff(AIDE, OFFICIAL)
STORY, NOTES, EARLIER, CALLS = 8, 8, 6, 3  # the latest of each; the screen has them all
ASKED, REPLIED = "question", "reply"


@dataclass(frozen=True, slots=True)
class Folder:
    """One visitor's pages of the sheet."""

    row: Engagement
    file: Dossier
    story: list[dict[str, Any]]
    open_questions: list[str]


@pages.get("/office/day/{date}", audience=office)
def sheet(ctx: Context) -> Response:
    day = _day(ctx)
    rows = _rows(ctx, day)
    for row in rows:
        audit.note(ctx.session, "read", "petition", row.appointment.petition_id, now=ctx.now)
    return ctx.render("office/sheet.html", day=day, rows=rows, official=_official(ctx), kind=_kind(ctx))


@pages.get("/office/day/{date}/sheet.pdf", audience=office)
def paper(ctx: Context) -> Response:
    """An overview, then a dossier on pages of its own for each visitor. Who takes it has read them: receipts stay."""
    day = _day(ctx)
    rows = [row for row in _rows(ctx, day) if row.petition is not None]
    if not rows:
        raise NotFound("Nobody is expected on this day")
    folders = [_folder(ctx, row) for row in rows]
    for row in rows:
        audit.note(ctx.session, "print", "petition", row.appointment.petition_id, now=ctx.now)
    reader, now = ctx.staff.id, ctx.now
    ctx.afterwards(lambda session: _keep(session, [row.appointment.petition_id for row in rows], reader, now))
    html = ctx.renderer.html(
        "office/sheet_pdf.html",
        ctx,
        {
            "day": day,
            "folders": folders,
            "official": _official(ctx),
            "names": NAMES,
            "departments": {row.id: row for row in centres.departments(ctx.session)},
            "people": {
                note.staff_id: ctx.session.get(Staff, note.staff_id)
                for folder in folders
                for note in (*folder.file.notes, *folder.file.opinions)
                if note.staff_id
            },
            "limits": {"notes": NOTES, "earlier": EARLIER, "calls": CALLS},
        },
    )
    return Response(
        pdf(html),
        media_type="application/pdf",
        headers={
            "content-disposition": f'inline; filename="majlis-{day}.pdf"',
            "cache-control": "no-store",
        },
    )


def _folder(ctx: Context, row: Engagement) -> Folder:
    file = dossier.assemble(ctx.session, row.appointment.petition_id, ctx.staff)
    return Folder(row, file, told(ctx, file.story)[:STORY], open_questions(file))


def open_questions(file: Dossier) -> list[str]:
    """What the visitor was asked and has not answered since."""
    waiting: list[str] = []
    for note in file.notes:
        if note.kind == ASKED:
            waiting.append(note.text)
        elif note.kind == REPLIED:
            waiting = []
    return waiting


def _rows(ctx: Context, day: date) -> list[Engagement]:
    start, end = day_bounds(day, ctx.settings.timezone)
    kind = _kind(ctx)
    return engagements(
        ctx.session, calendar.between(ctx.session, start, end, official_id=whose(ctx), kind=kind or None)
    )


def _kind(ctx: Context) -> str:
    return ctx.query.get("kind", "") if ctx.query.get("kind") in KINDS else ""


def _official(ctx: Context) -> Staff | None:
    return next((person for person in officials(ctx.session) if person.id == whose(ctx)), None)


def _day(ctx: Context) -> date:
    """Raises NotFound for what is no day and for one before the tables, Mistake for one after them."""
    try:
        day = date.fromisoformat(ctx.path("date"))
    except ValueError:
        raise NotFound from None
    if day > LAST_DAY:
        raise Mistake("The Hijri calendar is published until {last}. Choose an earlier day.", last=LAST_DAY)
    if day != within_tables(day):
        raise NotFound
    return day


def _keep(session: Session, petition_ids: list[str], reader: str, now: datetime) -> None:
    for petition_id in dict.fromkeys(petition_ids):
        dossier.keep_receipt(session, petition_id, staff_id=reader, now=now)
