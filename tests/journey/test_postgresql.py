"""The same product on PostgreSQL: migrated, seeded, served, and each role's desk opens."""

from pathlib import Path

import httpx
import pytest
from sqlalchemy import create_engine, text

from tests.serving import Server
from web.demo.people import ACCOUNTS, PASSWORD
from web.nav import home_of

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]


def test_the_demo_ministry_runs_on_postgresql(tmp_path: Path, postgres: str) -> None:
    admin = create_engine(postgres.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("CREATE DATABASE ministry"))
    admin.dispose()
    url = postgres.replace("/postgres?", "/ministry?")
    with Server(tmp_path, demo=True, MAJLIS_DATABASE_URL=url) as server:
        assert b"Setting up the demo" in server.log.read_bytes()
        assert not (server.data / "majlis.sqlite3").exists()
        assert httpx.get(f"{server.url}/hall/central", trust_env=False).status_code == 200
        for username, role, *_ in ACCOUNTS:
            with httpx.Client(base_url=server.url, trust_env=False, follow_redirects=True) as client:
                client.post("/sign-in", data={"username": username, "password": PASSWORD})
                answer = client.get(home_of(frozenset({role})))
                assert answer.status_code == 200 and "/sign-in" not in str(answer.url), username
    server.log.unlink()
    with server:
        assert b"Setting up the demo" not in server.log.read_bytes(), "a second start keeps what is there"
