from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, new_id
from recordings.storage.states import LOCAL


class StoredFile(Base):
    """One file of a recording and its twin in the bucket. Only installations with a bucket have such rows.

    `sha256` is that of the manifest, with the key slot as zeros: so it lies in the bucket. Empty until it is known.
    """

    __tablename__ = "recording_file"
    __table_args__ = (UniqueConstraint("recording_id", "file"), Index("ix_recording_file_state", "state", "stored_at"))

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    recording_id: Mapped[str] = mapped_column(ForeignKey("recording.id", ondelete="CASCADE"))
    file: Mapped[str]
    state: Mapped[str] = mapped_column(default=LOCAL)
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str]
    object_key: Mapped[str]
    version: Mapped[str]  # the bucket's id of the very object that was read back
    upload: Mapped[str]  # of a transfer in parts that has begun
    sent: Mapped[int] = mapped_column(BigInteger, default=0)
    tries: Mapped[int] = mapped_column(default=0)
    problem: Mapped[str | None]
    due_at: Mapped[datetime | None]  # of the next try; where it lies here and there: not freed before
    stored_at: Mapped[datetime | None]
    freed_at: Mapped[datetime | None]
    locked_until: Mapped[datetime | None]
