from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, selectinload

from core import audit
from core.db import new_id
from core.events import emit
from core.staff.models import Staff
from reception import access
from reception.directives import service as directives
from reception.directives.models import Directive, DirectiveReport
from reception.dossier.events import DossierOpened
from reception.dossier.models import DossierReceipt
from reception.files import service as files
from reception.files.models import Attachment
from reception.hotline import service as hotline
from reception.hotline.models import HotlineCall
from reception.parties import service as parties
from reception.parties.models import PetitionParty
from reception.petitions import opinions
from reception.petitions.models import Opinion, Petition, PetitionNote, Referral, Verification
from reception.petitions.story import Step, story
from reception.visitors.models import Visitor


@dataclass(frozen=True, slots=True)
class Dossier:
    """All of it at one reading. `earlier` are the visitor's other petitions, also as one of several, newest first."""

    petition: Petition
    visitor: Visitor
    papers: Sequence[Attachment]
    story: Sequence[Step]
    earlier: Sequence[Petition]
    notes: Sequence[PetitionNote]
    opinions: Sequence[PetitionNote]
    asked: Sequence[Opinion]
    parties: Sequence[PetitionParty]
    referrals: Sequence[Referral]
    verification: Verification | None
    directives: Sequence[Directive]
    reports: Mapping[str, Sequence[DirectiveReport]]
    calls: Sequence[HotlineCall]
    receipt: DossierReceipt | None


def assemble(session: Session, petition_id: str, staff: Staff) -> Dossier:
    """Only reads. Raises NotFound for those who may not see the case; `receipt` is this person's latest one."""
    petition = access.petition_for(session, staff, petition_id)
    notes = session.scalars(
        select(PetitionNote).where(PetitionNote.petition_id == petition.id).order_by(PetitionNote.at)
    ).all()
    beside = parties.petitions_beside(session, petition.visitor_id)
    mine = or_(Petition.visitor_id == petition.visitor_id, Petition.id.in_(beside))
    orders = directives.of_petition(session, petition.id)
    earlier = session.scalars(
        access.visible(
            select(Petition)
            .where(mine, Petition.id != petition.id)
            .options(selectinload(Petition.type))
            .order_by(Petition.received_at.desc())
            .limit(20),
            staff,
        )
    ).all()
    return Dossier(
        petition=petition,
        visitor=petition.visitor,
        papers=files.of_petition(session, petition.id),
        story=story(session, petition.id),
        earlier=earlier,
        notes=[note for note in notes if note.kind != "opinion"],
        opinions=[note for note in notes if note.kind == "opinion"],
        asked=opinions.of_petition(session, petition.id),
        parties=parties.of_petition(session, petition.id),
        referrals=session.scalars(
            select(Referral).where(Referral.petition_id == petition.id).order_by(Referral.sent_at)
        ).all(),
        verification=session.scalar(
            select(Verification)
            .where(Verification.petition_id == petition.id)
            .order_by(Verification.at.desc())
            .limit(1)
        ),
        directives=orders,
        reports=directives.reports(session, [order.id for order in orders]),
        calls=hotline.calls_about(session, petition.id),
        receipt=opened(session, petition.id, staff_id=staff.id),
    )


def keep_receipt(session: Session, petition_id: str, *, staff_id: str, now: datetime) -> DossierReceipt:
    """Write down that this person opened the dossier now. Called by the page that shows it."""
    receipt = DossierReceipt(id=new_id(), petition_id=petition_id, staff_id=staff_id, opened_at=now)
    session.add(receipt)
    audit.note(session, "open dossier", "petition", petition_id, now=now)
    emit(session, DossierOpened(petition_id=petition_id, staff_id=staff_id), now=now)
    return receipt


def opened(session: Session, petition_id: str, *, staff_id: str) -> DossierReceipt | None:
    """This person's latest opening, if any."""
    return session.scalar(
        select(DossierReceipt)
        .where(DossierReceipt.petition_id == petition_id, DossierReceipt.staff_id == staff_id)
        .order_by(DossierReceipt.opened_at.desc())
        .limit(1)
    )
