from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, new_id


class Visitor(Base):
    """A person who came or called. The identity number is what makes two records one person."""

    __tablename__ = "visitor"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    identity_number: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    name_search: Mapped[str]
    phone: Mapped[str] = mapped_column(index=True)
    language: Mapped[str] = mapped_column(default="ar")
    sign_language: Mapped[bool] = mapped_column(default=False)
    section: Mapped[str] = mapped_column(default="men")
    created_at: Mapped[datetime]


class VisitorWord(Base):
    """One word of a visitor's name (or, behind a tilde, its sound): a search by its beginning uses an index."""

    __tablename__ = "visitor_word"
    __table_args__ = (Index("ix_visitor_word_both", "visitor_id", "word"),)

    # Compared by code point on both databases: a prefix is then a range of the index.
    word: Mapped[str] = mapped_column(String().with_variant(String(collation="C"), "postgresql"), primary_key=True)
    visitor_id: Mapped[str] = mapped_column(ForeignKey("visitor.id", ondelete="CASCADE"), primary_key=True)
