"""`majlis recordings verify | certificate | film | check | sign | public-key | …`: proof at the terminal.

`verify` and `certificate` need files and public keys alone. They end with 0 where everything is proven, 1 where
something was altered, 2 where it could not be checked at all, 3 where nothing is wrong but something is not signed,
or destroyed and gone from the store.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn
from sqlalchemy import select

from core.db import Database
from core.errors import NotFound
from core.language import LANGUAGES, N_, catalogue
from core.settings import Settings
from recordings.archive.models import Recording
from recordings.archive.states import DESTROYED
from recordings.export import proof as film_proof
from recordings.keys import FileKeyRing, UnsafeKeyFile
from recordings.proof import manifest, service
from recordings.proof.pieces import Progress as Told
from recordings.proof.pieces import take
from recordings.proof.rules import ALTERED, ENDED, PROVEN, UNSIGNED
from recordings.proof.verify import Report, size_of, verify
from recordings.rotation import rewrap_below, sealed_below, waiting
from recordings.signing import BadPublicKey, FileSigner, NoSigningKey, PublicKeys, public_pem
from recordings.storage.away import alone
from web import proof
from web.keys import archive_key, key_ring, public_keys, signer
from web.library import audit
from web.library.words import VERDICTS, sentence
from web.retention import checking

app = typer.Typer(no_args_is_help=True, help="Recordings: proof that they are what was recorded.")
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)
LOCALE = Path(__file__).parent.parent / "locale"
MARKS = {PROVEN: "[green]✓[/green]", ALTERED: "[red]✗[/red]", **dict.fromkeys((UNSIGNED, ENDED), "[yellow]–[/yellow]")}
EXIT = {PROVEN: 0, ALTERED: 1, UNSIGNED: 3, ENDED: 3}
CANNOT = 2
FILM_HOLDS = N_("This is the film that left the archive, unaltered.")
FILM_DIFFERS = N_("This is not the film that the signed lines speak of.")
HOLDS, HOLDS_NOT = N_("The signature holds"), N_("The signature does not hold")

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on standard output, for programs.")]
Language = Annotated[
    str, typer.Option("--lang", envvar="MAJLIS_LANG", help="ar, en, or both: the language of what is said.")
]


@app.command("verify")
def verify_(
    paths: Annotated[list[Path], typer.Argument(help="A recording's folder, one of its files, or a folder of many.")],
    public_key: Annotated[
        list[Path] | None,
        typer.Option(help="Public key in PEM, taken from a safe place; default: those of this installation."),
    ] = None,
    as_json: AsJson = False,
    lang: Language = "both",
) -> None:
    """Say whether recordings are what was signed, and if not, which bytes. Needs no database and no decryption key."""
    keys = _keys(public_key)
    places = [place for path in paths for place in _recordings(path)]
    with _bar("verify", sum(size_of(place) for place in places)) as told:
        reports = [verify(place, keys, told) for place in places]
    if as_json:
        print(json.dumps({"verdict": _worst(reports), "recordings": [_plain(report) for report in reports]}, indent=2))
    else:
        for report in reports:
            _say(report, lang)
    raise typer.Exit(EXIT[_worst(reports)])


@app.command("certificate")
def certificate_(
    paths: Annotated[list[Path], typer.Argument(help="Certificates of destruction, as they were saved.")],
    public_key: Annotated[
        list[Path] | None,
        typer.Option(help="Public key in PEM, taken from a safe place; default: those of this installation."),
    ] = None,
    recording: Annotated[
        Path | None, typer.Option(help="What is left of the recording: look also whether these are the files named.")
    ] = None,
    as_json: AsJson = False,
    lang: Language = "both",
) -> None:
    """Say whether a certificate of destruction is what was signed. Needs no database and no decryption key."""
    keys = _keys(public_key)
    if recording is not None and not recording.is_dir():
        err.print(f"There is no folder {recording}.")
        raise typer.Exit(CANNOT)
    try:
        looked = [checking.look(path, keys, recording) for path in paths]
    except OSError as error:
        err.print(f"The certificate can't be read: {error}")
        raise typer.Exit(CANNOT) from None
    if as_json:
        told = [{**asdict(one), "path": str(one.path), "holds": one.holds} for one in looked]
        print(json.dumps({"holds": all(one.holds for one in looked), "certificates": told}, indent=2))
    else:
        for one in looked:
            _say_certificate(one, lang)
    raise typer.Exit(0 if all(one.holds for one in looked) else 1)


@app.command("film")
def film_(
    film: Annotated[Path, typer.Argument(help="A film that was made for somebody to take away.")],
    proof_file: Annotated[
        Path | None, typer.Option("--proof", help="The signed lines that go with it; default: FILM.proof beside it.")
    ] = None,
    public_key: Annotated[
        list[Path] | None,
        typer.Option(help="Public key in PEM, taken from a safe place; default: those of this installation."),
    ] = None,
    as_json: AsJson = False,
    lang: Language = "both",
) -> None:
    """Say whether a film is what left the archive. Needs no database and no decryption key."""
    keys = _keys(public_key)
    place = proof_file or film.with_name(film.name + ".proof")
    fields, problem = None, ""
    try:
        if place.stat().st_size > film_proof.MOST_BYTES:
            raise film_proof.NoProof("too long")
        fields = film_proof.read(place.read_text(), keys)
        with _bar(film.name, film.stat().st_size) as told:
            taken = take(film, told)
        problem = "" if (taken.size, taken.sha256) == (fields["size"], fields["sha256"]) else FILM_DIFFERS
    except (OSError, UnicodeDecodeError) as error:
        err.print(f"It can't be read: {error}")
        raise typer.Exit(CANNOT) from None
    except film_proof.NoProof:
        problem = HOLDS_NOT
    if as_json:
        print(json.dumps({"holds": not problem, "problem": problem, "fields": fields}, indent=2))
    else:
        out.print(f"{MARKS[ALTERED if problem else PROVEN]} {film}")
        for language in _languages(lang):
            out.print(f"  {_translated(language)(problem or FILM_HOLDS)}")
        if fields is not None:
            out.print(f"  recording {fields['recording']}  export {fields['export']}  made {fields['made_at']}")
            out.print(f"  sha256 {fields['sha256']}  key {fields['key']}")
    raise typer.Exit(1 if problem else 0)


@app.command()
def check(
    quick: Annotated[bool, typer.Option("--quick", help="Look at names, sizes and signatures; read no media.")] = False,
    as_json: AsJson = False,
    lang: Language = "both",
) -> None:
    """Audit the archive: what the database knows against what lies on the disk. Results stand on the pages, too."""
    settings = Settings()
    db = Database(settings.database)
    rows = audit.listed(db)
    total = sum(audit.size_of(settings, row) for row in rows) if not quick else len(rows)
    with _bar("check", total, bytes_=not quick) as told:
        problems, looked_at = audit.run(settings, db, rows, quick=quick, progress=told)
    if as_json:
        told_plainly = [asdict(problem) for problem in problems]
        print(json.dumps({"recordings": looked_at, "problems": told_plainly}, indent=2))
    else:
        for problem in problems:
            for language in _languages(lang):
                out.print(f"[red]✗[/red] {problem.recording_id}  {_problem(problem, language)}")
        for language in _languages(lang):
            text = _translated(language)(audit.SUMMARY)
            out.print(text.format(count=looked_at, problems=len(problems)))
    raise typer.Exit(audit.exit_code(problems))


@app.command()
def sign(
    recording_ids: Annotated[list[str] | None, typer.Argument(help="Default: all that have no manifest yet.")] = None,
) -> None:
    """Sign recordings now, those of before there were manifests too."""
    settings = Settings()
    db = Database(settings.database)
    ids = recording_ids or audit.unsigned(db)
    for recording_id in ids:
        try:
            with _bar(recording_id, size_of(settings.recordings_dir / recording_id)) as told:
                result = proof.sign(settings, db, recording_id, told)
        except (OSError, NoSigningKey, UnsafeKeyFile, NotFound, proof.Altered) as error:
            err.print(f"{recording_id}: not signed. {error}")
            raise typer.Exit(1 if isinstance(error, proof.Altered) else CANNOT) from None
        with db.write() as session:
            session.info.update(actor_name="command line")
            service.signed(session, recording_id, **result)
        out.print(f"[green]✓[/green] {recording_id}  {result['key']}")
    out.print(f"{len(ids)} signed.")


@app.command("public-key")
def public_key(
    every: Annotated[bool, typer.Option("--all", help="Older keys too, each under its fingerprint.")] = False,
    fingerprint: Annotated[str, typer.Option(help="One certain key: the first digits of its fingerprint.")] = "",
) -> None:
    """Print the public key in PEM, for whoever is to verify recordings elsewhere."""
    settings = Settings()
    try:
        current = signer(settings).fingerprint
    except (NoSigningKey, UnsafeKeyFile) as error:
        current = ""
        err.print(str(error))
    wanted = {
        key: value
        for key, value in public_keys(settings).items()
        if (key.startswith(fingerprint) if fingerprint else every or key == current)
    }
    for key, value in wanted.items():
        print(f"# SHA-256 {key}{' (current)' if key == current else ''}")
        print(public_pem(value), end="")
    raise typer.Exit(0 if wanted else CANNOT)


@app.command("new-signing-key")
def new_signing_key() -> None:
    """Sign with a new key from now on; the older public keys stay, the older private key is thrown away."""
    settings = Settings()
    made = FileSigner.rotate(settings.signing_key_file, settings.public_keys_dir)
    out.print(f"The signing key is now {made.fingerprint}.")


@app.command("new-archive-key")
def new_archive_key() -> None:
    """Where archive.key is lost for good: a new one, so that meetings can be recorded again."""
    path = archive_key(Settings())
    if path.exists():
        err.print(f"{path} is there. majlis recordings rotate-key adds a newer key to it.")
        raise typer.Exit(CANNOT)
    FileKeyRing(path)
    out.print(
        "Made. What was sealed before stays closed; should the earlier file be found, put its lines above these. "
        f"Now keep a copy of {path} in a safe place."
    )


@app.command("rotate-key")
def rotate_key(
    drop_older: Annotated[
        bool, typer.Option("--drop-older", help="Make no new key; when nothing needs the older ones, throw them away.")
    ] = False,
    anew: Annotated[bool, typer.Option("--anew", help="A new key even where a rotation is unfinished.")] = False,
) -> None:
    """Wrap every recording's and paper's key under a new key-encryption key; what was interrupted goes on."""
    settings = Settings()
    ring = key_ring(settings)
    if ring.lost:
        err.print("archive.key is gone: nothing can be wrapped anew without it (majlis doctor).")
        raise typer.Exit(CANNOT)
    if drop_older and _not_mounted(settings):
        err.print(f"Not one recording of the archive is in {settings.recordings_dir}: is its disk mounted?")
        raise typer.Exit(CANNOT)
    folders = (settings.recordings_dir, settings.exports_dir, settings.files_dir)
    with ExitStack() as stack:
        try:
            stack.enter_context(alone(archive_key(settings).parent, wait=False))
        except BlockingIOError:  # it could make a newer key, and we throw it away
            err.print("Another rotation is at work.")
            raise typer.Exit(CANNOT) from None
        paths = list(sealed_below(*folders))
        if anew or not (drop_older or waiting(paths, ring)):
            ring.rotate()
        told = stack.enter_context(_bar("rotate", len(paths), bytes_=False))
        outcome, settled = rewrap_below(folders, ring, lambda _path: told(1))
        dropped = ring.drop_older() if drop_older and settled else 0
    for path, problem in outcome.problems:
        err.print(f"[red]✗[/red] {path}: {problem}")
    out.print(
        f"{outcome.done} wrapped anew, {outcome.current} were so already, {outcome.destroyed} have no key any more."
    )
    if outcome.problems:
        out.print(f"{len(outcome.problems)} could not be. The older keys are still there; run it again.")
    elif not settled:
        out.print("Files come and go too fast to see them all. The older keys are still there; run it again.")
    if not settled:
        raise typer.Exit(1)
    if drop_older:
        out.print(f"{dropped} older keys thrown away.")


def _not_mounted(settings: Settings) -> bool:
    """Where nothing is found, nothing needs an older key: until the disk is back."""
    with Database(settings.database).read() as session:
        ids = session.scalars(select(Recording.id).where(Recording.state != DESTROYED)).all()
    return bool(ids) and not any((settings.recordings_dir / id_).is_dir() for id_ in ids)


def _keys(given: list[Path] | None) -> PublicKeys:
    try:
        if given:
            return PublicKeys([key for path in given for key in PublicKeys.of_file(path).values()])
        keys = public_keys(Settings())
    except (OSError, BadPublicKey) as error:
        err.print(f"The public key can't be used: {error}")
        raise typer.Exit(CANNOT) from None
    if not keys:
        err.print("There is no public key here. Name one with --public-key FILE.")
        raise typer.Exit(CANNOT)
    return keys


def _recordings(path: Path) -> list[Path]:
    """The recording at `path`, or all below it."""
    if not path.exists():
        err.print(f"There is no {path}.")
        raise typer.Exit(CANNOT)
    if not path.is_dir() or _is_recording(path):
        return [path]
    found = sorted(place for place in path.iterdir() if place.is_dir() and _is_recording(place))
    if not found:
        err.print(f"There is no recording in {path}.")
        raise typer.Exit(CANNOT)
    return found


def _is_recording(path: Path) -> bool:
    return (path / manifest.NAME).exists() or (path / manifest.JOURNAL).exists()


def _worst(reports: list[Report]) -> str:
    verdicts = {report.verdict for report in reports}
    return next((verdict for verdict in (ALTERED, UNSIGNED, ENDED) if verdict in verdicts), PROVEN)


def _plain(report: Report) -> dict[str, Any]:
    """Ranges as in `Finding`: `end` is the first byte behind."""
    plain = {
        "path": str(report.path),
        "verdict": report.verdict,
        "checked_bytes": report.checked,
        "findings": [asdict(finding) for finding in report.findings],
    }
    if report.manifest:
        plain |= {
            name: report.manifest[name] for name in ("recording", "started_at", "duration_ms", "signed_at", "key")
        }
    return plain


def _say(report: Report, lang: str) -> None:
    out.print(f"{MARKS[report.verdict]} {report.path}")
    for language in _languages(lang):
        gettext = _translated(language)
        out.print(f"  {gettext(VERDICTS[report.verdict])}")
        for finding in report.findings:
            out.print(f"  · {sentence(asdict(finding), gettext)}", markup=False)
    if report.manifest:
        ids = report.manifest["recording"]
        out.print(f"  recording {ids['id']}  meeting {ids['meeting_id']}  petition {ids['petition_id']}")
        out.print(f"  signed {report.manifest['signed_at']}  key {report.manifest.key}")


def _say_certificate(looked: checking.Looked, lang: str) -> None:
    out.print(f"{MARKS[PROVEN if looked.holds else ALTERED]} {looked.path}")
    for language in _languages(lang):
        gettext = _translated(language)
        out.print(f"  {gettext(HOLDS if looked.fields is not None else HOLDS_NOT)}")
        for problem in looked.problems:
            told = gettext(checking.SENTENCES[problem.kind]).format(file=problem.file, other=problem.other)
            out.print(f"  · {told}", markup=False)
    if (fields := looked.fields) is not None:
        names = [f"{fields[role]['name_ar']} / {fields[role]['name_en']}" for role in ("proposed", "agreed")]
        ids = fields["recording"]
        out.print(f"  recording {ids['id']}  case {ids['case_number'] or '—'}  began {ids['started_at']}", markup=False)
        out.print(f"  destroyed {fields['destroyed_at']}  files {len(fields['files'])}", markup=False)
        for file in fields["files"]:
            if file.get("as_signed") is False:
                out.print(f"  not as it was signed: {file['file']}", markup=False)
        for one in fields.get("store", []):
            state = "removed" if one.get("removed") else one.get("problem") or f"locked until {one.get('locked_until')}"
            out.print(f"  store {one['object']}: {state}", markup=False)
        out.print(f"  proposed {names[0]}  agreed {names[1]}", markup=False)
        out.print(f"  why {fields['reason']}", markup=False)
        out.print(f"  certificate {fields['certificate']}  key {fields['key']}", markup=False)


def _problem(problem: audit.Problem, language: str) -> str:
    gettext = _translated(language)
    if problem.kind in audit.SENTENCES:
        return gettext(audit.SENTENCES[problem.kind]).format(file=problem.file, other=problem.other)
    return sentence(asdict(problem), gettext)


def _languages(lang: str) -> list[str]:
    if lang not in (*LANGUAGES, "both"):
        raise typer.BadParameter("ar, en or both", param_hint="--lang")
    return ["en", "ar"] if lang == "both" else [lang]


def _translated(language: str) -> Any:
    return catalogue(language, LOCALE).gettext


@contextmanager
def _bar(name: str, total: int, *, bytes_: bool = True) -> Iterator[Told]:
    """A progress bar at a terminal, nothing elsewhere; it goes away when it is full."""
    columns = (BarColumn(None), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress("{task.description}", *(columns if bytes_ else columns[:1]), console=err, transient=True) as bar:
        task = bar.add_task(name, total=total)
        yield lambda read: bar.advance(task, read)
