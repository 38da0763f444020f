"""What is still open about a petition when its dossier is read: who owes what, since when, in one list."""

from dataclasses import dataclass
from datetime import datetime

from core.calendar import local_day
from reception.directives import states as orders
from reception.dossier.service import Dossier
from reception.hotline import concerns
from reception.hotline.states import UNANSWERED
from reception.parties import rules as parties
from reception.petitions import states, urgency
from web.http import Context


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    icon: str
    title: str
    text: str = ""
    since: datetime | None = None
    late: bool = False


def open_questions(ctx: Context, file: Dossier) -> list[OpenQuestion]:
    """Nothing for a settled petition but what outlives it: orders and complaints."""
    petition, found = file.petition, []
    if petition.state not in states.SETTLED:
        found += _of_the_case(ctx, file)
    for order in file.directives:
        if order.state in orders.OPEN:
            late = order.due_at is not None and order.due_at < ctx.now
            found.append(
                OpenQuestion("gavel", ctx._("An order is not carried out yet"), order.text, order.marked_at, late)
            )
    for concern in concerns.about(ctx.session, petition.id):
        if concern.state in UNANSWERED:
            found.append(
                OpenQuestion("flag", ctx._("A complaint is not answered yet"), concern.text, concern.raised_at)
            )
    return found


def _of_the_case(ctx: Context, file: Dossier) -> list[OpenQuestion]:
    petition, found = file.petition, []
    latest = {note.kind: note for note in file.notes}
    for state, kind, title in (
        (states.WAITING_VISITOR, "question", ctx._("The visitor was asked and has not replied yet")),
        (states.RETURNED, "missing", ctx._("Something is missing, and the visitor was told")),
    ):
        if petition.state == state:
            note = latest.get(kind)
            found.append(
                OpenQuestion("help", title, note.text if note else "", note.at if note else petition.changed_at)
            )
    for row in file.asked:
        if row.state == states.ASKED:
            title = ctx._("The opinion of {department} is awaited").format(department=row.department.name(ctx.lang))
            found.append(OpenQuestion("users", title, row.question, row.asked_at, row.due_at < ctx.now))
    if petition.verification == states.PENDING:
        found.append(
            OpenQuestion("shield", ctx._("Identity and papers are not verified yet"), "", petition.received_at)
        )
    if proposal := urgency.pending(ctx.session, petition.id):
        title = ctx._("The urgent lane was proposed and waits for a second person")
        found.append(OpenQuestion("bolt", title, proposal.reason, proposal.proposed_at))
    today = local_day(ctx.now, ctx.settings.timezone)
    for party in file.parties:
        if not parties.in_force(party.role, party.valid_until, today=today):
            title = ctx._("The power of {name} has ended").format(name=party.visitor.name)
            found.append(OpenQuestion("warning", title, late=True))
    if petition.due_at is not None and petition.due_at < ctx.now:
        found.append(
            OpenQuestion("hourglass", ctx._("The answer is past its deadline"), since=petition.due_at, late=True)
        )
    return found
