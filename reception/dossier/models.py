from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, new_id


class DossierReceipt(Base):
    """Proof that somebody had the dossier before them at an instant. Every opening is a row."""

    __tablename__ = "dossier_receipt"
    __table_args__ = (Index("ix_dossier_receipt_petition", "petition_id", "staff_id", "opened_at"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    petition_id: Mapped[str] = mapped_column(ForeignKey("petition.id"))
    staff_id: Mapped[str]
    opened_at: Mapped[datetime]
