"""Refusals on a device: a plain page of the device's own, with ways on, instead of an error page that leads nowhere."""

import functools

from starlette.responses import Response

from core.errors import MajlisError, Mistake, NotFound, Refused
from web.http import Context, Handler
from web.kiosk.steps import step_of

STATUS = {Mistake: 422, Refused: 409, NotFound: 404}


def plainly(handler: Handler) -> Handler:
    """A Mistake, a Refused or a NotFound of `handler` becomes the kiosk's own page; a fault stays one."""

    @functools.wraps(handler)
    def wrapped(ctx: Context) -> Response:
        try:
            return handler(ctx)
        except (Mistake, Refused, NotFound) as problem:
            return refused(ctx, problem)

    return wrapped


def refused(ctx: Context, problem: MajlisError) -> Response:
    text = ctx._("There is no such ticket.") if isinstance(problem, NotFound) else ctx.say(problem)
    return step_of(ctx).show("refused", status=STATUS[type(problem)], text=text, current=0)
