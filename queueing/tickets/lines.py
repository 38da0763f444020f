"""The line and the counters as they stand: what every verb and every screen of the queue looks at."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, literal_column, select
from sqlalchemy.orm import Session

from queueing.tickets import rules, standing, states
from queueing.tickets.discipline import Discipline
from queueing.tickets.models import Counter, ServicePoint, Ticket, TicketPeriod
from queueing.tickets.rules import Candidate, Desk


def at_counter() -> ColumnElement[bool]:
    """The condition of `ix_ticket_one_at_a_counter` word for word, so that the database may use that index."""
    return Ticket.state.in_([literal_column(f"'{state}'") for state in states.AT_COUNTER])


def service_points(
    session: Session, centre_id: str, *, section: str | None = None, kiosk: bool = False
) -> list[ServicePoint]:
    """The centre's services; with `kiosk` those that one begins a visit with."""
    points = session.scalars(
        select(ServicePoint)
        .where(ServicePoint.centre_id == centre_id, ServicePoint.active)
        .order_by(ServicePoint.order, ServicePoint.letter)
    )
    return [point for point in points if (section is None or section in point.sections) and (point.kiosk or not kiosk)]


def counters(session: Session, centre_id: str) -> list[Counter]:
    return list(session.scalars(select(Counter).where(Counter.centre_id == centre_id).order_by(Counter.number)))


def open_counters(session: Session, centre_id: str) -> list[Counter]:
    """Those that take visitors at this moment."""
    return [counter for counter in counters(session, centre_id) if counter.open and counter.back_at is None]


def paused_counters(session: Session, centre_id: str) -> list[Counter]:
    """Those whose clerk is away and has said until when (`back_at`)."""
    return [counter for counter in counters(session, centre_id) if counter.open and counter.back_at is not None]


def counter_of_staff(session: Session, staff_id: str) -> Counter | None:
    """Where the clerk sits now."""
    return session.scalar(select(Counter).where(Counter.staff_id == staff_id, Counter.open))


def current(session: Session, counter_id: str) -> Ticket | None:
    """The visitor at the counter, called or being served."""
    return session.scalar(select(Ticket).where(Ticket.counter_id == counter_id, at_counter()))


def since(session: Session, ticket: Ticket) -> datetime:
    """When the ticket came into its present state."""
    return session.scalars(
        select(TicketPeriod.from_at).where(TicketPeriod.ticket_id == ticket.id, TicketPeriod.to_at.is_(None))
    ).one()


def waiting(
    session: Session,
    centre_id: str,
    *,
    now: datetime,
    upcoming: bool = False,
    discipline: Discipline | None = None,
) -> list[Ticket]:
    """Today's line in its order of turn; `upcoming` adds checked-in appointments whose time hasn't come, at the end."""
    discipline = discipline or standing.discipline_at(session, centre_id, now=now)
    tickets = session.scalars(
        select(Ticket).where(Ticket.centre_id == centre_id, Ticket.state == states.WAITING, Ticket.expires_at > now)
    ).all()
    line = sorted(
        tickets, key=lambda t: (t.eligible_at > now, rules.rank(t.candidate(), now=now, discipline=discipline))
    )
    return [t for t in line if upcoming or t.eligible_at <= now]


_KNOWN = (
    Ticket.id,
    Ticket.label,
    Ticket.service_point_id,
    Ticket.section,
    Ticket.language,
    Ticket.sign_language,
    Ticket.visitor_class,
    Ticket.urgent,
    Ticket.ranked_from,
    Ticket.eligible_at,
    Ticket.also,
)


def candidates(session: Session, centre_id: str, *, now: datetime) -> list[Candidate]:
    """All of today's line, due or not, in no order, as the choice may know them: for whoever needs no rows.

    Read column by column: a call weighs the whole line while everybody else waits for its end.
    """
    rows = session.execute(
        select(*_KNOWN).where(Ticket.centre_id == centre_id, Ticket.state == states.WAITING, Ticket.expires_at > now)
    )
    return [Candidate(*known, also=tuple(also)) for *known, also in rows]


@dataclass(frozen=True, slots=True)
class Line:
    """Who waits, in order of turn, and the counters that are open: places are counted in it without the database."""

    candidates: tuple[Candidate, ...]
    desks: dict[str, Desk]
    discipline: Discipline

    @classmethod
    def of(cls, candidates: Iterable[Candidate], open_now: Iterable[Counter], discipline: Discipline) -> "Line":
        return cls(tuple(candidates), {counter.id: counter.desk() for counter in open_now}, discipline)

    @property
    def others(self) -> Sequence[Desk]:
        return list(self.desks.values())

    def able(self, me: Candidate, *, now: datetime) -> set[str]:
        """The open counters that would take me."""
        others = self.others
        return {key for key, desk in self.desks.items() if not rules.why_not(me, desk, now=now, others=others)}

    def ahead_of(self, me: Candidate, *, now: datetime) -> int:
        """How many stand before me: whom some counter of mine would take first."""
        mine, able, others = rules.rank(me, now=now, discipline=self.discipline), self.able(me, now=now), self.others
        ahead = 0
        for theirs in self.candidates:
            if theirs.id == me.id or rules.rank(theirs, now=now, discipline=self.discipline) > mine:
                continue
            if able:
                ahead += any(rules.why_not(theirs, self.desks[k], now=now, others=others) is None for k in able)
            else:
                ahead += theirs.service_point_id == me.service_point_id and theirs.section == me.section
        return ahead
