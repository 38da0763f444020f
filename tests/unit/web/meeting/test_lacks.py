"""What is said of a microphone or camera that is not to be had, run by Node as it is served."""

from __future__ import annotations

import pytest

from tests.unit.web.meeting.test_line_rules import run

MODULE = "js/room-lacks.js"


def said(visitor: bool, *events: tuple[str, str]) -> list[str | None]:
    script = f"""
      const said = [];
      const lacks = new m.Lacks({{
        visitor: {str(visitor).lower()}, show: (key) => said.push(key), once: (key) => said.push("once " + key),
      }});
      for (const [kind, what] of {[list(event) for event in events]}) lacks.device({{ kind, what }});
      return said;
    """
    found: list[str | None] = run(MODULE, script)
    return found


def test_without_sound_is_said_before_without_picture_and_each_until_it_is_back() -> None:
    course = said(False, ("video", "gone"), ("audio", "gone"), ("audio", "here"), ("video", "here"))
    assert course == ["gone_video", "gone_audio", "gone_video", None]


def test_a_visitor_is_sent_to_the_attendant_and_nobody_is_kept_from_knowing_of_another_microphone() -> None:
    assert said(True, ("audio", "gone"), ("audio", "other")) == ["gone_audio_hall", "once other_microphone", None]
    assert said(True, ("video", "denied")) == ["in_denied"]


@pytest.mark.parametrize(
    ("code", "before", "inside"),
    [
        ("denied", "denied", "in_denied"),
        ("no_camera", "none", "in_none"),
        ("busy", "busy", "in_busy"),
        ("insecure", "insecure", "in_failed"),
        ("fault", "failed", "in_failed"),
    ],
)
def test_inside_nobody_is_told_to_press_a_button_that_is_not_there(code: str, before: str, inside: str) -> None:
    assert run(MODULE, f"return [m.reasonOf('{code}'), m.reasonInside('{code}')];") == [before, inside]
