"""What clamd is asked and how its answers are understood, over its own socket; the real one where it is installed."""

import shutil
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reception.files import virus
from tests.children import die_with_parent

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


class Scanner:
    """Speaks clamd's INSTREAM; says of everything what it is told to say."""

    def __init__(self, folder: Path, said: bytes) -> None:
        self.said, self.got = said, b""
        self.address = f"unix:{folder / 'clamd'}"
        self._line = socket.socket(socket.AF_UNIX)
        self._line.bind(str(folder / "clamd"))
        self._line.listen(4)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._line.accept()
            except OSError:
                return
            with line, line.makefile("rb") as reading:
                word = b""
                while not word.endswith(b"\0"):
                    word += reading.read(1)
                if word == b"zPING\0":
                    line.sendall(b"PONG\0")
                    continue
                self.got = b""
                while size := struct.unpack("!I", reading.read(4))[0]:
                    self.got += reading.read(size)
                line.sendall(self.said)

    def close(self) -> None:
        self._line.close()


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("c")  # a socket's name may have a hundred letters


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        (b"stream: OK\0", virus.Verdict("clean")),
        (b"stream: Win.Test.EICAR_HDB-1 FOUND\0", virus.Verdict("infected", "Win.Test.EICAR_HDB-1")),
        (b"INSTREAM size limit exceeded. ERROR\0", virus.Verdict("away", "INSTREAM size limit exceeded. ERROR")),
        (b"\xff\xfe\0", virus.Verdict("away", "\ufffd\ufffd")),
        (b"", virus.Verdict("away", "")),
    ],
)
def test_every_byte_is_shown_and_the_answer_understood(folder: Path, said: bytes, verdict: virus.Verdict) -> None:
    scanner = Scanner(folder, said)
    data = bytes(range(256)) * 1000
    assert virus.scan(scanner.address, data) == verdict
    assert scanner.got == data and virus.answers(scanner.address)
    scanner.close()


def test_nobody_there_is_no_verdict(folder: Path) -> None:
    for address in (f"unix:{folder / 'nobody'}", "127.0.0.1:1", "nonsense", ""):
        assert virus.scan(address, b"x", timeout=1).state == "away"
        assert not virus.answers(address, timeout=1)


@pytest.fixture(scope="module")
def clamd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The real scanner with one signature of our own: nothing is downloaded."""
    program = shutil.which("clamd", path="/usr/sbin:/usr/bin")
    if program is None:
        pytest.skip("clamd is not installed")
    folder = tmp_path_factory.mktemp("clamd")
    folder.chmod(0o755)
    (folder / "ours.ndb").write_text(f"Ours.Test:0:*:{EICAR[:32].hex()}\n")
    conf = folder / "clamd.conf"
    conf.write_text(
        f"DatabaseDirectory {folder}\nLocalSocket {folder}/sock\nForeground yes\nUser {folder.owner()}\n"
        "OfficialDatabaseOnly no\nStreamMaxLength 1M\nDisableCache yes\n"
    )
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "preexec_fn": die_with_parent}
    with subprocess.Popen([program, "-c", str(conf)], **quiet) as process:
        address = f"unix:{folder}/sock"
        until = time.monotonic() + 20
        while not virus.answers(address):
            if process.poll() is not None or time.monotonic() > until:
                process.kill()
                pytest.skip("clamd does not start here")
            time.sleep(0.1)
        yield address
        process.terminate()


def test_the_real_scanner_finds_the_test_virus_and_nothing_else(clamd: str) -> None:
    assert virus.scan(clamd, b"a harmless paper") == virus.Verdict("clean")
    found = virus.scan(clamd, b"before " + EICAR + b" behind")
    assert found.state == "infected" and "Ours.Test" in found.found
    assert virus.scan(clamd, bytes(3 << 20)).state == "away", "too large for it: no verdict, asked about again"
