"""The ticket: taken once however often the glass is touched, shown at once, and on paper where there is a printer."""

from typing import Any

from starlette.responses import Response

from core import once
from core.errors import Mistake, NotFound, Refused
from core.language import N_
from core.text import latin_digits
from queueing.tickets import queries, rules, service, states
from queueing.tickets.models import Ticket
from reception.kiosks import rules as kiosk_rules
from reception.kiosks import service as kiosks
from reception.kiosks import states as printing
from reception.kiosks import turns
from web.counter import words
from web.forms import Form
from web.http import Context, Pages, everyone
from web.kiosk import pace
from web.kiosk.plainly import plainly
from web.kiosk.steps import Step, step_of
from web.printing.words import coverage
from web.render import once_token

pages = Pages()
PROBLEMS = {
    "": N_("The printer is not printing just now."),
    printing.PAPER_OUT: N_("The printer has no paper just now."),
    printing.COVER_OPEN: N_("The printer is open just now."),
}


@pages.post("/kiosk/{centre}/ticket", audience=everyone)
@plainly
def take_ticket(ctx: Context) -> Response:
    step = step_of(ctx)
    point = step.point
    if point is None or not step.answers.section:
        raise Mistake("This service is not offered here at present. Please choose another.", field="service")
    if refused := pace.too_many_tickets(step):
        return refused
    wishes = [str(value) for value in ctx.form.getlist("need")]
    classes = sorted({_class(wish) for wish in wishes} & set(rules.RATES), key=_weight)
    ticket = service.issue(
        ctx.session,
        centre_id=step.centre.id,
        service_point_id=point.id,
        section=step.answers.section,
        language=step.answers.speak or ctx.lang,
        sign_language="sign" in wishes,
        visitor_class=classes[-1] if classes else rules.REGULAR,
        also=classes[:-1],
        now=ctx.now,
        zone=ctx.settings.timezone,
    )
    return given(step, ticket)


def given(step: Step, ticket: Ticket) -> Response:
    """To the ticket's page, with the paper under way where this device has a printer."""
    ctx = step.ctx
    if step.kiosk:
        lang = step.answers.lang
        kiosks.ask_slip(ctx.session, step.kiosk, ticket, lang=lang, base=str(ctx.request.base_url), now=ctx.now)
    return ctx.redirect(f"/kiosk/{step.centre.code}/ticket/{ticket.code}?lang={step.answers.lang}")


@pages.get("/kiosk/{centre}/ticket/{code}", audience=everyone)
@plainly
def ticket(ctx: Context) -> Response:
    step, row = _step_and_ticket(ctx)
    place, served = words.told(ctx, row)
    return step.show(
        "ticket",
        ticket=row,
        over=row.state in states.OVER or row.expires_at <= ctx.now,
        early=row.state == states.WAITING and row.eligible_at > ctx.now,
        place=place,
        wait=words.wait_range(ctx, place.low, place.high),
        coverage=coverage(ctx),
        served=served,
        ahead=words.ahead(ctx, place.position),
        back_at=words.back_at(ctx, row),
        section=ctx._(words.SECTIONS[row.section]),
        needs=words.needs(ctx, row),
        paper=_paper(step, row),
        told=turns.phone_of(ctx.session, row.id) is not None,
        current=6,
    )


@pages.post("/kiosk/{centre}/ticket/{code}/print", audience=everyone)
@plainly
def print_again(ctx: Context) -> Response:
    """After paper was put in. What came out already doesn't come out twice."""
    step, row = _step_and_ticket(ctx)
    return given(step, row)


@pages.get("/kiosk/{centre}/ticket/{code}/phone", audience=everyone)
@plainly
def ask_phone(ctx: Context) -> Response:
    """For a telephone without a camera: a text when few are ahead."""
    step, row = _step_and_ticket(ctx)
    return step.show("ticket_phone", ticket=row, form=Form(ctx), current=0)


@pages.post("/kiosk/{centre}/ticket/{code}/phone", audience=everyone)
@plainly
def keep_phone(ctx: Context) -> Response:
    step, row = _step_and_ticket(ctx)
    form = Form(ctx)
    with form.catch("phone"):
        turns.keep_phone(ctx.session, row, str(ctx.form.get("phone") or ""), lang=step.answers.lang, now=ctx.now)
    if not form.errors:
        return ctx.redirect(f"/kiosk/{step.centre.code}/ticket/{row.code}?lang={step.answers.lang}")
    return step.show("ticket_phone", status=422, ticket=row, form=form, current=0)


def show_needs(step: Step) -> Response:
    ctx = step.ctx
    offered = [("sign", ctx._("Deaf: sign language"), "sign-language")]
    offered += [
        (key, ctx._(words.CLASSES[key]), words.CLASS_ICONS[key])
        for key in (rules.DISABLED, rules.ELDERLY, rules.PREGNANT, rules.INFANT)
        if not (key == rules.PREGNANT and step.answers.section == rules.MEN)
    ]
    earlier = _earlier(step)
    key = step.answers.visit if step.answers.visit and earlier is None else once_token()
    return step.show("needs", offered=offered, current=4, earlier=earlier, key=key)


def _class(wish: str) -> str:
    return rules.DEAF if wish == "sign" else wish


def _weight(visitor_class: str) -> tuple[float, bool, str]:
    """The fastest class is the one that is shown; sign language has a sign of its own."""
    return rules.rate(visitor_class), visitor_class != rules.DEAF, visitor_class


def _step_and_ticket(ctx: Context) -> tuple[Step, Ticket]:
    """A ticket of another centre is not shown here: its hall and its counters are elsewhere."""
    step = step_of(ctx)
    row = queries.ticket_by_code(ctx.session, latin_digits(ctx.path("code")))
    if row.centre_id != step.centre.id:
        raise Refused("This ticket belongs to another centre. Follow it on your phone, or ask our staff.")
    return step, row


def _paper(step: Step, ticket: Ticket) -> dict[str, Any]:
    """What to say of paper on this device: `state`, and the words for a printer that didn't."""
    kiosk = step.kiosk
    if kiosk is None or kiosk.printer == kiosk_rules.BROWSER:
        return {"state": "browser", "by_itself": kiosk is not None}
    if kiosk.printer == kiosk_rules.NONE:
        return {"state": "none"}
    slip = kiosks.slip_of(step.ctx.session, ticket.id)
    if slip is None:
        return {"state": "none"}
    late = slip.state == printing.WANTED and not kiosk_rules.in_time(slip.asked_at, now=step.ctx.now)
    state = printing.FAILED if late else slip.state
    return {
        "state": state,
        "problem": step.ctx._(PROBLEMS.get(slip.problem, PROBLEMS[""])),
        "again": state == printing.FAILED and not late and kiosk.condition in printing.WORKS,
    }


def _earlier(step: Step) -> Ticket | None:
    """The ticket that this visit has brought already and that still counts: the visitor came back to the question."""
    session, visit = step.ctx.session, step.answers.visit
    place = once.earlier(session, visit) if visit else None
    begin = f"/kiosk/{step.centre.code}/ticket/"
    if place is None or not place.startswith(begin):
        return None
    try:
        found = queries.ticket_by_code(session, place.removeprefix(begin).split("?")[0])
    except NotFound:
        return None
    return found if found.state in states.IN_CENTRE and found.expires_at > step.ctx.now else None
