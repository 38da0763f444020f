from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HolidayDeclared:
    """No work from `first_day` to `last_day` (ISO dates, both included); with an empty `centre_id` in no centre."""

    holiday_id: str
    centre_id: str
    first_day: str
    last_day: str


@dataclass(frozen=True, slots=True)
class HolidayWithdrawn:
    """These days are worked on after all, as far as the week and other holidays allow."""

    holiday_id: str
    centre_id: str
    first_day: str
    last_day: str


@dataclass(frozen=True, slots=True)
class WorkingHoursChanged:
    """Weekly or Ramadan hours. An empty `centre_id`: the ministry's, and so those of every centre without its own."""

    centre_id: str
