"""`majlis simulate` as one types it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from web.cli import app

SMALL = "arrival,class,service\n8:00,regular,10\n8:01,regular,10\n8:03,disabled,10\n"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "day.csv"
    path.write_text(SMALL, encoding="utf-8-sig")
    return path


def majlis(*words: object, typed: str | None = None) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["simulate", *map(str, words)], input=typed, env={"COLUMNS": "200"})
    return done.exit_code, done.output


def test_the_summary_says_who_waited_how_long(small: Path) -> None:
    code, said = majlis(small, "--counters", "1", "--json")
    told = json.loads(said)
    assert code == 0
    assert told["by_class"]["regular"]["longest"] == 19, "the disabled visitor came before"
    assert told["by_class"]["disabled"]["mean"] == 7
    assert told["counters"] == [{"counter": "01", "open": 30.0, "busy": 30.0, "served": 3, "utilisation": 1.0}]


def test_rates_and_counters_change_what_comes_of_it(small: Path) -> None:
    _, said = majlis(small, "--counters", "1", "--counters", "2", "--rates", "disabled=0.5, elderly=3", "--json")
    one, two = json.loads(said)
    assert one["by_class"]["regular"]["longest"] == 9
    assert two["all"]["longest"] < one["all"]["longest"]


def test_waits_summary_and_picture_are_written(small: Path, tmp_path: Path) -> None:
    code, said = majlis(small, "--out", tmp_path / "out", "--plot", "--lang", "ar")
    assert code == 0 and "Written to" in said
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"waits.csv", "summary.json", "plot.svg"}
    assert "دقائق الانتظار" in (tmp_path / "out" / "plot.svg").read_text()
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["served"] == 3


def test_a_stored_rule_is_played_by(small: Path, tmp_path: Path) -> None:
    rule = tmp_path / "rule.json"
    rule.write_text(json.dumps({"rates": {"disabled": 0.5}, "target_minutes": 9}))
    _, said = majlis(small, "--counters", "1", "--discipline", rule, "--json")
    told = json.loads(said)
    assert told["target_minutes"] == 9
    assert told["by_class"]["regular"]["within"] == 1


def test_counters_may_change_over_the_day(small: Path) -> None:
    _, said = majlis(small, "--counters", "1@7:00-8:02,3@8:02-9:00", "--json")
    assert [c["counter"] for c in json.loads(said)["counters"]] == ["01", "02", "03"]
    assert json.loads(said)["all"]["longest"] == 1


def test_the_example_can_be_played_from_standard_input() -> None:
    code, table = majlis("--example")
    assert code == 0
    code, said = majlis("-", typed=table)
    assert code == 0 and "regular" in said and "urgent" in said


def test_it_says_how_often_a_told_range_would_have_held() -> None:
    _, table = majlis("--example")
    _, said = majlis("-", "--promises", "--json", typed=table)
    told = json.loads(said)["promises"]
    assert told["told"] == 168
    assert told["inside"] > 0.7 and told["inside"] + told["sooner"] + told["later"] == pytest.approx(1)
    assert "within the range" in majlis("-", "--promises", typed=table)[1]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--counters", "x"], "--counters: “x”"),
        (["--counters", "2@9:00-8:00"], "--counters"),
        (["--rates", "elderly=0"], "rates.elderly"),
        (["--rates", "elderly"], "elderly=2"),
        (["--plot"], "--out"),
        (["--discipline", "/nowhere.json"], "/nowhere.json"),
    ],
)
def test_what_cant_be_done_is_said_in_a_sentence(small: Path, words: list[str], told: str) -> None:
    code, said = majlis(small, *words)
    assert code == 2 and told in said and "Traceback" not in said


def test_a_bad_table_is_named_with_line_and_column(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(SMALL + "8:99,regular,1\n")
    code, said = majlis(path)
    assert code == 2 and f"{path}, line 5, column arrival: “8:99” is no time of the day." in said
    assert majlis(tmp_path / "none.csv")[0] == 2
    path.write_bytes(b"\xff\xfe\x00")
    assert majlis(path)[0] == 2
