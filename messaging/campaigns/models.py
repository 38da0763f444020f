from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, new_id
from messaging.campaigns.states import WAITING


class Campaign(Base):
    """`group_kind` and `group_detail` say who was meant when it was proposed; the recipients are who it goes to."""

    __tablename__ = "campaign"
    __table_args__ = (Index("ix_campaign_state", "state", "changed_at"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str]
    group_kind: Mapped[str]
    group_detail: Mapped[dict[str, Any]]
    words: Mapped[dict[str, Any]]  # language → text
    state: Mapped[str]
    total: Mapped[int] = mapped_column(default=0)  # recipients who may be written to
    skipped: Mapped[int] = mapped_column(default=0)  # meant, but not to be written to
    parts: Mapped[int] = mapped_column(default=0)  # of all texts together, as approved
    written: Mapped[int] = mapped_column(default=0)
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    proposed_at: Mapped[datetime | None]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(default="")
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    changed_at: Mapped[datetime]
    figures: Mapped[dict[str, Any] | None]  # what came of it, once its texts are cleared away


class CampaignRecipient(Base):
    __tablename__ = "campaign_recipient"
    __table_args__ = (Index("ix_campaign_recipient_state", "campaign_id", "state", "number"),)

    campaign_id: Mapped[str] = mapped_column(ForeignKey("campaign.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[str] = mapped_column(primary_key=True)
    language: Mapped[str]
    owner_id: Mapped[str | None]
    state: Mapped[str] = mapped_column(default=WAITING)
    why: Mapped[str] = mapped_column(default="")  # it was skipped: a word of `rules`
