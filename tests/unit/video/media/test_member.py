from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from video.media.directory import ParticipantInfo
from video.media.member import Member, seating

people = st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=4)


@given(first=people, second=people)
def test_whoever_has_a_seat_keeps_it_and_nobody_has_two(first: list[str], second: list[str]) -> None:
    before = seating({}, first, 3)
    after = seating(before, second, 3)
    assert len(set(after.values())) == len(after) == min(3, len(second))
    assert set(after.values()) <= set(second)
    for index, who in before.items():
        if who in second:
            assert after[index] == who


def test_a_new_secret_makes_the_one_before_worthless() -> None:
    member = Member("sara", ParticipantInfo("visitor", "سارة", "Sara"))
    assert not member.may_resume("")
    first = member.new_resume()
    assert member.may_resume(first) and not member.may_resume(first + "x")
    second = member.new_resume()
    assert member.may_resume(second) and not member.may_resume(first)


def test_the_state_shown_is_one_of_four() -> None:
    member = Member("sara", ParticipantInfo("visitor", "سارة", "Sara"))
    assert member.state == "left"
    member.present = True
    assert member.state == "lobby"
    member.admitted = True
    assert member.state == "reconnecting"
    member.link = object()  # type: ignore[assignment]
    assert member.state == "here"
    member.dropped = True
    assert member.state == "reconnecting"
