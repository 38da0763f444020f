"""What clients say: nothing of it may break another client, the database or the recording."""

from __future__ import annotations

import json
from typing import Any

import pytest

from video.media import messages
from video.media.messages import CloseReason, Closing


def refused(text: str) -> CloseReason:
    with pytest.raises(Closing) as caught:
        messages.read(text)
    return caught.value.reason


@pytest.mark.parametrize("text", ["", "[]", "1", '"x"', "{}", '{"type":1}', "[" * 60_000, '{"type":"x"', "9" * 5000])
def test_what_is_no_message_ends_the_connection(text: str) -> None:
    assert refused(text) == CloseReason.BAD_MESSAGE


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999", "[1, -1e400]"])
def test_numbers_that_no_browser_reads_are_not_taken(value: str) -> None:
    assert refused(f'{{"type":"ping","t":{value}}}') == CloseReason.BAD_MESSAGE


def test_half_a_character_is_replaced_for_nothing_else_could_carry_it() -> None:
    said = messages.read('{"type":"text","text":"a\\ud83d b \\uDE00 \\ud83d\\ude00","more":{"\\udc00":["\\uD800"]}}')
    text = messages.text_of(said, "text")
    assert "😀" in text and text.startswith("a") and " b " in text
    assert json.dumps(said, ensure_ascii=False).encode()


def test_nul_which_the_database_does_not_take_is_replaced() -> None:
    assert messages.text_of(messages.read('{"type":"text","text":"a\\u0000b"}'), "text") == "a\ufffdb"


def test_of_two_values_with_one_name_the_last_counts() -> None:
    assert messages.read('{"type":"a","type":"b"}') == {"type": "b"}


def nested(depth: int) -> dict[str, Any]:
    value: Any = 1
    for _ in range(depth):
        value = {"a": value}
    return {"kind": "order", "data": value, "ref": [value]}


def test_what_goes_deep_is_not_passed_on() -> None:
    good = nested(messages.DEEPEST - 1)
    assert messages.mark_of(good) == ("order", good["data"]) and messages.ref_of(good) == good["ref"]
    for depth in (messages.DEEPEST + 1, 900):
        with pytest.raises(Closing):
            messages.mark_of(nested(depth))
        with pytest.raises(Closing):
            messages.ref_of(nested(depth))


def test_a_reference_is_short() -> None:
    assert messages.ref_of({"ref": "x" * 190}) and messages.ref_of({}) is None
    with pytest.raises(Closing):
        messages.ref_of({"ref": "x" * 200})


@pytest.mark.parametrize(("given", "told"), [(5, 5), (1.5, 1.5), (True, None), ("5", None), (10**300, None)])
def test_a_ping_is_answered_with_its_number_where_it_is_one(given: Any, told: Any) -> None:
    assert messages.time_of({"t": given}) == told
