"""People to be called back: by the hotline; about a secret case by its centre and the office."""

from collections.abc import Sequence

from sqlalchemy import select

from reception import access
from reception.hotline import service
from reception.hotline.models import CallBack, HotlineCall
from reception.petitions.models import Petition
from reception.visitors import service as visitors
from reception.visitors.models import Visitor
from web.forms import Form
from web.http import Context


def waiting(ctx: Context) -> list[tuple[CallBack, Visitor, str]]:
    """Whom this person is to call, and the number of the case, where it is about one."""
    tasks = service.waiting(ctx.session, ctx.staff)
    people = [visitors.get(ctx.session, task.visitor_id) for task in tasks]
    return list(zip(tasks, people, numbers(ctx, tasks), strict=True))


def numbers(ctx: Context, tasks: Sequence[CallBack | HotlineCall]) -> list[str]:
    """The case number of each, empty where there is none or this person may not see the case (any more)."""
    ids = {task.petition_id for task in tasks if task.petition_id}
    wanted = access.visible(select(Petition.id, Petition.case_number).where(Petition.id.in_(ids)), ctx.staff)
    seen: dict[str, str] = {row[0]: row[1] for row in ctx.session.execute(wanted)}
    return [seen.get(task.petition_id or "", "") for task in tasks]


def called(ctx: Context, form: Form, task: CallBack) -> bool:
    """Write down what came of the call; False where the form wants something."""
    reached = ctx.form.get("reached") == "yes"
    outcome = form.text("outcome", required=reached, max=2000, lines=True)
    if form.errors:
        return False
    service.called_back(ctx.session, task.id, reached=reached, outcome=outcome, staff_id=ctx.staff.id, now=ctx.now)
    ctx.flash(ctx._("Done.") if reached else ctx._("Not reached: it comes back in two hours."))
    return True


def given_up(ctx: Context, form: Form, task: CallBack) -> bool:
    """Not to be called any more, and why; False where the form wants something."""
    outcome = form.text("outcome", max=2000, lines=True)
    if form.errors:
        return False
    service.drop(ctx.session, task.id, outcome=outcome, staff_id=ctx.staff.id, now=ctx.now)
    ctx.flash(ctx._("The call-back was given up."))
    return True
