"""What is known of a number. Sending is elsewhere: the outbox asks here whether a text may go (`refuses`)."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import audit
from core.events import emit
from messaging.numbers import rules
from messaging.numbers.events import NumberStarted, NumberStopped, NumberVerified
from messaging.numbers.models import PhoneNumber, VerifiedNumber


def refuses(session: Session, number: str, message_class: str) -> bool:
    """Whether this number has asked to be left alone with texts of this class."""
    if message_class not in rules.SILENCED:
        return False
    stopped = session.scalar(select(PhoneNumber.stopped_at).where(PhoneNumber.number == number))
    return rules.silenced(stopped, message_class)


def known(session: Session, number: str) -> PhoneNumber | None:
    return session.get(PhoneNumber, number)


def language_of(session: Session, number: str) -> str | None:
    """The language that was asked for on this number itself."""
    return session.scalar(select(PhoneNumber.language).where(PhoneNumber.number == number))


def set_language(session: Session, number: str, language: str, *, now: datetime) -> None:
    row = _row(session, number, now=now)
    row.language, row.changed_at = language, now


def stop(session: Session, number: str, *, now: datetime) -> None:
    """No notice, no reminder, no campaign from now on. What was agreed to before is taken back too."""
    row = _row(session, number, now=now)
    if row.stopped_at is None:
        row.stopped_at = now
        emit(session, NumberStopped(number=number), now=now)
    row.campaigns_at, row.changed_at = None, now
    audit.note(session, "stop texts", "number", number, now=now)


def start(session: Session, number: str, *, now: datetime) -> None:
    row = _row(session, number, now=now)
    if row.stopped_at is not None:
        row.stopped_at = None
        emit(session, NumberStarted(number=number), now=now)
    row.changed_at = now
    audit.note(session, "start texts", "number", number, now=now)


def welcome_campaigns(session: Session, number: str, welcome: bool, *, now: datetime) -> None:
    """Consent to campaigns, given or taken back by the number's owner."""
    row = _row(session, number, now=now)
    row.campaigns_at, row.changed_at = (row.campaigns_at or now) if welcome else None, now


def verify(
    session: Session, number: str, owner_id: str, *, place: str, by_staff: str | None, now: datetime
) -> VerifiedNumber:
    """The number's owner has typed what was sent to it."""
    row = session.get(VerifiedNumber, (number, owner_id))
    if row is None:
        row = VerifiedNumber(number=number, owner_id=owner_id)
        session.add(row)
    row.place, row.at, row.by_staff = place, now, by_staff
    session.flush()
    audit.note(session, "verify number", "visitor", owner_id, now=now, detail={"at": place})
    emit(session, NumberVerified(number=number, owner_id=owner_id), now=now)
    return row


def unverify(session: Session, number: str, *, now: datetime) -> None:
    """The number belongs to somebody else now: nobody's any more until it is shown anew."""
    session.execute(delete(VerifiedNumber).where(VerifiedNumber.number == number))
    audit.note(session, "unverify number", "number", number, now=now)


def verified(session: Session, number: str, owner_id: str) -> VerifiedNumber | None:
    return session.get(VerifiedNumber, (number, owner_id))


def owners(session: Session, number: str) -> list[str]:
    """Who has shown that this number reaches them."""
    return list(
        session.scalars(
            select(VerifiedNumber.owner_id).where(VerifiedNumber.number == number).order_by(VerifiedNumber.at.desc())
        )
    )


def _row(session: Session, number: str, *, now: datetime) -> PhoneNumber:
    wanted = select(PhoneNumber).where(PhoneNumber.number == number).with_for_update()
    if (row := session.scalar(wanted)) is not None:
        return row
    try:
        with session.begin_nested():
            session.add(PhoneNumber(number=number, changed_at=now))
    except IntegrityError:  # a rival was first
        pass
    return session.scalars(wanted).one()
