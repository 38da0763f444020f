from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from core import audit
from core.db import new_id
from core.errors import Mistake, NotFound, Refused
from core.events import emit
from core.sweeping import read_first
from core.text import clean
from messaging import service as messages
from messaging.campaigns import rules
from messaging.campaigns.events import CampaignAdvanced, CampaignChanged
from messaging.campaigns.models import Campaign, CampaignRecipient
from messaging.campaigns.rules import Wish
from messaging.campaigns.states import CAMPAIGN, DRAFT, PROPOSED, RUNNING, SKIPPED, WAITING, WRITTEN
from messaging.models import Message
from messaging.numbers import service as numbers
from messaging.states import WAITING as NOT_LEFT
from messaging.templates import CAMPAIGN as CLASS

SUBJECT = "campaign"


def get(session: Session, campaign_id: str) -> Campaign:
    """Raises NotFound."""
    row = session.get(Campaign, campaign_id)
    if row is None:
        raise NotFound("There is no such campaign.")
    return row


def all_(session: Session, *, limit: int = 50) -> list[Campaign]:
    """The newest first."""
    return list(session.scalars(select(Campaign).order_by(Campaign.created_at.desc()).limit(limit)))


def write(
    session: Session,
    *,
    name: str,
    words: Mapping[str, str],
    group_kind: str,
    group_detail: Mapping[str, Any],
    by: str,
    now: datetime,
    campaign_id: str | None = None,
) -> Campaign:
    """A draft, new or written anew. Its recipients are found when it is proposed."""
    kept, called = rules.words(words), rules.name(name)
    if campaign_id is None:
        row = Campaign(id=new_id(), state=DRAFT, created_at=now)
        session.add(row)
    else:
        row = _locked(session, campaign_id)
        if row.state == PROPOSED:
            row.state = CAMPAIGN.next(row.state, "rewrite")
            _forget_recipients(session, row)
        elif row.state != DRAFT:
            raise Refused("This can't be done now: the {thing} is “{state}”.", thing="campaign", state=row.state)
    row.name, row.words, row.created_by = called, kept, by
    row.group_kind, row.group_detail, row.changed_at = group_kind, dict(group_detail), now
    session.flush()
    audit.note(session, "write", "campaign", row.id, now=now)
    return row


def propose(session: Session, campaign_id: str, wishes: Iterable[Wish], *, now: datetime) -> Campaign:
    """Fix who it goes to, so that what the second person approves is what leaves. Raises Mistake for nobody."""
    row = _locked(session, campaign_id)
    state = CAMPAIGN.next(row.state, "propose")
    _forget_recipients(session, row)
    seen: set[str] = set()
    languages: list[str] = []
    for wish in wishes:
        if wish.number in seen:
            continue
        seen.add(wish.number)
        why = rules.why_not(wish)
        language = wish.language if wish.language in row.words else next(iter(row.words))
        if not why:
            languages.append(language)
        session.add(
            CampaignRecipient(
                campaign_id=row.id,
                number=wish.number,
                language=language,
                owner_id=wish.owner_id,
                state=SKIPPED if why else WAITING,
                why=why,
            )
        )
    if not languages:
        raise Mistake("Nobody in this group may be written to: see why below.", field="group_kind")
    if len(languages) > rules.MOST:
        raise Mistake("A campaign has at most {most} recipients.", field="group_kind", most=rules.MOST)
    row.state, row.proposed_at = state, now
    row.total, row.skipped, row.written = len(languages), len(seen) - len(languages), 0
    row.parts = rules.parts(row.words, languages)
    return _changed(session, row, "propose", now=now)


def approve(session: Session, campaign_id: str, *, by: str, now: datetime) -> Campaign:
    """Raises Refused for who wrote it."""
    row = _locked(session, campaign_id)
    if row.created_by == by:
        raise Refused("A colleague must agree: you wrote this campaign yourself.")
    row.state = CAMPAIGN.next(row.state, "approve")
    row.decided_by, row.decided_at = by, now
    return _changed(session, row, "approve", now=now)


def decline(session: Session, campaign_id: str, *, reason: str, by: str, now: datetime) -> Campaign:
    row = _locked(session, campaign_id)
    if row.created_by == by:
        raise Refused("A colleague must agree: you wrote this campaign yourself.")
    why = clean(reason)[:500]
    if not why:
        raise Mistake("Please say why.", field="reason")
    row.state = CAMPAIGN.next(row.state, "decline")
    row.decided_by, row.decided_at, row.reason = by, now, why
    return _changed(session, row, "decline", now=now)


def start(session: Session, campaign_id: str, *, now: datetime) -> Campaign:
    row = _locked(session, campaign_id)
    row.state, row.started_at = CAMPAIGN.next(row.state, "start"), now
    return _changed(session, row, "start", now=now)


def pause(session: Session, campaign_id: str, *, now: datetime) -> Campaign:
    """No further text is written; what waits to leave, a thousand at most, still does."""
    row = _locked(session, campaign_id)
    row.state = CAMPAIGN.next(row.state, "pause")
    return _changed(session, row, "pause", now=now)


def resume(session: Session, campaign_id: str, *, now: datetime) -> Campaign:
    row = _locked(session, campaign_id)
    row.state = CAMPAIGN.next(row.state, "resume")
    return _changed(session, row, "resume", now=now)


def cancel(session: Session, campaign_id: str, *, now: datetime) -> Campaign:
    """Nothing more is written, and what has not left is taken back."""
    row = _locked(session, campaign_id)
    row.state = CAMPAIGN.next(row.state, "cancel")
    row.finished_at = now
    for message_id in session.scalars(_not_left(row.id)).all():
        try:
            with session.begin_nested():
                messages.drop(session, message_id, now=now)
        except Refused:  # it has just left
            continue
    return _changed(session, row, "cancel", now=now)


def running(session: Session) -> list[str]:
    return list(session.scalars(select(Campaign.id).where(Campaign.state == RUNNING).order_by(Campaign.started_at)))


def advance(session: Session, campaign_id: str, *, now: datetime) -> int:
    """Write the next texts of a running campaign; how many. One portion at a time, and never far ahead of the gateway.

    Who said STOP since it was approved is left out. The text's key makes a portion that is done twice the same texts.
    """
    row = session.scalar(
        select(Campaign).where(Campaign.id == campaign_id, Campaign.state == RUNNING).with_for_update(skip_locked=True)
    )
    if row is None:
        return 0
    room = rules.AHEAD - (session.scalar(select(func.count()).select_from(_not_left(row.id).subquery())) or 0)
    batch = list(
        session.scalars(
            select(CampaignRecipient)
            .where(CampaignRecipient.campaign_id == row.id, CampaignRecipient.state == WAITING)
            .order_by(CampaignRecipient.number)
            .limit(max(0, min(room, rules.PORTION)))
        )
    )
    written = 0
    for recipient in batch:
        if numbers.refuses(session, recipient.number, CLASS):
            recipient.state, recipient.why = SKIPPED, rules.STOPPED
            row.total, row.skipped = row.total - 1, row.skipped + 1
            continue
        messages.queue(
            session,
            to=recipient.number,
            template="campaign",
            fields={"text": row.words[recipient.language]},
            language=recipient.language,
            subject=(SUBJECT, row.id),
            visitor_id=recipient.owner_id,
            key=f"campaign:{row.id}:{recipient.number}",
            now=now,
        )
        recipient.state = WRITTEN
        written += 1
    row.written += written
    session.flush()
    if not batch and room > 0:
        row.state, row.finished_at = CAMPAIGN.next(row.state, "finish"), now
        _changed(session, row, "finish", now=now)
    elif written:
        emit(session, CampaignAdvanced(campaign_id=row.id, written=written), now=now)
    return written


def sweep_campaigns(session: Session, now: datetime) -> None:
    """For the worker: the next portion of each that runs."""
    for campaign_id in running(session):
        advance(session, campaign_id, now=now)


read_first(sweep_campaigns)


def progress(session: Session, campaign_id: str) -> dict[str, int]:
    """How many texts are in each state."""
    return figures(session, campaign_id)["states"]


def left_out(session: Session, campaign_id: str) -> dict[str, int]:
    """Why → how many."""
    return figures(session, campaign_id)["left_out"]


def languages(session: Session, campaign_id: str) -> dict[str, int]:
    """Language → how many are written to in it."""
    return figures(session, campaign_id)["languages"]


def figures(session: Session, campaign_id: str) -> dict[str, dict[str, int]]:
    """What is told of a campaign: counted, or as it was counted before its texts were cleared away."""
    kept = session.scalar(select(Campaign.figures).where(Campaign.id == campaign_id))
    if kept is not None:
        return kept
    of_it = CampaignRecipient.campaign_id == campaign_id
    skipped = CampaignRecipient.state == SKIPPED
    counted = {
        "states": select(Message.state, func.count())
        .where(Message.subject_kind == SUBJECT, Message.subject_id == campaign_id)
        .group_by(Message.state),
        "left_out": select(CampaignRecipient.why, func.count()).where(of_it, skipped).group_by(CampaignRecipient.why),
        "languages": select(CampaignRecipient.language, func.count())
        .where(of_it, ~skipped)
        .group_by(CampaignRecipient.language),
    }
    return {name: {row[0]: row[1] for row in session.execute(query)} for name, query in counted.items()}


def _not_left(campaign_id: str) -> Any:
    return select(Message.id).where(
        Message.subject_kind == SUBJECT, Message.subject_id == campaign_id, Message.state.in_(NOT_LEFT)
    )


def _forget_recipients(session: Session, row: Campaign) -> None:
    session.execute(delete(CampaignRecipient).where(CampaignRecipient.campaign_id == row.id))
    row.total = row.skipped = row.parts = row.written = 0


def _changed(session: Session, row: Campaign, verb: str, *, now: datetime) -> Campaign:
    row.changed_at = now
    session.flush()
    audit.note(session, verb, "campaign", row.id, now=now)
    emit(session, CampaignChanged(campaign_id=row.id, state=row.state), now=now)
    return row


def _locked(session: Session, campaign_id: str) -> Campaign:
    row = session.scalar(select(Campaign).where(Campaign.id == campaign_id).with_for_update())
    if row is None:
        raise NotFound("There is no such campaign.")
    return row
