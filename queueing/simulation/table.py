"""A day as a table of comma-separated values, and the waits as one: what `majlis simulate` reads and writes.

Needed columns: `arrival` (8:05, 08:05:30, an ISO date and time, or minutes since the start), `class`, `service`
(minutes). May be there: `service_point`, `section`, `language`, `sign_language`, `urgent`, `appointment` (like
`arrival`), `also` (classes, with spaces between), `gives_up_after` (minutes), `then` (further points:
"verify:6 video:20"), `label`. Names and yes/no are English; digits may be Arabic. Errors name the line and the column.
"""

import csv
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import TextIO, TypeVar

from core.errors import Mistake
from core.text import latin_digits
from queueing.simulation.day import Arrival, Stage
from queueing.simulation.outcome import Outcome
from queueing.tickets.discipline import REGULAR
from queueing.tickets.rules import MEN, SECTIONS

ARRIVAL, CLASS, SERVICE = "arrival", "class", "service"
NEEDED = (ARRIVAL, CLASS, SERVICE)
OPTIONAL = (
    "service_point",
    "section",
    "language",
    "sign_language",
    "urgent",
    "appointment",
    "also",
    "gives_up_after",
    "then",
    "label",
)
POINT = "counter"  # where everybody goes when no points are named
START = datetime(2000, 1, 1, tzinfo=UTC)  # midnight of the day of those who only say the hour
LONGEST_SERVICE = 24 * 60.0
_YES, _NO = {"1", "yes", "true", "y", "نعم"}, {"", "0", "no", "false", "n", "لا"}
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d+)?))?")
T = TypeVar("T")


class BadTable(Mistake):
    """The table can't be read: `line` (from 1, the names' line included) and `column` say where."""

    def __init__(self, message: str, *, line: int, column: str = "", **fields: object) -> None:
        super().__init__(message, field=column or None, column=column, **fields)
        self.line = line
        self.column = column


def read_arrivals(lines: Iterable[str]) -> list[Arrival]:
    """Everybody of the table, in its order. Raises BadTable."""
    rows = csv.reader(lines)
    names = [name.strip().lstrip("\ufeff").lower() for name in next(rows, [])]
    for needed in NEEDED:
        if needed not in names:
            raise BadTable("The column “{column}” is missing.", line=1, column=needed)
    for number, name in enumerate(names):
        if name not in (*NEEDED, *OPTIONAL):
            raise BadTable("There is no column “{column}”. Leave it out, or correct its name.", line=1, column=name)
        if name in names[:number]:
            raise BadTable("The column “{column}” is there twice.", line=1, column=name)
    found = []
    for row in rows:
        if not any(cell.strip() for cell in row):
            continue
        if len(row) > len(names):
            raise BadTable("This line has more values than there are columns.", line=rows.line_num)
        found.append(_arrival(_Row(dict(zip(names, row, strict=False)), rows.line_num)))
    if not found:
        raise BadTable("There is nobody in this table.", line=max(2, rows.line_num))
    return found


class _Row:
    def __init__(self, cells: dict[str, str], line: int) -> None:
        self._cells, self._line = cells, line

    def need(self, column: str, read: Callable[[str], T]) -> T:
        text = latin_digits(self._cells.get(column, "")).strip()
        try:
            return read(text)
        except ValueError as error:
            raise BadTable(str(error), line=self._line, column=column, text=text) from None

    def get(self, column: str, read: Callable[[str], T]) -> T | None:
        return self.need(column, read) if self._cells.get(column, "").strip() else None


def _arrival(row: _Row) -> Arrival:
    first = Stage(row.get("service_point", _name) or POINT, row.need(SERVICE, _minutes))
    return Arrival(
        at=row.need(ARRIVAL, _instant),
        stages=(first, *(row.get("then", _stages) or ())),
        visitor_class=row.get(CLASS, _class) or REGULAR,
        section=row.get("section", _section) or MEN,
        language=row.get("language", _name) or "ar",
        sign_language=row.get("sign_language", _flag) or False,
        urgent=row.get("urgent", _flag) or False,
        also=row.get("also", lambda text: tuple(_class(part) for part in text.split())) or (),
        appointment_at=row.get("appointment", _instant),
        gives_up_after=row.get("gives_up_after", _minutes),
        label=row.get("label", str) or "",
    )


def _instant(text: str) -> datetime:
    if match := _CLOCK.fullmatch(text):
        hour, minute, second = int(match[1]), int(match[2]), float(match[3] or 0)
        if hour < 24 and minute < 60 and second < 60:
            return START + timedelta(hours=hour, minutes=minute, seconds=second)
        raise ValueError("“{text}” is no time of the day.")
    try:
        minutes = float(text)
    except ValueError:
        pass
    else:
        if isfinite(minutes) and 0 <= minutes <= 1e8:
            return START + timedelta(minutes=minutes)
        raise ValueError("“{text}” is no number of minutes.")
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("“{text}” is no time. Write 8:05, a date and time, or minutes since the start.") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _minutes(text: str) -> float:
    try:
        minutes = float(text)
    except ValueError:
        minutes = -1.0
    if not 0 <= minutes <= LONGEST_SERVICE:
        raise ValueError("“{text}” is no number of minutes.")
    return minutes


def _name(text: str) -> str:
    if not text or len(text) > 64:
        raise ValueError("“{text}” is no name.")
    return text


def _class(text: str) -> str:
    if not text.isidentifier() or len(text) > 32:
        raise ValueError("“{text}” is no class. Write it with letters, digits and underscores.")
    return text.lower()


def _section(text: str) -> str:
    if text.lower() not in SECTIONS:
        raise ValueError("“{text}” is no section. Write men, women or family.")
    return text.lower()


def _flag(text: str) -> bool:
    if text.lower() in _YES:
        return True
    if text.lower() in _NO:
        return False
    raise ValueError("“{text}” is neither yes nor no.")


def _stages(text: str) -> tuple[Stage, ...]:
    stages = []
    for part in text.split():
        point, colon, minutes = part.rpartition(":")
        if not colon:
            raise ValueError("“{text}” is no list of further points. Write verify:6 video:20.")
        stages.append(Stage(_name(point), _minutes(minutes)))
    return tuple(stages)


def write_waits(outcome: Outcome, file: TextIO) -> None:
    """A line for every stage of every visit, in the order in which they joined."""
    out = csv.writer(file, lineterminator="\n")
    out.writerow(
        ["visit", "stage", "service_point", "class", "urgent", "joined", "called", "ended", "counter", "wait", "fate"]
    )
    for wait in sorted(outcome.waits, key=lambda w: (w.joined, w.visit, w.stage)):
        minutes = wait.minutes
        out.writerow(
            [
                wait.label or str(int(wait.visit) + 1),
                wait.stage + 1,
                wait.point,
                wait.visitor_class,
                "yes" if wait.urgent else "no",
                _written(wait.joined),
                _written(wait.called),
                _written(wait.ended),
                wait.desk,
                "" if minutes is None else f"{minutes:.2f}",
                wait.fate,
            ]
        )


def write_arrivals(arrivals: Iterable[Arrival], file: TextIO) -> None:
    """The way back: `read_arrivals` reads what this writes (seconds are the finest, hundredths of service minutes)."""
    out = csv.writer(file, lineterminator="\n")
    used = ("section", "language", "sign_language", "urgent", "appointment")
    out.writerow([*NEEDED, "service_point", *used])
    for arrival in arrivals:
        stage = arrival.stages[0]
        out.writerow(
            [
                _clock(arrival.at),
                arrival.visitor_class,
                f"{stage.minutes:.2f}",
                stage.point,
                arrival.section,
                arrival.language,
                "yes" if arrival.sign_language else "",
                "yes" if arrival.urgent else "",
                _clock(arrival.appointment_at) if arrival.appointment_at else "",
            ]
        )


def _clock(at: datetime) -> str:
    return at.strftime("%H:%M:%S")


def _written(at: datetime | None) -> str:
    return at.isoformat(timespec="seconds") if at else ""
