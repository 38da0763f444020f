"""Everything about a request on one calm page. Who opens it leaves a receipt: it was before them at that moment."""

from collections.abc import Sequence
from datetime import timedelta

from starlette.responses import Response

from core import audit
from core.calendar import local_day
from core.staff.models import Staff
from core.staff.rules import AIDE, OFFICIAL
from messaging import service as messages
from queueing.appointments import calendar
from reception.centres import service as centres
from reception.dossier import service
from reception.dossier.models import DossierReceipt
from reception.parties import rules as parties
from reception.petitions.models import Petition
from reception.petitions.rules import OUTCOMES
from reception.petitions.states import NAMES, OPEN
from recordings.archive import service as recordings
from recordings.archive.leave import may_view
from video.meetings import service as meetings
from video.meetings.models import Meeting
from video.meetings.states import JOINABLE
from web.cases.view import NOTE_NAMES, asked_by_type, told
from web.cases.why import why_due
from web.http import Context, Pages, staff
from web.office.open_questions import open_questions
from web.office.orders import place_in_recording

pages = Pages()


@pages.get("/dossier/{petition_id}", audience=staff(OFFICIAL, AIDE))
def show(ctx: Context) -> Response:
    file = service.assemble(ctx.session, ctx.path("petition_id"), ctx.staff)
    petition, reader, now = file.petition, ctx.staff.id, ctx.now
    audit.note(ctx.session, "read", "petition", petition.id, now=now)
    if not (ctx.fragment and _lies_open(ctx, file.receipt)):
        ctx.afterwards(lambda session: _keep(session, petition, reader, now))
    held = meetings.about(ctx.session, petition.id)
    today = local_day(ctx.now, ctx.settings.timezone)
    met = [(one, case) for case in (petition, *file.earlier) for one in _met(ctx, case.id, held)]
    departments = {row.id: row for row in centres.departments(ctx.session)}
    writers = {note.staff_id for note in (*file.notes, *file.opinions) if note.staff_id}
    return ctx.render(
        "office/dossier.html",
        file=file,
        petition=petition,
        visitor=file.visitor,
        appointment=calendar.current(ctx.session, petition.id),
        joinable=next((m for m in held if m.state in JOINABLE), None),
        texts=messages.about(ctx.session, "petition", petition.id),
        departments=departments,
        people={person_id: ctx.session.get(Staff, person_id) for person_id in writers},
        names=NAMES,
        story=told(ctx, file.story),
        places={row.id: place_in_recording(ctx, row) for row in file.directives},
        may_book=petition.state in OPEN,
        questions=open_questions(ctx, file),
        asked_by_type=asked_by_type(ctx, petition),
        people_beside=[(one, parties.in_force(one.role, one.valid_until, today=today)) for one in file.parties],
        powers=parties.POWERS,
        relations=parties.RELATIONS,
        met=sorted(met, key=lambda pair: pair[0].live_at, reverse=True),
        places_met={row.id: _recording(ctx, row) for row, _ in met},
        note_names=NOTE_NAMES,
        why=why_due(ctx, petition),
        opinion_names=NAMES,
        outcomes=OUTCOMES,
    )


def _lies_open(ctx: Context, receipt: DossierReceipt | None) -> bool:
    """A page that renews itself was opened once; that it says so proves nothing, its receipt does."""
    return receipt is not None and ctx.now - receipt.opened_at < timedelta(hours=ctx.settings.session_hours)


def _met(ctx: Context, petition_id: str, held: Sequence[Meeting]) -> list[Meeting]:
    """The meetings about a petition that took place; `held` are all of the petition before the reader."""
    known = held if held and held[0].petition_id == petition_id else meetings.about(ctx.session, petition_id)
    return [one for one in known if one.live_at is not None]


def _recording(ctx: Context, meeting: Meeting) -> str:
    """Where its recording plays, for those who may view it."""
    for row in recordings.of_meeting(ctx.session, meeting.id):
        if may_view(ctx.session, row, ctx.staff.id, now=ctx.now):
            return f"/library/{row.id}"
    return ""


def _keep(session: object, petition: Petition, reader: str, now: object) -> None:
    service.keep_receipt(session, petition.id, staff_id=reader, now=now)  # type: ignore[arg-type]
