"""Making the slots of a recurring session what its rule says, with everybody who is booked in those that go."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from core.calendar import day_bounds, local_day
from core.errors import Refused
from core.language import N_
from core.workdays import service as workdays
from queueing.appointments import calendar, rearranging, resources
from queueing.appointments import rules as slot_rules
from queueing.appointments import service as appointments
from queueing.appointments.fitting import Place
from queueing.appointments.models import Appointment, Slot
from queueing.appointments.rearranging import SESSION, Plan
from queueing.appointments.series import rules
from queueing.appointments.series.models import Series, SeriesException
from queueing.appointments.series.rules import Pattern, Times, Wanted
from queueing.appointments.states import AWAITED, CLOSED, HELD, OPEN, SLOT

_BOOKED = N_("Visitors are booked at times that would go. Look at whom it hits, and move them with it.")
_NO_PLACE = N_("Not everybody finds another time. Nothing was changed. Move or cancel those who are named first.")


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a change would do: slots that go, slots that come, and where those booked would be moved."""

    keep: tuple[Slot, ...]
    drop: tuple[Slot, ...]
    add: tuple[Wanted, ...]
    plan: Plan

    @property
    def hit(self) -> list[Appointment]:
        return [*(move.appointment for move in self.plan.moves), *self.plan.unplaced]


def exceptions_of(session: Session, series_id: str, *, since: date | None = None) -> list[SeriesException]:
    query = select(SeriesException).where(SeriesException.series_id == series_id).order_by(SeriesException.day)
    query = query if since is None else query.where(SeriesException.day >= since)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def pattern_of(series: Series) -> Pattern:
    ramadan = None
    if series.ramadan_start is not None and series.ramadan_end is not None:
        ramadan = (series.ramadan_start, series.ramadan_end)
    return Pattern(
        weekdays=frozenset(map(int, series.weekdays)),
        every_weeks=series.every_weeks,
        times=(series.start, series.end),
        ramadan=ramadan,
        minutes=series.minutes,
        pause=series.pause,
        capacity=series.capacity,
        reserved_urgent=series.reserved_urgent,
        first_day=series.first_day,
        last_day=series.last_day,
        zone=series.zone,
        own_hours=series.own_hours,
    )


def by_the_hours(session: Session, series: Series, pattern: Pattern) -> Pattern:
    """The pattern as it was typed, and whether it was meant to lie outside the working hours."""
    work = workdays.calendar_for(session, zone=pattern.zone, centre_id=series.centre_id)
    return replace(pattern, own_hours=rules.has_own_hours(pattern, work))


def extend(session: Session, series: Series, *, now: datetime) -> int:
    """Offer what has come within sight; how many slots. Times that are offered already are left as they are."""
    pattern = pattern_of(series)
    until = rules.horizon(pattern, now=now)
    first = series.made_until + timedelta(days=1)
    days = [first + timedelta(days=n) for n in range((until - first).days + 1)]
    if not days:
        return 0
    hold_days(session, max(first, local_day(now, series.zone)), until)
    made = offer(session, series, days, now=now)
    series.made_until = until
    session.flush()
    return made


def hold_days(session: Session, first: date, last: date, *more: date) -> None:
    """Lock all of these days, those without a session too: what will be made of a rule, and of the hours, stands then.

    Whoever changes either holds the days it is about, so that what is read from here on is as they have left it.
    """
    resources.lock(session, [*slot_rules.days_between(first, last), *more])
    workdays.forget(session)


def offer(session: Session, series: Series, days: Sequence[date], *, now: datetime) -> int:
    """Slots of these days as the rule has them, where none stand; how many were made. The caller holds the days."""
    work = workdays.calendar_for(session, zone=series.zone, centre_id=series.centre_id)
    exceptions = exceptions_by_day(session, series.id)
    ought = rules.wanted(pattern_of(series), days, exceptions, work, now=now)
    free = _not_offered(session, series, ought, but_of=None)
    return len(_make(session, series, free, now=now)) if free else 0


def _not_offered(session: Session, series: Series, ought: Sequence[Wanted], *, but_of: str | None) -> list[Wanted]:
    """Those which meet no slot of the same official, kind and place; with `but_of`, none that is made otherwise."""
    if not ought:
        return []
    spans = calendar.offered(
        session,
        min(one.starts_at for one in ought),
        max(one.ends_at for one in ought),
        official_id=series.official_id,
        kind=series.kind,
        centre_id=series.centre_id,
        but_of=but_of,
    )
    return [one for one in ought if not any(a < one.ends_at and one.starts_at < b for a, b in spans)]


def _make(session: Session, series: Series, ought: Sequence[Wanted], *, now: datetime) -> list[Slot]:
    return calendar.offer(
        session,
        [(one.starts_at, one.ends_at, one.reserved_urgent) for one in ought],
        official_id=series.official_id,
        kind=series.kind,
        centre_id=series.centre_id,
        place_ar=series.place_ar,
        place_en=series.place_en,
        zone=series.zone,
        capacity=series.capacity,
        series_id=series.id,
        now=now,
    )


def proposal_for(
    session: Session, series: Series, pattern: Pattern, exceptions: Mapping[date, Times | None], *, now: datetime
) -> Proposal:
    """The slots of the days made so far as they stand, and as they ought to."""
    keep, drop, add = _compared(session, series, pattern, exceptions, now=now)
    live = select(Appointment).where(Appointment.state.in_(AWAITED)).order_by(Appointment.created_at, Appointment.id)
    hit: list[Appointment] = []
    for slot in (one for one in drop if one.taken):
        hit += session.scalars(live.where(Appointment.slot_id == slot.id))
    for slot in keep:
        if slot.taken > pattern.capacity:
            hit += list(session.scalars(live.where(Appointment.slot_id == slot.id)))[pattern.capacity :]
    places = [
        Place(
            id=f"new:{one.starts_at.isoformat()}",
            starts_at=one.starts_at,
            ends_at=one.ends_at,
            official_id=series.official_id,
            kind=series.kind,
            centre_id=series.centre_id,
            room=pattern.capacity,
            reserved_urgent=one.reserved_urgent,
        )
        for one in add
    ]
    plan = rearranging.plan(
        session,
        hit,
        now=now,
        extra=places,
        without={slot.id for slot in drop},
        rooms={slot.id: pattern.capacity - slot.taken for slot in keep},
        same_day=True,
    )
    return Proposal(tuple(keep), tuple(drop), tuple(add), plan)


def _compared(
    session: Session, series: Series, pattern: Pattern, exceptions: Mapping[date, Times | None], *, now: datetime
) -> tuple[list[Slot], list[Slot], list[Wanted]]:
    """Of the days made so far: what stays, what goes, and what comes."""
    today = local_day(now, series.zone)
    days = [today + timedelta(days=n) for n in range((series.made_until - today).days + 1)]
    work = workdays.calendar_for(session, zone=series.zone, centre_id=series.centre_id)
    ought = {(one.starts_at, one.ends_at): one for one in rules.wanted(pattern, days, exceptions, work, now=now)}
    standing = slots(session, series, today, series.made_until, now=now) if days else []
    keep = [slot for slot in standing if (slot.starts_at, slot.ends_at) in ought]
    drop = [slot for slot in standing if (slot.starts_at, slot.ends_at) not in ought]
    have = {(slot.starts_at, slot.ends_at) for slot in keep}
    new = [one for span, one in ought.items() if span not in have]
    return keep, drop, _not_offered(session, series, new, but_of=series.id)


def settle(
    session: Session,
    series: Series,
    pattern: Pattern,
    exceptions: Mapping[date, Times | None],
    *,
    mark: str,
    reason: str,
    by: str,
    now: datetime,
) -> None:
    """Make the days to come what they ought to be. The series is locked; the days are from here on."""
    session.flush()
    first = proposal_for(session, series, pattern, exceptions, now=now)
    today, last = local_day(now, series.zone), max(series.made_until, rules.horizon(pattern, now=now))
    beside = rearranging.days(first.plan)
    hold_days(session, today, last, *beside)
    _let_go(session, series, pattern, exceptions, now=now)
    proposal = proposal_for(session, series, pattern, exceptions, now=now)
    if proposal.hit:
        if not mark:
            raise Refused(_BOOKED)
        held = beside | set(slot_rules.days_between(today, last))
        if proposal.plan.mark != mark or not rearranging.days(proposal.plan) <= held:
            raise Refused(rearranging.CHANGED)
        if proposal.plan.unplaced:
            raise Refused(_NO_PLACE)
    write(series, pattern)
    for slot in proposal.drop:
        slot.closed_for = series.id
        if slot.state == OPEN:
            slot.state = SLOT.next(slot.state, "close")
    for slot in proposal.keep:
        slot.capacity = max(slot.capacity, pattern.capacity)
    session.flush()
    made = _make(session, series, proposal.add, now=now) if proposal.add else []
    rearranging.move(
        session,
        proposal.plan,
        by=by,
        reason=reason,
        moved_for=SESSION,
        now=now,
        made={f"new:{slot.starts_at.isoformat()}": slot.id for slot in made},
    )
    ought = rules.wanted(
        pattern,
        sorted({local_day(slot.starts_at, series.zone) for slot in proposal.keep}),
        exceptions,
        workdays.calendar_for(session, zone=series.zone, centre_id=series.centre_id),
        now=now,
    )
    reserved = {one.starts_at: one.reserved_urgent for one in ought}
    for slot in proposal.keep:
        slot.capacity = max(pattern.capacity, slot.taken)  # who was met before the time keeps the place
        slot.reserved_urgent = reserved[slot.starts_at]
        slot.place_ar, slot.place_en = series.place_ar, series.place_en
    session.flush()
    _forget(session, [slot.id for slot in proposal.drop])
    extend(session, series, now=now)


def _let_go(
    session: Session, series: Series, pattern: Pattern, exceptions: Mapping[date, Times | None], *, now: datetime
) -> None:
    """Holds on times that go, and where fewer places are left the youngest. Those who are booked are asked about."""
    keep, drop, _ = _compared(session, series, pattern, exceptions, now=now)
    gone = {slot.id for slot in drop}
    held = select(Appointment).where(
        Appointment.state == HELD, Appointment.slot_id.in_([slot.id for slot in (*keep, *drop)])
    )
    held = held.order_by(Appointment.created_at.desc(), Appointment.id).execution_options(populate_existing=True)
    for row in session.scalars(held).all():
        if row.slot_id in gone or row.slot.taken > pattern.capacity:
            appointments.let_go(session, row.id, now=now)


def _forget(session: Session, slot_ids: Sequence[str]) -> None:
    """Slots that nobody ever had need not be kept."""
    unused = ~exists().where(Appointment.slot_id == Slot.id)
    for slot in session.scalars(select(Slot).where(Slot.id.in_(slot_ids), Slot.state == CLOSED, unused)).all():
        session.delete(slot)
    session.flush()


def restored(session: Session, closed: Sequence[Slot], *, now: datetime) -> list[Slot]:
    """Those of these times, which a holiday or the hours had closed, that their sessions still have, as they have them.

    What a session has changed or ended meanwhile names no more is given up. The caller holds the days.
    """
    ids = {slot.series_id for slot in closed if slot.series_id is not None}
    kept, given_up = [slot for slot in closed if slot.series_id is None], []
    query = select(Series).where(Series.id.in_(ids)).execution_options(populate_existing=True)
    for series in session.scalars(query).all() if ids else ():
        own = [slot for slot in closed if slot.series_id == series.id]
        days = sorted({local_day(slot.starts_at, series.zone) for slot in own})
        work = workdays.calendar_for(session, zone=series.zone, centre_id=series.centre_id)
        exceptions = exceptions_by_day(session, series.id)
        open_days = replace(work, closed={})  # whether another holiday lies on them is asked elsewhere
        ought = rules.wanted(pattern_of(series), days, exceptions, open_days, now=now)
        reserved = {(one.starts_at, one.ends_at): one.reserved_urgent for one in ought}
        for slot in own:
            if (slot.starts_at, slot.ends_at) not in reserved:
                slot.closed_for = series.id
                given_up.append(slot.id)
                continue
            slot.capacity = max(series.capacity, slot.taken)
            slot.reserved_urgent = reserved[slot.starts_at, slot.ends_at]
            slot.place_ar, slot.place_en = series.place_ar, series.place_en
            kept.append(slot)
    session.flush()
    _forget(session, given_up)
    return kept


def slots(session: Session, series: Series, first: date, last: date, *, now: datetime) -> list[Slot]:
    """Its slots on these days, but those given up and those closed by a holiday or the hours, which name whom they hit.

    What the office has closed by hand is among them, and stays closed.
    """
    start, end = day_bounds(first, series.zone)[0], day_bounds(last, series.zone)[1]
    query = select(Slot).where(Slot.series_id == series.id, Slot.starts_at >= start, Slot.starts_at < end)
    query = query.where(Slot.closed_for.is_(None), Slot.starts_at > now)
    return list(session.scalars(query.order_by(Slot.starts_at, Slot.id).execution_options(populate_existing=True)))


def exceptions_by_day(session: Session, series_id: str) -> dict[date, Times | None]:
    return {
        row.day: (row.start, row.end) if row.start is not None and row.end is not None else None
        for row in exceptions_of(session, series_id)
    }


def write(series: Series, pattern: Pattern) -> None:
    series.weekdays = [str(day) for day in sorted(pattern.weekdays)]
    series.every_weeks = pattern.every_weeks
    series.start, series.end = pattern.times
    series.ramadan_start, series.ramadan_end = pattern.ramadan or (None, None)
    series.minutes, series.pause = pattern.minutes, pattern.pause
    series.capacity, series.reserved_urgent = pattern.capacity, pattern.reserved_urgent
    series.first_day, series.last_day, series.zone = pattern.first_day, pattern.last_day, pattern.zone
    series.own_hours = pattern.own_hours
