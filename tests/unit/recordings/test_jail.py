"""What a decoder may do, if whatever it decodes should take it over: nothing that matters."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from recordings.export import jail, making

PYTHON = os.path.realpath(sys.executable)
LIMITS = {"nice": 15, "memory": 1 << 30, "cpu": 60, "files": 32, "read": [sys.base_prefix]}
SCRIPT = Path(jail.__file__)


def inside(code: str, tmp_path: Path, **limits: object) -> subprocess.CompletedProcess[str]:
    """Python code, run in the jail with the system's Python, as a decoder that was taken over would."""
    line = [sys.executable, "-I", "-S", str(SCRIPT), json.dumps({**LIMITS, **limits}), PYTHON, "-I", "-S", "-c", code]
    return subprocess.run(line, cwd=tmp_path, env={}, capture_output=True, text=True, timeout=60, check=False)


def able(what: str) -> bool:
    """Can this kernel do it? Asked of a process of its own: what is taken away doesn't come back."""
    code = f"import sys; sys.path.insert(0, {str(SCRIPT.parent)!r}); import jail; print(jail.confine(jail.READABLE))"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    return what in done.stdout


def test_it_reads_no_key_and_writes_nothing(tmp_path: Path) -> None:
    if not able("files"):
        pytest.skip("this kernel has no Landlock")
    key = tmp_path / "archive.key"
    key.write_text("secret")
    deeds = (
        f"open({str(key)!r})",
        "open('here', 'w')",
        "open('/tmp/there', 'w')",
        "open('/etc/passwd')",
        "import os; os.listdir('.')",
        "open('/proc/self/environ')",
        f"open('/proc/{os.getpid()}/mem')",
    )
    for deed in deeds:
        done = inside(deed, tmp_path)
        assert done.returncode == 1 and "PermissionError" in done.stderr, (deed, done.stderr)
    assert [path.name for path in tmp_path.iterdir()] == ["archive.key"]


def test_it_reaches_no_network_and_no_other_process(tmp_path: Path) -> None:
    if not able("calls"):
        pytest.skip("this machine has no seccomp that we know")
    deeds = (
        "import socket; socket.socket()",
        "import socket; socket.socketpair()",
        f"import os; os.kill({os.getpid()}, 0)",
        "import os; os.pidfd_open(1)",
    )
    for deed in deeds:
        done = inside(deed, tmp_path)
        assert done.returncode == 1 and "PermissionError" in done.stderr, (deed, done.stderr)
    assert inside("import os; os.abort()", tmp_path).returncode == -6, "it may end itself"


def test_it_is_held_to_its_bounds(tmp_path: Path) -> None:
    told = inside(
        "import resource as r, os; print([r.getrlimit(n)[1] for n in"
        " (r.RLIMIT_AS, r.RLIMIT_CPU, r.RLIMIT_NOFILE, r.RLIMIT_FSIZE, r.RLIMIT_CORE)], os.nice(0), dict(os.environ))",
        tmp_path,
    )
    lc = [1 << 30, 60, 32, 0, 0]
    assert told.stdout.startswith(str(lc)), told.stderr
    assert f" {min(19, os.nice(0) + 15)} " in told.stdout
    assert "MemoryError" in inside("bytearray(2 << 30)", tmp_path).stderr
    spun = inside("while True: pass", tmp_path, cpu=1)
    assert spun.returncode in (-9, -24), "its time is up"


def test_it_gains_no_right(tmp_path: Path) -> None:
    code = "import ctypes; print(ctypes.CDLL(None).prctl(39, 0, 0, 0, 0))"  # PR_GET_NO_NEW_PRIVS
    assert inside(code, tmp_path).stdout.strip() == "1"


def test_limits_that_are_narrower_already_stay() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    code = (
        f"import sys; sys.path.insert(0, {str(SCRIPT.parent)!r}); import jail, resource as r;"
        "r.setrlimit(r.RLIMIT_NOFILE, (20, 20)); jail._limit(r.RLIMIT_NOFILE, 96); print(r.getrlimit(r.RLIMIT_NOFILE))"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "(20, 20)" and hard is not None


def test_every_process_of_a_film_goes_through_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lines: list[list[str]] = []

    class Process:
        pid, returncode = 1, 0

        def __init__(self, line: list[str], **more: object) -> None:
            lines.append(line)
            assert more["env"] == {"PATH": os.defpath, "LC_ALL": "C.UTF-8"} and more["process_group"] == 0
            assert not any(Path(str(more["cwd"])).iterdir())

        def poll(self) -> int:
            return 0

        def wait(self, _seconds: float = 0) -> int:
            return 0

    monkeypatch.setattr(making.subprocess, "Popen", Process)
    with making._Workshop("/usr/bin/ffmpeg", 60) as shop:
        shop.start(["ffmpeg", "-i", "pipe:3"], ())
        empty = shop._empty
        shop._let_go(shop._complained)
    assert lines[0][1:4] == ["-I", "-S", str(SCRIPT)] and lines[0][5:] == [
        os.path.realpath("/usr/bin/ffmpeg"),
        "-i",
        "pipe:3",
    ]
    assert not Path(empty).exists()
