from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, new_id


class Centre(Base):
    """A regional reception and e-communication centre. `code` stands in addresses (`/kiosk/riyadh`)."""

    __tablename__ = "centre"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    code: Mapped[str] = mapped_column(unique=True)
    name_ar: Mapped[str]
    name_en: Mapped[str]
    place_ar: Mapped[str]
    place_en: Mapped[str]
    sections: Mapped[list[str]]
    video_hall: Mapped[bool] = mapped_column(default=True)
    active: Mapped[bool] = mapped_column(default=True)

    def name(self, lang: str) -> str:
        return self.name_ar if lang == "ar" else self.name_en

    def place(self, lang: str) -> str:
        """Where a visitor goes: building and street, short enough for a text message."""
        return self.place_ar if lang == "ar" else self.place_en


class Department(Base):
    __tablename__ = "department"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    code: Mapped[str] = mapped_column(unique=True)
    name_ar: Mapped[str]
    name_en: Mapped[str]
    is_office: Mapped[bool] = mapped_column(default=False)  # the minister's office
    active: Mapped[bool] = mapped_column(default=True)  # else nothing new is sent there

    def name(self, lang: str) -> str:
        return self.name_ar if lang == "ar" else self.name_en
