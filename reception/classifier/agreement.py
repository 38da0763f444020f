"""How often model and clerk agree: each petition entered is weighed afterwards, whether or not anybody looked."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.settings import Settings
from reception.classifier import rules
from reception.classifier.models import Suggestion
from reception.classifier.rules import Model
from reception.petitions.events import PetitionReceived, PetitionReclassified
from reception.petitions.models import Petition

FILE = "classifier.model"
LATELY = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of `all` petitions the first suggestion was right for `first`, one of those shown for `shown`."""

    all: int
    first: int
    shown: int
    worst: Sequence[tuple[str, str, int]]  # suggested, chosen, how often


def load(folder: Path) -> Model | None:
    """The model of this installation, read again when its file changes; None without one, or with a damaged one."""
    try:
        stat = (folder / FILE).stat()
    except OSError:
        return None
    return _load(folder / FILE, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=2)
def _load(path: Path, _changed: int, _size: int) -> Model | None:
    try:
        return rules.unpack(path.read_bytes())
    except (OSError, ValueError, KeyError, TypeError):
        return None


def weigh_suggestion(session: Session, event: PetitionReceived, *, now: datetime, settings: Settings) -> None:
    """Write down what the model would have said, beside what the clerk said."""
    model = load(settings.data_dir)
    if model is None or session.get(Suggestion, event.petition_id) is not None:
        return
    petition = session.get_one(Petition, event.petition_id)
    ranked = model.suggest(petition.subject, petition.body)
    session.add(
        Suggestion(
            petition_id=petition.id,
            model=model.about.fingerprint,
            first_code=ranked[0][0],
            first_share=round(ranked[0][1], 4),
            codes=[code for code, _ in rules.shown(ranked)],
            chosen_code=petition.type.code,
            final_code=petition.type.code,
            at=now,
        )
    )


def correct_suggestion(session: Session, event: PetitionReclassified, *, now: datetime, settings: Settings) -> None:
    """Verification has said what it was in truth."""
    row = session.get(Suggestion, event.petition_id)
    if row is not None:
        row.final_code = session.get_one(Petition, event.petition_id).type.code


def lately(session: Session, *, now: datetime) -> Agreement:
    """Of the last thirty days."""
    wanted = select(Suggestion.first_code, Suggestion.final_code, Suggestion.codes).where(Suggestion.at >= now - LATELY)
    rows = session.execute(wanted).all()
    wrong = Counter((row.first_code, row.final_code) for row in rows if row.first_code != row.final_code)
    return Agreement(
        all=len(rows),
        first=sum(row.first_code == row.final_code for row in rows),
        shown=sum(row.final_code in row.codes for row in rows),
        worst=[(*pair, n) for pair, n in wrong.most_common(5)],
    )
