import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.rules import (
    GSM7,
    GSM_BASIC,
    GSM_EXTENSION,
    LIMITS,
    UCS2,
    can_be_written_to,
    encoding_of,
    masked,
    segments,
)


def test_the_default_alphabet_is_whole() -> None:
    """128 positions of TS 23.038 §6.2.1 less the escape, and ten of the extension table less the second escape."""
    assert len(GSM_BASIC) == 127
    assert len(GSM_EXTENSION) == 10
    assert not GSM_BASIC & GSM_EXTENSION


@pytest.mark.parametrize(
    ("text", "encoding", "units", "parts"),
    [
        ("", GSM7, 0, 1),
        ("a" * 160, GSM7, 160, 1),
        ("a" * 161, GSM7, 161, 2),
        ("a" * 306, GSM7, 306, 2),
        ("a" * 307, GSM7, 307, 3),
        ("€" * 80, GSM7, 160, 1),
        ("€" * 81, GSM7, 162, 2),
        ("ب" * 70, UCS2, 70, 1),
        ("ب" * 71, UCS2, 71, 2),
        ("ب" * 134, UCS2, 134, 2),
        ("ب" * 135, UCS2, 135, 3),
        ("😀" * 35, UCS2, 70, 1),
        ("a" * 69 + "ب", UCS2, 70, 1),
        ("ç", UCS2, 1, 1),  # the alphabet has Ç only
        ("`", UCS2, 1, 1),
    ],
)
def test_length_and_parts_are_the_networks(text: str, encoding: str, units: int, parts: int) -> None:
    cut = segments(text)
    assert (cut.encoding, cut.units, cut.count) == (encoding, units, parts)


def test_an_escaped_character_is_not_split_between_parts() -> None:
    cut = segments("a" * 152 + "€" + "b" * 152)
    assert [len(part) for part in cut.parts] == [152, 152, 1]
    assert cut.parts[1].startswith("€")


def test_a_surrogate_pair_is_not_split_between_parts() -> None:
    cut = segments("ب" * 66 + "😀" + "ب" * 10)
    assert cut.parts == ("ب" * 66, "😀" + "ب" * 10)


texts = st.text(
    st.one_of(
        st.sampled_from(sorted(GSM_BASIC)),
        st.sampled_from(sorted(GSM_EXTENSION)),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=500,
)


@given(texts)
def test_parts_join_to_the_text_and_each_fits(text: str) -> None:
    cut = segments(text)
    single, each = LIMITS[cut.encoding]
    assert "".join(cut.parts) == text
    assert cut.encoding == encoding_of(text)
    size = {
        UCS2: lambda part: len(part.encode("utf-16-be")) // 2,
        GSM7: lambda part: sum(2 if c in GSM_EXTENSION else 1 for c in part),
    }[cut.encoding]
    assert cut.units == size(text)
    assert all(size(part) <= (single if cut.count == 1 else each) for part in cut.parts)
    assert cut.count == 1 or cut.units > single
    assert all(size(a) + size(b[:1]) > each for a, b in zip(cut.parts, cut.parts[1:], strict=False))


@given(texts.filter(bool))
def test_the_room_left_is_what_can_be_added(text: str) -> None:
    cut = segments(text)
    filler = "a" if cut.encoding == GSM7 else "ب"
    assert segments(text + filler * cut.room).count == cut.count
    assert segments(text + filler * (cut.room + 1)).count == cut.count + 1


@pytest.mark.parametrize("number", ["+966501234567", "+12025550123"])
def test_complete_numbers_can_be_written_to(number: str) -> None:
    assert can_be_written_to(number)


@pytest.mark.parametrize("number", ["", "0501234567", "+0966501234567", "+96650", "+9665012345671234", "+٩٦٦٥٠١٢٣٤٥٦٧"])
def test_other_numbers_cannot(number: str) -> None:
    assert not can_be_written_to(number)


def test_a_masked_number_keeps_country_and_last_two_digits() -> None:
    assert masked("+966501234567") == "+966•••••••67"
    assert masked("12") == "••"
