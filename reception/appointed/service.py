"""What a visitor may do with an appointment by its link. The calendar's own verbs decide; here stands who may ask."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.errors import NotFound, Refused
from queueing.appointments import service as appointments
from queueing.appointments.models import Appointment, Slot
from queueing.appointments.rules import earliest
from queueing.waitlist import service as waitlist
from queueing.waitlist.states import PAUSED
from reception.appointed import links, rules, waiting
from reception.appointed.links import Opened
from reception.appointed.models import AppointmentWord
from reception.petitions.rules import URGENT

LOOKED_AT = 80  # free times of which the page shows some
AT = {"at": "appointment page"}


def come(session: Session, token: str, *, now: datetime) -> Opened:
    """“I will come.” Said twice is said once. Raises Refused when there is nothing to come to any more."""
    opened = _usable(session, token, now=now)
    if not opened.coming:
        session.add(AppointmentWord(appointment_id=opened.appointment.id, said_at=now))
        audit.note(session, "confirm appointment", "petition", opened.petition.id, now=now, detail=AT)
        session.flush()
    return opened


def expected(session: Session, appointment_ids: Collection[str]) -> set[str]:
    """Those of which the visitor has said: I will come."""
    said = select(AppointmentWord.appointment_id).where(AppointmentWord.appointment_id.in_(appointment_ids))
    return set(session.scalars(said))


def other_times(session: Session, opened: Opened, *, zone: str, now: datetime) -> list[Slot]:
    """The next times with the same official in the same place, a few of each day."""
    appointment, slot = opened.appointment, opened.appointment.slot
    free = appointments.open_slots(
        session,
        now=now,
        kind=slot.kind,
        centre_id=slot.centre_id,
        official_id=slot.official_id,
        needs_interpreter=appointment.needs_interpreter,
        urgent=opened.petition.urgency == URGENT,
        limit=LOOKED_AT,
    )
    fitting = [other for other in free if other.id != slot.id and other.centre_id == slot.centre_id]
    return rules.a_few_of_each_day(fitting, zone=zone)


def move(session: Session, token: str, *, slot_id: str, now: datetime) -> Appointment:
    """Raises Refused when the time is gone, was never offered to this visitor, or the link opens nothing any more."""
    opened = _usable(session, token, now=now)
    slot, wanted, urgent = opened.appointment.slot, session.get(Slot, slot_id), opened.petition.urgency == URGENT
    if wanted is None or (wanted.kind, wanted.official_id, wanted.centre_id) != (
        slot.kind,
        slot.official_id,
        slot.centre_id,
    ):
        raise NotFound("This time has just been taken. Choose another one.")
    if wanted.starts_at < earliest(urgent=urgent, now=now):
        raise Refused("This time has passed. Choose a later one.")
    new = appointments.reschedule(
        session,
        opened.appointment.id,
        slot_id=slot_id,
        by=rules.BY_VISITOR,
        reason=rules.MOVED_BY_VISITOR,
        urgent=urgent,
        now=now,
    )
    opened.link.spent_at = now
    audit.note(session, "move appointment", "petition", opened.petition.id, now=now, detail=AT)
    return new


def cancel(session: Session, token: str, *, reason: str, now: datetime) -> None:
    """`reason` is a key of rules.REASONS; another one counts as none given."""
    opened = _usable(session, token, now=now)
    why = rules.REASONS.get(reason, rules.REASONS[""])[1]
    appointments.cancel(session, opened.appointment.id, reason=why, by=rules.BY_VISITOR, now=now)
    opened.link.spent_at = now
    audit.note(session, "cancel appointment", "petition", opened.petition.id, now=now, detail=AT)


def accept(session: Session, token: str, *, now: datetime) -> Appointment:
    """Take the time that the waitlist keeps. Raises Refused when the offer has ended."""
    opened = links.open_(session, token, now=now, lock=True)
    if opened.offer is None or opened.standing != rules.OFFERED:
        raise Refused(rules.CLOSED_WORDS[rules.OFFER_OVER])
    appointment = waitlist.accept(session, opened.offer.id, by=rules.BY_VISITOR, now=now)
    audit.note(session, "accept offer", "petition", opened.petition.id, now=now, detail=AT)
    return appointment


def decline(session: Session, token: str, *, keep: bool, now: datetime) -> None:
    """`keep`: go on waiting for another time in the same turn; else leave the waitlist."""
    opened = links.open_(session, token, now=now, lock=True)
    if opened.offer is None or opened.standing != rules.OFFERED:
        raise Refused(rules.CLOSED_WORDS[rules.OFFER_OVER])
    waitlist.decline(session, opened.offer.id, keep=keep, by=rules.BY_VISITOR, now=now)
    opened.link.spent_at = now
    audit.note(session, "decline offer", "petition", opened.petition.id, now=now, detail=AT)


def wait_for_earlier(session: Session, token: str, *, zone: str, now: datetime) -> None:
    """Keep the appointment, and be asked when an earlier day becomes free. Asked for twice is asked for once."""
    opened = _usable(session, token, now=now)
    if waitlist.of_petition(session, opened.petition.id) is None:
        waiting.wait_for_earlier(session, opened.petition, by=rules.BY_VISITOR, zone=zone, now=now)


def stay(session: Session, token: str, *, now: datetime) -> None:
    """The appointment is right as it is: nothing earlier is offered any more."""
    opened = _usable(session, token, now=now)
    row = waitlist.of_petition(session, opened.petition.id)
    if row is not None and row.for_earlier:
        waitlist.leave(session, row.id, reason=rules.STAYS, by=rules.BY_VISITOR, now=now)
        audit.note(session, "leave waitlist", "petition", opened.petition.id, now=now, detail=AT)


def ask_again(session: Session, token: str, *, now: datetime) -> None:
    """Who left several offers without an answer is here now: times are offered again. Else nothing to do."""
    opened = links.open_(session, token, now=now, lock=True)
    if opened.offer is not None and opened.offer.waiting.state == PAUSED:
        waitlist.resume(session, opened.offer.waiting_id, now=now)
        audit.note(session, "resume waitlist", "petition", opened.petition.id, now=now, detail=AT)


def _usable(session: Session, token: str, *, now: datetime) -> Opened:
    opened = links.open_(session, token, now=now, lock=True)
    if opened.standing != rules.OPEN:
        raise Refused(rules.CLOSED_WORDS[opened.standing])
    return opened
