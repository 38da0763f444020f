from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AppointmentHeld:
    appointment_id: str
    slot_id: str
    visitor_id: str
    petition_id: str


@dataclass(frozen=True, slots=True)
class HoldExpired:
    appointment_id: str
    slot_id: str
    visitor_id: str
    petition_id: str


@dataclass(frozen=True, slots=True)
class AppointmentBooked:
    appointment_id: str
    slot_id: str
    visitor_id: str
    petition_id: str


@dataclass(frozen=True, slots=True)
class AppointmentRescheduled:
    """`appointment_id` is the new one; its row names the one it replaced (`previous_id`)."""

    appointment_id: str
    slot_id: str
    visitor_id: str
    petition_id: str


@dataclass(frozen=True, slots=True)
class AppointmentCancelled:
    appointment_id: str
    slot_id: str
    visitor_id: str
    petition_id: str


@dataclass(frozen=True, slots=True)
class AppointmentShifted:
    """A zone's rules changed: the clock will show what was promised, at another instant than was thought."""

    appointment_id: str
    slot_id: str
    visitor_id: str
    petition_id: str


@dataclass(frozen=True, slots=True)
class AppointmentCheckedIn:
    appointment_id: str
    slot_id: str
    visitor_id: str
    petition_id: str


@dataclass(frozen=True, slots=True)
class AppointmentMet:
    appointment_id: str
    slot_id: str
    visitor_id: str
    petition_id: str


@dataclass(frozen=True, slots=True)
class AppointmentMissed:
    appointment_id: str
    slot_id: str
    visitor_id: str
    petition_id: str


@dataclass(frozen=True, slots=True)
class SlotsOpened:
    """A session of `count` slots was added to an official's calendar; `first_slot_id` is its first."""

    official_id: str
    first_slot_id: str
    count: int


@dataclass(frozen=True, slots=True)
class SlotClosed:
    slot_id: str
    official_id: str


@dataclass(frozen=True, slots=True)
class SlotReopened:
    slot_id: str
    official_id: str


@dataclass(frozen=True, slots=True)
class SlotsShifted:
    """After a change of zone rules `shifted` slots have another instant; `blocked` could not follow without a clash."""

    shifted: int
    blocked: int


@dataclass(frozen=True, slots=True)
class SlotsClosed:
    """A holiday was declared, or hours were changed (`holiday_id` is HOURS): `count` slots are offered no longer."""

    count: int
    holiday_id: str


@dataclass(frozen=True, slots=True)
class SlotsReopened:
    """A holiday was withdrawn: `count` slots are offered again."""

    count: int
    holiday_id: str


@dataclass(frozen=True, slots=True)
class AppointmentDisplaced:
    """By the rule this visitor made room for an urgent case, `for_petition`; `appointment_id` is the new one."""

    appointment_id: str
    petition_id: str
    for_petition: str
