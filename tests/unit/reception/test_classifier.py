"""The suggestion of a type: trained, kept as plain numbers, applied without scikit-learn to the same result."""

import random
from datetime import UTC, datetime
from functools import lru_cache

import pytest

from core.errors import Refused
from reception.classifier import rules, training
from reception.classifier.rules import Model

NOW = datetime(2026, 10, 27, 9, 0, tzinfo=UTC)
WORDS = {
    "violation": "مخالفة مرورية سرعة إشارة رادار ساهر غرامة مركبة طريق اعتراض",
    "passport": "جواز سفر تجديد رحلة مطار تأشيرة خروج صورة انتهاء إصدار",
    "prison-visit": "سجين زيارة سجن موقوف أسرة ابني والدته عنبر موعد لقاء",
}


def examples(each: int, seed: int = 1) -> list[tuple[str, str]]:
    """Made-up petitions: words of their type between words that all use."""
    chance = random.Random(seed)
    common = ["أرجو", "التكرم", "بالنظر", "في", "طلبي", "وشكرا", "لكم", "السلام", "عليكم", "معالي"]
    found = []
    for code, words in WORDS.items():
        for _ in range(each):
            said = [*chance.sample(words.split(), 4), *chance.sample(common, 4)]
            chance.shuffle(said)
            found.append((rules.text_of(said[0], " ".join(said)), code))
    return found


@lru_cache(maxsize=1)
def tiny() -> Model:
    model, _ = training.train(examples(70), now=NOW)
    return model


def test_it_learns_what_it_can_and_says_how_well() -> None:
    model, report = training.train([*examples(70), ("نادر", "rare")], now=NOW)
    assert model.about.on and model.about.macro_f1 > 0.9 > model.about.baseline
    assert {score.code for score in report.scores} == set(WORDS) and report.left_out == [("rare", 1)]
    assert model.suggest("تجديد جواز", "انتهى جواز سفري وعندي رحلة")[0][0] == "passport"


def test_what_is_kept_comes_back_and_says_the_same() -> None:
    again = rules.unpack(rules.pack(tiny()))
    before, after = (m.suggest("زيارة ابني", "أطلب زيارة ابني في السجن") for m in (tiny(), again))
    assert [code for code, _ in before] == [code for code, _ in after]
    assert all(abs(a[1] - b[1]) < 1e-9 for a, b in zip(before, after, strict=True))
    assert again.about.fingerprint and abs(sum(share for _, share in after) - 1) < 1e-9


def test_it_says_what_scikit_learn_would_say() -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    found = examples(70)
    theirs = make_pipeline(
        TfidfVectorizer(analyzer="char_wb", ngram_range=rules.GRAMS, lowercase=False, sublinear_tf=True, min_df=2),
        LogisticRegression(C=10.0, max_iter=400, class_weight="balanced"),
    )
    theirs.fit([text for text, _ in found], [code for _, code in found])
    text = rules.text_of("مخالفة", "مخالفة سرعة في رحلة إلى المطار")
    said = dict(zip(theirs.classes_, theirs.predict_proba([text])[0], strict=True))
    ours = dict(tiny().suggest("مخالفة", "مخالفة سرعة في رحلة إلى المطار"))
    assert all(abs(ours[code] - said[code]) < 1e-3 for code in WORDS)


def test_with_too_little_it_stays_off() -> None:
    for found in (examples(14), [pair for pair in examples(150) if pair[1] != "passport"], []):
        with pytest.raises(Refused, match="Too little"):
            training.train(found, now=NOW)


def test_what_guesses_badly_is_not_shown() -> None:
    chance = random.Random(3)
    found = examples(70)
    codes = [code for _, code in found]
    chance.shuffle(codes)
    model, _ = training.train([(text, code) for (text, _), code in zip(found, codes, strict=True)], now=NOW)
    assert not model.about.on


@pytest.mark.parametrize("harm", ["cut", "flip", "pickle", "empty"])
def test_a_file_that_is_no_model_is_refused(harm: str) -> None:
    import pickle

    data = rules.pack(tiny())
    wrong = {
        "cut": data[:-5],
        "flip": data[:100] + bytes([data[100] ^ 1]) + data[101:],
        "pickle": pickle.dumps({"a": 1}),
        "empty": b"",
    }[harm]
    with pytest.raises(ValueError, match="model"):
        rules.unpack(wrong)


def test_nothing_unlikely_is_shown() -> None:
    assert rules.shown([("a", 0.6), ("b", 0.2), ("c", 0.1), ("d", 0.1)]) == [("a", 0.6), ("b", 0.2)]
