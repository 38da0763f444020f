from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class FollowDoor(Base):
    """The wrong tries at a visitor's page since the last right one. Without a row there was none."""

    __tablename__ = "follow_door"

    petition_id: Mapped[str] = mapped_column(ForeignKey("petition.id", ondelete="CASCADE"), primary_key=True)
    wrong: Mapped[int] = mapped_column(default=0)
    paused_until: Mapped[datetime | None]
