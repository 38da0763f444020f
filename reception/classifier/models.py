from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class Suggestion(Base):
    """What the model would have said of a petition that a clerk has entered, and what the clerk said.

    `final_code` is the type the case has now, after a correction by verification if there was one.
    """

    __tablename__ = "type_suggestion"
    __table_args__ = (Index("ix_type_suggestion_at", "at"),)

    petition_id: Mapped[str] = mapped_column(primary_key=True)
    model: Mapped[str]  # fingerprint of the model that said it
    first_code: Mapped[str]
    first_share: Mapped[float]
    codes: Mapped[list[str]]  # the ones it would have shown, best first
    chosen_code: Mapped[str]
    final_code: Mapped[str]
    at: Mapped[datetime]
