"""A real Kannel: bearerbox, smsbox and its fake centre on loopback, and as a second centre an SMPP line to ours."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from urllib.parse import unquote_to_bytes

import httpx

from tests.children import die_with_parent

FAKESMSC = Path("/usr/lib/kannel/test/fakesmsc")
INSTALLED = bool(shutil.which("bearerbox") and shutil.which("smsbox") and FAKESMSC.exists())


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


CONFIG = """group = core
admin-port = {admin}
admin-password = admin
status-password = admin
smsbox-port = {boxes}
box-deny-ip = "*.*.*.*"
box-allow-ip = "127.0.0.1"
dlr-storage = internal
log-level = 1

group = smsc
smsc = fake
smsc-id = fake
port = {fake}
connect-allow-ip = 127.0.0.1
allowed-smsc-id = fake

group = smsc
smsc = smpp
smsc-id = line
allowed-smsc-id = line
host = 127.0.0.1
port = {smpp}
smsc-username = kannel
smsc-password = secret
transceiver-mode = true
system-type = ""
interface-version = 34
source-addr-ton = 5
source-addr-npi = 0
dest-addr-ton = 1
dest-addr-npi = 1
reconnect-delay = 1

group = smsbox
bearerbox-host = 127.0.0.1
bearerbox-port = {boxes}
sendsms-port = {send}
sendsms-interface = 127.0.0.1
global-sender = 1234
mo-recode = true
log-level = 1

group = sendsms-user
username = majlis
password = secret
max-messages = 10
concatenation = true
omit-empty = true

group = sms-service
keyword = default
get-url = "{callback}/callbacks/kannel/inbound?from=%p&to=%P&text=%a&charset=%C&id=%I&secret={secret}"
accepted-smsc = fake;line
max-messages = 0
concatenation = true
"""


@dataclass
class Seen:
    """What the fake centre's phone was shown."""

    sender: str
    to: str
    kind: str
    header: bytes
    octets: bytes


@dataclass
class FakeSmsc:
    """Kannel's fakesmsc: sends what it is started with, and prints what it is given."""

    port: int
    texts: tuple[str, ...] = ()
    lines: list[str] = field(default_factory=list)

    def __enter__(self) -> FakeSmsc:
        command = [FAKESMSC, "-H", "127.0.0.1", "-r", str(self.port), "-i", "0.1", "-m", str(len(self.texts) or 1)]
        # it has to say something: a text from a number that nobody has
        self.process = subprocess.Popen(
            [*command, *(self.texts or ("0 0 text nothing",))],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=die_with_parent,
        )
        threading.Thread(target=self._read, daemon=True).start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.process.terminate()
        self.process.wait(10)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    @property
    def seen(self) -> list[Seen]:
        found = []
        for line in list(self.lines):
            _, mark, message = line.partition("Got message ")
            if mark:
                found.append(_read_line(message.split(": <", 1)[1].removesuffix(">")))
        return found


def _read_line(message: str) -> Seen:
    """`from to [udh header] kind words`, as fakesmsc prints it: octets that are no text with %, spaces with +."""
    sender, to, kind, rest = message.split(" ", 3)
    header = b""
    if kind == "udh":
        coded, kind, rest = rest.split(" ", 2)
        header = unquote_to_bytes(coded)
    return Seen(sender, to, kind, header, rest.encode() if kind == "text" else unquote_to_bytes(rest.replace("+", " ")))


@dataclass
class Kannel:
    ports: dict[str, int]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports['send']}/cgi-bin/sendsms"

    def status(self) -> str:
        address = f"http://127.0.0.1:{self.ports['admin']}/status.txt?password=admin"
        return httpx.get(address, trust_env=False, timeout=5).text


@contextmanager
def running(folder: Path, *, smpp_port: int, callback: str, secret: str) -> Iterator[Kannel]:
    """Both boxes, once they answer."""
    ports = dict(zip(("admin", "boxes", "fake", "send"), free_ports(4), strict=True))
    config = folder / "kannel.conf"
    config.write_text(CONFIG.format(**ports, smpp=smpp_port, callback=callback, secret=secret))
    kannel = Kannel(ports)
    processes = []
    try:
        for box in ("bearerbox", "smsbox"):
            with (folder / f"{box}.log").open("wb") as log:
                processes.append(
                    subprocess.Popen(
                        [shutil.which(box) or box, config],
                        stdout=log,
                        stderr=log,
                        cwd=folder,
                        preexec_fn=die_with_parent,
                    )
                )
            _wait(ports["admin"] if box == "bearerbox" else ports["send"], folder / f"{box}.log")
        yield kannel
    finally:
        for process in reversed(processes):
            process.terminate()
        for process in processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait(port: int, log: Path) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(log.read_text()[-2000:])
