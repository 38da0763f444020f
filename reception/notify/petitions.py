from datetime import datetime

from sqlalchemy.orm import Session

from core.settings import Settings
from reception.centres.models import Department
from reception.notify.texts import each_time, follow_link, tell
from reception.petitions.events import (
    PetitionAcknowledged,
    PetitionAnswered,
    PetitionClosed,
    PetitionDecided,
    PetitionReceived,
    PetitionReopened,
    PetitionReturned,
    PetitionRouted,
    PetitionTransferred,
    UrgentAgreed,
    VisitorAsked,
    VisitorReplied,
    WorkBegun,
)
from reception.petitions.models import Petition


def text_petition_received(session: Session, event: PetitionReceived, *, now: datetime, settings: Settings) -> None:
    """The case number and the link to follow it by."""
    petition = session.get_one(Petition, event.petition_id)
    tell(session, petition, "petition_received", lambda lang: _case_link(petition, settings), key=petition.id, now=now)


def text_petition_routed(
    session: Session, event: PetitionRouted | PetitionTransferred, *, now: datetime, settings: Settings
) -> None:
    """Where it went, by rule or by hand."""
    petition = session.get_one(Petition, event.petition_id)
    department = session.get(Department, event.department_id)
    key = each_time(petition, now)
    if event.to_office:
        tell(session, petition, "petition_to_office", lambda lang: _case(petition), key=key, now=now)
    elif department is not None:
        tell(
            session,
            petition,
            "petition_routed",
            lambda lang: _case(petition) | {"department": department.name(lang)},
            key=key,
            now=now,
        )


def text_petition_acknowledged(
    session: Session, event: PetitionAcknowledged, *, now: datetime, settings: Settings
) -> None:
    """Who has it in hand now."""
    petition = session.get_one(Petition, event.petition_id)
    department = session.get(Department, event.department_id)
    if department is None:
        return
    tell(
        session,
        petition,
        "petition_acknowledged",
        lambda lang: _case(petition) | {"department": department.name(lang)},
        key=each_time(petition, now),
        now=now,
    )


def text_work_begun(session: Session, event: WorkBegun, *, now: datetime, settings: Settings) -> None:
    """That a person is at work on it now."""
    _tell_step(session, event.petition_id, "petition_begun", now=now, settings=settings)


def text_petition_decided(session: Session, event: PetitionDecided, *, now: datetime, settings: Settings) -> None:
    """That the study is over. What came of it stands in the answer, not in a text anybody may read."""
    _tell_step(session, event.petition_id, "petition_decided", now=now, settings=settings)


def text_petition_returned(session: Session, event: PetitionReturned, *, now: datetime, settings: Settings) -> None:
    """That something is missing, and where to bring it; what it is stands on the visitor's page or is told there."""
    petition = session.get_one(Petition, event.petition_id)
    tell(
        session,
        petition,
        "petition_returned",
        lambda lang: _case(petition) | {"centre": petition.centre.name(lang), "phone": settings.hotline_number},
        key=each_time(petition, now),
        now=now,
    )


def text_visitor_replied(session: Session, event: VisitorReplied, *, now: datetime, settings: Settings) -> None:
    """That the reply has arrived and the work goes on."""
    _tell_step(session, event.petition_id, "petition_reply_received", now=now, settings=settings)


def text_petition_reopened(session: Session, event: PetitionReopened, *, now: datetime, settings: Settings) -> None:
    _tell_step(session, event.petition_id, "petition_reopened", now=now, settings=settings)


def text_petition_urgent(session: Session, event: UrgentAgreed, *, now: datetime, settings: Settings) -> None:
    """That it jumps the order now."""
    _tell_step(session, event.petition_id, "petition_urgent", now=now, settings=settings)


def text_visitor_asked(session: Session, event: VisitorAsked, *, now: datetime, settings: Settings) -> None:
    """That something is missing; what it is stands on the visitor's own page, not in a text anybody may read."""
    _tell_where(session, event.petition_id, "visitor_asked", now=now, settings=settings)


def text_petition_answered(session: Session, event: PetitionAnswered, *, now: datetime, settings: Settings) -> None:
    _tell_where(session, event.petition_id, "petition_answered", now=now, settings=settings)


def text_petition_closed(session: Session, event: PetitionClosed, *, now: datetime, settings: Settings) -> None:
    """What was joined to another petition isn't over: it goes on there, and the visitor's page says where."""
    petition = session.get_one(Petition, event.petition_id)
    if petition.merged_into_id:
        _tell_step(session, petition.id, "petition_joined", now=now, settings=settings)
        return
    tell(
        session,
        petition,
        "petition_closed",
        lambda lang: _case(petition) | {"phone": settings.hotline_number},
        key=each_time(petition, now),
        now=now,
    )


def _tell_step(session: Session, petition_id: str, template: str, *, now: datetime, settings: Settings) -> None:
    """A step that needs nothing of the visitor, and where all steps stand."""
    petition = session.get_one(Petition, petition_id)
    tell(
        session, petition, template, lambda lang: _case_link(petition, settings), key=each_time(petition, now), now=now
    )


def _tell_where(session: Session, petition_id: str, template: str, *, now: datetime, settings: Settings) -> None:
    """That there is something to read: on the visitor's own page, or at the centre where the case is confidential."""
    petition = session.get_one(Petition, petition_id)
    key = each_time(petition, now)
    if petition.confidential:
        tell(session, petition, f"{template}_at_centre", lambda lang: _case(petition), key=key, now=now)
    else:
        tell(session, petition, template, lambda lang: _case_link(petition, settings), key=key, now=now)


def _case(petition: Petition) -> dict[str, str]:
    return {"case": petition.case_number}


def _case_link(petition: Petition, settings: Settings) -> dict[str, str]:
    return {"case": petition.case_number, "link": follow_link(settings, petition)}
