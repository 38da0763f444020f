"""Whoever has an appointment gives its code, typed or scanned, and gets a ticket for it.

A scanner types like a keyboard and sends whatever is on the paper: an appointment's code, or the address in the QR code
of a ticket from here. Each has a plain answer, also when it is old, of another centre, or used already.
"""

import re

from starlette.responses import Response

from core.errors import Mistake, NotFound, Refused
from core.text import latin_digits
from queueing.tickets import queries
from reception.visits import arrival as visits
from web.forms import Form
from web.http import Context, Pages, everyone
from web.kiosk.steps import Step, step_of
from web.kiosk.tickets import given

pages = Pages()
_OWN = re.compile(r"/t/([2-9a-z]{6,20})")
KEYS = ("23456789", "bcdfghjk", "mnpqrstv", "wxz")
"""The signs of a code (core.ids.new_code), as rows of keys."""


@pages.get("/kiosk/{centre}/appointment", audience=everyone)
def ask_code(ctx: Context) -> Response:
    return _show(step_of(ctx), Form(ctx, code=ctx.query.get("code", "")[:80]))


@pages.post("/kiosk/{centre}/appointment", audience=everyone)
def check_in(ctx: Context) -> Response:
    step, form = step_of(ctx), Form(ctx)
    typed = latin_digits(str(ctx.form.get("code") or "")).strip().lower()[:300]
    if own := _OWN.search(typed):
        return _own_ticket(step, own.group(1))
    form.values["code"] = typed[:40]
    try:
        arrived = visits.check_in(
            ctx.session,
            step.centre.id,
            re.sub(r"[^0-9a-z]", "", typed),
            section=step.answers.section,
            zone=ctx.settings.timezone,
            now=ctx.now,
        )
    except (Mistake, Refused, NotFound) as problem:
        form.add("code", ctx.say(problem))
        return _show(step, form, status=422)
    return given(step, arrived.ticket)


def _own_ticket(step: Step, code: str) -> Response:
    """The code on a ticket of ours: its page, whatever has become of it."""
    try:
        row = queries.ticket_by_code(step.ctx.session, code)
    except NotFound:
        form = Form(step.ctx)
        form.add("code", step.ctx._("This ticket is not known here. Please take a new one, or ask our staff."))
        return _show(step, form, status=422)
    return step.ctx.redirect(f"/kiosk/{step.centre.code}/ticket/{row.code}?lang={step.answers.lang}")


def _show(step: Step, form: Form, *, status: int = 200) -> Response:
    return step.show("appointment", status=status, form=form, keys=KEYS, current=0)
