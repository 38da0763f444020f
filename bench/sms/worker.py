"""A worker of the product as it runs, with nothing else to do than texts: settings come from the environment."""

from __future__ import annotations

from core.db import Database
from core.settings import Settings
from web.processes import configure_logging
from web.wiring import make_worker
from web.worker import stop_on_signals


def main() -> None:
    configure_logging()
    settings = Settings()
    worker = make_worker(settings, Database(settings.database))
    stop_on_signals(worker)
    worker.run()


if __name__ == "__main__":
    main()
