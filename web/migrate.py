"""Migrations, run from code so that nothing but `majlis` is needed."""

import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.config import Config

from core.settings import Settings

FOLDER = Path(__file__).parent.parent / "migrations"


def config(url: str) -> Config:
    cfg = Config()
    cfg.set_main_option("script_location", str(FOLDER))
    cfg.attributes["url"] = url
    return cfg


def upgrade(settings: Settings) -> None:
    """Create or update all tables. Safe to run at every start."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    command.upgrade(config(settings.database), "head")


def revise(message: str) -> None:
    """Write the migration from the newest one to the models as they are, for its author to read and better."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/scratch.sqlite3"
        command.upgrade(config(url), "head")
        number = len(list((FOLDER / "versions").glob("*.py"))) + 1
        command.revision(config(url), message, autogenerate=True, rev_id=f"{number:04d}")


if __name__ == "__main__":
    revise(sys.argv[1])
