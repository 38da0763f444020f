from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from core import audit
from core.calendar import local_day
from core.db import new_id
from core.errors import Mistake
from reception.parties import rules
from reception.parties.models import Kin, PetitionParty, PrincipalSilence
from reception.petitions.models import Petition
from reception.petitions.rules import ZONE
from reception.visitors.models import Visitor


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody to be put beside the first petitioner of a new petition."""

    visitor: Visitor
    role: str
    relation: str = ""
    told: bool = True
    power: rules.Power | None = None
    proof_id: str | None = None


def add(session: Session, petition: Petition, people: list[Person], *, now: datetime) -> list[PetitionParty]:
    """Put them beside the first petitioner; what they are to each other is kept as a household. Raises Mistake."""
    if len(people) > rules.MOST:
        raise Mistake("{max} people at most; add the others as a list.", field="people", max=rules.MOST)
    seen = {petition.visitor_id}
    rows = []
    for person in people:
        if person.visitor.id in seen:
            raise Mistake("“{name}” stands in this petition already.", field="people", name=person.visitor.name)
        seen.add(person.visitor.id)
        power = person.power
        row = PetitionParty(
            id=new_id(),
            petition_id=petition.id,
            visitor_id=person.visitor.id,
            visitor=person.visitor,
            role=person.role,
            relation=person.relation,
            told=person.told,
            power=power.kind if power else "",
            power_number=power.number if power else "",
            valid_until=power.until if power else None,
            proof_id=person.proof_id,
            at=now,
        )
        session.add(row)
        rows.append(row)
        audit.note(
            session, "add", "petition_party", petition.id, now=now, detail={"visitor": row.visitor_id, "role": row.role}
        )
        if person.relation in rules.RELATIONS and person.relation != "other":
            bind(session, petition.visitor_id, person.visitor.id, relation=person.relation, now=now)
    session.flush()
    return rows


def silence_principal(session: Session, petition: Petition, *, now: datetime) -> None:
    """The texts go to the others alone, as the visitor wished. Somebody must be left to tell."""
    if not any(party.told for party in of_petition(session, petition.id)):
        raise Mistake("Somebody must get the texts.", field="told")
    session.add(PrincipalSilence(petition_id=petition.id, at=now))


def of_petition(session: Session, petition_id: str) -> list[PetitionParty]:
    """Those beside the first petitioner, agents first, in the order of their entry."""
    rows = session.scalars(
        select(PetitionParty)
        .where(PetitionParty.petition_id == petition_id)
        .options(selectinload(PetitionParty.visitor))
        .order_by(PetitionParty.role, PetitionParty.id)
    )
    return list(rows)


def told(session: Session, petition: Petition, *, now: datetime) -> list[Visitor]:
    """Everybody who gets the texts about this petition, each number once, the first petitioner first."""
    today = local_day(now, ZONE)
    silent = session.get(PrincipalSilence, petition.id) is not None
    others = [
        party.visitor
        for party in of_petition(session, petition.id)
        if party.told and rules.in_force(party.role, party.valid_until, today=today)
    ]
    people = others if silent and others else [petition.visitor, *others]
    return list({person.phone: person for person in reversed(people)}.values())[::-1]


def follower(session: Session, petition: Petition, phone: str, *, now: datetime) -> Visitor | None:
    """Who of this petition has this number and may follow it; None for strangers and for powers that have ended."""
    if petition.visitor.phone == phone:
        return petition.visitor
    today = local_day(now, ZONE)
    for party in of_petition(session, petition.id):
        if party.visitor.phone == phone and rules.in_force(party.role, party.valid_until, today=today):
            return party.visitor
    return None


def petitions_beside(session: Session, visitor_id: str) -> list[str]:
    """Ids of petitions in which this visitor stands without being the first."""
    return list(session.scalars(select(PetitionParty.petition_id).where(PetitionParty.visitor_id == visitor_id)))


def told_beside(session: Session, visitor_ids: Sequence[str], *, now: datetime) -> list[str]:
    """Ids of petitions whose texts these people get beside the first petitioner, or in that one's place."""
    today = local_day(now, ZONE)
    rows = session.scalars(select(PetitionParty).where(PetitionParty.visitor_id.in_(visitor_ids), PetitionParty.told))
    return [row.petition_id for row in rows if rules.in_force(row.role, row.valid_until, today=today)]


def bind(session: Session, of_id: str, visitor_id: str, *, relation: str, now: datetime) -> None:
    """Remember what one is to the other, both ways; the last word counts."""
    if of_id == visitor_id:
        return
    for whose, who, what in ((of_id, visitor_id, relation), (visitor_id, of_id, rules.turned(relation))):
        if not what:
            continue
        known = session.get(Kin, (whose, who))
        if known is None:
            session.add(Kin(of_id=whose, visitor_id=who, relation=what, at=now))
        else:
            known.relation, known.at = what, now
    session.flush()


def household(session: Session, visitor_id: str, *, limit: int = 8) -> list[Kin]:
    """The known family of a visitor, each with what they are to the visitor."""
    rows = session.scalars(
        select(Kin)
        .where(Kin.of_id == visitor_id)
        .options(selectinload(Kin.visitor))
        .order_by(Kin.at.desc())
        .limit(limit)
    )
    return list(rows)
