"""Migrations, run from code so that nothing but `majlis` is needed."""

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
