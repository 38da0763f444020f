"""The verbs of a centre's devices: setting them up, asking for paper, and what a printer told of itself."""

from datetime import datetime

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import audit, jobs
from core.db import new_id
from core.errors import Mistake, NotFound
from core.events import emit
from core.ids import new_code
from queueing.tickets.models import Ticket
from reception.kiosks import events, rules, states
from reception.kiosks.models import Kiosk, Slip

PRINT = "kiosks.print"


def kiosks(session: Session, centre_id: str, *, active: bool | None = None) -> list[Kiosk]:
    rows = session.scalars(select(Kiosk).where(Kiosk.centre_id == centre_id).order_by(Kiosk.active.desc(), Kiosk.code))
    return [row for row in rows if active is None or row.active == active]


def kiosk(session: Session, centre_id: str, kiosk_id: str) -> Kiosk:
    """Raises NotFound, for another centre's too."""
    row = session.get(Kiosk, kiosk_id)
    if row is None or row.centre_id != centre_id:
        raise NotFound("There is no such device.")
    return row


def by_key(session: Session, key: str | None) -> Kiosk | None:
    """The device whose browser carries this key."""
    return session.scalar(select(Kiosk).where(Kiosk.key == key, Kiosk.active)) if key else None


def troubles(session: Session, centre_id: str) -> list[Kiosk]:
    """Devices whose printer needs somebody: out of paper, open, gone, or soon out of paper."""
    rows = kiosks(session, centre_id, active=True)
    return [
        row for row in rows if row.printer in rules.BY_SERVER and row.condition not in (states.READY, states.SILENT)
    ]


def add(
    session: Session,
    centre_id: str,
    *,
    code: str,
    name_ar: str,
    name_en: str,
    printer: str,
    address: str,
    paper_mm: int,
    now: datetime,
) -> Kiosk:
    """Raises Mistake for a name in use and for an address that is none."""
    code = rules.code(code)
    if session.scalar(select(Kiosk.id).where(Kiosk.centre_id == centre_id, Kiosk.code == code)):
        raise Mistake("Another device of this centre has this name.", field="code")
    row = Kiosk(
        id=new_id(),
        centre_id=centre_id,
        code=code,
        name_ar=name_ar,
        name_en=name_en,
        key=new_code(20),
        printer=printer,
        address=rules.address(printer, address),
        paper_mm=_paper(paper_mm),
    )
    session.add(row)
    session.flush()
    audit.note(session, "create", "kiosk", row.id, now=now, detail={"centre": centre_id, "code": code})
    return row


def change(
    session: Session,
    centre_id: str,
    kiosk_id: str,
    *,
    name_ar: str,
    name_en: str,
    printer: str,
    address: str,
    paper_mm: int,
    active: bool,
    now: datetime,
) -> Kiosk:
    row = kiosk(session, centre_id, kiosk_id)
    values: dict[str, object] = {
        "name_ar": name_ar,
        "name_en": name_en,
        "printer": printer,
        "address": rules.address(printer, address),
        "paper_mm": _paper(paper_mm),
        "active": active,
    }
    changed = sorted(name for name, value in values.items() if getattr(row, name) != value)
    for name in changed:
        setattr(row, name, values[name])
    if {"printer", "address"} & set(changed):  # what the other printer said says nothing of this one
        row.condition, row.condition_since, row.asked_at = states.READY, None, None
    if changed:
        audit.note(session, "change", "kiosk", row.id, now=now, detail={"fields": changed})
    return row


def new_key(session: Session, centre_id: str, kiosk_id: str, *, now: datetime) -> Kiosk:
    """Another address for the device; the browser that had the old one is no device of ours any more."""
    row = kiosk(session, centre_id, kiosk_id)
    row.key = new_code(20)
    audit.note(session, "change", "kiosk", row.id, now=now, detail={"fields": ["key"]})
    return row


def slip_of(session: Session, ticket_id: str) -> Slip | None:
    return session.get(Slip, ticket_id)


def ask_slip(
    session: Session, kiosk: Kiosk, ticket: Ticket, *, lang: str, base: str = "", now: datetime
) -> Slip | None:
    """The ticket on this device's paper, at most once. None where the device has no printer of the server's.

    `base` is our own address as the device knows it, for the code on the paper.

    Asked for again it does nothing, unless it failed and the printer works by now.
    """
    if kiosk.printer not in rules.BY_SERVER or kiosk.centre_id != ticket.centre_id:
        return None
    slip = session.get(Slip, ticket.id, with_for_update=True)
    if slip is not None:
        if slip.state == states.FAILED:
            slip.state, slip.problem = states.SLIP.next(slip.state, "ask again"), ""
            slip.kiosk_id, slip.lang, slip.asked_at, slip.done_at = kiosk.id, lang, now, None
            slip.tries += 1
            _enqueue(session, slip, base, now=now)
        return slip
    slip = Slip(
        ticket_id=ticket.id, kiosk_id=kiosk.id, lang=lang, state=states.WANTED, problem="", asked_at=now, tries=1
    )
    try:
        with session.begin_nested():
            session.add(slip)
    except IntegrityError:  # the same visitor's other press
        return session.get(Slip, ticket.id)
    _enqueue(session, slip, base, now=now)
    return slip


def finish_slip(session: Session, ticket_id: str, condition: str, *, now: datetime) -> None:
    """What came of it: printed where the printer works after it, else failed for that reason."""
    slip = session.get(Slip, ticket_id, with_for_update=True)
    if slip is None or slip.state != states.WANTED:
        return
    kiosk = session.get_one(Kiosk, slip.kiosk_id)
    slip.done_at = now
    if condition in states.WORKS:
        slip.state = states.SLIP.next(slip.state, "print")
        emit(session, events.SlipPrinted(slip.kiosk_id, ticket_id, kiosk.centre_id), now=now)
    else:
        slip.state, slip.problem = states.SLIP.next(slip.state, "fail"), condition
        emit(session, events.SlipFailed(slip.kiosk_id, ticket_id, kiosk.centre_id, condition), now=now)
    if condition != states.LATE:
        told(session, kiosk.id, condition, now=now)


def told(session: Session, kiosk_id: str, condition: str, *, now: datetime) -> None:
    """How the printer is. Said once for each change, so that no screen is told the same every quarter of a minute."""
    changed = session.execute(
        update(Kiosk)
        .where(Kiosk.id == kiosk_id, Kiosk.condition != condition)
        .values(condition=condition, condition_since=now)
        .returning(Kiosk.centre_id)
        .execution_options(synchronize_session="fetch")
    ).first()
    if changed:
        emit(session, events.PrinterChanged(kiosk_id, changed.centre_id, condition), now=now)


def due_to_be_asked(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Which printers have not been asked for a while, as conditions of a query."""
    return (
        Kiosk.active.is_(True),
        Kiosk.printer.in_(rules.WATCHED),
        or_(Kiosk.asked_at.is_(None), Kiosk.asked_at <= now - rules.ASK_EVERY),
    )


def next_to_ask(session: Session, *, now: datetime) -> Kiosk | None:
    """A printer that is due, taken so that no other worker asks it too."""
    due = due_to_be_asked(now)
    candidate = session.scalar(select(Kiosk.id).where(*due).order_by(Kiosk.asked_at).limit(1))
    took = session.execute(
        update(Kiosk)
        .where(Kiosk.id == candidate, *due)
        .values(asked_at=now)
        .returning(Kiosk.id)
        .execution_options(synchronize_session="fetch")
    ).first()
    return session.get(Kiosk, took.id) if took else None


def _enqueue(session: Session, slip: Slip, base: str, *, now: datetime) -> None:
    jobs.enqueue(session, PRINT, {"ticket_id": slip.ticket_id, "base": base}, now=now, lane=0)


def _paper(millimetres: int) -> int:
    if millimetres not in rules.PAPERS:
        raise Mistake("Please choose one of the options.", field="paper_mm")
    return millimetres
