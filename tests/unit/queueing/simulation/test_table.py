import io
from datetime import timedelta
from xml.etree import ElementTree

import pytest

from queueing.simulation import example, plot, table
from queueing.simulation.day import Day, Stage, all_day
from queueing.simulation.run import simulate
from queueing.tickets.rules import SECTIONS, Desk

HEAD = "arrival,class,service"


def read(*lines: str) -> list[table.Arrival]:
    return table.read_arrivals(lines)


def test_the_three_columns_are_enough() -> None:
    (one,) = read(HEAD, "8:05,elderly,7.5")
    assert one.at - table.START == timedelta(hours=8, minutes=5)
    assert (one.visitor_class, one.stages) == ("elderly", (Stage("counter", 7.5),))


def test_every_column_is_read_in_any_order_and_in_arabic_digits() -> None:
    (one,) = read(
        "service,arrival,class,then,section,language,sign_language,urgent,appointment,also,gives_up_after,service_point,label",
        "٧.٥,٠٨:٠٥:٣٠,regular,verify:6 video:20,Women,en,نعم,yes,8:30,returning,25,new,A12",
    )
    assert one.at - table.START == timedelta(hours=8, minutes=5, seconds=30)
    assert one.stages == (Stage("new", 7.5), Stage("verify", 6), Stage("video", 20))
    assert (one.section, one.language, one.sign_language, one.urgent) == ("women", "en", True, True)
    assert one.appointment_at and one.appointment_at - table.START == timedelta(hours=8, minutes=30)
    assert (one.also, one.gives_up_after, one.label) == (("returning",), 25, "A12")


@pytest.mark.parametrize(
    ("written", "minutes"), [("12.5", 12.5), ("2000-01-01T00:20:00+00:00", 20), ("2000-01-01 00:20", 20), ("0:20", 20)]
)
def test_a_time_may_be_minutes_or_a_date_and_time(written: str, minutes: float) -> None:
    assert read(HEAD, f"{written},regular,1")[0].at == table.START + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("lines", "line", "column"),
    [
        ((), 1, "arrival"),
        (("arrival,service", "1,2"), 1, "class"),
        ((HEAD + ",colour", "1,regular,2,red"), 1, "colour"),
        ((HEAD + ",class", "1,regular,2,x"), 1, "class"),
        ((HEAD,), 2, ""),
        ((HEAD, "8:00,regular,5", "", "8:61,regular,5"), 4, "arrival"),
        ((HEAD, "25:00,regular,5"), 2, "arrival"),
        ((HEAD, "soon,regular,5"), 2, "arrival"),
        ((HEAD, ",regular,5"), 2, "arrival"),
        ((HEAD, "inf,regular,5"), 2, "arrival"),
        ((HEAD, "8:00,regular,"), 2, "service"),
        ((HEAD, "8:00,regular,-1"), 2, "service"),
        ((HEAD, "8:00,regular,nan"), 2, "service"),
        ((HEAD, "8:00,old age,5"), 2, "class"),
        ((HEAD, "8:00,regular,5,6"), 2, ""),
        ((HEAD + ",urgent", "8:00,regular,5,perhaps"), 2, "urgent"),
        ((HEAD + ",section", "8:00,regular,5,left"), 2, "section"),
        ((HEAD + ",then", "8:00,regular,5,verify"), 2, "then"),
    ],
)
def test_an_error_names_the_line_and_the_column(lines: tuple[str, ...], line: int, column: str) -> None:
    with pytest.raises(table.BadTable) as caught:
        read(*lines)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert "{" not in str(caught.value)


def outcome_of_the_example() -> table.Outcome:
    arrivals = tuple(example.example_day())
    start = min(a.at for a in arrivals)
    desk = Desk("1", frozenset({"counter"}), frozenset(SECTIONS), frozenset({"ar", "en"}), True)
    return simulate(Day(arrivals, all_day([desk], start, start + timedelta(days=1))))


def test_the_example_is_read_as_it_was_written() -> None:
    file = io.StringIO()
    table.write_arrivals(example.example_day(), file)
    assert table.read_arrivals(file.getvalue().splitlines()) == example.example_day()


def test_the_waits_are_written_a_line_each_in_the_order_of_coming() -> None:
    file = io.StringIO()
    outcome = outcome_of_the_example()
    table.write_waits(outcome, file)
    rows = list(table.csv.DictReader(io.StringIO(file.getvalue())))
    assert len(rows) == len(outcome.waits) == len(example.example_day())
    assert sum(float(row["wait"]) for row in rows) / len(rows) == pytest.approx(outcome.all.mean, abs=0.01)
    assert [row["joined"] for row in rows] == sorted(row["joined"] for row in rows)


@pytest.mark.parametrize("rtl", [False, True])
def test_the_picture_is_plain_svg_that_names_every_class_and_stays_within_its_frame(rtl: bool) -> None:
    outcome = outcome_of_the_example()
    root = ElementTree.fromstring(plot.svg(outcome, title="A <day> & a half", rtl=rtl, names={"regular": "عام"}))
    texts = [node.text or "" for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "A <day> & a half" in texts
    assert any(text.startswith("عام (") for text in texts)
    assert all(any(text.startswith(f"{name} (") for text in texts) for name in outcome.by_class if name != "regular")
    assert not {node.tag.split("}")[1] for node in root.iter()} & {"script", "image", "foreignObject", "style"}
    width, height = (float(n) for n in root.get("viewBox", "").split()[2:])
    for node in root.iter("{http://www.w3.org/2000/svg}rect"):
        assert float(node.get("x", 0)) >= 0 and float(node.get("x", 0)) + float(node.get("width", 0)) <= width + 0.1
        assert float(node.get("y", 0)) + float(node.get("height", 0)) <= height + 0.1


@pytest.mark.parametrize(
    ("most", "expected"),
    [(7, [0, 2, 4, 6, 8]), (100, [0, 20, 40, 60, 80, 100]), (0, [0, 1]), (0.9, [0, 0.2, 0.4, 0.6, 0.8, 1])],
)
def test_ticks_are_round_numbers(most: float, expected: list[float]) -> None:
    assert plot.ticks(most) == expected
