"""`python -m web.docs`: draws docs/states.md from the transition tables."""

import importlib
from pathlib import Path

from core.states import Machine

ROOT = Path(__file__).parent.parent
PACKAGES = ("messaging", "queueing", "video", "recordings", "reception")
HEAD = "# Lifecycles\n\nDrawn from the transition tables (`python -m web.docs`); a test compares them.\n"


def machines() -> list[Machine]:
    """Every `Machine` in a `states.py`, by package and place."""
    found = []
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("states.py")):
            module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
            found += [value for value in vars(module).values() if isinstance(value, Machine)]
    return found


def diagrams() -> str:
    return HEAD + "".join(
        f"\n## {machine.name.capitalize()}\n\n```mermaid\n{machine.diagram()}\n```\n" for machine in machines()
    )


if __name__ == "__main__":
    (ROOT / "docs/states.md").write_text(diagrams())
