"""Meetings with how each participant fared, and the weeks of a centre.

Says roles, no names: who looks at lines need not know who spoke with whom.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from core.calendar import local_day
from core.staff.models import Staff
from video.access import meetings_with_quality
from video.meetings import rules, service
from video.meetings.models import Meeting, MeetingQuality, Participant

WEEKS = 12


@dataclass(frozen=True, slots=True)
class Fared:
    participant: Participant
    legs: list[MeetingQuality]
    quality: rules.Quality
    verdict: rules.Verdict | None

    @property
    def level(self) -> str | None:
        return self.verdict.level if self.verdict else None


@dataclass(frozen=True, slots=True)
class Held:
    """One meeting that was held. `level` is None where nothing was measured."""

    meeting: Meeting
    people: list[Fared]
    level: str | None

    @property
    def hall(self) -> str | None:
        """The level of the visitor's side: the line of the centre's hall."""
        return next((one.level for one in self.people if one.participant.role == rules.VISITOR), None)


@dataclass(frozen=True, slots=True)
class Week:
    """Meetings of one centre in the week that begins on `start`, by the level of the hall's side."""

    start: date
    counts: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def good(self) -> int:
        return self.counts[rules.FINE]


@dataclass(frozen=True, slots=True)
class Course:
    """A centre over the weeks, oldest first."""

    centre_id: str
    weeks: list[Week]

    @property
    def total(self) -> int:
        return sum(week.total for week in self.weeks)

    @property
    def share(self) -> int | None:
        """Percent of good meetings; None without any."""
        return round(100 * sum(week.good for week in self.weeks) / self.total) if self.total else None


def held(session: Session, staff: Staff, start: datetime, end: datetime) -> list[Held]:
    """What `staff` may see of the meetings of that time, latest first."""
    meetings = meetings_with_quality(session, staff, start, end)
    kept = service.qualities(session, [meeting.id for meeting in meetings])
    return [fared(meeting, kept.get(meeting.id, {})) for meeting in meetings]


def fared(meeting: Meeting, kept: Mapping[str, list[MeetingQuality]]) -> Held:
    order = {role: place for place, role in enumerate(rules.ROLES)}
    present = [person for person in meeting.participants if person.id in kept]
    people = []
    for person in sorted(present, key=lambda person: order[person.role]):
        quality = rules.total(kept[person.id])
        people.append(Fared(person, kept[person.id], quality, rules.verdict(quality)))
    return Held(meeting, people, rules.worst(one.verdict for one in people))


def week_of(day: date) -> date:
    """The Sunday with which the working week of `day` begins."""
    return day - timedelta(days=(day.weekday() + 1) % 7)


def courses(rows: Iterable[Held], centre_ids: Sequence[str], *, today: date, zone: str) -> list[Course]:
    """Each of these centres over the last `WEEKS` weeks, in the order given."""
    weeks = [week_of(today) - timedelta(weeks=back) for back in reversed(range(WEEKS))]
    counted = {centre: {week: dict.fromkeys(rules.LEVELS, 0) for week in weeks} for centre in centre_ids}
    for row in rows:
        week = week_of(local_day(row.meeting.live_at or row.meeting.starts_at, zone))
        if row.hall and week in counted.get(row.meeting.centre_id, {}):
            counted[row.meeting.centre_id][week][row.hall] += 1
    return [Course(centre, [Week(week, counts) for week, counts in counted[centre].items()]) for centre in centre_ids]
