"""`majlis simulate`: a table of visitors played by the real rules of the queue, to tables and a picture."""

import csv
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from core.errors import Mistake
from queueing.simulation import example, plot, table
from queueing.simulation.day import Arrival, Day, Span
from queueing.simulation.outcome import Outcome
from queueing.simulation.promises import Promises
from queueing.simulation.run import simulate
from queueing.tickets.discipline import DEFAULT, Discipline
from queueing.tickets.estimates import Kept
from queueing.tickets.rules import SECTIONS, Desk

out = Console(highlight=False)
err = Console(stderr=True, highlight=False, soft_wrap=True)
CANNOT = 2
LONG = 2_000  # visits from which a bar shows how far it is
ARABIC = {
    "waiting": "في الانتظار",
    "at_counters": "عند الشبابيك",
    "waits": "دقائق الانتظار بحسب الفئة",
    "mean": "المتوسط",
    "p90": "تسعة من عشرة لم ينتظروا أكثر",
    "longest": "الأطول",
    "target": "الهدف",
    "summary": "خُدم {served} · لم يُخدم {unserved} · {within}٪ خلال {target} دقيقة",
}
CLASSES_IN_ARABIC = {
    "regular": "عام",
    "returning": "عائد للمعاملة",
    "elderly": "كبير السن",
    "disabled": "ذو إعاقة",
    "deaf": "أصمّ",
    "pregnant": "حامل",
    "infant": "معه رضيع",
    "appointment": "بموعد",
    "urgent": "عاجل",
}


def simulate_(
    visitors: Annotated[
        Path | None, typer.Argument(help="CSV with the columns arrival, class, service; - reads standard input.")
    ] = None,
    counters: Annotated[
        list[str] | None,
        typer.Option(help="How many counters are open; or spans: 2@8:00-10:00,4@10:00-14:00. Repeat to compare."),
    ] = None,
    rates: Annotated[list[str] | None, typer.Option(help="Rates of classes: elderly=2,returning=1.5.")] = None,
    discipline: Annotated[Path | None, typer.Option(help="A centre's rule as JSON; --rates change it.")] = None,
    turnover: Annotated[float, typer.Option(min=0, max=60, help="Minutes between two visitors at a counter.")] = 0.0,
    target: Annotated[float | None, typer.Option(help="Minutes that every wait should stay under.")] = None,
    to: Annotated[Path | None, typer.Option("--out", help="Folder for waits.csv and summary.json.")] = None,
    picture: Annotated[bool, typer.Option("--plot", help="Draw plot.svg too.")] = False,
    title: Annotated[str, typer.Option(help="Title of the picture.")] = "",
    lang: Annotated[str, typer.Option(envvar="MAJLIS_LANG", help="ar or en: the language of the picture.")] = "en",
    promises: Annotated[
        bool, typer.Option("--promises", help="Foresee everybody's wait, and say how often it held (slower).")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The summary as JSON on standard output.")] = False,
    sample: Annotated[bool, typer.Option("--example", help="Print a sample table, and nothing else.")] = False,
) -> None:
    """Play a day of visitors by the real rules: who waits how long, with so many counters and these rates."""
    if sample:
        table.write_arrivals(example.example_day(), sys.stdout)
        return
    if visitors is None:
        err.print("Name a table of visitors. One to try: majlis simulate --example > day.csv")
        raise typer.Exit(CANNOT)
    if picture and to is None:
        err.print("--plot needs --out: the folder that plot.svg goes to.")
        raise typer.Exit(CANNOT)
    arrivals = _read(visitors)
    rule = _rule(discipline, rates or [], target)
    cases: list[tuple[str, Outcome]] = []
    held: list[Kept | None] = []
    for number, said in enumerate(counters or ["3"]):
        day = Day(tuple(arrivals), _spans(said, arrivals), rule, turnover)
        with _bar(len(arrivals)) as told:
            foreseen = Promises()
            watch = foreseen.watch if promises else None
            outcome = simulate(day, watch=watch, progress=told, step_minutes=_step(arrivals))
        held.append(foreseen.kept(outcome))
        if "@" not in said:
            outcome = _until_done(outcome)
        cases.append((said, outcome))
        if to is not None:
            _write(to / f"{number + 1}" if len(counters or []) > 1 else to, outcome, picture, title, lang)
    if as_json:
        plain: list[dict[str, Any]] = [
            {**outcome.as_json(), **({"promises": kept._asdict()} if kept else {})}
            for (_, outcome), kept in zip(cases, held, strict=True)
        ]
        print(json.dumps(plain[0] if len(plain) == 1 else plain, indent=2, ensure_ascii=False))
    else:
        _say(cases)
        for (said, _), kept in zip(cases, held, strict=True):
            if kept:
                out.print(
                    f"{said}: {kept.inside:.0%} of {kept.told} waited within the range foreseen when they came,"
                    f" {kept.sooner:.0%} less, {kept.later:.0%} more."
                )
        if to is not None:
            out.print(f"Written to {to}")


def _read(path: Path) -> list[Arrival]:
    try:
        if str(path) == "-":
            return table.read_arrivals(sys.stdin)
        with path.open(newline="", encoding="utf-8-sig") as file:
            return table.read_arrivals(file)
    except table.BadTable as error:
        where = f"{path}, line {error.line}" + (f", column {error.column}" if error.column else "")
        err.print(f"{where}: {error}")
    except OSError as error:
        err.print(f"{path} can't be read: {error.strerror}")
    except (UnicodeDecodeError, csv.Error) as error:
        err.print(f"{path} is no table of comma-separated values in UTF-8: {error}")
    raise typer.Exit(CANNOT)


def _rule(stored: Path | None, rates: Sequence[str], target: float | None) -> Discipline:
    try:
        rule = Discipline.from_json(json.loads(stored.read_text(encoding="utf-8"))) if stored else DEFAULT
        changed = dict(_rate(part) for text in rates for part in text.split(",") if part.strip())
        if changed:
            rule = replace(rule, rates={**rule.rates, **changed})
        return rule if target is None else replace(rule, target_minutes=target)
    except Mistake as error:
        err.print(f"{error.field or 'rates'}: {error}")
    except (OSError, ValueError, AttributeError) as error:
        err.print(f"{stored} is no rule in JSON: {error}" if stored else str(error))
    raise typer.Exit(CANNOT)


def _rate(text: str) -> tuple[str, float]:
    name, equals, number = text.partition("=")
    try:
        if equals:
            return name.strip(), float(number)
    except ValueError:
        pass
    raise Mistake(f"“{text}” is no rate. Write elderly=2.", field="--rates")


def _spans(said: str, arrivals: Sequence[Arrival]) -> tuple[Span, ...]:
    """`3`: open from the first visitor until all are served. `2@8:00-10:00,4@10:00-14:00`: so many in each span."""
    first = min(arrival.at for arrival in arrivals)
    busy = sum(stage.minutes + stage.away for arrival in arrivals for stage in arrival.stages)
    last = max(max(a.at, a.appointment_at or a.at) for a in arrivals) + timedelta(minutes=busy + 24 * 60)
    spans: list[Span] = []
    try:
        for part in said.split(","):
            number, at, hours = part.strip().partition("@")
            if not 1 <= int(number) <= 500:
                raise ValueError
            begins, ends = (_of_day(clock, first) for clock in hours.split("-")) if at else (first, last)
            if begins >= ends:
                raise ValueError
            spans += [Span(_desk(n + 1, arrivals), begins, ends) for n in range(int(number))]
    except ValueError:
        err.print(f"--counters: “{said}” is no number of counters. Write 3, or 2@8:00-10:00,4@10:00-14:00.")
        raise typer.Exit(CANNOT) from None
    return tuple(spans)


def _until_done(outcome: Outcome) -> Outcome:
    """Counters without hours close when nobody is left: their time is from the first visitor to the last end."""
    ends = [wait.ended for wait in outcome.waits if wait.ended]
    minutes = (max(ends) - min(wait.joined for wait in outcome.waits)) / timedelta(minutes=1)
    return replace(outcome, counters=tuple(worked._replace(open=minutes) for worked in outcome.counters))


def _of_day(clock: str, day: datetime) -> datetime:
    hour, _, minute = clock.strip().partition(":")
    return day.replace(hour=int(hour), minute=int(minute or 0), second=0, microsecond=0)


def _desk(number: int, arrivals: Sequence[Arrival]) -> Desk:
    """A counter that can do whatever the table asks for."""
    points = frozenset(stage.point for arrival in arrivals for stage in arrival.stages)
    return Desk(f"{number:02}", points, frozenset(SECTIONS), frozenset(a.language for a in arrivals), True)


def _step(arrivals: Sequence[Arrival]) -> int:
    """Minutes between two moments of the curve: some three hundred of them, five minutes at least."""
    times = [arrival.at for arrival in arrivals]
    return max(5, int((max(times) - min(times)) / timedelta(minutes=1) / 300))


@contextmanager
def _bar(visits: int) -> Iterator[Any]:
    if visits < LONG or not err.is_terminal:
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task("visitors", total=visits)
        yield lambda done: progress.update(task, completed=min(done, visits))


def _write(folder: Path, outcome: Outcome, picture: bool, title: str, lang: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "waits.csv").open("w", newline="", encoding="utf-8") as file:
            table.write_waits(outcome, file)
        summary = json.dumps(outcome.as_json(), indent=2, ensure_ascii=False)
        (folder / "summary.json").write_text(summary + "\n", encoding="utf-8")
        if picture:
            arabic = lang == "ar"
            drawn = plot.svg(
                outcome,
                title=title or ("يوم في المركز" if arabic else "A day at the centre"),
                words=ARABIC if arabic else plot.WORDS,
                names=CLASSES_IN_ARABIC if arabic else {},
                rtl=arabic,
            )
            (folder / "plot.svg").write_text(drawn + "\n", encoding="utf-8")
    except OSError as error:
        err.print(f"{folder} can't be written: {error.strerror}")
        raise typer.Exit(CANNOT) from None


def _say(cases: Sequence[tuple[str, Outcome]]) -> None:
    shown = Table("counters", "class", box=None, pad_edge=False, header_style="bold")
    for name in ("visits", "mean", "median", "9 of 10", "longest", "in target"):
        shown.add_column(name, justify="right")
    for said, outcome in cases:
        for name, spread in (("all", outcome.all), *outcome.by_class.items()):
            minutes = (spread.mean, spread.median, spread.p90, spread.longest)
            numbers = [f"{number:.1f}" for number in minutes]
            first = said if name == "all" else ""
            shown.add_row(first, name, str(spread.called), *numbers, f"{spread.within:.0%}")
    out.print(shown)
    for said, outcome in cases:
        busy = " ".join(f"{worked.utilisation:.0%}" for worked in outcome.counters)
        rest = f", {outcome.unserved} never called" if outcome.unserved else ""
        gone = f", {outcome.gave_up} gave up" if outcome.gave_up else ""
        out.print(f"{said}: counters busy {busy}{rest}{gone}. Minutes throughout; target {outcome.target_minutes:g}.")
