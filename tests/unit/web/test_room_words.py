"""Every end of a meeting has a sentence that a person can act on, in the page's template and thus in both languages."""

import re
from pathlib import Path

import pytest

from video.media.messages import CloseReason

WEB = Path(__file__).parents[3] / "web"
OVER = (WEB / "static/js/room-over.js").read_text()
CLIENT = (WEB / "static/meeting/client.js").read_text()
SAID = set(re.findall(r'^  \("(\w+)", _\(', (WEB / "templates/meeting/room.html").read_text(), re.M))
WORDS = dict(re.findall(r'^  (\w+): "(\w+)",$', OVER, re.M))
AGAIN = set(re.findall(r'"(\w+)"', " ".join(re.findall(r"AGAIN_WITH_\w+ = new Set\((.*?)\)", CLIENT))))


@pytest.mark.parametrize("reason", [*(reason.value for reason in CloseReason), "no_token"])
def test_a_close_reason_has_its_words_or_is_got_over_by_the_client(reason: str) -> None:
    key = WORDS.get(reason, "refused")
    assert key != "refused" or reason in AGAIN | {"no_token"}, "nobody has thought of this reason"
    assert key in SAID and (key == "ended" or f"{key}_text" in SAID)


def test_every_word_for_an_end_belongs_to_a_reason() -> None:
    assert set(WORDS) <= {reason.value for reason in CloseReason}


def test_every_sentence_about_a_missing_device_is_in_the_page() -> None:
    lacks = (WEB / "static/js/room-lacks.js").read_text()
    keys = set(re.findall(r'"(in_\w+|other_\w+)"', lacks))
    assert keys == {"in_none", "in_denied", "in_busy", "in_failed", "other_microphone"}
    assert keys | {f"gone_{kind}{where}" for kind in ("audio", "video") for where in ("", "_hall")} <= SAID
