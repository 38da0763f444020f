import re
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, false, or_, select
from sqlalchemy.orm import Session

from core import audit
from core.db import new_id
from core.errors import NotFound
from core.events import emit
from core.staff.models import Staff
from core.staff.rules import AIDE, HOTLINE, MANAGER
from core.text import clean, latin_digits
from queueing.tickets.models import Ticket
from reception import access
from reception.centres.models import Centre
from reception.hotline import states
from reception.hotline.events import CallBackAsked, CallBackDone, CallLogged
from reception.hotline.models import CallBack, HotlineCall
from reception.hotline.states import CALL_BACK
from reception.petitions import entries
from reception.petitions import rules as petition_rules
from reception.petitions import service as petitions
from reception.petitions.models import Petition
from reception.visitors import service as visitors
from reception.visitors.models import Visitor

_TICKET = re.compile(r"([A-Z])-?0{0,3}(\d{1,3})")
TRY_AGAIN = timedelta(hours=2)
_SECRET = Petition.confidentiality == petition_rules.SECRET


def look_up(
    session: Session, text: str, *, today: date | None = None, limit: int = 20
) -> tuple[list[Petition], list[Visitor]]:
    """What one search box finds: the case of a case number (or of a receipt's code), else people and their cases.

    A ticket's number (A12) finds whoever drew it `today`, in whichever centre. Secret cases are found by nobody here.
    Every path ends in an index: exact numbers, or prefixes of the words of a name.
    """
    typed = clean(latin_digits(text))
    number = typed.replace(" ", "").replace("‑", "-").replace("–", "-")
    if number.isdigit() and len(number) == 8:
        number = f"{number[:2]}-{number[2:]}"
    exact = petitions.by_case_number(session, number)
    if exact is None and 8 <= len(typed) <= 12 and typed.isalnum():
        exact = session.scalar(select(Petition).where(Petition.follow_code == typed.lower()))
    if exact is not None and exact.confidentiality != petition_rules.SECRET:
        return [exact], [exact.visitor]
    drawn = _TICKET.fullmatch(number.upper())
    if drawn and today:
        return _of_ticket(session, f"{drawn[1]}{int(drawn[2])}", today)
    people = visitors.search(session, text, limit=limit)
    if not people:
        return [], []
    cases = session.scalars(
        select(Petition)
        .where(
            Petition.visitor_id.in_([person.id for person in people]),
            Petition.confidentiality != petition_rules.SECRET,
        )
        .order_by(Petition.settled_at.is_not(None), Petition.received_at.desc())
        .limit(limit * 2)
    )
    return list(cases), people


def _of_ticket(session: Session, label: str, today: date) -> tuple[list[Petition], list[Visitor]]:
    """Cases handed in with the ticket, and visitors known to have drawn it. The index leads by centre and day."""
    drawn = session.execute(
        select(Ticket.petition_id, Ticket.visitor_id).where(
            Ticket.centre_id.in_(select(Centre.id)), Ticket.day == today, Ticket.label == label
        )
    ).all()
    cases = session.scalars(
        select(Petition).where(
            Petition.id.in_([row[0] for row in drawn if row[0]]),
            Petition.confidentiality != petition_rules.SECRET,
        )
    ).all()
    known = {case.visitor_id for case in cases} | {row[1] for row in drawn if row[1]}
    return list(cases), list(session.scalars(select(Visitor).where(Visitor.id.in_(known))))


def log_call(
    session: Session,
    *,
    asked: str,
    told: str = "",
    petition_id: str | None = None,
    visitor_id: str | None = None,
    caller: str = "",
    staff_id: str,
    now: datetime,
) -> HotlineCall:
    """Write a call down; one about a case becomes a step of its story."""
    wanted = petition_rules.words(asked, field="asked")
    call = HotlineCall(
        id=new_id(),
        visitor_id=visitor_id,
        petition_id=petition_id,
        caller=clean(caller)[:120],
        asked=wanted,
        told=clean(told, lines=True)[: petition_rules.TEXT_MAX],
        staff_id=staff_id,
        at=now,
    )
    if petition_id is not None:
        petition = entries.record(session, petition_id, "called", text=wanted, staff_id=staff_id, now=now)
        call.visitor_id = visitor_id or petition.visitor_id
    session.add(call)
    session.flush()
    emit(session, CallLogged(call_id=call.id, petition_id=petition_id or ""), now=now)
    return call


def call_back(
    session: Session,
    *,
    visitor_id: str,
    reason: str,
    petition_id: str | None = None,
    due_at: datetime | None = None,
    staff_id: str | None = None,
    unique_key: str | None = None,
    now: datetime,
) -> CallBack:
    """Put somebody on the list of people to be called, by the hotline; about a secret case by centre and office.

    `unique_key` makes a repeated reaction add only one.
    """
    visitors.get(session, visitor_id)
    if unique_key is not None:
        known = session.scalar(select(CallBack).where(CallBack.unique_key == unique_key))
        if known is not None:
            return known
    task = CallBack(
        id=new_id(),
        visitor_id=visitor_id,
        petition_id=petition_id,
        reason=petition_rules.words(reason, field="reason"),
        state=CALL_BACK.initial,
        due_at=due_at or now,
        asked_by=staff_id,
        asked_at=now,
        unique_key=unique_key,
    )
    session.add(task)
    session.flush()
    emit(session, _event(session, CallBackAsked, task), now=now)
    return task


def called_back(
    session: Session, call_back_id: str, *, reached: bool, outcome: str = "", staff_id: str, now: datetime
) -> CallBack:
    """Reached: done, with what came of it. Not reached: again in two hours."""
    task = _locked(session, call_back_id)
    task.state = CALL_BACK.next(task.state, "reach" if reached else "try")
    task.tries += 1
    if not reached:
        task.due_at = now + TRY_AGAIN
        return task
    task.outcome = petition_rules.words(outcome, field="outcome")
    return _end(session, task, staff_id, now)


def drop(session: Session, call_back_id: str, *, outcome: str, staff_id: str, now: datetime) -> CallBack:
    """Give a call-back up, and say why."""
    task = _locked(session, call_back_id)
    task.state = CALL_BACK.next(task.state, "drop")
    task.outcome = petition_rules.words(outcome, field="outcome")
    return _end(session, task, staff_id, now)


def one(session: Session, call_back_id: str, staff: Staff) -> CallBack:
    """Raises NotFound, also for one that others are to call."""
    task = session.scalar(select(CallBack).where(CallBack.id == call_back_id, _door(staff)))
    if task is None:
        raise NotFound("There is no such call-back.")
    return task


def waiting(session: Session, staff: Staff, *, limit: int = 50) -> list[CallBack]:
    """Open call-backs that this person is to make, the most pressing first."""
    wanted = select(CallBack).where(CallBack.state == states.OPEN, _door(staff))
    return list(session.scalars(wanted.order_by(CallBack.due_at).limit(limit)))


def calls_of(session: Session, staff_id: str, *, since: datetime, limit: int = 8) -> list[HotlineCall]:
    """The calls that this person has written down since then, the latest first."""
    wanted = select(HotlineCall).where(HotlineCall.at >= since, HotlineCall.staff_id == staff_id)
    return list(session.scalars(wanted.order_by(HotlineCall.at.desc()).limit(limit)))


def calls_about(session: Session, petition_id: str) -> list[HotlineCall]:
    return list(
        session.scalars(
            select(HotlineCall).where(HotlineCall.petition_id == petition_id).order_by(HotlineCall.at.desc())
        )
    )


def _locked(session: Session, call_back_id: str) -> CallBack:
    task = session.scalar(select(CallBack).where(CallBack.id == call_back_id).with_for_update())
    if task is None:
        raise NotFound("There is no such call-back.")
    return task


def _end(session: Session, task: CallBack, staff_id: str, now: datetime) -> CallBack:
    task.done_by, task.done_at = staff_id, now
    audit.note(session, "call back", "visitor", task.visitor_id, now=now)
    emit(session, _event(session, CallBackDone, task), now=now)
    return task


def _event(session: Session, kind: type, task: CallBack) -> object:
    """A call about a secret case concerns its centre, on whose list it stands."""
    secret = select(Petition.centre_id).where(Petition.id == task.petition_id, _SECRET)
    return kind(
        call_back_id=task.id,
        visitor_id=task.visitor_id,
        petition_id=task.petition_id or "",
        at_centre_id=(session.scalar(secret) if task.petition_id else None) or "",
    )


def _door(staff: Staff) -> ColumnElement[bool]:
    """Who calls: the hotline; about a secret case those of the office and of its centre who see it."""
    about = select(Petition.id).where(Petition.id == CallBack.petition_id, _SECRET)
    doors: list[ColumnElement[bool]] = []
    if HOTLINE in staff.roles:
        doors.append(~about.correlate(CallBack).exists())
    if staff.roles & {MANAGER, AIDE}:
        doors.append(access.visible(about, staff).correlate(CallBack).exists())
    return or_(*doors) if doors else false()
