"""Every table of the project in one place: what migrations compare with and tests create."""

import importlib
import pkgutil

from sqlalchemy import Engine

from core.db import Base

PACKAGES = ("core", "messaging", "queueing", "video", "recordings", "reception")
ALSO = ("core.audit", "core.events", "core.jobs", "core.once")


def load_models() -> None:
    """Import every `models` module below our packages, so that Base knows all tables."""
    for name in ALSO:
        importlib.import_module(name)
    for package in PACKAGES:
        root = importlib.import_module(package)
        for module in pkgutil.walk_packages(root.__path__, f"{package}."):
            if module.name.endswith(".models"):
                importlib.import_module(module.name)


def create_all(engine: Engine) -> None:
    load_models()
    Base.metadata.create_all(engine)
