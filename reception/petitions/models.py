from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.db import Base, new_id
from reception.centres.models import Centre, Department
from reception.petitions.rules import OPEN_TO_STAFF
from reception.visitors.models import Visitor


class PetitionType(Base):
    """A place in the tree of what people ask for. `urgent_lane`: urgency may be proposed for it.

    `fields` and `papers` are what intake asks for (kinds.py), `steps` working days for each step of
    `deadlines.rules.STEPS` (`days` is the whole). The row is the present version; `PetitionTypeVersion` has them all.
    """

    __tablename__ = "petition_type"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    code: Mapped[str] = mapped_column(unique=True)
    name_ar: Mapped[str]
    name_en: Mapped[str]
    hint_ar: Mapped[str] = mapped_column(default="")
    hint_en: Mapped[str] = mapped_column(default="")
    icon: Mapped[str] = mapped_column(default="")
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("petition_type.id"), index=True)
    place: Mapped[int] = mapped_column(default=0)
    urgent_lane: Mapped[bool] = mapped_column(default=False)
    confidentiality: Mapped[str] = mapped_column(default=OPEN_TO_STAFF)
    days: Mapped[int] = mapped_column(default=10)  # working days to the answer
    active: Mapped[bool] = mapped_column(default=True)
    version: Mapped[int] = mapped_column(default=1)
    fields: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    papers: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    steps: Mapped[dict[str, Any]] = mapped_column(default=dict)
    reopen_days: Mapped[int] = mapped_column(default=30)  # days after the end in which it may be taken up again

    def name(self, lang: str) -> str:
        return self.name_ar if lang == "ar" else self.name_en

    def hint(self, lang: str) -> str:
        return self.hint_ar if lang == "ar" else self.hint_en


class PetitionTypeVersion(Base):
    """What a type asked for and promised when it was so numbered: a petition keeps the version it was entered under."""

    __tablename__ = "petition_type_version"

    type_id: Mapped[str] = mapped_column(ForeignKey("petition_type.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    values: Mapped[dict[str, Any]]
    since: Mapped[datetime]
    by: Mapped[str | None]


class RoutingRule(Base):
    """Where a type goes and why, in words that stand in the story. Tried by `order`; the first that fits wins.

    An empty condition holds for everything. `from_department_id` makes it an onward rule: it is tried for what the
    rules have sent there. `officer_id` puts the case into one person's hands at once.
    """

    __tablename__ = "routing_rule"
    __table_args__ = (Index("ix_routing_rule_active", "active", "order"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    order: Mapped[int]
    type_codes: Mapped[list[str]]
    urgency: Mapped[str | None]
    department_id: Mapped[str] = mapped_column(ForeignKey("department.id"))
    reason_ar: Mapped[str]
    reason_en: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)
    centre_codes: Mapped[list[str]] = mapped_column(default=list)  # the region is that of the centre
    keywords: Mapped[list[str]] = mapped_column(default=list)  # any of them in subject or text
    confidentiality: Mapped[str | None]
    from_department_id: Mapped[str | None] = mapped_column(ForeignKey("department.id"))
    officer_id: Mapped[str | None]
    changed_at: Mapped[datetime | None]

    def reason(self, lang: str) -> str:
        return self.reason_ar if lang == "ar" else self.reason_en


class CaseCounter(Base):
    """The last number given in a Hijri year; raised under lock, so no two cases share one."""

    __tablename__ = "case_counter"

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int] = mapped_column(default=0)


class Petition(Base):
    """`follow_code` stands on the receipt and opens the visitor's own page; it says nothing about the case."""

    __tablename__ = "petition"
    __table_args__ = (
        Index("ix_petition_inbox", "department_id", "state", "due_at"),
        Index("ix_petition_settled", "department_id", "settled_at"),
        Index("ix_petition_centre", "centre_id", "verification", "received_at"),
        Index("ix_petition_lies", "centre_id", "state", "changed_at"),
        Index("ix_petition_visitor", "visitor_id", "received_at"),
        Index("ix_petition_ticket", "ticket_id"),
        Index("ix_petition_received", "received_at"),
        Index("ix_petition_ended", "settled_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    case_number: Mapped[str] = mapped_column(unique=True)
    follow_code: Mapped[str] = mapped_column(unique=True)
    visitor_id: Mapped[str] = mapped_column(ForeignKey("visitor.id"))
    centre_id: Mapped[str] = mapped_column(ForeignKey("centre.id"))
    ticket_id: Mapped[str | None]
    type_id: Mapped[str] = mapped_column(ForeignKey("petition_type.id"), index=True)
    subject: Mapped[str]
    body: Mapped[str]
    urgency: Mapped[str] = mapped_column(default="normal")
    state: Mapped[str]
    verification: Mapped[str]
    department_id: Mapped[str | None] = mapped_column(ForeignKey("department.id"))
    officer_id: Mapped[str | None] = mapped_column(index=True)
    received_by: Mapped[str]
    received_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    asked_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    close_reason: Mapped[str | None]
    search_text: Mapped[str]
    step_count: Mapped[int] = mapped_column(default=0)
    type_version: Mapped[int] = mapped_column(default=1)
    confidentiality: Mapped[str] = mapped_column(default=OPEN_TO_STAFF)  # as its type's was when it was entered
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)  # answers to the type's own questions
    outcome: Mapped[str | None]  # what was decided: a key of rules.OUTCOMES
    merged_into_id: Mapped[str | None] = mapped_column(index=True)

    visitor: Mapped[Visitor] = relationship()
    centre: Mapped[Centre] = relationship()
    type: Mapped[PetitionType] = relationship()
    department: Mapped[Department | None] = relationship()

    @property
    def confidential(self) -> bool:
        """Its words are for the centre, the departments and the office: no text, no page, no phone tells them."""
        return self.confidentiality != OPEN_TO_STAFF


class PetitionStep(Base):
    """One step of the story. Words come from `story.TITLES[kind]` and `fields`; `text` is what a person wrote.

    `number` counts within the petition. Public steps appear on the visitor's own page, without `text`.
    """

    __tablename__ = "petition_step"
    __table_args__ = (UniqueConstraint("petition_id", "number"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    petition_id: Mapped[str] = mapped_column(ForeignKey("petition.id", ondelete="CASCADE"))
    number: Mapped[int]
    at: Mapped[datetime]
    kind: Mapped[str]
    staff_id: Mapped[str | None]
    fields: Mapped[dict[str, Any]]
    text: Mapped[str] = mapped_column(default="")


class Referral(Base):
    """A hand-over to a department: sent by one, confirmed by the other (two-level custody).

    Live while `ended_at` is empty; it ends when the petition goes on, returns or is settled.
    """

    __tablename__ = "petition_referral"
    __table_args__ = (
        Index("ix_petition_referral_petition", "petition_id", "sent_at"),
        Index("ix_petition_referral_department", "to_department_id", "petition_id"),
        Index("ix_petition_referral_due", "acknowledged_at", "ended_at", "due_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    petition_id: Mapped[str] = mapped_column(ForeignKey("petition.id", ondelete="CASCADE"))
    from_department_id: Mapped[str | None] = mapped_column(ForeignKey("department.id"))
    to_department_id: Mapped[str] = mapped_column(ForeignKey("department.id"))
    rule_id: Mapped[str | None]
    reason_ar: Mapped[str]
    reason_en: Mapped[str]
    sent_by: Mapped[str | None]
    sent_at: Mapped[datetime]
    due_at: Mapped[datetime]
    acknowledged_by: Mapped[str | None]
    acknowledged_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    refused: Mapped[str] = mapped_column(default="")  # why the receiver did not accept it

    def reason(self, lang: str) -> str:
        return self.reason_ar if lang == "ar" else self.reason_en


class PetitionNote(Base):
    """What people wrote about a petition: note, opinion, question, reply, answer, missing.

    Without `staff_id` the visitor wrote it, on the page of the receipt.
    """

    __tablename__ = "petition_note"
    __table_args__ = (Index("ix_petition_note_petition", "petition_id", "at"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    petition_id: Mapped[str] = mapped_column(ForeignKey("petition.id", ondelete="CASCADE"))
    kind: Mapped[str]
    text: Mapped[str]
    staff_id: Mapped[str | None]
    department_id: Mapped[str | None]
    at: Mapped[datetime]


class Opinion(Base):
    """A department is asked what it thinks, while the case stays where it is. Deciding waits for all that are asked."""

    __tablename__ = "petition_opinion"
    __table_args__ = (
        UniqueConstraint("petition_id", "department_id", "number"),
        Index("ix_petition_opinion_department", "department_id", "state", "due_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    petition_id: Mapped[str] = mapped_column(ForeignKey("petition.id", ondelete="CASCADE"))
    department_id: Mapped[str] = mapped_column(ForeignKey("department.id"))
    number: Mapped[int] = mapped_column(default=1)  # a department may be asked again
    state: Mapped[str]
    question: Mapped[str]
    asked_by: Mapped[str]
    asked_at: Mapped[datetime]
    due_at: Mapped[datetime]
    text: Mapped[str] = mapped_column(default="")  # the opinion, or why it was waived
    ended_by: Mapped[str | None]
    ended_at: Mapped[datetime | None]

    department: Mapped[Department] = relationship()


class Verification(Base):
    """What verification looked at, and what it decided. `missing` is told to the visitor's centre."""

    __tablename__ = "petition_verification"
    __table_args__ = (Index("ix_petition_verification_petition", "petition_id", "at"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    petition_id: Mapped[str] = mapped_column(ForeignKey("petition.id", ondelete="CASCADE"))
    staff_id: Mapped[str]
    at: Mapped[datetime]
    passed: Mapped[bool]
    identity_ok: Mapped[bool]
    complete_ok: Mapped[bool]
    missing: Mapped[str] = mapped_column(default="")


class UrgentProposal(Base):
    """One person proposes that a case jumps the order, another agrees or declines; both stay on record."""

    __tablename__ = "urgent_proposal"
    __table_args__ = (
        Index("ix_urgent_proposal_petition", "petition_id", "decided_at"),
        Index("ix_urgent_proposal_waiting", "decided_at", "petition_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    petition_id: Mapped[str] = mapped_column(ForeignKey("petition.id", ondelete="CASCADE"))
    reason: Mapped[str]
    proposed_by: Mapped[str]
    proposed_at: Mapped[datetime]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    agreed: Mapped[bool | None]
    decision_reason: Mapped[str] = mapped_column(default="")


class PetitionDraft(Base):
    """An intake form that is not sent yet: what was typed, kept on our side because desks are shared machines.

    Its papers are pending attachments with this `draft_id`. Gone with the sending, or after some hours.
    """

    __tablename__ = "petition_draft"
    __table_args__ = (Index("ix_petition_draft_owner", "staff_id", "changed_at"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    staff_id: Mapped[str]
    ticket_id: Mapped[str | None]
    values: Mapped[dict[str, Any]]
    changed_at: Mapped[datetime] = mapped_column(index=True)
