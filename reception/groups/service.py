from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Select, and_, select
from sqlalchemy.orm import Session

from core.errors import Mistake
from messaging import allowed
from messaging.campaigns.rules import MOST, Wish
from messaging.numbers import service as numbers
from messaging.numbers.models import PhoneNumber, VerifiedNumber
from reception.centres.models import Centre
from reception.petitions.models import Petition, PetitionType
from reception.visitors import rules as visitors
from reception.visitors.models import Visitor

CENTRE, TYPE, PILOT, LIST = "centre", "type", "pilot", "list"
KINDS = (CENTRE, TYPE, PILOT, LIST)
PASTED = 5_000  # numbers of a pasted list


def detail(session: Session, kind: str, *, centre_id: str = "", type_id: str = "", pasted: str = "") -> dict[str, Any]:
    """What the campaign keeps of its group. Raises Mistake at the field that names nothing."""
    if kind == CENTRE:
        if session.get(Centre, centre_id) is None:
            raise Mistake("Please choose one of the options.", field="centre_id")
        return {"centre_id": centre_id}
    if kind == TYPE:
        if session.get(PetitionType, type_id) is None:
            raise Mistake("Please choose one of the options.", field="type_id")
        return {"type_id": type_id}
    if kind == LIST:
        return {"numbers": read(pasted)}
    if kind == PILOT:
        return {}
    raise Mistake("Please choose one of the options.", field="group_kind")


def read(pasted: str) -> list[str]:
    """Numbers as people paste them: one a line, or parted by commas. Raises Mistake naming the first that is none."""
    found: list[str] = []
    for entry in pasted.replace(",", "\n").replace("،", "\n").replace(";", "\n").splitlines():
        if not entry.strip():
            continue
        try:
            found.append(visitors.phone(entry))
        except Mistake:
            raise Mistake("“{entry}” is no phone number.", field="pasted", entry=entry.strip()[:40]) from None
    found = list(dict.fromkeys(found))
    if not found:
        raise Mistake("Please fill this in.", field="pasted")
    if len(found) > PASTED:
        raise Mistake("A pasted list has at most {most} numbers.", field="pasted", most=PASTED)
    return found


def wishes(session: Session, kind: str, detail: dict[str, Any]) -> Iterator[Wish]:
    """Everybody in the group, with what is known of their numbers; who may be written to is the campaign's to say."""
    if kind == PILOT:
        yield from _pilot(session)
    elif kind == LIST:
        yield from _listed(session, detail["numbers"])
    elif kind == CENTRE:
        yield from _visitors(session, Petition.centre_id == detail["centre_id"])
    elif kind == TYPE:
        yield from _visitors(session, Petition.type_id == detail["type_id"])


def _visitors(session: Session, condition: Any) -> Iterator[Wish]:
    whose = select(Petition.visitor_id).where(condition)
    for row in session.execute(
        _known(select(Visitor.phone, Visitor.language, Visitor.id).where(Visitor.id.in_(whose)))
    ):
        yield Wish(
            number=row.phone,
            language=row.language,
            owner_id=row.id,
            verified=row.at is not None,
            stopped_at=row.stopped_at,
            campaigns_at=row.campaigns_at,
        )


def _known(query: Select[Any]) -> Select[Any]:
    return (
        query.add_columns(VerifiedNumber.at, PhoneNumber.stopped_at, PhoneNumber.campaigns_at)
        .outerjoin(VerifiedNumber, and_(VerifiedNumber.number == Visitor.phone, VerifiedNumber.owner_id == Visitor.id))
        .outerjoin(PhoneNumber, PhoneNumber.number == Visitor.phone)
        .order_by(Visitor.id)
        .limit(MOST + 1)
    )


def _listed(session: Session, listed: Iterable[str]) -> Iterator[Wish]:
    for number in listed:
        row = session.execute(_known(select(Visitor.language, Visitor.id).where(Visitor.phone == number))).first()
        wish = numbers.known(session, number)
        yield Wish(
            number=number,
            language=(wish.language if wish else None) or (row.language if row else "ar"),
            owner_id=row.id if row else None,
            verified=bool(row and row.at) or bool(numbers.owners(session, number)),
            stopped_at=wish.stopped_at if wish else None,
            campaigns_at=wish.campaigns_at if wish else None,
        )


def _pilot(session: Session) -> Iterator[Wish]:
    """Our own staff on the list of the pilot, who have agreed to try things out for the others."""
    for one in allowed.numbers(session):
        wish = numbers.known(session, one.number)
        yield Wish(
            number=one.number,
            language=(wish.language if wish else None) or "ar",
            owner_id=None,
            verified=True,
            stopped_at=wish.stopped_at if wish else None,
            campaigns_at=None,
            of_pilot=True,
        )
