"""Open petitions that the one in the form may repeat: what of them is shown to this clerk, and written down as read."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from core import audit
from core.audit import AuditEntry
from reception.duplicates import service as duplicates
from reception.duplicates.service import Elsewhere, Likely
from web.http import Context
from web.intake import people

ONE_LOOK = timedelta(minutes=10)  # the page asks with every pause in writing: that is one look, not thirty


@dataclass(frozen=True, slots=True)
class Alike:
    """`likely` are shown whole. Of `elsewhere` is told that there is one, not which, of what type or where."""

    likely: tuple[Likely, ...] = ()
    elsewhere: tuple[Elsewhere, ...] = ()
    known: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.likely or self.elsewhere)

    @property
    def keys(self) -> list[str]:
        """What the clerk's tick stands for: these petitions, and for one that isn't shown the person who has it."""
        return [*(one.petition.id for one in self.likely), *sorted({one.person_id for one in self.elsewhere})]

    @property
    def asked(self) -> bool:
        """The clerk has looked at each of them and called it another matter."""
        return self.known.issuperset(self.keys)


def find(ctx: Context, values: dict[str, str]) -> Alike:
    beside = people.ids_of(ctx, values)
    likely = duplicates.likely(
        ctx.session,
        ctx.staff,
        people=beside,
        type_id=values.get("type", ""),
        subject=values.get("subject", ""),
        body=values.get("body", ""),
        now=ctx.now,
    )
    elsewhere = duplicates.elsewhere(ctx.session, ctx.staff, people=people.ids_of(ctx, values, agent=False))
    return Alike(tuple(likely), tuple(elsewhere), frozenset(values.get("another", "").split(",")))


def write_down(ctx: Context, alike: Alike) -> None:
    """What is shown was read; of what is only said to be there, that it was found."""
    for one in alike.likely:
        _note(ctx, "read", one.petition.id)
    for other in alike.elsewhere:
        _note(ctx, "find", other.petition_id)


def _note(ctx: Context, action: str, petition_id: str) -> None:
    lately = select(AuditEntry.id).where(
        AuditEntry.subject_id == petition_id,
        AuditEntry.actor_id == ctx.staff.id,
        AuditEntry.action == action,
        AuditEntry.at > ctx.now - ONE_LOOK,
    )
    if ctx.session.scalar(lately.limit(1)) is None:
        audit.note(ctx.session, action, "petition", petition_id, now=ctx.now, detail={"at": "intake"})
