"""Everything about a request on one calm page. Who opens it leaves a receipt: it was before them at that moment."""

from starlette.responses import Response

from core.staff.models import Staff
from core.staff.rules import AIDE, OFFICIAL
from messaging import service as messages
from queueing.appointments import calendar
from reception.centres import service as centres
from reception.dossier import service
from reception.petitions.models import Petition
from reception.petitions.states import NAMES, OPEN
from video.meetings import service as meetings
from video.meetings.states import JOINABLE
from web.cases.view import told
from web.http import Context, Pages, staff
from web.office.orders import place_in_recording

pages = Pages()


@pages.get("/dossier/{petition_id}", audience=staff(OFFICIAL, AIDE))
def show(ctx: Context) -> Response:
    file = service.assemble(ctx.session, ctx.path("petition_id"), ctx.staff)
    petition, reader, now = file.petition, ctx.staff.id, ctx.now
    if not ctx.fragment:  # a page that renews itself was opened once
        ctx.afterwards(lambda session: _keep(session, petition, reader, now))
    held = meetings.about(ctx.session, petition.id)
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
    )


def _keep(session: object, petition: Petition, reader: str, now: object) -> None:
    service.keep_receipt(session, petition.id, staff_id=reader, now=now)  # type: ignore[arg-type]
