"""A what-if as a table of comma-separated values, for whoever goes on reckoning with it."""

import csv
import io
from typing import TYPE_CHECKING

from queueing.simulation.outcome import Outcome, Spread, Worked

if TYPE_CHECKING:
    from web.centre.whatif import Played
    from web.http import Context

HEAD = (
    "kind", "name", "count_before", "count_after", "median_before", "median_after", "p90_before", "p90_after",
    "longest_before", "longest_after", "within_target_before", "within_target_after", "busy_before", "busy_after",
)  # fmt: skip


def csv_of(ctx: "Context", played: "Played") -> str:
    """Names and numbers as machines read them: English, a point, minutes. The first line is all visitors."""
    out = io.StringIO()
    out.write("\ufeff")  # so that spreadsheets read it as UTF-8
    table = csv.writer(out, lineterminator="\r\n")
    table.writerow(HEAD)
    table.writerow(_row("all", "all", played.before.all, played.after.all))
    for one in played.differences:
        table.writerow(_row("class", one.visitor_class, one.before, one.after))
    for number, (before, after) in enumerate(_counters(played.before, played.after), start=1):
        table.writerow(["counter", number, before[0], after[0], *[""] * 8, before[1], after[1]])
    return out.getvalue()


def _row(kind: str, name: str, before: Spread | None, after: Spread | None) -> list[object]:
    pairs = [("called", 0), ("median", 1), ("p90", 1), ("longest", 1), ("within", 4)]
    cells = [
        round(getattr(one, field), digits) if one is not None else ""
        for field, digits in pairs
        for one in (before, after)
    ]
    return [kind, name, *cells]


def _counters(before: Outcome, after: Outcome) -> list[tuple[list[object], list[object]]]:
    """(served, share of the time busy) of each counter, before and after."""
    was, would = ({one.desk: one for one in outcome.counters} for outcome in (before, after))
    return [(_worked(was.get(key)), _worked(would.get(key))) for key in {**was, **would}]


def _worked(one: Worked | None) -> list[object]:
    return [one.served, round(one.utilisation, 4)] if one else ["", ""]
