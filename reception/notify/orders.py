"""Texts after the meeting: that it is on record, that an order was given, and that it was carried out."""

from datetime import datetime

from sqlalchemy.orm import Session

from core.settings import Settings
from reception.centres.models import Department
from reception.directives.events import DirectiveAssigned, DirectiveFulfilled
from reception.notify.texts import follow_link, tell
from reception.petitions.models import Petition
from video.meetings.events import MeetingEnded


def text_meeting_ended(session: Session, event: MeetingEnded, *, now: datetime, settings: Settings) -> None:
    """Thanks to who came; a room in which nobody met has nothing to thank for."""
    petition = session.get(Petition, event.petition_id)
    if petition is None or not event.met:
        return
    tell(
        session,
        petition,
        "meeting_ended",
        lambda lang: {"case": petition.case_number, "link": follow_link(settings, petition)},
        key=event.meeting_id,
        now=now,
    )


def text_directive_assigned(session: Session, event: DirectiveAssigned, *, now: datetime, settings: Settings) -> None:
    """That there is an order and who carries it out; the order itself is read at the centre or heard on the phone."""
    petition = session.get_one(Petition, event.petition_id)
    department = session.get_one(Department, event.department_id)
    tell(
        session,
        petition,
        "directive_assigned",
        lambda lang: {"case": petition.case_number, "department": department.name(lang)},
        key=f"{event.directive_id}:{event.department_id}",
        now=now,
    )


def text_directive_fulfilled(session: Session, event: DirectiveFulfilled, *, now: datetime, settings: Settings) -> None:
    petition = session.get_one(Petition, event.petition_id)
    tell(
        session,
        petition,
        "directive_fulfilled",
        lambda lang: {"case": petition.case_number, "link": follow_link(settings, petition)},
        key=event.directive_id,
        now=now,
    )
