"""The bench of recordings with a short call: that it measures something true. How fast, no test may say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.media.film import FPS
from bench.recordings import costs
from bench.recordings.call import PEOPLE, Call, FastJournal, Film, film, write_mjr
from bench.recordings.run import concluded, together
from recordings.keys import FileKeyRing
from recordings.remux import remux

pytestmark = pytest.mark.real
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("bench")
    command = [
        sys.executable, "-m", "bench.recordings", "--only", "record,playable,seal,seek", "--minutes", "0.5",
        "--seconds", "10", "--megabytes", "4", "--seek-minutes", "0.5", "--seeks", "4", "--key-every", "2",
        "--film", "4", "--folder", str(folder),
    ]  # fmt: skip
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=150, check=False)
    assert run.returncode == 0, run.stderr[-3000:]
    assert list(folder.iterdir()) == [], "nothing is left"
    lines = run.stdout.splitlines()
    assert len(lines) == 1, "one line of JSON, and nothing else"
    return json.loads(lines[0])


def test_the_line_has_its_figures(outcome: dict[str, Any]) -> None:
    assert outcome["bench"] == "recordings" and outcome["machine"]["failed"] == []
    figures = outcome["figures"]
    for name in ("record_cpu_pct_per_call", "end_to_playable_0.5min_s", "follow_cpu_pct_per_call_0.5min"):
        assert figures[name] > 0
    assert figures["packets_per_s_and_call"] > 300
    assert 0.03 < figures["seal_bytes_pct"] < 0.2
    assert set(outcome["met"]) == {"record_and_follow_cpu_pct_per_call"}, "nothing is claimed that was not measured"


def test_seeks_arrive_where_they_should_and_fetch_no_more_than_a_part(outcome: dict[str, Any]) -> None:
    figures = outcome["figures"]
    assert figures["seek_key2_p50_ms"] <= figures["seek_key2_p99_ms"] <= figures["seek_key2_worst_ms"]
    assert figures["seek_key2_worst_off_ms"] < 1000 / FPS + 20


@pytest.fixture(scope="module")
def made() -> Film:
    return film(2, 320, 180)


def test_the_call_is_recorded_as_it_was_made(made: Film, tmp_path: Path) -> None:
    keys = FileKeyRing(tmp_path / "keys")
    journal = FastJournal(tmp_path / "r", keys)
    journal.write(Call.of(made).packets(12))
    journal.close(12)
    result = remux(journal.path, keys, out_dir=tmp_path)
    assert [r.participant_id for r in result.renditions] == list(PEOPLE)
    for rendition in result.renditions:
        assert rendition.has_audio and (rendition.width, rendition.height) == (320, 180)
        assert rendition.longest_keyframe_distance_s == pytest.approx(2 - 1 / FPS, abs=0.01)
        assert not [gap for gap in rendition.gaps if gap.end - gap.start > 1.0]


def test_janus_is_given_the_same_call(made: Film, tmp_path: Path) -> None:
    call = Call.of(made)
    files = write_mjr(tmp_path, call, 4)
    assert len(files) == 2 * len(PEOPLE)
    expected = sum(len(packet) for _, _, packet in call.packets(4) if packet[1] != 200)
    assert 0 < sum(file.stat().st_size for file in files) - expected < 0.1 * expected
    assert costs.janus(call, tmp_path, 0.1).keys() <= {"janus_pp_after_0.1min_s", "janus_pp_cpu_pct_per_call_0.1min"}


def test_what_was_not_measured_is_not_met() -> None:
    one = concluded({}, {"record_cpu_pct_per_call": 0.2, "follow_cpu_pct_per_call_1min": 0.8})
    other = concluded({}, {"jibri_cpu_pct_per_call": 50.0, "end_to_playable_60min_s": 6.0})
    assert one["met"] == {"record_and_follow_cpu_pct_per_call": True}
    both = together([one, other])
    assert both["figures"]["ours_to_jibri_cpu_ratio"] == 0.02
    assert both["met"]["end_to_playable_60min_s"] is False
