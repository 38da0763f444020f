"""What the soak makes of its figures, and what its participants ask for."""

from __future__ import annotations

import os
import random
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.soak import verdict
from bench.soak.journals import _counted
from bench.soak.peer import TRIES, Heard
from bench.soak.watch import look


def line(per_s: float, *, level: float = 100.0, seconds: int = 1800, noise: float = 0.0) -> list[verdict.Point]:
    chance = random.Random(7)
    return [(float(at), level + per_s * at + chance.uniform(-noise, noise)) for at in range(0, seconds, 10)]


@given(st.floats(-5, 5), st.floats(1, 500))
def test_the_slope_of_a_line_is_its_slope(per_s: float, level: float) -> None:
    assert verdict.slope(line(per_s, level=level, seconds=300)) == pytest.approx(per_s, abs=1e-6)


def test_a_few_odd_samples_do_not_move_the_slope() -> None:
    points = line(0.0)
    for index in range(3, len(points), 10):
        points[index] = (points[index][0], 900.0)
    assert abs(verdict.slope(points)) < 0.001


def test_a_slope_needs_two_moments() -> None:
    assert verdict.slope([]) == verdict.slope([(1.0, 5.0)]) == verdict.slope([(1.0, 5.0), (1.0, 9.0)]) == 0.0
    assert verdict.growth_pct([]) == verdict.per_minute([]) == 0.0


def test_what_a_node_needs_at_first_is_not_held_against_it() -> None:
    climbing = [(float(at), min(150.0, 80 + at / 10)) for at in range(0, 1800, 10)]
    assert verdict.per_minute(climbing) == 0.0
    assert next(at for at, _ in verdict.second_half(climbing)) == 900.0


def test_a_leak_of_a_megabyte_a_minute_shows_through_noise() -> None:
    leaking, sound = line(1 / 60, noise=4.0), line(0.0, noise=2.0)
    assert verdict.per_minute(leaking) == pytest.approx(1.0, abs=0.15)
    assert verdict.growth_pct(leaking) > 5 * verdict.PCT_PER_HOUR
    assert abs(verdict.per_minute(sound)) < 0.1


def test_what_is_left_over_is_named_and_the_slack_is_given() -> None:
    before, after = {"fds": 20, "rooms": 0}, {"fds": 22, "rooms": 1, "udp_sockets": 3}
    assert verdict.left_over(before, after, {"fds": 2}) == {"rooms": 1, "udp_sockets": 3}
    assert verdict.left_over(before, after, {"fds": 1})["fds"] == 2
    assert verdict.left_over(after, before, {}) == {}


def test_lines_that_tell_of_a_fault_are_found_in_a_log() -> None:
    log = [
        "2026-11-21 20:00:00 WARNING video.media.room leg p1/1: bad answer",
        "2026-11-21 20:00:00 ERROR video.media.node a connection failed\n",
        "Traceback (most recent call last):",
        "Task exception was never retrieved",
    ]
    assert [found[:10] for found in verdict.wrong_lines(log)] == ["2026-11-21", "Traceback ", "Task excep"]


def test_a_short_run_claims_nothing_about_memory() -> None:
    short, long = verdict.targets(75), verdict.targets(1800)
    assert "own_mb_per_min" not in short and "fds_per_min" not in short
    assert {"own_mb_per_min", "own_pct_per_hour", "rss_mb_per_min", "fds_per_min", "threads_per_min"} < set(long)
    assert set(short) < set(long)


def test_a_figure_that_is_missing_or_beyond_its_bound_is_not_met() -> None:
    wanted = {"low": ["<=", 1], "high": [">=", 9], "gone": ["<=", 0]}
    assert verdict.met({"low": 1.0, "high": 9.0}, wanted) == {"low": True, "high": True, "gone": False}
    assert verdict.met({"low": 1.1, "high": 8.9, "gone": 0}, wanted) == {"low": False, "high": False, "gone": True}


def test_a_participant_asks_for_what_is_missing_until_it_comes() -> None:
    stream = Heard()
    assert stream.packet(65_534, now=0.0) == []
    assert stream.packet(1, now=0.0) == [65_535, 0]
    assert stream.again(now=0.05) == []
    assert stream.again(now=0.1) == [65_535, 0]
    stream.packet(65_535, now=0.15)
    assert (stream.gaps, stream.repaired, list(stream.missing)) == (2, 1, [0])
    for turn in range(2, TRIES + 2):
        stream.packet(turn, now=turn * 0.11)
        asked = stream.again(now=turn * 0.11)
    assert asked == [] and (stream.given_up, stream.cut_off) == (1, 0) and not stream.missing


def test_what_a_stream_lacks_that_has_fallen_silent_is_cut_off() -> None:
    stream = Heard()
    stream.packet(1, now=0.0)
    stream.packet(3, now=0.0)
    for turn in range(1, TRIES + 1):
        stream.again(now=turn * 0.11)
    assert (stream.given_up, stream.cut_off) == (0, 1) and not stream.missing


def test_a_pause_is_not_asked_for() -> None:
    stream = Heard()
    for number in (1, 1000):
        assert stream.packet(number, now=0.0) == []
    assert stream.gaps == 0 and not stream.missing


def test_packets_of_a_stream_are_counted_across_the_turn_of_their_numbers() -> None:
    assert _counted([65_534, 0, 65_535, 0, 2]) == (4, 5, 0)


def test_a_pause_in_a_stream_is_no_hole_and_is_counted() -> None:
    assert _counted([1, 2, 3, 1003, 1005]) == (5, 6, 1)


def test_a_process_is_seen_from_outside() -> None:
    before = look(os.getpid())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock, Path("/dev/null").open():
        sock.bind(("127.0.0.1", 0))
        during = look(os.getpid())
    assert (during.fds - before.fds, during.udp_sockets - before.udp_sockets) == (2, 1)
    assert before.threads >= 1 and 0 < before.own_mb <= before.pss_mb <= before.rss_mb
