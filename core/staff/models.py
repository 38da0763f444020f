from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.db import Base, new_id


class Staff(Base):
    """A person with a sign-in. `centre_id` and `department_id` bind what they see; None means the whole ministry."""

    __tablename__ = "staff"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    username: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    name_ar: Mapped[str]
    name_en: Mapped[str]
    title_ar: Mapped[str] = mapped_column(default="")
    title_en: Mapped[str] = mapped_column(default="")
    centre_id: Mapped[str | None] = mapped_column(index=True)
    department_id: Mapped[str | None] = mapped_column(index=True)
    language: Mapped[str] = mapped_column(default="ar")
    active: Mapped[bool] = mapped_column(default=True)
    must_change_password: Mapped[bool] = mapped_column(default=False)  # the present one was handed over by somebody
    failed_attempts: Mapped[int] = mapped_column(default=0)  # both: of versions before `SignInPace`, which may still
    locked_until: Mapped[datetime | None]  # run beside this one while an installation is renewed

    role_rows: Mapped[list["StaffRole"]] = relationship(lazy="selectin", cascade="all, delete-orphan")

    @property
    def roles(self) -> frozenset[str]:
        return frozenset(row.role for row in self.role_rows)

    def name(self, lang: str) -> str:
        return self.name_ar if lang == "ar" else self.name_en

    def title(self, lang: str) -> str:
        return self.title_ar if lang == "ar" else self.title_en


class StaffRole(Base):
    __tablename__ = "staff_role"
    __table_args__ = (UniqueConstraint("staff_id", "role"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    staff_id: Mapped[str] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"))
    role: Mapped[str]


class StaffSession(Base):
    """A sign-in. The cookie holds a random secret; the table only its SHA-256, so a copied table opens nothing.

    `limited`: signed in with a first password; it opens only the page where the person's own is chosen.
    """

    __tablename__ = "staff_session"

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    staff_id: Mapped[str] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"), index=True)
    csrf: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    address: Mapped[str | None]
    limited: Mapped[bool] = mapped_column(default=False)


class SignInPace(Base):
    """Wrong passwords that are not forgotten yet: of a name, of an address, of a person's own device (`rules.Pace`).

    Names are kept as their hash, whether or not anybody has them. A row whose `free_at` is past says nothing any more.
    """

    __tablename__ = "sign_in_pace"

    key: Mapped[str] = mapped_column(primary_key=True)
    free_at: Mapped[datetime] = mapped_column(index=True)


class SignInDevice(Base):
    """A browser that somebody has signed in with: nobody else's wrong tries stand in their way there."""

    __tablename__ = "sign_in_device"

    device_hash: Mapped[str] = mapped_column(primary_key=True)
    staff_id: Mapped[str] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"), primary_key=True, index=True)
    at: Mapped[datetime] = mapped_column(index=True)
