"""Texts of an appointment: weekday, Hijri and Gregorian date, time and place, all from the one instant of its slot."""

from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core.calendar import local_day, moment
from core.settings import Settings
from core.workdays import service as workdays
from core.workdays.models import Holiday
from messaging import service as messages
from messaging.rules import Segments, segments
from messaging.templates import TEMPLATES
from queueing.appointments.events import (
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentRescheduled,
    AppointmentShifted,
)
from queueing.appointments.models import Appointment, Slot
from queueing.appointments.rearranging import HOLIDAY
from queueing.appointments.rules import VIDEO
from queueing.appointments.states import AWAITED, KEPT
from reception.notify.texts import tell, was_told
from reception.petitions.models import Petition

MOVED, MOVED_BY_HOLIDAY = "appointment_moved", "appointment_moved_holiday"


def booked_template(kind: str) -> str:
    return "appointment_video" if kind == VIDEO else "appointment_audience"


def preview(slot: Slot, *, code: str, language: str, settings: Settings, template: str = "") -> Segments:
    """The very text that booking this slot will send, and how it travels. `template` is MOVED for a move."""
    fields = _fields(slot, code, language, settings)
    return segments(TEMPLATES[template or booked_template(slot.kind)].render(language, fields))


def text_appointment_booked(session: Session, event: AppointmentBooked, *, now: datetime, settings: Settings) -> None:
    _tell(session, event, "", now=now, settings=settings)


def text_appointment_rescheduled(
    session: Session, event: AppointmentRescheduled, *, now: datetime, settings: Settings
) -> None:
    """Whom a holiday has moved reads which one."""
    appointment = session.get_one(Appointment, event.appointment_id)
    if appointment.previous_id:
        messages.overtake(session, ("petition", event.petition_id), appointment.previous_id, now=now)
    holiday = _holiday(session, appointment)
    template = MOVED_BY_HOLIDAY if holiday else MOVED
    _tell(session, event, template, holiday=holiday, now=now, settings=settings)


def text_appointment_shifted(session: Session, event: AppointmentShifted, *, now: datetime, settings: Settings) -> None:
    """The clocks will change, the time on the wall stays: said before somebody reckons the new hour in twice."""
    appointment = _settled(session, event.appointment_id)
    petition = session.get(Petition, event.petition_id)
    if petition is None or appointment.state not in AWAITED:
        return
    slot = appointment.slot
    tell(
        session,
        petition,
        "appointment_clock",
        lambda lang: _fields(slot, appointment.code, lang, settings),
        key=f"{appointment.id}:{slot.starts_at.isoformat(timespec='minutes')}",
        now=now,
    )


def text_appointment_cancelled(
    session: Session, event: AppointmentCancelled, *, now: datetime, settings: Settings
) -> None:
    """Only what was told is taken back: a mere hold ends without a word."""
    appointment = session.get_one(Appointment, event.appointment_id)
    petition = session.get(Petition, event.petition_id)
    if petition is None or not _was_booked(session, appointment):
        return
    messages.overtake(session, ("petition", petition.id), appointment.id, now=now)
    tell(
        session,
        petition,
        "appointment_cancelled",
        lambda lang: {
            "when": moment(appointment.slot.starts_at, lang, settings.timezone),
            "phone": settings.hotline_number,
        },
        key=appointment.id,
        now=now,
    )


def _tell(
    session: Session,
    event: AppointmentBooked | AppointmentRescheduled,
    template: str,
    *,
    now: datetime,
    settings: Settings,
    holiday: Holiday | None = None,
) -> None:
    appointment = _settled(session, event.appointment_id)
    petition = session.get(Petition, event.petition_id)
    if petition is None or appointment.state not in KEPT:  # overtaken by a move or an end while we were away
        return
    tell(
        session,
        petition,
        template or booked_template(appointment.slot.kind),
        lambda lang: (
            _fields(appointment.slot, appointment.code, lang, settings)
            | ({"holiday": holiday.name(lang)} if holiday else {})
        ),
        key=appointment.id,
        now=now,
    )


def _settled(session: Session, appointment_id: str) -> Appointment:
    """As it stands once whoever is changing it has done so; nobody changes it before this text is written."""
    return session.get_one(Appointment, appointment_id, with_for_update={"of": Appointment}, populate_existing=True)


def _holiday(session: Session, appointment: Appointment) -> Holiday | None:
    """Which holiday this very move was made for: the one that has closed the time before, or lies on its day."""
    before = session.get(Appointment, appointment.previous_id) if appointment.previous_id else None
    if before is None or appointment.moved_for != HOLIDAY:
        return None
    slot = before.slot
    closed_by = session.get(Holiday, slot.closed_for) if slot.closed_for else None
    if closed_by is not None:
        return closed_by
    day = local_day(slot.starts_at, slot.zone or appointment.slot.zone)
    place = slot.centre_id or workdays.MINISTRY
    return next(iter(workdays.holidays(session, since=day, until=day, centre_id=place)), None)


def _was_booked(session: Session, appointment: Appointment) -> bool:
    """Its own text, or that of the move which made it, is the proof."""
    names = (booked_template(appointment.slot.kind), MOVED, MOVED_BY_HOLIDAY)
    told = [was_told(name, appointment.id, appointment.petition_id) for name in names]
    return session.scalar(select(or_(*told))) or False


def _fields(slot: Slot, code: str, language: str, settings: Settings) -> dict[str, str]:
    return {"when": moment(slot.starts_at, language, settings.timezone), "place": slot.place(language), "code": code}
