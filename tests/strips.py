"""Draws the strips of the recordings in MAJLIS_DATA_DIR, so that not every server has to that is given a copy of it."""

from threading import Event

from core.db import Database
from core.settings import Settings
from web.strips import make_strips

if __name__ == "__main__":
    settings = Settings()
    db = Database(settings.database)
    make_strips(settings, db, Event()).drain(120)
    db.dispose()
