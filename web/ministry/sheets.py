"""The numbers as files: CSV for machines (English heads, a point, one table), XLSX for people, in their language."""

import csv
import io
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

import xlsxwriter

from reception.numbers.rules import Tally
from web.ministry.view import Line, Shown

if TYPE_CHECKING:
    from web.http import Context

HEAD = (
    "kind",
    "name",
    "received",
    "open",
    "overdue",
    "settled",
    "deadline_kept",
    "median_days",
    "answers",
    "satisfaction",
)
Value = str | int | float | date | None


def cells(tally: Tally) -> list[Value]:
    """In the order of `HEAD` after the name; None where there is nothing to say."""
    kept, liked = tally.kept_share, tally.satisfaction
    return [
        tally.received, tally.open, tally.overdue, tally.settled,
        None if kept is None else round(kept, 4), tally.median_days,
        tally.answers, None if liked is None else round(liked, 2),
    ]  # fmt: skip


def csv_of(ctx: "Context", shown: Shown) -> str:
    out = io.StringIO()
    out.write("\ufeff")  # so that spreadsheets read it as UTF-8
    table = csv.writer(out, lineterminator="\r\n")
    table.writerow(HEAD)
    table.writerow(["all", "all", *_plain(cells(shown.all))])
    for kind, lines in (("type", shown.types), ("centre", shown.centres), ("department", shown.departments)):
        table.writerows([kind, _harmless(line.name), *_plain(cells(line.tally))] for line in lines)
    for low, high, n in shown.ages:
        table.writerow(["open_days", f"{low}-{high - 1}" if high else f"{low}+", "", n])
    for day, received, settled in shown.numbers.course:
        table.writerow(["from", day.isoformat(), received, "", "", settled])
    return out.getvalue()


def xlsx_of(ctx: "Context", shown: Shown) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "vcenter"})
    share, one, day = (book.add_format({"num_format": form}) for form in ("0%", "0.0", "yyyy-mm-dd"))
    _ = ctx._
    names = [
        _("Came in"), _("Still open"), _("Past the deadline"), _("Settled"),
        _("Deadline kept"), _("Half settled within, days"), _("Visitors who answered"), _("Satisfaction, of 5"),
    ]  # fmt: skip

    def sheet(title: str, heads: Sequence[str], rows: Sequence[Sequence[Value]], forms: dict[int, object]) -> None:
        page = book.add_worksheet(title[:31])
        if ctx.lang == "ar":
            page.right_to_left()
        page.freeze_panes(1, 1)
        page.set_column(0, 0, 34)
        page.set_column(1, len(heads), 14)
        page.write_row(0, 0, heads, head)
        for number, row in enumerate(rows, start=1):
            for place, value in enumerate(row):
                if isinstance(value, date):
                    page.write_datetime(number, place, value, day)
                elif value is not None:
                    page.write(number, place, value, forms.get(place))

    def table(title: str, first: str, lines: Sequence[Line]) -> None:
        rows = [[line.name, *cells(line.tally)] for line in [*lines, Line(_("All together"), shown.all)]]
        sheet(title, [first, *names], rows, {5: share, 8: one})

    table(_("By type"), _("Petition type"), shown.types)
    table(_("By region"), _("Centre"), shown.centres)
    table(_("By department"), _("Department"), shown.departments)
    aged = [[f"{low}–{high - 1}" if high else f"{low}+", n] for low, high, n in shown.ages]
    sheet(_("Age of open ones"), [_("Days since receipt"), _("Still open")], aged, {})
    sheet(_("Course"), [_("From"), _("Came in"), _("Settled")], shown.numbers.course, {})
    book.close()
    return out.getvalue()


def _plain(values: list[Value]) -> list[Value]:
    return ["" if value is None else value for value in values]


def _harmless(text: str) -> str:
    """A spreadsheet takes what begins so for a formula."""
    return "'" + text if text[:1] in "=+-@\t\r" else text
