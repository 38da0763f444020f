"""Clips made ahead: for those who wait and the next numbers, and for nobody's tickets of another day."""

import threading
from datetime import datetime

import pytest

from core.db import Database, new_id
from core.settings import Settings
from queueing.tickets import service
from queueing.tickets.models import Counter, ServicePoint
from reception.centres.models import Centre
from web.voice import warming
from web.voice.clips import voice_of

ALL = ["men", "women", "family"]


@pytest.fixture
def centre(db: Database, now: datetime) -> str:
    with db.write() as session:
        centre = Centre(id=new_id(), code="c", name_ar="م", name_en="C", place_ar="-", place_en="-", sections=ALL)
        session.add(centre)
        session.flush()
        point = ServicePoint(
            id=new_id(), centre_id=centre.id, code="new", letter="S", name_ar="ط", name_en="P", sections=ALL
        )
        counter = Counter(
            id=new_id(), centre_id=centre.id, number=7, name_ar="ش", name_en="C", sections=ALL,
            service_point_ids=[point.id], languages=["ar"],
        )  # fmt: skip
        session.add_all([point, counter])
        session.flush()
        for _ in range(3):
            service.issue(
                session, centre_id=centre.id, service_point_id=point.id, section="men", language="ar", now=now,
                zone="Asia/Riyadh",
            )  # fmt: skip
        return centre.id


def test_the_counters_those_who_wait_and_the_next_numbers_are_made_in_both_languages(
    db: Database, centre: str, now: datetime
) -> None:
    with db.read() as session:
        names = [phrase.name for phrase in warming.likely(session, "Asia/Riyadh", 5, now=now)]
    for lang in ("ar", "en"):
        assert {f"{lang}-counter-7", f"{lang}-label-S1", f"{lang}-label-S3", f"{lang}-label-S4"} <= set(names)
        assert f"{lang}-label-S{3 + 5}" in names and f"{lang}-label-S{4 + 5}" not in names


def test_a_round_makes_them_once_and_stops_when_told(
    db: Database, centre: str, settings_here: Settings, monkeypatch: pytest.MonkeyPatch, now: datetime
) -> None:
    made: list[str] = []
    voice = voice_of(settings_here)
    monkeypatch.setattr(warming, "BREATH_S", 0)
    monkeypatch.setattr(warming, "BREATHS", 0)
    monkeypatch.setattr(warming.clock, "now", lambda: now)
    monkeypatch.setattr(type(voice), "speaks", lambda self, lang: True)
    monkeypatch.setattr(type(voice), "has", lambda self, phrase: phrase.name in made)
    monkeypatch.setattr(type(voice), "clip", lambda self, phrase: made.append(phrase.name) or self.cache)
    stop = threading.Event()
    warming._round(voice, settings_here, db, stop)
    first = list(made)
    assert len(first) == len(set(first)) == 2 * (1 + 3 + settings_here.voice_ahead)
    warming._round(voice, settings_here, db, stop)
    assert made == first
    made.clear()
    stop.set()
    warming._round(voice, settings_here, db, stop)
    assert made == []
    warming._round(voice, settings_here.model_copy(update={"voice_ahead": 0}), db, threading.Event())
    assert made == [], "who wants nothing made ahead"


@pytest.fixture
def settings_here(tmp_path: object) -> Settings:
    return Settings(data_dir=tmp_path, secret_hex="33" * 32)  # type: ignore[arg-type]
