"""Training: past petitions whose type a second person has verified, cross-validated before anything is kept.

Needs scikit-learn (`pip install majlis[classifier]`); only this module does.
"""

from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import Refused
from reception.classifier import rules
from reception.classifier.rules import About, Model
from reception.petitions import states
from reception.petitions.models import Petition, PetitionType

MOST = 60_000  # of the latest petitions
FEATURES = 30_000
FOLDS = 5


@dataclass(frozen=True, slots=True)
class Score:
    code: str
    petitions: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class Report:
    """How the model did on petitions it had not seen. `confused`: (in truth, said, how often), worst first."""

    about: About
    scores: Sequence[Score]
    confused: Sequence[tuple[str, str, int]]
    left_out: Sequence[tuple[str, int]]


def examples(session: Session) -> list[tuple[str, str]]:
    """(text, code of the type) of verified petitions, the latest ones."""
    wanted = (
        select(Petition.subject, Petition.body, PetitionType.code)
        .join(PetitionType, PetitionType.id == Petition.type_id)
        .where(Petition.verification == states.PASSED, PetitionType.active)
        .order_by(Petition.received_at.desc())
        .limit(MOST)
    )
    return [(rules.text_of(row.subject, row.body), row.code) for row in session.execute(wanted)]


def train(found: Sequence[tuple[str, str]], *, now: datetime) -> tuple[Model, Report]:
    """A model and how it did. Raises Refused with too little to learn from, or without scikit-learn."""
    counts = Counter(code for _, code in found)
    enough = {code for code, n in counts.items() if n >= rules.LEAST_OF_A_TYPE}
    kept = [(text, code) for text, code in found if code in enough]
    if len(kept) < rules.LEAST_PETITIONS or len(enough) < rules.LEAST_TYPES:
        raise Refused(
            "Too little to learn from: {found} verified petitions of {types} types with at least {each}. "
            "At least {least} of {least_types} types are needed.",
            found=len(kept),
            types=len(enough),
            each=rules.LEAST_OF_A_TYPE,
            least=rules.LEAST_PETITIONS,
            least_types=rules.LEAST_TYPES,
        )
    try:
        from sklearn.feature_extraction.text import TfidfVectorizer  # type: ignore[import-untyped]
        from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]
        from sklearn.metrics import precision_recall_fscore_support  # type: ignore[import-untyped]
        from sklearn.model_selection import StratifiedKFold, cross_val_predict  # type: ignore[import-untyped]
        from sklearn.pipeline import make_pipeline  # type: ignore[import-untyped]
    except ImportError:
        raise Refused("Training needs scikit-learn: pip install 'majlis[classifier]'.") from None
    texts, truth = [text for text, _ in kept], [code for _, code in kept]

    def pipeline() -> object:
        vectorizer = TfidfVectorizer(
            analyzer=_grams, lowercase=False, sublinear_tf=True, min_df=2, max_features=FEATURES
        )
        return make_pipeline(vectorizer, LogisticRegression(C=10.0, max_iter=400, class_weight="balanced"))

    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    said = [str(code) for code in cross_val_predict(pipeline(), texts, truth, cv=folds)]
    codes = sorted(enough)
    precision, recall, f1, support = precision_recall_fscore_support(truth, said, labels=codes, zero_division=0)
    fitted = pipeline()
    fitted.fit(texts, truth)  # type: ignore[attr-defined]
    vectorizer, linear = (step for _, step in fitted.steps)  # type: ignore[attr-defined]
    rows, intercepts = linear.coef_.tolist(), linear.intercept_.tolist()
    names = {str(name): int(n) for name, n in vectorizer.vocabulary_.items()}
    about = About(
        trained_at=now,
        petitions=len(kept),
        macro_f1=round(float(sum(f1) / len(codes)), 4),
        baseline=round(max(counts[code] for code in enough) / len(kept), 4),
        accuracy=round(sum(a == b for a, b in zip(truth, said, strict=True)) / len(kept), 4),
    )
    model = Model(
        about=about,
        codes=tuple(str(code) for code in linear.classes_),
        grams=names,
        idf=array("f", vectorizer.idf_.tolist()),
        weights=array("f", (row[n] for n in range(len(names)) for row in rows)),
        intercepts=array("f", intercepts),
    )
    wrong = Counter((a, b) for a, b in zip(truth, said, strict=True) if a != b)
    scores = [
        Score(code, int(n), round(float(p), 3), round(float(r), 3), round(float(f), 3))
        for code, n, p, r, f in zip(codes, support, precision, recall, f1, strict=True)
    ]
    left_out = sorted((code, n) for code, n in counts.items() if code not in enough)
    return model, Report(about, scores, [(*pair, n) for pair, n in wrong.most_common(12)], left_out)


def _grams(text: str) -> list[str]:
    return list(rules.grams(text))
