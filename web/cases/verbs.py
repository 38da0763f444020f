"""What can be done to a case from its page: one table from verb to service, with the words on its button."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from core.language import N_
from reception.petitions import entries, opinions, rules, service, urgency, verification
from reception.petitions.models import Petition
from web.forms import Form
from web.http import Context

Act = Callable[[Context, Petition, Form], Any]


@dataclass(frozen=True, slots=True)
class Verb:
    """`dialog` names the fields asked for before it is done; without one a press does it."""

    act: Act
    label: str
    icon: str
    done: str
    dialog: str = ""
    shortcut: str = ""
    primary: bool = False
    aside: bool = False  # drawn lighter: seldom needed, or final


def _by(ctx: Context) -> dict[str, Any]:
    return {"staff_id": ctx.staff.id, "now": ctx.now}


def _transfer(ctx: Context, petition: Petition, form: Form) -> None:
    department, reason = form.text("department"), form.text("reason", max=4000, lines=True)
    if not form.errors:
        service.transfer(ctx.session, petition.id, department_id=department, reason=reason, **_by(ctx))


def _ask(ctx: Context, petition: Petition, form: Form) -> None:
    if question := form.text("question", max=4000, lines=True):
        service.ask_visitor(ctx.session, petition.id, question=question, **_by(ctx))


def _reply(ctx: Context, petition: Petition, form: Form) -> None:
    if reply := form.text("reply", max=4000, lines=True):
        service.visitor_replied(ctx.session, petition.id, reply=reply, **_by(ctx))


def _answer(ctx: Context, petition: Petition, form: Form) -> None:
    if text := form.text("answer", max=4000, lines=True):
        service.answer(ctx.session, petition.id, text=text, **_by(ctx))


def _decide(ctx: Context, petition: Petition, form: Form) -> None:
    outcome = form.choice("outcome", rules.OUTCOMES)
    reason = form.text("reason", max=4000, lines=True)
    if not form.errors:
        service.decide(ctx.session, petition.id, outcome=outcome, reason=reason, **_by(ctx))


def _refuse(ctx: Context, petition: Petition, form: Form) -> None:
    if reason := form.text("reason", max=4000, lines=True):
        service.refuse(ctx.session, petition.id, reason=reason, **_by(ctx))


def _merge(ctx: Context, petition: Petition, form: Form) -> None:
    if into := form.text("into", max=40):
        service.merge(ctx.session, petition.id, into=into, **_by(ctx))


def _ask_opinion(ctx: Context, petition: Petition, form: Form) -> None:
    question = form.text("question", max=4000, lines=True)
    if not form.errors:
        opinions.ask(ctx.session, petition.id, department_ids=form.many("departments"), question=question, **_by(ctx))


def _give_opinion(ctx: Context, petition: Petition, form: Form) -> None:
    if text := form.text("text", max=4000, lines=True):
        opinions.give(ctx.session, petition.id, department_id=ctx.staff.department_id, text=text, **_by(ctx))


def _waive_opinion(ctx: Context, petition: Petition, form: Form) -> None:
    """One, or with `all` every one that is still awaited."""
    reason = form.text("reason", max=4000, lines=True)
    waiting = {row.id: row for row in opinions.awaited(ctx.session, petition.id)}
    chosen = [opinion_id for opinion_id in form.many("opinions") if opinion_id in waiting]
    if not chosen:
        form.add("opinions", ctx._("Choose whose opinion you do without."))
    if not form.errors:
        for opinion_id in chosen:
            opinions.waive(ctx.session, petition.id, opinion_id=opinion_id, reason=reason, **_by(ctx))


def _close(ctx: Context, petition: Petition, form: Form) -> None:
    reason = form.choice("close_reason", service.CLOSE_REASONS)
    note = form.text("note", required=False, max=4000, lines=True)
    if not form.errors:
        service.close(ctx.session, petition.id, reason=reason, note=note, **_by(ctx))


def _reopen(ctx: Context, petition: Petition, form: Form) -> None:
    if reason := form.text("reason", max=4000, lines=True):
        service.reopen(ctx.session, petition.id, reason=reason, **_by(ctx))


def _send_back(ctx: Context, petition: Petition, form: Form) -> None:
    if missing := form.text("missing", max=4000, lines=True):
        verification.send_back(ctx.session, petition.id, missing=missing, **_by(ctx))


def _complete(ctx: Context, petition: Petition, form: Form) -> None:
    if note := form.text("note", max=4000, lines=True):
        verification.complete(ctx.session, petition.id, note=note, **_by(ctx))


def _reclassify(ctx: Context, petition: Petition, form: Form) -> None:
    verification.reclassify(ctx.session, petition.id, type_id=form.text("type"), **_by(ctx))


def _return(ctx: Context, petition: Petition, form: Form) -> None:
    """Verification's: at least one of the two checks must have failed."""
    missing = form.text("missing", max=4000, lines=True)
    wrong = set(form.many("wrong"))
    if not wrong & {"identity", "papers"}:
        form.add("wrong", ctx._("Say what is wrong: identity or papers."))
    if not form.errors:
        verification.return_to_reception(
            ctx.session,
            petition.id,
            missing=missing,
            identity_ok="identity" not in wrong,
            complete_ok="papers" not in wrong,
            **_by(ctx),
        )


def _propose(ctx: Context, petition: Petition, form: Form) -> None:
    if reason := form.text("urgent_reason", max=4000, lines=True):
        urgency.propose(ctx.session, petition.id, reason=reason, **_by(ctx))


def _decline(ctx: Context, petition: Petition, form: Form) -> None:
    if reason := form.text("reason", max=4000, lines=True):
        urgency.decline(ctx.session, petition.id, reason=reason, **_by(ctx))


def _note(kind: str) -> Act:
    def write(ctx: Context, petition: Petition, form: Form) -> None:
        if text := form.text("text", max=4000, lines=True):
            entries.add_note(ctx.session, petition.id, text=text, kind=kind, **_by(ctx))

    return write


# In the order of the page. What stands first and is `primary` is the page's one main action.
VERBS: dict[str, Verb] = {
    "acknowledge": Verb(
        lambda ctx, p, _f: service.acknowledge(ctx.session, p.id, **_by(ctx)),
        N_("Confirm receipt"), "check", N_("Receipt confirmed. The sender and the visitor are told."),
        shortcut="c", primary=True,
    ),
    "refuse": Verb(
        _refuse, N_("Not ours: give it back"), "undo", N_("Given back. Whoever sent it sees why."), dialog="refuse"
    ),
    "give_opinion": Verb(
        _give_opinion, N_("Give our opinion"), "edit", N_("The opinion was given to the department that decides."),
        dialog="our_opinion", shortcut="o", primary=True,
    ),
    "begin": Verb(
        lambda ctx, p, _f: service.begin(ctx.session, p.id, **_by(ctx)),
        N_("Begin the work"), "edit", N_("The case is in your hands."), shortcut="b", primary=True,
    ),
    "agree_urgent": Verb(
        lambda ctx, p, _f: urgency.agree(ctx.session, p.id, **_by(ctx)),
        N_("Agree: urgent"), "bolt", N_("The case is urgent now and was sent up."), shortcut="g", primary=True,
    ),
    "decline_urgent": Verb(
        _decline, N_("Decline urgency"), "x", N_("Urgency was declined; the case goes on."), dialog="reason"
    ),
    "verify": Verb(
        lambda ctx, p, _f: verification.verify(ctx.session, p.id, **_by(ctx)),
        N_("All is right"), "check", N_("Verification passed."), shortcut="v", primary=True,
    ),
    "reply": Verb(
        _reply, N_("Write down the reply"), "message", N_("The reply was written down; the work goes on."),
        dialog="reply", shortcut="r", primary=True,
    ),
    "complete": Verb(
        _complete, N_("It is complete now"), "check", N_("Completed and sent on its way again."),
        dialog="complete", primary=True,
    ),
    "answer": Verb(
        _answer, N_("Answer"), "send", N_("The answer was given; the visitor is told."), dialog="answer",
        shortcut="a", primary=True,
    ),
    "decide": Verb(
        _decide, N_("Decide"), "gavel", N_("Decided. The visitor is told that the answer is being written."),
        dialog="decide", shortcut="d",
    ),
    "ask": Verb(
        _ask, N_("Ask the visitor"), "help", N_("The visitor is asked. The deadline stands still."),
        dialog="ask", shortcut="q",
    ),
    "ask_opinion": Verb(
        _ask_opinion, N_("Ask departments for their opinion"), "users", N_("Asked. The case stays with you."),
        dialog="ask_opinion", shortcut="j",
    ),
    "waive_opinion": Verb(
        _waive_opinion, N_("Do without an opinion"), "x", N_("The opinion was waived."), dialog="waive_opinion",
        aside=True,
    ),
    "transfer": Verb(
        _transfer, N_("Send on"), "arrow-end", N_("Sent on. The receiver must confirm it."), dialog="transfer",
        shortcut="t",
    ),
    "dispatch": Verb(
        _transfer, N_("Send to a department"), "send", N_("Sent on. The receiver must confirm it."),
        dialog="transfer", primary=True,
    ),
    "return": Verb(
        _return, N_("Return to reception"), "undo", N_("Returned. Reception sees what is missing."), dialog="return"
    ),
    "send_back": Verb(
        _send_back, N_("Return to the centre"), "undo", N_("Returned. Reception sees what is missing."),
        dialog="missing", aside=True,
    ),
    "reclassify": Verb(
        _reclassify, N_("Correct the type"), "edit", N_("The type was corrected."), dialog="type", aside=True
    ),
    "close": Verb(_close, N_("Close the case"), "lock", N_("The case is closed."), dialog="close", aside=True),
    "merge": Verb(
        _merge, N_("Join to another petition"), "folder", N_("Joined. The other petition goes on."), dialog="merge",
        aside=True,
    ),
    "reopen": Verb(_reopen, N_("Take up again"), "undo", N_("The case is open again."), dialog="reason", primary=True),
    "propose_urgent": Verb(
        _propose, N_("Propose urgency"), "bolt", N_("Proposed. A second person decides."), dialog="urgent", aside=True
    ),
    "opinion": Verb(
        _note("opinion"), N_("Write an opinion for the official"), "edit", N_("The opinion was kept."), dialog="text",
        aside=True,
    ),
    "note": Verb(
        _note("note"), N_("Write a note"), "edit", N_("The note was kept."), dialog="text", shortcut="n"
    ),
}  # fmt: skip


def offered(allowed: set[str]) -> list[tuple[str, Verb]]:
    """The verbs to show, in the table's order."""
    return [(name, verb) for name, verb in VERBS.items() if name in allowed]
