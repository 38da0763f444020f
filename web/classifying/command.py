"""`majlis classifier train | show`."""

import os
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from core import clock
from core.db import Database
from core.errors import MajlisError
from core.settings import Settings
from reception.classifier import agreement, rules
from reception.classifier.rules import About

app = typer.Typer(no_args_is_help=True, help="Suggesting a petition's type: train, show.")
console = Console(highlight=False)


def known_model(settings: Settings) -> About | None:
    model = agreement.load(settings.data_dir)
    return model.about if model else None


@app.command()
def train(
    dry: Annotated[bool, typer.Option("--dry", help="Only report; leave the present model as it is.")] = False,
) -> None:
    """Learn types from past verified petitions, report how well, and use it from now on if it is good enough."""
    from reception.classifier import training

    settings = Settings()
    with Database(settings.database).read() as session:
        found = training.examples(session)
    try:
        model, report = training.train(found, now=clock.now())
    except MajlisError as error:
        console.print(str(error))
        raise typer.Exit(1) from None
    table = Table("Type", "Petitions", "Precision", "Recall", "F1")
    for score in report.scores:
        table.add_row(
            score.code, str(score.petitions), *(f"{x:.2f}" for x in (score.precision, score.recall, score.f1))
        )
    console.print(table)
    about = report.about
    console.print(f"{about.petitions} petitions, macro F1 {about.macro_f1:.3f}, accuracy {about.accuracy:.3f}")
    console.print(f"Always saying the most common type: accuracy {about.baseline:.3f}")
    if report.confused:
        mixed = Table("In truth", "Said", "Times")
        for truth, said, n in report.confused:
            mixed.add_row(truth, said, str(n))
        console.print(mixed)
    if report.left_out:
        console.print("Too few to learn: " + ", ".join(f"{code} ({n})" for code, n in report.left_out))
    if dry:
        return
    keep(settings.data_dir, rules.pack(model))
    console.print("In use." if about.on else "Kept, but not shown to clerks: it guesses too badly as yet.")


def keep(folder: Path, data: bytes) -> None:
    """In one step: whoever reads meanwhile has the old model or the new one."""
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=folder, prefix=".classifier-")
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    Path(name).replace(folder / agreement.FILE)


@app.command()
def show() -> None:
    """What is known of the model in use, and how often clerks agreed with it."""
    settings = Settings()
    about = known_model(settings)
    if about is None:
        console.print("There is no model: majlis classifier train")
        raise typer.Exit(1)
    with Database(settings.database).read() as session:
        agreed = agreement.lately(session, now=clock.now())
    console.print(
        f"Trained {about.trained_at:%Y-%m-%d %H:%M} on {about.petitions} petitions, macro F1 {about.macro_f1}"
    )
    console.print(f"Last thirty days: first right {agreed.first} of {agreed.all}, among those shown {agreed.shown}")
