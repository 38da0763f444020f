"""What people write to us: the texts as they came, what became of each, and both sides of an exchange."""

from urllib.parse import quote

from sqlalchemy import select
from starlette.responses import Response

from core import audit
from core.errors import Mistake, NotFound
from core.language import N_
from core.staff.models import Staff
from messaging.inbound import service
from messaging.inbound.models import InboundAnswer
from messaging.models import InboundText, Message
from messaging.numbers import service as numbers
from messaging.rules import can_be_written_to
from reception.hotline import service as hotline
from reception.visitors.models import Visitor
from web.http import Context, Pages
from web.messages.common import answerers, heard, page_number, tabs, within
from web.messages.outbox import shown
from web.messages.titles import COMMAND_TITLES, NOTHING_DONE, OUTCOME_TITLES

pages = Pages()
SIZE = 30
CALL_REASON = N_("Wrote to us and waits for an answer. What was written stands under Messages.")


@pages.get("/messages/inbox", audience=answerers)
def inbox(ctx: Context) -> Response:
    every, search, page = "all" in ctx.query, ctx.query.get("q", "")[:80], page_number(ctx)
    rows, total = service.texts(
        ctx.session,
        open_only=not every and not search,
        search=search,
        within=heard(ctx),
        limit=SIZE,
        offset=(page - 1) * SIZE,
    )
    audit.note(ctx.session, "list", "inbound text", "inbox", now=ctx.now, detail={"q": search, "page": page})
    kept = ("all=1&" if every else "") + (f"q={quote(search)}&" if search else "")
    waiting = service.waiting(ctx.session)
    return ctx.render(
        "messages/inbox.html",
        tab_items=tabs(ctx, "/messages/inbox"),
        shelf_items=[
            {
                "href": "/messages/inbox",
                "label": ctx._("Waits for a person"),
                "current": not every and not search,
                "count": waiting,
            },
            {"href": "/messages/inbox?all=1", "label": ctx._("Everything received"), "current": every or bool(search)},
        ],
        rows=[_row(ctx, text, answer) for text, answer in rows],
        every=every,
        q=search,
        page=page,
        pages=max(1, -(-total // SIZE)),
        page_url=f"/messages/inbox?{kept}page={{page}}",
    )


@pages.get("/messages/numbers/{number}", audience=answerers)
def conversation(ctx: Context) -> Response:
    """Both sides of what was written with one number, as on a phone."""
    number = ctx.path("number")
    people = _people(ctx, number)
    lines = service.conversation(ctx.session, number, came_within=heard(ctx), went_within=within(ctx))
    if not lines and not people:
        raise NotFound
    audit.note(ctx.session, "read", "number", number, now=ctx.now)
    owners = set(numbers.owners(ctx.session, number))
    return ctx.render(
        "messages/conversation.html",
        number=number,
        lines=[_line(ctx, *line) for line in lines],
        people=[(person, person.id in owners) for person in people],
        wishes=numbers.known(ctx.session, number),
        open_texts=[
            _row(ctx, text, answer)
            for _at, text, answer in lines
            if isinstance(text, InboundText) and answer and answer.needs_person and answer.done_at is None
        ],
        here=f"/messages/numbers/{quote(number)}",
        writable=can_be_written_to(number),
    )


@pages.post("/messages/inbox/{inbound_id}/done", audience=answerers)
def done(ctx: Context) -> Response:
    """A person has read it and did what was to be done; with `call`, the hotline is asked to call."""
    inbound_id = ctx.path("inbound_id")
    text = ctx.session.get(InboundText, inbound_id)
    if text is None:
        raise NotFound("There is no such message.")
    if ctx.form.get("call"):
        people = _people(ctx, text.from_number)
        if not people:
            raise Mistake("Nobody with this number is on file, so there is nobody to call.")
        hotline.call_back(
            ctx.session,
            visitor_id=people[0].id,
            reason=CALL_REASON,
            staff_id=ctx.staff.id,
            unique_key=f"inbound:{inbound_id}",
            now=ctx.now,
        )
        note = ctx._("The hotline calls.")
    else:
        note = str(ctx.form.get("note") or "")
    service.done(ctx.session, inbound_id, by=ctx.staff.id, note=note, now=ctx.now)
    ctx.flash(ctx._("The hotline will call.") if ctx.form.get("call") else ctx._("Done."))
    return ctx.redirect(f"/messages/numbers/{quote(text.from_number)}" if ctx.form.get("here") else "/messages/inbox")


@pages.post("/messages/numbers/{number}/unverify", audience=answerers)
def unverify(ctx: Context) -> Response:
    """The number has a new owner: it opens nothing until it is shown anew."""
    number = ctx.path("number")
    numbers.unverify(ctx.session, number, now=ctx.now)
    ctx.flash(ctx._("This number opens nothing any more until it is verified anew."))
    return ctx.redirect(f"/messages/numbers/{quote(number)}")


def _people(ctx: Context, number: str) -> list[Visitor]:
    return list(
        ctx.session.scalars(select(Visitor).where(Visitor.phone == number).order_by(Visitor.id.desc()).limit(5))
    )


def _row(ctx: Context, text: InboundText, answer: InboundAnswer | None) -> dict[str, object]:
    by = ctx.session.get(Staff, answer.done_by) if answer and answer.done_by else None
    command = ctx._(COMMAND_TITLES.get(answer.command, answer.command)) if answer else ""
    outcome = ctx._(OUTCOME_TITLES.get(answer.outcome, answer.outcome)) if answer else ctx._("Not looked at yet")
    return {
        "id": text.id,
        "number": text.from_number,
        "thread": f"/messages/numbers/{quote(text.from_number)}",
        "body": text.body,
        "at": text.received_at,
        "complete": text.complete,
        "command": command if command != outcome else "",
        "outcome": outcome,
        "helped": bool(answer and answer.outcome not in NOTHING_DONE),
        "open": bool(answer and answer.needs_person and answer.done_at is None),
        "done_by": by.name(ctx.lang) if by else "",
        "done_at": answer.done_at if answer else None,
        "note": answer.note if answer else "",
    }


def _line(ctx: Context, at: object, text: InboundText | Message, answer: InboundAnswer | None) -> dict[str, object]:
    if isinstance(text, InboundText):
        return {"ours": False, "at": at, "key": text.id, **_row(ctx, text, answer)}
    return {"ours": True, "at": at, "key": text.id, **shown(ctx, text)}
