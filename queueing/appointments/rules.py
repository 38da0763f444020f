"""Who may have which slot and when. Times are instants in UTC; the zone is used once, when a session is planned."""

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from core.calendar import LAST_DAY, at_local
from core.errors import Mistake, Refused

VIDEO, AUDIENCE = "video", "audience"
KINDS = (VIDEO, AUDIENCE)

GRID = timedelta(minutes=5)  # slots begin and end on it, so that two that overlap share at least one step
HOLD = timedelta(minutes=5)
NOTICE = timedelta(hours=2)  # a visitor needs the way to the hall
URGENT_NOTICE = timedelta(minutes=30)
RESERVE_LIFTED = timedelta(hours=24)  # an urgent reserve nobody needed goes to everybody a day ahead
CHECK_IN_OPENS = timedelta(hours=6)  # before the start: who travelled far is not sent back to the street
CHECK_IN_CLOSES = timedelta(hours=1)  # after the end
LONGEST_SESSION = 60  # slots
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Shift:
    """A slot that would move with its zone's clock, and whom and what it takes along."""

    slot_id: str
    before: Span
    after: Span
    resources: frozenset[str]


def earliest(*, urgent: bool, now: datetime) -> datetime:
    """From when on a slot may be proposed. A person may still give an earlier one to who is there already."""
    return now + (URGENT_NOTICE if urgent else NOTICE)


def open_to(reserved_urgent: bool, starts_at: datetime, *, urgent: bool, now: datetime) -> bool:
    """Whether a slot's reserve admits this case: reserved slots are for urgent ones until a day before."""
    return urgent or not reserved_urgent or starts_at - now <= RESERVE_LIFTED


def steps(starts_at: datetime, ends_at: datetime) -> list[datetime]:
    """The grid steps that [starts_at, ends_at) touches; what a resource is claimed by."""
    first = starts_at - (starts_at - _EPOCH) % GRID
    count = -((first - ends_at) // GRID)
    return [first + GRID * n for n in range(count)]


def days(starts_at: datetime, ends_at: datetime) -> list[date]:
    """The UTC days that a slot touches, in order (two when it crosses midnight UTC)."""
    first = starts_at.astimezone(UTC).date()
    last = (ends_at.astimezone(UTC) - timedelta(microseconds=1)).date()
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def days_between(first: date, last: date) -> list[date]:
    """The UTC days that these days may touch, on whichever clock they are counted."""
    return [first + timedelta(days=n) for n in range(-1, (last - first).days + 2)]


def plan(
    day: date, start: time, end: time, *, minutes: int, pause: int = 0, zone: str, now: datetime
) -> list[tuple[datetime, datetime]]:
    """The slots of one session: `minutes` each, `pause` minutes between, the last one ending by `end`.

    Raises Mistake for lengths off the five-minute grid, a session without room for one slot, too many, or in the past.
    """
    grid = GRID // timedelta(minutes=1)
    if minutes < grid or minutes % grid:
        raise Mistake("Give the length in steps of {grid} minutes.", field="minutes", grid=grid)
    if pause < 0 or pause % grid:
        raise Mistake("Give the pause in steps of {grid} minutes.", field="pause", grid=grid)
    if start.minute % grid or start.second or start.microsecond:
        raise Mistake("A session begins on a five-minute mark.", field="start")
    if day > LAST_DAY:
        raise Mistake(
            "The Hijri calendar is published until {last}. Choose an earlier day.", field="day", last=LAST_DAY
        )
    at, until = at_local(day, start.hour, start.minute, zone), at_local(day, end.hour, end.minute, zone)
    if at <= now:
        raise Mistake("This time has passed. Choose a later one.", field="start")
    found = []
    while at + timedelta(minutes=minutes) <= until:
        found.append((at, at + timedelta(minutes=minutes)))
        at += timedelta(minutes=minutes + pause)
    if not found:
        raise Mistake("There is no room for a meeting between these times.", field="end")
    if len(found) > LONGEST_SESSION:
        raise Mistake("A session holds at most {most} meetings.", field="minutes", most=LONGEST_SESSION)
    return found


def spread_reserve(slots: int, reserved: int) -> frozenset[int]:
    """Which of a session's slots (by position) are kept for urgent cases: evenly spread, the first one among them."""
    reserved = max(0, min(reserved, slots))
    return frozenset(n * slots // reserved for n in range(reserved)) if reserved else frozenset()


def choose_helper(free: Sequence[str], load: Mapping[str, int], *, spare: Collection[str] = frozenset()) -> str | None:
    """The free interpreter or attendant with the least to do that day; of equals the first by id, to be replayed.

    Those in `spare` come last: they can do what the meeting needs of somebody else as well.
    """
    return min(free, key=lambda person: (person in spare, load.get(person, 0), person), default=None)


def blocked(shifts: Sequence[Shift], taken: Set[tuple[str, datetime]]) -> set[str]:
    """Slots that can't move with their clock, since somebody would then be in two places; `taken` is what others claim.

    Who stays may stand in the way of the next one; the later of two movers stays. At worst nobody moves, which is as it
    was and so without a clash.
    """
    staying: set[str] = set()
    while True:
        held = set(taken)
        for shift in shifts:
            if shift.slot_id in staying:
                held |= {(resource, at) for resource in shift.resources for at in steps(*shift.before)}
        for shift in shifts:
            if shift.slot_id in staying:
                continue
            wanted = {(resource, at) for resource in shift.resources for at in steps(*shift.after)}
            if held & wanted:
                staying.add(shift.slot_id)
                break
            held |= wanted
        else:
            return staying


def hold_is_over(held_until: datetime | None, *, now: datetime) -> bool:
    return held_until is not None and held_until <= now


def check_in_allowed(starts_at: datetime, ends_at: datetime, *, now: datetime) -> None:
    """Raises Refused too early or too late."""
    if now < starts_at - CHECK_IN_OPENS:
        raise Refused("It is too early to check in for this appointment.")
    if now > ends_at + CHECK_IN_CLOSES:
        raise Refused("The time of this appointment has passed. Please ask for a new one.")


def miss_allowed(starts_at: datetime, *, now: datetime) -> None:
    """Nobody is late before the time. Raises Refused."""
    if now < starts_at:
        raise Refused("The time of this appointment has not come yet.")
