"""The three roles as processes, and `majlis run`, which starts them and minds them."""

import contextlib
import ctypes
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType

import httpx
import structlog
import uvicorn
from sqlalchemy import text

from core.db import Database
from core.settings import Settings

log = structlog.get_logger()
LASTED_S = 60.0
"""A process that lived so long and dies starts again at once."""


def configure_logging() -> None:
    """One line of JSON or, at a terminal, of coloured text for each event."""
    terminal = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),  # whatever stderr is when something is said
    )


SWITCH_S = 0.0005
"""A press is a dozen short questions to the database, each of which lets go of the interpreter. With Python's own five
milliseconds it waits that long after each of them while another page is being made."""

COLLECT_AFTER = (2_000, 10, 50)
"""Python goes through what a web process keeps (pages, statements, open sockets) after some 7,000 new objects survive;
nearly all of ours end without its help, so it need not look so often."""


def settle() -> None:
    """What is loaded by now stays: no collection needs to look at it. Python's collector stops all threads of a process
    while it goes through everything there is: 0.2 s of half a million objects, in the midst of a call or a press."""
    gc.collect()
    gc.freeze()


def serve_web(settings: Settings) -> None:
    from web.app import create_app

    sys.setswitchinterval(SWITCH_S)
    gc.set_threshold(*COLLECT_AFTER)
    app = create_app(settings, Database(settings.database))
    settle()
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        log_level="warning",
        ws_max_size=64 * 1024,
        ws_per_message_deflate=False,  # hints of forty bytes: packing them cost a third of sending them
        timeout_graceful_shutdown=2,
        server_header=False,
    )


def serve_worker(settings: Settings) -> None:
    from web.exports.making import start_lane
    from web.following import Beside, follow_open
    from web.printing.lane import start_printing
    from web.storage import start_storage
    from web.strips import start_strips
    from web.voice.warming import start_warming
    from web.wiring import make_worker
    from web.worker import stop_on_signals

    db = Database(settings.database)
    worker = make_worker(settings, db)
    stop_on_signals(worker)
    exports = start_lane(settings, db, worker.stop)
    strips = start_strips(settings, db, worker.stop)
    storage = start_storage(settings, db, worker.stop)
    start_warming(settings, db, worker.stop)
    start_printing(settings, db, worker.stop)
    beside = Beside.of(settings)
    worker.sweeps += (follow_open(settings, beside),)
    settle()
    try:
        worker.run()
    finally:
        beside.end()
    exports.join(5.0)
    strips.join(5.0)
    if storage is not None:
        storage.join(5.0)


def serve_media(settings: Settings, host: str, port: int) -> None:
    from web.wiring import make_media_app

    db = Database(settings.database)
    if settings.media_spare:
        uvicorn.Config(make_media_app, loop="uvloop").load()
        with db.read() as session:
            session.execute(text("SELECT 1"))
        settle()  # now, not in the moment in which a meeting stands still and waits for this process
        given = sys.stdin.readline()
        if not given:  # `run` has ended and needs no spare any more
            return
        port = int(json.loads(given)["port"])
        settings = settings.model_copy(update={"media_url": json.loads(given)["url"]})
    app = make_media_app(settings, db)
    settle()
    uvicorn.run(
        app,
        host=host,
        port=port,
        loop="uvloop",
        log_level="warning",
        ws_max_size=64 * 1024,
        ws_per_message_deflate=False,  # short messages from inside: compressing them costs memory for each connection
        timeout_graceful_shutdown=2,
        server_header=False,
    )


def _die_with_parent() -> None:
    """In a child, before it starts: it is asked to end when `run` dies, however it dies (prctl, PR_SET_PDEATHSIG)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


@dataclass
class Child:
    """A process we keep alive: started again after it dies, with a pause that grows while it keeps dying."""

    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    died: int = 0
    start_at: float = 0.0
    started_at: float = 0.0

    def start(self) -> None:
        self.process = subprocess.Popen(
            self.command,
            start_new_session=True,
            env={**os.environ, **self.environment},
            preexec_fn=_die_with_parent,
        )

    def mind(self, now: float) -> None:
        if self.process and self.process.poll() is not None:
            log.warning("process ended, starting it again", name=self.name, code=self.process.returncode)
            self.process, self.died = None, 1 if now - self.started_at > LASTED_S else self.died + 1
            self.start_at = now + min(0.2 * 2**self.died, 10.0) if self.died > 1 else now
        if self.process is None and now >= self.start_at:
            self.started_at = now
            self.start()

    def end(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()


@dataclass
class Spare(Child):
    """A media process that has loaded everything and waits: it takes a dead one's place in tenths of a second.

    Loading takes seconds, in which a meeting would stand still.
    """

    def start(self) -> None:
        environment = {**os.environ, **self.environment, "MAJLIS_MEDIA_SPARE": "true"}
        self.process = subprocess.Popen(
            self.command,
            start_new_session=True,
            env=environment,
            stdin=subprocess.PIPE,
            bufsize=0,
            preexec_fn=_die_with_parent,
        )

    def give(self, **place: object) -> subprocess.Popen[bytes] | None:
        """The process, told whose place to take; None where there is none alive. The next is started by `mind`."""
        process, self.process = self.process, None
        if process is None or process.poll() is not None or process.stdin is None:
            return None
        try:
            process.stdin.write(json.dumps(place).encode() + b"\n")
        except OSError:
            return None
        return process


@dataclass
class Media(Child):
    """A media process: its place is taken by the spare, if there is one."""

    port: int = 0
    url: str = ""
    spare: Spare | None = None

    def start(self) -> None:
        self.process = self.spare.give(port=self.port, url=self.url) if self.spare else None
        if self.process is None:
            super().start()


def run_all(settings: Settings, *, announce: Callable[[str], None]) -> None:
    """Web, worker and media of one installation, until a signal. `announce` is called once all of them answer."""
    media_urls = {f"http://127.0.0.1:{port}": port for port in _free_ports(settings.media_processes or _spare_cores())}
    os.environ["MAJLIS_MEDIA_URLS"] = json.dumps(list(media_urls))
    os.environ["MAJLIS_PORT"], os.environ["MAJLIS_HOST"] = str(settings.port), settings.host
    majlis = [sys.executable, "-m", "web.cli"]
    spare = Spare("spare media", [*majlis, "media", "--port", "0"])
    children: list[Child] = [
        *(
            Media(
                "media",
                [*majlis, "media", "--port", str(port)],
                {"MAJLIS_MEDIA_URL": url},
                port=port,
                url=url,
                spare=spare,
            )
            for url, port in media_urls.items()
        ),
        Child("worker", [*majlis, "worker"]),
        Child("web", [*majlis, "web"]),
    ]
    stopping = False

    def stop(_signal: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    waiting = [*(f"{url}/healthz" for url in media_urls), f"http://{_reachable(settings.host)}:{settings.port}/healthz"]
    try:
        while not stopping:
            for child in children:
                child.mind(time.monotonic())
            if waiting:
                waiting = [url for url in waiting if not _answers(url)]
                if not waiting:
                    announce(settings.url)
                    children.append(spare)
            time.sleep(0.1)
    finally:
        for child in children:
            child.end()
        for child in children:
            if child.process:
                try:
                    child.process.wait(6)
                except subprocess.TimeoutExpired:
                    child.process.kill()


def port_is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def _spare_cores() -> int:
    """What web, worker and the database leave of the cores that this process may use."""
    return max(1, len(os.sched_getaffinity(0)) - 1)


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as probes:
        sockets = [probes.enter_context(socket.socket()) for _ in range(count)]
        for probe in sockets:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in sockets]


def _reachable(host: str) -> str:
    return "127.0.0.1" if host in ("0.0.0.0", "::", "") else host  # noqa: S104


def _answers(url: str) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(url, timeout=1.0, trust_env=False).status_code == 200
    return False
