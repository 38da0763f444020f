"""How much a leg may send, and that a process which stood still blames nobody."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from video.media import limits
from video.media.limits import AT_ONCE, PACKETS_PER_S, Allowance


@given(st.lists(st.floats(0.01, 0.3), min_size=20, max_size=200))
def test_whoever_keeps_to_the_rate_is_never_cut_off(pauses: list[float]) -> None:
    allowance, now, sent = Allowance(now=5.0), 5.0, 0
    for pause in pauses:
        now += pause
        sent += int(pause * PACKETS_PER_S)
        assert not allowance.is_spent(sent, now=now)


def test_what_a_network_held_back_may_come_at_once_but_not_time_and_again() -> None:
    allowance = Allowance(now=0.0)
    assert not allowance.is_spent(AT_ONCE, now=0.0)
    assert not allowance.is_spent(AT_ONCE + PACKETS_PER_S, now=1.0)
    assert allowance.is_spent(2 * AT_ONCE, now=1.05)


def test_twice_the_rate_is_noticed_after_some_seconds() -> None:
    allowance, now = Allowance(now=0.0), 0.0
    while not allowance.is_spent(int(now * 2 * PACKETS_PER_S), now=now):
        now += 0.05
    assert 2.9 < now < 3.1


def test_the_time_in_which_the_process_stood_still_is_nobody_s_silence() -> None:
    late: list[float] = []
    leg, view, link = (SimpleNamespace(heard_at=at) for at in (100.0, 100.2, 90.0))
    member = SimpleNamespace(leg=leg, view=view, link=link)
    alone = SimpleNamespace(leg=None, view=None, link=None)
    room: Any = SimpleNamespace(members={"sara": member, "aide": alone}, forgive=late.append)
    limits.forgive(room, 0.5, now=101.0)
    assert (leg.heard_at, late) == (100.0, [])
    limits.forgive(room, 9.5, now=109.6)
    assert (leg.heard_at, view.heard_at, link.heard_at, late) == (109.5, 109.6, 99.5, [9.5])
