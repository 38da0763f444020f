"""Counting. The database groups; what comes back is as large as the ministry's types, centres and departments."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Float, Integer, case, cast, func, literal_column, select
from sqlalchemy.orm import Session, selectinload

from core.calendar import day_bounds, local_day
from core.staff.models import Staff
from reception import access
from reception.follow.models import Satisfaction
from reception.numbers import rules
from reception.numbers.rules import Cell, Tally
from reception.petitions.models import Petition

QUARTER_S = 900  # every zone's midnight falls on a quarter of an hour
DAY_S = 86400


@dataclass(frozen=True, slots=True)
class Asked:
    """Which petitions: the days counted back from today, and any of the three sides."""

    days: int
    type_ids: tuple[str, ...] = ()
    centre_id: str | None = None
    department_id: str | None = None


@dataclass(frozen=True, slots=True)
class Numbers:
    """`cells` for tables, `open_days` how many have been open for so many days, `course` (day, received, settled)."""

    first: date
    last: date
    cells: dict[Cell, Tally]
    open_days: dict[int, int]
    course: list[tuple[date, int, int]]


def count(session: Session, asked: Asked, *, zone: str, now: datetime) -> Numbers:
    """Received, settled and answered within the days asked for; open and overdue as of now."""
    last = local_day(now, zone)
    first = last - timedelta(days=asked.days - 1)
    since = day_bounds(first, zone)[0]
    sqlite = session.get_bind().dialect.name == "sqlite"
    cells: dict[Cell, Tally] = {}
    sides = (Petition.type_id, Petition.centre_id, Petition.department_id)
    within = _within(asked)

    def tally(cell: Cell) -> Tally:
        return cells.setdefault(cell, Tally())

    received = Petition.received_at >= since
    for *cell, n in session.execute(select(*sides, func.count()).where(received, *within).group_by(*sides)):
        tally((cell[0], cell[1], cell[2])).received = n

    late = func.sum(case((_is_late(now), 1), else_=0))
    opened = Petition.settled_at.is_(None)
    for *cell, n, over in session.execute(select(*sides, func.count(), late).where(opened, *within).group_by(*sides)):
        one = tally((cell[0], cell[1], cell[2]))
        one.open, one.overdue = n, over

    took = _epoch(Petition.settled_at, sqlite) - _epoch(Petition.received_at, sqlite)
    whole = _whole(took / DAY_S, sqlite).label("days")
    in_time = func.sum(case((Petition.settled_at <= Petition.due_at, 1), else_=0))
    settled = select(*sides, whole, func.count(), in_time, func.count(Petition.due_at))
    for *cell, days, n, kept, promised in session.execute(
        settled.where(Petition.settled_at >= since, *within).group_by(*sides, whole)
    ):
        one = tally((cell[0], cell[1], cell[2]))
        one.days[int(days)] = n
        one.settled, one.kept, one.promised = one.settled + n, one.kept + kept, one.promised + promised

    told = (Satisfaction.type_id, Satisfaction.centre_id, Satisfaction.department_id)
    answers = select(*told, func.count(), func.sum(Satisfaction.score)).where(Satisfaction.at >= since)
    for *cell, n, score in session.execute(answers.where(*_within(asked, Satisfaction)).group_by(*told)):
        one = tally((cell[0], cell[1], cell[2]))
        one.answers, one.score = n, score

    old = _whole((now.timestamp() - _epoch(Petition.received_at, sqlite)) / DAY_S, sqlite).label("days")
    open_days = {
        max(0, int(days)): n
        for days, n in session.execute(select(old, func.count()).where(opened, *within).group_by(old))
    }

    by_day: dict[date, tuple[int, int]] = {}
    for place, column in enumerate((Petition.received_at, Petition.settled_at)):
        quarter = _whole(_epoch(column, sqlite) / QUARTER_S, sqlite).label("quarter")
        rows = session.execute(select(quarter, func.count()).where(column >= since, *within).group_by(quarter))
        for at, n in rows:
            day = datetime.fromtimestamp(int(at) * QUARTER_S, ZoneInfo(zone)).date()
            pair = by_day.get(day, (0, 0))
            by_day[day] = (pair[0] + n, pair[1]) if place == 0 else (pair[0], pair[1] + n)
    return Numbers(first, last, cells, open_days, rules.course(first, last, by_day))


def longest_late(session: Session, staff: Staff, asked: Asked, *, now: datetime, limit: int = 8) -> list[Petition]:
    """Which ones they are, as far as this person may see them; whose deadline passed longest ago comes first."""
    wanted = select(Petition).where(Petition.settled_at.is_(None), _is_late(now), *_within(asked))
    wanted = access.visible(wanted, staff).options(selectinload(Petition.department), selectinload(Petition.centre))
    return list(session.scalars(wanted.order_by(Petition.due_at, Petition.id).limit(limit)))


def _is_late(now: datetime) -> ColumnElement[bool]:
    """While the visitor is asked the deadline stands still; what was late before stays late."""
    return Petition.due_at < func.coalesce(Petition.asked_at, now)


def _within(asked: Asked, table: type[Petition] | type[Satisfaction] = Petition) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if asked.type_ids:
        wanted.append(table.type_id.in_(asked.type_ids))
    if asked.centre_id is not None:
        wanted.append(table.centre_id == asked.centre_id)
    if asked.department_id is not None:
        wanted.append(table.department_id == asked.department_id)
    return wanted


def _epoch(column: Any, sqlite: bool) -> Any:
    """Seconds since 1970, with their fraction."""
    if sqlite:  # kept as text in UTC
        return (func.julianday(column) - literal_column("2440587.5")) * literal_column("86400.0")
    return cast(func.extract("epoch", column), Float)


def _whole(number: Any, sqlite: bool) -> Any:
    """Rounded down; SQLite's `floor` is not in every build, and its cast cuts off."""
    return cast(number, Integer) if sqlite else func.floor(number)
