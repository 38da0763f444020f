from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, new_id


class Attachment(Base):
    """A paper. Until it belongs to a petition it is a pending upload of `uploaded_by`, shown again in the form.

    `size` and `sha256` are those of the harmless copy, before sealing; `path` is relative to the files' folder.
    """

    __tablename__ = "attachment"
    __table_args__ = (
        Index("ix_attachment_petition", "petition_id", "at"),
        Index("ix_attachment_pending", "uploaded_by", "petition_id", "draft_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    petition_id: Mapped[str | None] = mapped_column(ForeignKey("petition.id"))
    draft_id: Mapped[str | None]
    name: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str]
    path: Mapped[str]
    uploaded_by: Mapped[str]
    at: Mapped[datetime]
