"""The command line: `majlis run | web | worker | media | migrate | backup | demo | doctor | staff | recordings |
simulate`."""

import gc
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from core.settings import Settings
from recordings.signing import NoSigningKey
from web.admin.command import app as staff_app
from web.classifying.command import app as classifier_app
from web.library.command import app as recordings_app
from web.messages.command import app as messages_app
from web.processes import configure_logging, port_is_free, run_all, serve_media, serve_web, serve_worker
from web.simulating import simulate_

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Majlis: reception and e-communication centres.")
app.add_typer(staff_app, name="staff")
app.add_typer(recordings_app, name="recordings")
app.add_typer(messages_app, name="messages")
app.add_typer(classifier_app, name="classifier")
app.command("simulate")(simulate_)
console = Console(highlight=False)
Port = Annotated[int | None, typer.Option(help="Port to serve on; default from MAJLIS_PORT, else 8080.")]


def _settings(**changes: object) -> Settings:
    return Settings(**{key: value for key, value in changes.items() if value is not None})  # type: ignore[arg-type]


def _set_up(settings: Settings) -> None:
    """Tables and keys. Without its signing key an installation runs all the same: what it records waits for it. Without
    its archive key it runs too, but no meeting starts."""
    from web.keys import key_ring, signer
    from web.migrate import upgrade

    upgrade(settings)
    if key_ring(settings).lost:
        console.print("Meetings can't be recorded: archive.key is gone, and what was sealed needs it (majlis doctor).")
    try:
        signer(settings)
    except NoSigningKey as error:
        console.print(f"Recordings can't be signed: {error}")


def _found(settings: Settings) -> None:
    """An installation that has no petition type yet gets the ministry's usual tree, its rules and departments."""
    from core import clock
    from core.db import Database
    from reception.petitions import defaults

    db = Database(settings.database)
    try:
        with db.write() as session:
            if defaults.install_if_none(session, now=clock.now()):
                console.print("Departments, petition types and routing rules were set up: change them in /admin/types.")
    finally:
        db.dispose()


@app.callback()
def main() -> None:
    gc.freeze()  # what is loaded by now stays: to look through it at the end, too, takes a third of a second
    configure_logging()


@app.command()
def run(
    port: Port = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    demo: Annotated[bool, typer.Option("--demo", help="Seed the demo ministry if the database is empty.")] = False,
) -> None:
    """Bring the database up to date and start web, worker and media in one."""
    from web.demo import seed_if_empty, sign_ins

    settings = _settings(port=port, host=host)
    if not port_is_free(settings.host, settings.port):
        console.print(f"Port {settings.port} is in use. Choose another: make run PORT=8090")
        raise typer.Exit(1)
    _set_up(settings)
    if demo:
        seed_if_empty(settings, say=console.print)
    _found(settings)

    def announce(url: str) -> None:
        if demo:
            console.print(sign_ins(url))
        print(f"Majlis is ready at {url}", flush=True)

    run_all(settings, announce=announce)


@app.command()
def web(port: Port = None, host: Annotated[str | None, typer.Option()] = None) -> None:
    """Serve pages and sockets (one of the three roles)."""
    serve_web(_settings(port=port, host=host))


@app.command()
def worker() -> None:
    """React to events and run jobs (one of the three roles; any number)."""
    serve_worker(_settings())


@app.command()
def media(
    port: Annotated[int, typer.Option(help="Internal port for signalling and control.")] = 8090,
    host: Annotated[str, typer.Option(help="Internal address.")] = "127.0.0.1",
) -> None:
    """Carry meetings (one of the three roles; one process per spare core)."""
    serve_media(_settings(), host, port)


@app.command()
def migrate() -> None:
    """Bring the database's tables up to date; make the archive's keys where there are none."""
    settings = _settings()
    _set_up(settings)
    _found(settings)
    console.print("The database is up to date.")


@app.command()
def backup(file: Annotated[Path, typer.Argument(help="A new file for the copy.")]) -> None:
    """Copy the whole SQLite database into a file, while everything runs."""
    from web.backup import NotKept, keep

    try:
        size = keep(_settings().database, file, say=console.print)
    except NotKept as error:
        console.print(str(error), markup=False)
        raise typer.Exit(1) from error
    console.print(f"{file}: {size:,} bytes.", markup=False)


@app.command()
def demo(
    reset: Annotated[bool, typer.Option("--reset", help="Throw all data away first.")] = False,
) -> None:
    """Seed the demo ministry."""
    from web.demo import reset as throw_away
    from web.demo import seed_if_empty, sign_ins

    settings = _settings()
    if reset:
        throw_away(settings)
    _set_up(settings)
    seed_if_empty(settings, say=console.print)
    console.print(sign_ins(settings.url))


@app.command()
def doctor() -> None:
    """Say what is missing on this machine and how to get it."""
    from web.doctor import report

    raise typer.Exit(report(_settings(), console))


if __name__ == "__main__":
    app()
