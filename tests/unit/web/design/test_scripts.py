"""The scripts keep to the page's policy, to words the page brings, and to the calendar's names of the day."""

import re
from pathlib import Path

import pytest

from core.calendar import DAY_PARTS_AR
from tests.unit.web.design.sheets import WEB

JS = WEB / "static/js"
SHARED = sorted(path for path in JS.glob("*.js"))
each_script = pytest.mark.parametrize("script", SHARED, ids=lambda script: script.name)


@each_script
def test_no_script_turns_text_into_code_or_markup(script: Path) -> None:
    assert not re.search(
        r"\b(eval|Function)\(|innerHTML|outerHTML|insertAdjacentHTML|document\.write", script.read_text()
    )


@each_script
def test_what_a_script_imports_is_there(script: Path) -> None:
    for wanted in re.findall(r'from "(\./[\w.-]+)"', script.read_text()):
        assert (JS / wanted).is_file(), wanted


@each_script
def test_words_come_from_the_page_in_its_language(script: Path) -> None:
    base = (WEB / "templates/base.html").read_text()
    for key in re.findall(r'\bword\("([\w-]+)"\)', script.read_text()):
        assert f'data-word="{key}"' in base, key


def test_the_browser_names_the_parts_of_the_day_as_the_calendar_does() -> None:
    written = re.findall(r'\[(\d+), "([^"]+)"\]', (JS / "clocks.js").read_text())
    assert tuple((int(until), name) for until, name in written) == tuple(DAY_PARTS_AR)
