"""The course of an export: who may ask, agree, stop and fetch, and what ends when."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.audit import AuditEntry
from core.errors import NotFound, Refused
from core.events import OutboxEvent
from core.jobs import Job
from core.staff.models import Staff, StaffRole
from core.staff.rules import AIDE, OFFICIAL
from recordings.archive import service as archive
from recordings.archive.leave import grants_of
from recordings.archive.service import Side
from recordings.export import rules, service
from recordings.export.models import Export
from recordings.export.states import (
    AGREED,
    ASKED,
    CANCELLED,
    DECLINED,
    EXPIRED,
    FAILED,
    MACHINE,
    MAKING,
)

NOON = datetime.fromisoformat("2026-11-21T12:00:00+00:00")
LATER = timedelta(minutes=5)


def staff(session: Session) -> None:
    """The office: Nora and Layla are aides, Omar receives visitors."""
    for id_, role in (("nora", AIDE), ("omar", OFFICIAL), ("layla", AIDE)):
        person = Staff(id=id_, username=id_, password_hash="", name_ar=id_, name_en=id_)
        person.role_rows = [StaffRole(id=id_, role=role)]
        session.add(person)


@pytest.fixture
def recorded(session: Session) -> Iterator[Session]:
    """A recording that Nora and Omar may view, and Layla not."""
    staff(session)
    archive.start(session, recording_id="rec", meeting_id="m", petition_id="p", now=NOON)
    archive.close(session, "rec", now=NOON)
    side = Side("a", "visitor", "سارة", "Sara", "rec/01.webm.sealed", 60.0, 640, 360, True, True, [])
    archive.finish(session, "rec", [side], ["nora", "omar"], now=NOON)
    session.flush()
    session.expire_all()
    yield session


def ask(session: Session, by: str = "nora", format: str = rules.MP4) -> Export:
    return service.ask(session, "rec", by=by, purpose="المحكمة", format=format, lang="ar", now=NOON)


def made(session: Session) -> Export:
    export = ask(session)
    service.agree(session, export.id, by="omar", now=NOON)
    assert service.begin(session, export.id, now=NOON)
    return service.finish(session, export.id, size=10, sha256="ab", now=NOON)


def jobs_of(session: Session) -> list[Job]:
    session.flush()
    return list(session.scalars(select(Job).where(Job.kind == service.MAKE)))


def trail(session: Session) -> list[str]:
    session.flush()
    return list(
        session.scalars(select(AuditEntry.action).where(AuditEntry.subject_id == "rec").order_by(AuditEntry.id))
    )


def test_nothing_is_made_before_a_second_person_agrees(recorded: Session) -> None:
    export = ask(recorded)
    assert export.state == ASKED and jobs_of(recorded) == []
    with pytest.raises(Refused):
        service.agree(recorded, export.id, by="nora", now=NOON)
    assert not service.begin(recorded, export.id, now=NOON)
    agreed = service.agree(recorded, export.id, by="omar", now=NOON)
    assert (agreed.state, agreed.decided_by) == (AGREED, "omar")
    assert [job.payload for job in jobs_of(recorded)] == [{"export_id": export.id}]


def test_who_may_not_view_may_neither_ask_nor_agree_nor_see_nor_fetch(recorded: Session) -> None:
    with pytest.raises(NotFound):
        ask(recorded, by="layla")
    export = made(recorded)
    for verb in (service.agree, service.decline, service.cancel, service.try_again):
        with pytest.raises(NotFound):
            verb(recorded, export.id, by="layla", now=NOON)
    for look in (service.seen, service.fetched):
        with pytest.raises(NotFound):
            look(recorded, export.id, "layla", now=NOON)
    assert service.for_me(recorded, "layla", now=NOON) == ([], [])


def test_one_whose_leave_ended_in_between_neither_agrees_nor_fetches(recorded: Session) -> None:
    waiting, ready = ask(recorded, format=rules.WEBM), made(recorded)
    for grant in grants_of(recorded, archive.get(recorded, "rec")):
        grant.revoked_at = NOON
    with pytest.raises(NotFound):
        service.agree(recorded, waiting.id, by="omar", now=NOON + LATER)
    with pytest.raises(NotFound):
        service.fetched(recorded, ready.id, "nora", now=NOON + LATER)
    assert service.cancel(recorded, waiting.id, by="nora", now=NOON + LATER).state == CANCELLED


def test_the_film_is_for_the_one_who_asked_until_its_end(recorded: Session) -> None:
    export = made(recorded)
    assert service.fetched(recorded, export.id, "nora", now=NOON + LATER) is export
    with pytest.raises(NotFound):
        service.fetched(recorded, export.id, "omar", now=NOON + LATER)
    with pytest.raises(NotFound):
        service.fetched(recorded, export.id, "nora", now=NOON + rules.KEPT)


def test_declined_is_the_end(recorded: Session) -> None:
    export = ask(recorded)
    assert service.decline(recorded, export.id, by="omar", now=NOON).state == DECLINED
    with pytest.raises(Refused):
        service.agree(recorded, export.id, by="omar", now=NOON)
    assert jobs_of(recorded) == []


def test_a_request_that_nobody_answers_ends_and_can_not_be_agreed_to_any_more(recorded: Session) -> None:
    export = ask(recorded)
    with pytest.raises(Refused, match="in time"):
        service.agree(recorded, export.id, by="omar", now=NOON + rules.TO_AGREE)
    assert export.state == ASKED


def test_what_is_due_ends_and_what_is_not_stays(recorded: Session) -> None:
    waiting, ready = ask(recorded, format=rules.WEBM), made(recorded)
    assert service.expire_due(recorded, now=NOON + timedelta(days=6)) == []
    ended = service.expire_due(recorded, now=NOON + timedelta(days=8))
    assert {export.id for export in ended} == {waiting.id, ready.id}
    assert {export.state for export in ended} == {EXPIRED}


@pytest.mark.parametrize("by", ["nora", "omar"])
def test_either_of_the_two_can_stop_it_while_it_is_made(recorded: Session, by: str) -> None:
    export = ask(recorded)
    service.agree(recorded, export.id, by="omar", now=NOON)
    service.begin(recorded, export.id, now=NOON)
    assert service.advance(recorded, export.id, 10, now=NOON)
    assert service.cancel(recorded, export.id, by=by, now=NOON).state == CANCELLED
    assert not service.advance(recorded, export.id, 20, now=NOON)
    assert service.finish(recorded, export.id, size=1, sha256="", now=NOON).state == CANCELLED
    assert service.fail(recorded, export.id, rules.TOOL, now=NOON).state == CANCELLED


def test_a_worker_that_died_is_followed_by_another(recorded: Session) -> None:
    export = ask(recorded)
    service.agree(recorded, export.id, by="omar", now=NOON)
    assert service.begin(recorded, export.id, now=NOON)
    service.advance(recorded, export.id, 70, now=NOON)
    assert service.begin(recorded, export.id, now=NOON + LATER)
    assert (export.state, export.percent) == (MAKING, 0)


@pytest.mark.parametrize("problem", [*rules.PROBLEMS, "never heard of"])
def test_a_failure_has_a_name_and_a_way_on(recorded: Session, problem: str) -> None:
    export = ask(recorded)
    service.agree(recorded, export.id, by="omar", now=NOON)
    service.begin(recorded, export.id, now=NOON)
    failed = service.fail(recorded, export.id, problem, now=NOON)
    assert failed.state == FAILED
    assert failed.problem == (problem if problem in rules.PROBLEMS else rules.OTHER)
    again = service.try_again(recorded, export.id, by="nora", now=NOON + LATER)
    assert (again.state, again.problem, again.percent) == (AGREED, None, 0)
    assert len(jobs_of(recorded)) == 2


def test_a_second_wish_of_the_same_kind_waits_for_the_first(recorded: Session) -> None:
    ask(recorded)
    with pytest.raises(Refused, match="already"):
        ask(recorded)
    ask(recorded, format=rules.WEBM)
    ask(recorded, by="omar")


def test_a_recording_that_is_not_ready_gives_no_film(session: Session) -> None:
    staff(session)
    archive.start(session, recording_id="rec", meeting_id="m", petition_id="p", now=NOON)
    archive.close(session, "rec", now=NOON)
    archive.fail(session, "rec", "broken", now=NOON, viewers=["nora"])
    session.flush()
    session.expire_all()
    with pytest.raises(Refused):
        ask(session)


def test_every_step_stands_in_the_recordings_trail(recorded: Session) -> None:
    export = made(recorded)
    service.cancel(recorded, export.id, by="omar", now=NOON)
    assert trail(recorded) == ["ask for export", "agree to export", "make export", "cancel export"]
    recorded.flush()
    names = set(recorded.scalars(select(OutboxEvent.name)))
    assert {n.rsplit(".", 1)[1] for n in names} >= {"ExportAsked", "ExportAgreed", "ExportReady", "ExportCancelled"}


def test_every_state_that_waits_for_a_person_has_an_end(recorded: Session) -> None:
    """Nothing may stay for ever in a state that only a person can lead on from."""
    for state in MACHINE.states - MACHINE.final - {AGREED, MAKING}:  # these two are the worker's
        assert MACHINE.allows(state, "expire"), state
    assert made(recorded).until == NOON + rules.KEPT


def test_only_files_that_somebody_waits_for_are_kept(recorded: Session) -> None:
    kept = made(recorded)
    gone = ask(recorded, by="omar")
    names = {kept.file, gone.file, "stranger.mp4.sealed"}
    assert service.wanted_files(recorded, names) == {kept.file}


def test_an_export_leaves_meetings_their_room() -> None:
    hour = 3600.0
    assert rules.fits(rules.MARGIN_BYTES + rules.size_at_most(hour), hour)
    assert not rules.fits(rules.MARGIN_BYTES + rules.size_at_most(hour) - 1, hour)


def test_films_of_a_recording_that_is_no_more_are_not_kept(recorded: Session) -> None:
    export = made(recorded)
    archive.get(recorded, "rec").state = "destroyed"
    assert service.wanted_files(recorded, {export.file}) == set()
