"""What fits a hall's line, when it is shown, and when the hall keeps quiet. Pure."""

from datetime import datetime, timedelta

from core.errors import Mistake

LONGEST_TEXT = 140  # characters: two lines at a size that is read from six metres
LONGEST_TIME = timedelta(days=92)  # a notice that stands for ever is a sign on the wall
MINUTES_OF_A_DAY = 24 * 60
DIRECTIONS = ("ahead", "ahead-right", "right", "back", "left", "ahead-left")  # as one stands before the screen
LOUDEST, USUAL_VOLUME = 100, 80


def check_texts(text_ar: str, text_en: str) -> None:
    """Both languages, short. Raises Mistake."""
    for field, text in (("text_ar", text_ar), ("text_en", text_en)):
        if not text:
            raise Mistake("A notice is shown in Arabic and in English: please write both.", field=field)
        if len(text) > LONGEST_TEXT:
            raise Mistake("Please shorten this to {max} characters.", field=field, max=LONGEST_TEXT)


def check_times(from_at: datetime, until_at: datetime, *, now: datetime) -> None:
    """Raises Mistake for a notice that nobody would ever see, and for one without an end in sight."""
    if until_at <= from_at:
        raise Mistake("The notice would end before it begins.", field="until")
    if until_at <= now:
        raise Mistake("This time is over already.", field="until")
    if until_at - max(from_at, now) > LONGEST_TIME:
        raise Mistake("A notice stands for three months at most. Renew it then, if it still holds.", field="until")


def is_shown(from_at: datetime, until_at: datetime, *, now: datetime) -> bool:
    return from_at <= now < until_at


def is_quiet(quiet_from: int | None, quiet_until: int | None, *, minute: int) -> bool:
    """Whether the hall shows without speaking at `minute` of the local day. The hours may go past midnight."""
    if quiet_from is None or quiet_until is None or quiet_from == quiet_until:
        return False
    if quiet_from < quiet_until:
        return quiet_from <= minute < quiet_until
    return minute >= quiet_from or minute < quiet_until


def check_sound(volume: int, quiet_from: int | None, quiet_until: int | None) -> None:
    """Raises Mistake."""
    if not 0 <= volume <= LOUDEST:
        raise Mistake("The volume is between 0 and 100.", field="volume")
    if (quiet_from is None) != (quiet_until is None):
        raise Mistake("Quiet hours have a beginning and an end.", field="quiet_until")
    for minute in (quiet_from, quiet_until):
        if minute is not None and not 0 <= minute < MINUTES_OF_A_DAY:
            raise Mistake("Please enter a time of day, such as 12:30.", field="quiet_from")
