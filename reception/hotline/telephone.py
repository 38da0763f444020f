"""What the telephone system tells: a call rings at an agent's place, and it is over."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db import new_id
from core.errors import Mistake, NotFound
from core.events import emit
from core.staff.models import Staff
from core.staff.rules import HOTLINE
from core.text import clean
from reception.hotline.events import PhoneRang
from reception.hotline.models import PhoneCall
from reception.hotline.rules import RING_FOR
from reception.visitors import rules as numbers


def ring(session: Session, *, external_id: str, number: str, agent: str, now: datetime) -> PhoneCall:
    """A call rings at `agent` (a sign-in name of the hotline's team). Told again for another agent, it has moved there.

    Raises NotFound for nobody of the team, Mistake without the system's own name of the call.
    """
    name, key = clean(agent).lower()[:60], clean(external_id)[:120]
    if not key:
        raise Mistake("The call has no name.", field="call")
    person = session.scalar(select(Staff).where(Staff.username == name, Staff.active))
    if person is None or HOTLINE not in person.roles:
        raise NotFound("There is nobody of this name in the hotline's team.")
    call = session.scalar(select(PhoneCall).where(PhoneCall.external_id == key).with_for_update())
    if call is None:
        call = PhoneCall(id=new_id(), external_id=key, number=_number(number), staff_id=person.id, at=now)
        session.add(call)
    elif call.staff_id != person.id:
        emit(session, PhoneRang(phone_call_id=call.id, agent_id=call.staff_id), now=now)
        call.staff_id, call.taken_at, call.ended_at, call.at = person.id, None, None, now
    else:
        return call  # said twice
    session.flush()
    emit(session, PhoneRang(phone_call_id=call.id, agent_id=person.id), now=now)
    return call


def hang_up(session: Session, *, external_id: str, now: datetime) -> None:
    """The call is over. One that was never announced changes nothing."""
    call = session.scalar(select(PhoneCall).where(PhoneCall.external_id == clean(external_id)[:120]).with_for_update())
    if call is not None and call.ended_at is None:
        call.ended_at = now
        emit(session, PhoneRang(phone_call_id=call.id, agent_id=call.staff_id), now=now)


def ringing(session: Session, staff_id: str, *, now: datetime) -> PhoneCall | None:
    """The call at this agent's place that nobody has turned to yet."""
    return session.scalar(
        select(PhoneCall)
        .where(
            PhoneCall.staff_id == staff_id,
            PhoneCall.at > now - RING_FOR,
            PhoneCall.ended_at.is_(None),
            PhoneCall.taken_at.is_(None),
        )
        .order_by(PhoneCall.at.desc())
        .limit(1)
    )


def take(session: Session, call_id: str, *, staff_id: str, now: datetime) -> PhoneCall | None:
    """The agent has the caller's page open."""
    call = session.get(PhoneCall, call_id)
    if call is None or call.staff_id != staff_id:
        return None
    call.taken_at = call.taken_at or now
    return call


def _number(text: str) -> str:
    """As on file where it is a number of a visitor's kind; hidden or foreign ones as they are told."""
    try:
        return numbers.phone(text)
    except Mistake:
        return clean(text)[:40]
