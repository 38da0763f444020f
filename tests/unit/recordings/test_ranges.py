from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recordings import ranges
from recordings.ranges import ByteRange, Unsatisfiable, parse_range, read_range


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-499", ByteRange(0, 500)),
        ("bytes=500-", ByteRange(500, 1000)),
        ("bytes=-200", ByteRange(800, 1000)),
        ("bytes=-5000", ByteRange(0, 1000)),
        ("bytes=990-5000", ByteRange(990, 1000)),
        ("Bytes = 0 - 0 ", ByteRange(0, 1)),
        (None, None),
        ("", None),
        ("bytes=", None),
        ("bytes=-", None),
        ("bytes=5-2", None),
        ("bytes=a-b", None),
        ("bytes=\u0661-\u0662", None),
        ("bytes=0-1,5-6", None),
        ("seconds=0-5", None),
        ("bytes=" + "9" * 300 + "-", None),
    ],
)
def test_a_range_header_is_read_as_rfc_9110_has_it(header: str | None, expected: ByteRange | None) -> None:
    assert parse_range(header, 1000) == expected


@pytest.mark.parametrize("header", ["bytes=1000-", "bytes=1000-2000", "bytes=-0"])
def test_a_range_outside_of_the_file_is_refused_with_its_size(header: str) -> None:
    with pytest.raises(Unsatisfiable) as refusal:
        parse_range(header, 1000)
    assert refusal.value.content_range == "bytes */1000"


def test_nothing_of_an_empty_file_can_be_asked_for() -> None:
    with pytest.raises(Unsatisfiable):
        parse_range("bytes=0-", 0)


def test_content_range_is_inclusive() -> None:
    assert ByteRange(0, 500).content_range(1000) == "bytes 0-499/1000"


class Plain:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.longest = 0

    def read_at(self, offset: int, length: int) -> bytes:
        self.longest = max(self.longest, length)
        return self.data[offset : offset + length]


@given(st.integers(1, 900_000), st.data())
def test_blocks_add_up_to_the_range(size: int, data) -> None:
    plain = Plain(bytes(size))
    start = data.draw(st.integers(0, size - 1))
    end = data.draw(st.integers(start + 1, size))
    assert sum(len(block) for block in read_range(plain, ByteRange(start, end))) == end - start
    assert plain.longest <= ranges.BLOCK_BYTES
