from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class VerificationClaim(Base):
    """Who has a case in hand for checking. It counts until `until`; a case without a live row is anybody's."""

    __tablename__ = "verification_claim"

    petition_id: Mapped[str] = mapped_column(ForeignKey("petition.id", ondelete="CASCADE"), primary_key=True)
    staff_id: Mapped[str] = mapped_column(index=True)
    until: Mapped[datetime]
