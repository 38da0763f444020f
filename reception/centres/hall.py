"""Setting up what a centre offers: its services and its counters. What tickets point to is never deleted."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import audit
from core.db import new_id
from core.errors import Mistake, NotFound, Refused
from queueing.opening import rules as opening
from queueing.tickets import states
from queueing.tickets.models import CallLog, Counter, ServicePoint, Ticket, TicketPeriod
from queueing.tickets.service import close_counter
from queueing.tickets.steps import lock_counter
from reception.centres import rules, setup


def points(session: Session, centre_id: str) -> list[ServicePoint]:
    """All services, those at work first."""
    order = (ServicePoint.active.desc(), ServicePoint.order, ServicePoint.letter)
    return list(session.scalars(select(ServicePoint).where(ServicePoint.centre_id == centre_id).order_by(*order)))


def counters(session: Session, centre_id: str) -> list[Counter]:
    """All counters, those out of service too."""
    return list(session.scalars(select(Counter).where(Counter.centre_id == centre_id).order_by(Counter.number)))


def in_service(counter: Counter) -> bool:
    """A counter without services is out of service: nobody can be called to it."""
    return bool(counter.service_point_ids)


def point(session: Session, centre_id: str, point_id: str) -> ServicePoint:
    """Raises NotFound, for another centre's too."""
    found = session.get(ServicePoint, point_id)
    if found is None or found.centre_id != centre_id:
        raise NotFound("There is no such service.")
    return found


def counter(session: Session, centre_id: str, counter_id: str) -> Counter:
    """Raises NotFound, for another centre's too."""
    found = session.get(Counter, counter_id)
    if found is None or found.centre_id != centre_id:
        raise NotFound("There is no such counter.")
    return found


def add_point(
    session: Session,
    centre_id: str,
    *,
    code: str,
    letter: str,
    name_ar: str,
    name_en: str,
    icon: str,
    sections: Collection[str],
    now: datetime,
    **terms: Any,
) -> ServicePoint:
    """`terms` are those of `_terms`. Raises Mistake for a code or letter that another service of the centre has."""
    setup.centre(session, centre_id)
    code = rules.code(code)
    same = select(ServicePoint.id).where(ServicePoint.centre_id == centre_id)
    if session.scalar(same.where(ServicePoint.code == code)):
        raise Mistake("This code is in use.", field="code")
    letter = _free_letter(session, centre_id, letter)
    last = session.scalar(select(func.max(ServicePoint.order)).where(ServicePoint.centre_id == centre_id))
    row = ServicePoint(
        id=new_id(),
        centre_id=centre_id,
        code=code,
        letter=letter,
        name_ar=name_ar,
        name_en=name_en,
        icon=icon,
        sections=rules.sections(sections),
        order=0 if last is None else last + 1,
        **_terms(session, centre_id, **terms),
    )
    session.add(row)
    session.flush()
    audit.note(session, "create", "service point", row.id, now=now, detail={"centre": centre_id, "letter": letter})
    return row


def change_point(
    session: Session,
    centre_id: str,
    point_id: str,
    *,
    name_ar: str,
    name_en: str,
    icon: str,
    sections: Collection[str],
    active: bool,
    now: datetime,
    letter: str | None = None,
    **terms: Any,
) -> ServicePoint:
    """`terms` are those of `_terms`. Refused while somebody waits for what closes.

    Another letter holds from the next ticket on; Refused while numbers with the old one are in people's hands.
    """
    row = point(session, centre_id, point_id)
    values: dict[str, object] = {
        "name_ar": name_ar,
        "name_en": name_en,
        "icon": icon,
        "sections": rules.sections(sections),
        "active": active,
        **_terms(session, centre_id, point_id=row.id, **terms),
    }
    waiting = select(Ticket.id).where(
        Ticket.service_point_id == row.id, Ticket.state.in_(states.IN_CENTRE), Ticket.expires_at > now
    )
    somebody = session.scalar(waiting.limit(1)) is not None
    if row.active and not active and somebody:
        raise Refused("Visitors are waiting for this service. Let their turns end first.")
    if letter is not None and rules.letter(letter) != row.letter:
        if somebody:
            raise Mistake(
                "Visitors hold numbers with this letter. Change it when their turns are over.", field="letter"
            )
        values["letter"] = _free_letter(session, centre_id, letter)
    _change(session, row, "service point", values, now=now)
    return row


def add_counter(
    session: Session,
    centre_id: str,
    *,
    number: int,
    name_ar: str,
    name_en: str,
    service_point_ids: Collection[str],
    sections: Collection[str],
    languages: Sequence[str],
    sign_language: bool,
    now: datetime,
) -> Counter:
    """Raises Mistake for a number in use and for a counter that would serve nothing."""
    setup.centre(session, centre_id)
    _need_free_number(session, centre_id, number)
    row = Counter(
        id=new_id(),
        centre_id=centre_id,
        number=number,
        name_ar=name_ar,
        name_en=name_en,
        service_point_ids=_services(session, centre_id, service_point_ids),
        sections=rules.sections(sections),
        languages=rules.languages(languages),
        sign_language=sign_language,
    )
    session.add(row)
    session.flush()
    audit.note(session, "create", "counter", row.id, now=now, detail={"centre": centre_id, "number": number})
    return row


def change_counter(
    session: Session,
    centre_id: str,
    counter_id: str,
    *,
    number: int,
    name_ar: str,
    name_en: str,
    service_point_ids: Collection[str],
    sections: Collection[str],
    languages: Sequence[str],
    sign_language: bool,
    now: datetime,
) -> Counter:
    """Holds from the next call on. The number of an open counter stays: the hall is showing it."""
    row = lock_counter(session, counter(session, centre_id, counter_id).id)
    if number != row.number:
        if row.open:
            raise Mistake("The counter is open: close it before it gets another number.", field="number")
        _need_free_number(session, centre_id, number)
    values: dict[str, object] = {
        "number": number,
        "name_ar": name_ar,
        "name_en": name_en,
        "service_point_ids": _services(session, centre_id, service_point_ids),
        "sections": rules.sections(sections),
        "languages": rules.languages(languages),
        "sign_language": sign_language,
    }
    _change(session, row, "counter", values, now=now)
    return row


def retire_counter(session: Session, centre_id: str, counter_id: str, *, now: datetime) -> bool:
    """Take a closed counter out of service; True if it is gone, False if its past keeps it in the list."""
    row = lock_counter(session, counter(session, centre_id, counter_id).id)
    if row.open:
        raise Refused("The counter is open. Close it first.")
    past = (
        select(Ticket.id).where(Ticket.counter_id == row.id),
        select(CallLog.id).where(CallLog.counter_id == row.id),
        select(TicketPeriod.id).where(TicketPeriod.counter_id == row.id),
    )
    kept = any(session.scalar(query.limit(1)) for query in past)
    if kept:
        row.service_point_ids = []
    else:
        session.delete(row)
    audit.note(session, "retire", "counter", row.id, now=now, detail={"number": row.number, "kept": kept})
    return not kept


def free_counters_of(session: Session, staff_id: str, *, now: datetime) -> None:
    """Close the counter that somebody whose account ends still holds. Refused while a visitor is there."""
    for counter_id in session.scalars(select(Counter.id).where(Counter.staff_id == staff_id)).all():
        close_counter(session, counter_id, now=now)


def _terms(
    session: Session,
    centre_id: str,
    *,
    point_id: str = "",
    kind: str = "reception",
    kiosk: bool = True,
    first_number: int = 1,
    daily_limit: int | None = None,
    target_minutes: int = 15,
    hours: opening.Hours | None = None,
    then: Collection[str] = (),
) -> dict[str, Any]:
    """What a service has beside its name, checked. No `hours`: the centre's hold; no `daily_limit`: as many as come."""
    here = [row.id for row in points(session, centre_id) if row.id != point_id]
    if set(then) - set(here):
        raise Mistake("Please choose one of the options.", field="then")
    for field, value, low, high in (
        ("first_number", first_number, 1, 900),
        ("daily_limit", daily_limit or 1, 1, 9999),
        ("target_minutes", target_minutes, 1, 480),
    ):
        if not low <= value <= high:
            raise Mistake("Please enter a number from {low} to {high}.", field=field, low=low, high=high)
    return {
        "kind": rules.kind(kind),
        "kiosk": kiosk,
        "first_number": first_number,
        "daily_limit": daily_limit,
        "target_minutes": target_minutes,
        "hours": opening.checked(hours or {}),
        "then": [key for key in here if key in then],
    }


def _free_letter(session: Session, centre_id: str, letter: str) -> str:
    letter = rules.letter(letter)
    taken = select(ServicePoint.id).where(ServicePoint.centre_id == centre_id, ServicePoint.letter == letter)
    if session.scalar(taken):
        raise Mistake("Another service of this centre has this letter.", field="letter")
    return letter


def _services(session: Session, centre_id: str, chosen: Collection[str]) -> list[str]:
    here = [row.id for row in points(session, centre_id)]
    if not chosen or set(chosen) - set(here):
        raise Mistake("Please choose at least one service.", field="services")
    return [point_id for point_id in here if point_id in chosen]


def _need_free_number(session: Session, centre_id: str, number: int) -> None:
    if not 1 <= number <= 99:
        raise Mistake("A counter's number is between 1 and 99.", field="number")
    if session.scalar(select(Counter.id).where(Counter.centre_id == centre_id, Counter.number == number)):
        raise Mistake("Another counter of this centre has this number.", field="number")


def _change(
    session: Session, row: ServicePoint | Counter, kind: str, values: dict[str, object], *, now: datetime
) -> None:
    changed = sorted(name for name, value in values.items() if getattr(row, name) != value)
    for name in changed:
        setattr(row, name, values[name])
    if changed:
        audit.note(session, "change", kind, row.id, now=now, detail={"fields": changed})
