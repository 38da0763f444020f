"""Which pictures a thin downlink is spared, and when they come back."""

from __future__ import annotations

import pytest

from video.media.shedding import FLOOR, LEAST_FLOOR, SIGNING_FLOOR, WAITS_S, Picture, Shed, shares, shed, wishes

FOUR = {"minister": "official", "sara": "visitor", "signer": "interpreter", "aide": "aide"}


def seen_by(person: str, people: dict[str, str] = FOUR) -> list[Picture]:
    return wishes(people[person], {who: role for who, role in people.items() if who != person})


SARA = seen_by("sara")


@pytest.mark.parametrize(
    ("person", "order"),
    [
        ("sara", ["signer", "minister", "aide"]),
        ("signer", ["sara", "minister", "aide"]),
        ("minister", ["sara", "signer", "aide"]),
        ("aide", ["minister", "sara", "signer"]),
    ],
)
def test_who_needs_signs_keeps_the_signing_longest_the_others_the_official_and_the_visitor(
    person: str, order: list[str]
) -> None:
    assert [picture.person for picture in seen_by(person)] == order


def test_whoever_signs_needs_less_than_whoever_speaks_and_least_who_takes_nothing_from_others() -> None:
    assert [picture.floor for picture in SARA] == [SIGNING_FLOOR, FLOOR, FLOOR]
    spoken = {"minister": "official", "sara": "visitor", "aide": "aide"}
    assert {picture.floor for picture in seen_by("minister", spoken)} == {FLOOR}
    (only,) = wishes("visitor", {"minister": "official"}, alone=frozenset({"minister"}))
    assert only.floor == LEAST_FLOOR


@pytest.mark.parametrize(
    ("kbps", "out"),
    [
        (3000, set()),
        (800, set()),
        (750, {"aide"}),
        (500, {"minister", "aide"}),
        (300, {"minister", "aide"}),
        (250, {"signer", "minister", "aide"}),
        (50, {"signer", "minister", "aide"}),
    ],
)
def test_pictures_go_from_the_least_important_on_as_the_line_gets_thinner(kbps: float, out: set[str]) -> None:
    assert shed(kbps * 1000, SARA, Shed(), now=0.0).out == out


@pytest.mark.parametrize("kbps", [300, 500, 750, 800, 3000])
def test_those_shown_share_the_line_none_below_its_floor_and_nobody_else_is_held(kbps: float) -> None:
    out = shed(kbps * 1000, SARA, Shed(), now=0.0).out
    shared = shares(kbps * 1000, SARA, out)
    assert shared.keys() == {"signer", "minister", "aide"} - out
    assert all(shared[picture.person] >= picture.floor for picture in SARA if picture.person in shared)
    assert sum(shared.values()) <= kbps * 1000


def test_a_picture_comes_back_one_at_a_time_after_a_wait_and_with_room_to_spare() -> None:
    gone = shed(100_000, SARA, Shed(), now=0.0)
    assert len(gone.out) == 3
    assert shed(3_000_000, SARA, gone, now=WAITS_S[0] - 0.1) == gone
    assert shed(300_000, SARA, gone, now=60.0).out == gone.out, "the floor alone is too close"
    back = gone
    came = []
    for tick in range(80, 140):
        back, before = shed(3_000_000, SARA, back, now=tick / 20), back
        came += [(tick / 20, *(before.out - back.out))] if before.out != back.out else []
    assert came == [(4.0, "signer"), (5.0, "minister"), (6.0, "aide")]


def test_a_picture_that_could_not_stay_is_tried_ever_later_and_soon_again_once_it_could() -> None:
    state, now, waits = shed(100_000, SARA, Shed(), now=0.0), 0.0, []
    for _ in range(4):
        went = now
        while "signer" in state.out:
            now += 0.05
            state = shed(400_000, SARA, state, now=now)
        waits.append(round(now - went))
        now += 1.0
        state = shed(200_000, SARA, state, now=now)
    assert waits == [4, 8, 14, 14]
    while "signer" in state.out:
        now += 0.05
        state = shed(400_000, SARA, state, now=now)
    assert shed(200_000, SARA, state, now=now + 30).back_at == now + 30 + WAITS_S[0]


def test_a_newcomer_is_shown_at_once_where_there_is_room_and_a_line_that_wavers_changes_nothing() -> None:
    state = shed(500_000, SARA[:1], Shed(), now=0.0)
    state = shed(900_000, SARA, state, now=0.1)
    assert not state.out
    for tick in range(100):
        state = shed(850_000 if tick % 2 else 1_000_000, SARA, state, now=1 + tick / 20)
    assert not state.out
    state = shed(780_000, SARA, state, now=10.0)
    assert all(shed(kbps * 1000, SARA, state, now=20.0).out == {"aide"} for kbps in (780, 800, 840))
