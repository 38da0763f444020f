"""Rules without I/O, time as an argument: held by reading the source."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGES = ("core", "messaging", "queueing", "video", "recordings", "reception", "web")
PURE = sorted(
    path for package in PACKAGES for name in ("rules.py", "states.py") for path in (ROOT / package).rglob(name)
)
EVENTS = sorted(
    path for package in PACKAGES for path in (ROOT / package).rglob("events.py") if path.parent.name != "core"
)
# Where time may be read: the clock itself, the edges, and the media plane, which lives by it.
CLOCK_READERS = {"core/clock.py", "core/ids.py", "recordings/follow.py", "recordings/journal.py"}
CLOCK_FOLDERS = ("web/", "video/media/")
IMPURE = {
    "sqlalchemy",
    "os",
    "time",
    "random",
    "secrets",
    "pathlib.Path",
    "subprocess",
    "socket",
    "httpx",
    "starlette",
    "anyio",
    "asyncio",
    "structlog",
    "tempfile",
    "shutil",
}


def imports(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", PURE, ids=relative)
def test_rules_and_states_do_no_input_or_output(path: Path) -> None:
    roots = {name.split(".")[0] for name in imports(path)} | imports(path)
    assert not roots & IMPURE, f"{relative(path)} imports {roots & IMPURE}"
    upper = {name for name in imports(path) if name.endswith((".models", ".service"))} - {"core.staff.models"}
    assert not upper, f"{relative(path)} imports {upper}"


@pytest.mark.parametrize("path", EVENTS, ids=relative)
def test_events_are_plain_facts(path: Path) -> None:
    assert {name.split(".")[0] for name in imports(path)} <= {"dataclasses", "datetime"}, relative(path)


def test_nothing_but_the_edges_reads_the_clock() -> None:
    guilty = []
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            name = relative(path)
            if name in CLOCK_READERS or name.startswith(CLOCK_FOLDERS):
                continue
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                    call = f"{node.value.id}.{node.attr}"
                    if call in {
                        "datetime.now",
                        "datetime.utcnow",
                        "date.today",
                        "time.time",
                        "time.monotonic",
                        "clock.now",
                    }:
                        guilty.append(f"{name}:{node.lineno} {call}")
    assert not guilty, guilty


def test_modules_stay_short() -> None:
    """A module that needs headings wants to be two; 500 lines is the wall."""
    long = {}
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            lines = len(path.read_text().splitlines())
            if lines > 500:
                long[relative(path)] = lines
    assert not long, long


def test_only_settings_reads_the_environment() -> None:
    guilty = []
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            text = path.read_text()
            if ("os.environ" in text or "os.getenv" in text) and relative(path) != "web/processes.py":
                guilty.append(relative(path))
    assert not guilty, guilty


def test_the_product_imports_nothing_that_only_tests_install() -> None:
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            roots = {name.split(".")[0] for name in imports(path)}
            assert not roots & {"numpy", "pytest", "hypothesis", "playwright", "httpx2", "tests", "bench"}, relative(
                path
            )
