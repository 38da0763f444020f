from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.db import Base, new_id
from reception.visitors.models import Visitor


class PetitionParty(Base):
    """One more person of a petition. `role` is petitioner (asks with the first one) or agent (acts for them).

    `told`: gets the texts. An agent shows a `power`, with its number, its end (empty: none) and a paper (`proof_id`).
    `relation` is what the person is to the first petitioner, where it was said.
    """

    __tablename__ = "petition_party"
    __table_args__ = (
        UniqueConstraint("petition_id", "visitor_id"),
        Index("ix_petition_party_visitor", "visitor_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    petition_id: Mapped[str] = mapped_column(ForeignKey("petition.id", ondelete="CASCADE"))
    visitor_id: Mapped[str] = mapped_column(ForeignKey("visitor.id"))
    role: Mapped[str]
    relation: Mapped[str] = mapped_column(default="")
    told: Mapped[bool] = mapped_column(default=True)
    power: Mapped[str] = mapped_column(default="")
    power_number: Mapped[str] = mapped_column(default="")
    valid_until: Mapped[date | None] = mapped_column(Date())
    proof_id: Mapped[str | None]
    at: Mapped[datetime]

    visitor: Mapped[Visitor] = relationship()


class PrincipalSilence(Base):
    """The first petitioner of this case wants the texts to go to the one who acts for them alone."""

    __tablename__ = "petition_principal_silence"

    petition_id: Mapped[str] = mapped_column(ForeignKey("petition.id", ondelete="CASCADE"), primary_key=True)
    at: Mapped[datetime]


class Kin(Base):
    """One of a visitor's household, as said at the counter: `relation` is what `visitor_id` is to `of_id`."""

    __tablename__ = "visitor_kin"
    __table_args__ = (Index("ix_visitor_kin_visitor", "visitor_id"),)

    of_id: Mapped[str] = mapped_column(ForeignKey("visitor.id", ondelete="CASCADE"), primary_key=True)
    visitor_id: Mapped[str] = mapped_column(ForeignKey("visitor.id", ondelete="CASCADE"), primary_key=True)
    relation: Mapped[str]
    at: Mapped[datetime]

    visitor: Mapped[Visitor] = relationship(foreign_keys=[visitor_id])
