from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, new_id
from reception.files.rules import SOUND


class Attachment(Base):
    """A paper. Until it belongs to a petition it is a pending upload of `uploaded_by`, shown again in the form.

    `size` and `sha256` are those of the harmless copy, before sealing; `path` is relative to the files' folder.
    `kind` is paper, note (dictated) or proof (that somebody may act for another). `pages`: seconds of a note.
    `scan` is empty where no scanner is set up, else waiting, clean or infected, with what was `found`.
    Without `uploaded_by` the visitor sent it, from the page of the receipt.
    """

    __tablename__ = "attachment"
    __table_args__ = (
        Index("ix_attachment_petition", "petition_id", "at"),
        Index("ix_attachment_pending", "uploaded_by", "petition_id", "draft_id"),
        Index("ix_attachment_scan", "scan", "at"),
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
    kind: Mapped[str] = mapped_column(default="paper", server_default="paper")
    pages: Mapped[int] = mapped_column(default=1, server_default="1")
    scan: Mapped[str] = mapped_column(default="", server_default="")
    found: Mapped[str] = mapped_column(default="", server_default="")

    @property
    def is_sound(self) -> bool:
        return self.media_type == SOUND

    @property
    def locked(self) -> bool:
        """Something harmful was found in it after it had been taken: nobody opens it any more."""
        return self.scan == "infected"
