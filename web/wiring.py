"""Composition roots of worker and media: which parts are put together, and with what."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from core import clock
from core.db import Database
from core.settings import Settings
from core.sweeping import gated
from messaging.campaigns.service import sweep_campaigns
from messaging.sending import Sender
from reception import arrangements
from reception.appointed.reminders import sweep_reminders
from reception.appointed.waiting import sweep_waitlist
from reception.deadlines.escalation import sweep_deadlines
from reception.deadlines.moving import MOVE, move_handler
from reception.files import service as files
from reception.petitions import drafts
from reception.reactions import NO_REACTION, REACTIONS
from recordings.archive.service import FINISH
from recordings.proof.service import CHECK, SIGN
from recordings.retention.service import DESTROY
from video.media.app import create_app
from video.media.node import MediaNode
from video.media.turn import Turn
from video.meetings.directory import DatabaseDirectory
from web.cases.papers import store_of
from web.disk import sweep_disk
from web.exports.making import sweep_exports
from web.housekeeping import TIDY, sweep_housekeeping, terms_of, tidy_handler
from web.proof import check_handler, sign_handler, sweep_forgotten
from web.recording import finish_handler, sink_opener, sweep_abandoned
from web.retention.destroying import destroy_handler
from web.scanning import scan_handler
from web.stuck import sweep_stuck
from web.worker import Sweep, Worker

KEEP_DRAFTS = timedelta(days=30)


def make_worker(settings: Settings, db: Database, **more: Any) -> Worker:
    given = {
        event: tuple(_with_settings(reaction, settings) for reaction in reactions)
        for event, reactions in REACTIONS.items()
    }
    return Worker(
        db=db,
        reactions=given,
        handlers={
            FINISH: finish_handler(settings, db),
            SIGN: sign_handler(settings, db),
            CHECK: check_handler(settings, db),
            DESTROY: destroy_handler(settings, db),
            TIDY: tidy_handler(db, clock.now, terms_of(settings)),
            files.SCAN: scan_handler(settings, db),
            MOVE: move_handler(),
        },
        sweeps=(
            *arrangements.SWEEPS,
            sweep_reminders(settings),
            sweep_campaigns,
            sweep_waitlist(),
            sweep_abandoned(settings),
            sweep_forgotten(),
            sweep_exports(settings),
            sweep_disk(settings),
            _forget_old_drafts(settings),
            sweep_housekeeping(settings),
            sweep_stuck(),
            sweep_deadlines(),
        ),
        quiet=NO_REACTION,
        beside=(Sender.of(settings, db, more.get("clock", clock.now)),),
        **more,
    )


def make_media_app(settings: Settings, db: Database) -> Any:
    node = MediaNode(
        DatabaseDirectory(db),
        sink_opener(settings, db),
        token_secret=settings.key("join tokens"),
        ice_servers=settings.ice_servers,
        turn=Turn(settings.turn_urls, settings.turn_secret) if settings.turn_urls and settings.turn_secret else None,
        addresses=settings.media_addresses or "auto",
        ports=settings.media_ports,
        most_meetings=settings.media_meetings,
        address=settings.media_url,
    )
    return create_app(node, control_secret=settings.key("media control").hex())


def _forget_old_drafts(settings: Settings) -> Sweep:
    """Once an hour: forms that nobody finished in a month, and their papers, are not kept for ever."""
    store = store_of(settings)
    last: list[datetime] = []

    def sweep(session: Session, now: datetime) -> None:
        if last and now - last[-1] < timedelta(hours=1):
            return
        last[:] = [now]
        before = now - KEEP_DRAFTS
        drafts.discard_older(session, before=before)
        files.discard_older(session, store, before=before, now=now)

    return gated(sweep, lambda now: not last or now - last[-1] >= timedelta(hours=1))


def _with_settings(reaction: Any, settings: Settings) -> Any:
    bound = partial(reaction, settings=settings)
    bound.__name__ = reaction.__name__  # type: ignore[attr-defined]
    return bound
